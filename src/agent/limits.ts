// Owns what ends a turn that goes nowhere: too many steps, the same call over and over, two calls taking turns. All on
// by default; nothing the model says can widen them.
import { createHash } from 'node:crypto';

export const MAX_STEPS = 40;
/** identical call with an identical result */
const WARN_AT = 3;
const STOP_AT = 5;
/** A B A B … with nothing new in between */
const PING_PONG_STOP_AT = 8;

export type LoopVerdict = 'fine' | 'warn' | 'stop';

/** Watches the calls of one turn. */
export function createLoopWatch() {
  const trail: string[] = [];
  return {
    /** After each call: is this getting anywhere? */
    observe(name: string, args: unknown, result: string): LoopVerdict {
      const mark = createHash('sha1')
        .update(JSON.stringify([name, args, result]))
        .digest('base64url');
      trail.push(mark);
      const same = trail.filter((m) => m === mark).length;
      if (same >= STOP_AT || isPingPong(trail)) return 'stop';
      return same >= WARN_AT ? 'warn' : 'fine';
    },
  };
}

function isPingPong(trail: readonly string[]): boolean {
  const tail = trail.slice(-PING_PONG_STOP_AT);
  return (
    tail.length === PING_PONG_STOP_AT && new Set(tail).size === 2 && tail.every((m, i) => i < 2 || m === tail[i - 2])
  );
}
