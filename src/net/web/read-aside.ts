// Owns the reading of a page in a thread of its own, with limits on time and memory: what a page does to its reader stays
// there. One at a time; the thread ends with the page.
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { PageText } from './html-text.ts';
import type { PageBytes } from './page-text.ts';

const LIMIT_MS = 5_000;
const MEMORY = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 };

let last: Promise<unknown> = Promise.resolve();

/** Null: it could not be read within the limits. */
export function readAside(
  page: PageBytes,
  signal: AbortSignal,
  { worker = workerUrl(), limitMs = LIMIT_MS } = {},
): Promise<PageText | null> {
  const turn = last.then(() => (signal.aborted ? null : readOne(page, signal, worker, limitMs)));
  last = turn.catch(() => null);
  return turn;
}

function readOne(page: PageBytes, signal: AbortSignal, worker: URL, limitMs: number): Promise<PageText | null> {
  return new Promise((resolve) => {
    const thread = new Worker(worker, {
      ...{ workerData: page, resourceLimits: MEMORY, env: {}, execArgv: [], argv: [], stdin: false },
      ...{ stdout: true, stderr: true, trackUnmanagedFds: true },
    });
    const end = (text: PageText | null): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      resolve(text);
      void thread.terminate();
    };
    const stop = (): void => end(null);
    const timer = setTimeout(stop, limitMs);
    signal.addEventListener('abort', stop);
    thread.once('message', (text: PageText) => end(text));
    thread.once('error', stop);
    thread.once('exit', stop);
  });
}

/** Beside this file in the sources, beside the program in the bundle. */
function workerUrl(): URL {
  const source = new URL('./page-worker.ts', import.meta.url);
  return existsSync(source) ? source : new URL('../page-worker.mjs', import.meta.url);
}
