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
  const { stderr } = out.streams;
  if (!stderr.isTTY) return { stop() {} };
  const startedAtMs = Date.now();
  let frame = 0;
  const timer = setInterval(() => {
    const elapsedMs = Date.now() - startedAtMs;
    if (elapsedMs < APPEARS_AFTER_MS) return;
    const seconds = formatDuration(Math.floor(elapsedMs / 1000) * 1000);
    stderr.write(`\r\u001b[K${out.paint('stderr', `${FRAMES[frame % FRAMES.length]} ${what} (${seconds})`)}`);
    frame += 1;
  }, FRAME_MS);
  timer.unref();
  return {
    stop() {
      clearInterval(timer);
      if (frame > 0) stderr.write('\r\u001b[K');
      frame = 0;
    },
  };
}
