// Owns waiting that an end can cut short. It never keeps the process alive and leaves no listener behind.

/** `setTimeout` takes no longer time. */
const LONGEST_MS = 2_147_000_000;

/** Resolves when the signal comes. */
export const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** How long to wait for another try: it doubles, what was asked for is never undercut, and up to a fifth on top keeps many
 *  from trying at once. */
export function waitMsFor(
  { firstWaitMs, maxWaitMs }: { readonly firstWaitMs: number; readonly maxWaitMs: number },
  tries: number,
  askedMs: number,
): number {
  const ours = Math.min(maxWaitMs, firstWaitMs * 2 ** Math.min(tries, 20));
  return Math.round(Math.max(askedMs, ours) * (1 + Math.random() / 5));
}

/** Resolves after the time, or at once when the signal comes. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(ms, LONGEST_MS)).unref();
    signal.addEventListener('abort', done);
  });
}
