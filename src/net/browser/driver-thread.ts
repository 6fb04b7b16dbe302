// Owns the thread that drives a browser: the one file that knows playwright-core. The browser's pipe is handed to it as
// bytes; it must never open a connection, a file or a process, and every question ends within its time.
import { parentPort } from 'node:worker_threads';
import { chromium } from 'playwright-core';
import { createPages, Failed, JAMMED } from './pages.ts';
import type { Ask, FromThread, ToThread } from './words.ts';

const MAX_MESSAGE_BYTES = 96 * 1024 ** 2;
const CONNECT_MS = 30_000;
/** It keeps no files, and else makes a folder in /tmp that it leaves there. */
const NOWHERE = '/dev/null/none';

type Transport = Parameters<typeof chromium.connectOverCDP>[0] & {
  onmessage?: (message: object) => void;
  onclose?: (reason?: string) => void;
};

const port = parentPort;
const say = (message: FromThread): void => port?.postMessage(message);

/** Messages end with a zero byte, both ways. */
const parts: Uint8Array[] = [];
let bytes = 0;
const transport = {
  send: (message: object) => say({ pipe: `${JSON.stringify(message)}\0` }),
  close() {},
} as unknown as Transport;

function take(chunk: Uint8Array): void {
  let from = 0;
  for (let end = chunk.indexOf(0); end !== -1; end = chunk.indexOf(0, from)) {
    const text = Buffer.concat([...parts, chunk.subarray(from, end)]).toString('utf8');
    parts.length = 0;
    bytes = 0;
    from = end + 1;
    transport.onmessage?.(JSON.parse(text));
  }
  const rest = chunk.subarray(from);
  bytes += rest.length;
  if (rest.length > 0) parts.push(rest);
  if (bytes > MAX_MESSAGE_BYTES) say({ broken: 'it sent a message that is too large' });
}

let pages: Awaited<ReturnType<typeof createPages>> | null = null;

async function answer(id: number, ask: Ask): Promise<void> {
  try {
    if (pages === null) throw new Failed('BROWSER_GONE', 'the browser is not there');
    say({ id, value: await pages.answer(ask) });
  } catch (error) {
    if (error instanceof Failed && error.code === JAMMED) say({ broken: error.message });
    else if (error instanceof Failed) say({ id, code: error.code, message: error.message });
    else say({ id, code: 'BROWSER_FAILED', message: firstLine(error) });
  }
}

/** Of what the library says: no stack, no call log, no colours. */
const firstLine = (error: unknown): string =>
  String(error instanceof Error ? error.message : error)
    .split('\n', 1)[0]
    ?.replace(/\u001b\[[\d;]*m/g, '')
    .slice(0, 300) ?? '';

port?.on('message', (message: ToThread) => {
  if ('pipe' in message) take(message.pipe);
  else void answer(message.id, message.ask);
});

async function begin(): Promise<void> {
  try {
    const options = { timeout: CONNECT_MS, artifactsDir: NOWHERE };
    pages = await createPages(await chromium.connectOverCDP(transport as never, options));
    say({ ready: true });
  } catch (error) {
    say({ broken: firstLine(error) });
  }
}
void begin();
