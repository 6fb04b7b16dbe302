// Owns an MCP server that is a program of this machine: it runs in a box of its own, its messages are lines, and whatever
// it does too much of ends it. It must never run outside a box.
import { PassThrough } from 'node:stream';
import { createLines } from '../net/mcp/lines.ts';
import type { Message } from '../net/mcp/rpc.ts';
import { reasonOf } from '../platform/errors.ts';
import type { Sandbox, SandboxLimits } from '../sandbox/driver.ts';

export type Program = {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};
export type StdioPorts = {
  readonly sandbox: Sandbox;
  readonly limits: SandboxLimits;
  received(message: unknown): void;
  /** a line was no JSON */
  nonsense(): void;
  /** once: why it is over */
  ended(why: string): void;
};

const MAX_LINE_BYTES = 4 * 1024 ** 2;
const MAX_BYTES_IN_WINDOW = 64 * 1024 ** 2;
const WINDOW_MS = 60_000;
const MAX_PENDING_BYTES = 8 * 1024 ** 2;
const KEPT_STDERR_CHARS = 2_000;
/** Nothing of it is kept by the box: it is read here. */
const KEPT_BY_BOX_BYTES = 1_024;
const NO_LIMIT_BYTES = Number.MAX_SAFE_INTEGER;
/** The longest that a timer can wait, about 24 days; then it is started again. */
const LONGEST_MS = 2 ** 31 - 1;

export function openStdio({ command, args, env }: Program, ports: StdioPorts) {
  const input = new PassThrough();
  const abort = new AbortController();
  let why: string | null = null;
  let said = '';
  let bytes = 0;
  let windowAtMs = performance.now();
  const stop = (reason: string): void => {
    why ??= reason;
    abort.abort();
  };
  const take = (line: string): void => {
    if (line.trim() === '') return;
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      ports.nonsense();
      return;
    }
    ports.received(message);
  };
  const lines = createLines(MAX_LINE_BYTES, take, () => stop(`it sent a message of more than ${MAX_LINE_BYTES} bytes`));
  const onOutput = (chunk: Buffer, from: 'stdout' | 'stderr'): void => {
    const now = performance.now();
    if (now - windowAtMs > WINDOW_MS) [windowAtMs, bytes] = [now, 0];
    bytes += chunk.length;
    if (bytes > MAX_BYTES_IN_WINDOW) stop(`it wrote more than ${MAX_BYTES_IN_WINDOW} bytes in a minute`);
    else if (why !== null) return;
    else if (from === 'stdout') lines.add(chunk);
    else said = (said + chunk.toString('utf8')).slice(-KEPT_STDERR_CHARS);
  };
  const done = ports.sandbox
    .exec({
      argv: [command, ...args],
      cwd: '.',
      stdin: input,
      onOutput,
      env,
      background: true,
      limits: {
        ...ports.limits,
        timeoutMs: LONGEST_MS,
        maxOutputBytes: KEPT_BY_BOX_BYTES,
        killOutputBytes: NO_LIMIT_BYTES,
      },
      signal: abort.signal,
    })
    .then(({ exitCode, stopped }) => {
      if (why !== null) return why;
      const how = stopped === undefined ? `it ended with ${exitCode ?? 'a signal'}` : `its box ended it (${stopped})`;
      const lines = said.trim().split('\n');
      const last = lines.findLast((line) => /error|denied|not found|cannot/i.test(line)) ?? lines.at(-1) ?? '';
      return last === '' ? how : `${how}: ${last.trim()}`;
    }, reasonOf)
    .then(async (reason) => {
      input.destroy();
      ports.ended(reason);
      await ports.sandbox.close().catch(() => {});
    });
  return {
    async send(message: Message): Promise<'sent'> {
      if (why !== null) throw new Error(why);
      if (input.readableLength + input.writableLength > MAX_PENDING_BYTES) stop('it does not read what it is sent');
      else input.write(`${JSON.stringify(message)}\n`);
      return 'sent';
    },
    stop,
    /** resolves when nothing of it is left */
    close(): Promise<void> {
      stop('closed');
      return done;
    },
  };
}
