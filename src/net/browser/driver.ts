// Owns the gateway's side of the thread that drives a browser: questions with a time, and bytes handed through unread. What
// a page does to its driver stays in the thread; it must never load the driver here.
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { HardshellError } from '../../platform/errors.ts';
import { type Answers, type Ask, type FromThread, GONE, type ToThread } from './words.ts';

const MEMORY = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 64 };
const START_MS = 40_000;
const ASK_MS = 150_000;

export type DriverPorts = {
  /** into the browser's pipe */
  send(text: string): void;
  /** once: why it is over */
  ended(why: string): void;
};
export type Driver = Awaited<ReturnType<typeof openDriver>>;

type Waiting = { resolve(value: unknown): void; reject(error: unknown): void; readonly timer: NodeJS.Timeout };

export function openDriver(ports: DriverPorts) {
  const thread = new Worker(threadUrl(), {
    ...{ resourceLimits: MEMORY, env: {}, execArgv: [], argv: [], stdin: false },
    ...{ stdout: true, stderr: true, trackUnmanagedFds: true },
  });
  const waiting = new Map<number, Waiting>();
  const { promise: ready, resolve: begin, reject: fail } = Promise.withResolvers<void>();
  ready.catch(() => {});
  const starting = setTimeout(() => end('it did not start in time'), START_MS);
  let last = 0;
  let isOver = false;

  function end(why: string): void {
    if (isOver) return;
    isOver = true;
    clearTimeout(starting);
    const error = gone(why);
    fail(error);
    for (const { reject, timer } of waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    waiting.clear();
    void thread.terminate();
    ports.ended(why);
  }
  function hear(message: FromThread): void {
    if (isOver) return;
    if ('pipe' in message) ports.send(message.pipe);
    else if ('broken' in message) end(message.broken);
    else if ('ready' in message) {
      clearTimeout(starting);
      begin();
    } else settle(message);
  }
  function settle(message: Extract<FromThread, { id: number }>): void {
    const one = waiting.get(message.id);
    waiting.delete(message.id);
    clearTimeout(one?.timer);
    if ('value' in message) one?.resolve(message.value);
    else one?.reject(new HardshellError({ code: message.code, message: message.message, fix: '' }));
  }
  thread.on('message', hear);
  thread.on('error', (error: Error) => end(`its driver failed (${error.message.slice(0, 100)})`));
  thread.on('exit', () => end('its driver ended'));

  return {
    ready,
    take(chunk: Uint8Array): void {
      if (!isOver) thread.postMessage({ pipe: chunk } satisfies ToThread);
    },
    ask<A extends Ask>(ask: A): Promise<Answers[A['op']]> {
      return new Promise((resolve, reject) => {
        if (isOver) return reject(gone('it has ended'));
        const id = ++last;
        const timer = setTimeout(() => end('it did not answer in time'), ASK_MS);
        waiting.set(id, { resolve: resolve as (value: unknown) => void, reject, timer });
        thread.postMessage({ id, ask } satisfies ToThread);
      });
    },
    end,
  };
}

const gone = (why: string): HardshellError =>
  new HardshellError({
    code: GONE,
    message: `the browser is gone: ${why}`,
    fix: 'open the page again; a new browser starts by itself',
  });

/** Beside this file in the sources, beside the program in the bundle. */
function threadUrl(): URL {
  const source = new URL('./driver-thread.ts', import.meta.url);
  return existsSync(source) ? source : new URL('../browser-thread.mjs', import.meta.url);
}
