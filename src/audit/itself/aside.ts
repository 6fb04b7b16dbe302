// Owns having the gateway audited aside: one thread for one audit, with limits on time and memory. Nothing of the checks is
// loaded here.
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Asked, Seen } from './thread.ts';

const LIMIT_MS = 60_000;
const MEMORY = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 };

export function lookAside(asked: Asked, signal: AbortSignal): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(threadUrl(), {
      ...{ workerData: { ...asked, env: { ...asked.env } }, resourceLimits: MEMORY, env: {}, execArgv: [], argv: [] },
      ...{ stdin: false, stdout: true, stderr: true, trackUnmanagedFds: true },
    });
    const end = (outcome: Seen | Error): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
      void thread.terminate();
    };
    const stop = (): void => end(new Error('it was stopped'));
    const timer = setTimeout(() => end(new Error(`no answer within ${LIMIT_MS / 1000} s`)), LIMIT_MS).unref();
    signal.addEventListener('abort', stop);
    thread.unref();
    thread.once('message', (seen: Seen) => end(seen));
    thread.once('error', (error: Error) => end(error));
    thread.once('exit', () => end(new Error('its thread ended')));
  });
}

/** Beside this file in the sources, beside the program in the bundle. */
function threadUrl(): URL {
  const source = new URL('./thread.ts', import.meta.url);
  return existsSync(source) ? source : new URL('../audit-thread.mjs', import.meta.url);
}
