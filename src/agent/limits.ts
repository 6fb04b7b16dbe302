// Owns what ends a turn that goes nowhere: too many steps, the same call over and over, two calls taking turns. All on
// by default; nothing the model says can widen them.
import { createHash } from 'node:crypto';

export const MAX_STEPS = 40;
/** identical call with an identical result */
const WARN_AT = 3;
const STOP_AT = 5;
/** A B A B … with nothing new in between */
const PING_PONG_STOP_AT = 8;

/** The same no to the same tool, whatever the arguments; and any no, in one turn. */
const SAME_REFUSALS_STOP_AT = 4;
const REFUSALS_STOP_AT = 15;

export type LoopVerdict = 'fine' | 'warn' | 'stop';

/** What policy or the owner has said no to. */
export type Refused = { readonly code: string; readonly reason: string; readonly fix: string };

/** Watches the noes of one turn: whoever was told why need not be told again, and whoever goes on asking is stopped. */
export function createRefusalWatch() {
  const seen = new Map<string, number>();
  let total = 0;
  return {
    observe(name: string, { code, reason }: Refused): 'full' | 'short' | 'stop' {
      const key = JSON.stringify([name, code, reason]);
      const count = (seen.get(key) ?? 0) + 1;
      seen.set(key, count);
      total += 1;
      if (count >= SAME_REFUSALS_STOP_AT || total >= REFUSALS_STOP_AT) return 'stop';
      return count === 1 ? 'full' : 'short';
    },
  };
}

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
