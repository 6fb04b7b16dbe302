// Owns the sign of life for anything over a second: a spinner with the time gone, on stderr and only on a terminal.
// It must leave nothing behind on the screen.
import type { Output } from '../output.ts';
import { formatDuration } from './units.ts';

const FRAMES = ['|', '/', '-', '\\'];
const APPEARS_AFTER_MS = 1000;
const FRAME_MS = 120;

/** Shows that `what` is under way until the promise settles. */
export async function withProgress<T>(out: Output, what: string, work: Promise<T>): Promise<T> {
  const progress = startProgress(out, what);
  try {
    return await work;
  } finally {
    progress.stop();
  }
}

export function startProgress(out: Output, what: string): { stop(): void } {
  const startedAtMs = Date.now();
  let frame = 0;
  let frames: NodeJS.Timeout | undefined;
  const draw = (): void => {
    const seconds = formatDuration(Math.floor((Date.now() - startedAtMs) / 1000) * 1000);
    const words = out.paint('stderr', `${FRAMES[frame % FRAMES.length]} ${what} (${seconds})`);
    out.streams.stderr.write(`\r\u001b[K${words}`);
    frame += 1;
  };
  // Not even asking whether stderr is a terminal until it matters: opening it takes longer than most commands wait.
  const appear = setTimeout(() => {
    if (out.streams.stderr.isTTY) frames = setInterval(draw, FRAME_MS).unref();
  }, APPEARS_AFTER_MS).unref();
  return {
    stop() {
      clearTimeout(appear);
      clearInterval(frames);
      if (frame > 0) out.streams.stderr.write('\r\u001b[K');
      frame = 0;
    },
  };
}
