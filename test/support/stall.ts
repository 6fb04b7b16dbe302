// Owns the question for how long nothing else could run: the longest time that the event loop of this process, or a
// gateway that it asks over and over, did not answer while something went on.
import { get } from 'node:http';

const EVERY_MS = 10;

/** Of this process. Resolves to the longest stall in milliseconds. */
export async function longestStall(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last - EVERY_MS);
    last = now;
  };
  const timer = setInterval(look, EVERY_MS);
  await work();
  await new Promise((resolve) => setTimeout(resolve, 2 * EVERY_MS));
  look();
  clearInterval(timer);
  return longest;
}

/** Of a gateway in a process of its own: the longest time that /healthz took while `work` went on. */
export async function longestSilence(port: number, work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let over = false;
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const request = get({ host: '127.0.0.1', port, path: '/healthz', agent: false }, (response) => {
        response.resume().once('end', resolve);
      });
      request.once('error', reject);
    });
  const asking = (async () => {
    while (!over) {
      const startMs = performance.now();
      await ask();
      longest = Math.max(longest, performance.now() - startMs);
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  })();
  try {
    await work();
  } finally {
    over = true;
    await asking;
  }
  return longest;
}
