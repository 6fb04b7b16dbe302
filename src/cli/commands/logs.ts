// Owns `openclaw logs`: the end of the log, and what comes after it. It reads the file of this state folder, so that it
// works when the gateway does not; a gateway elsewhere is asked.
import { join } from 'node:path';
import type { LogTail } from '../../gateway/backend.ts';
import { tailLog } from '../../log/tail.ts';
import { openClient } from '../connect/with-client.ts';
import type { Context } from '../context.ts';
import { wholeNumber } from '../numbers.ts';
import { type Output, type Span, span } from '../output.ts';
import { resolveTarget, type Target, type TargetFlags } from '../target.ts';

type Chunk = Pick<LogTail, 'cursor' | 'lines' | 'reset'>;
type Reader = { read(query: { limit: number; cursor?: number }): Promise<Chunk>; readonly file: string; close(): void };

const MAX_LINES = 100_000;
const MAX_BYTES = 32 * 1024 * 1024;
const POLL_MS = 400;

export async function run(
  context: Context,
  options: TargetFlags & { tail?: string; limit?: string; follow?: boolean },
): Promise<undefined> {
  const { out } = context;
  const limit = wholeNumber(options.tail ?? options.limit, '--tail', 200, MAX_LINES);
  const target = await resolveTarget(options, context.env);
  const reader = isOurs(target, options) ? fileReader(target) : await gatewayReader(context, options);
  try {
    let chunk = await reader.read({ limit });
    if (!options.follow) {
      out.data({ file: reader.file, lines: chunk.lines.map(parse) });
      if (chunk.lines.length === 0) out.note(span('dim', `nothing was logged yet in ${reader.file}`));
      for (const line of chunk.lines) printLine(out, line);
      return;
    }
    const stopped = untilInterrupt();
    for (;;) {
      for (const line of chunk.lines)
        if (out.json) out.record(parse(line));
        else printLine(out, line);
      if (await stopped.within(POLL_MS)) return;
      chunk = await reader.read({ limit: MAX_LINES, cursor: chunk.cursor });
      // A rotated file starts again; the whole of it is new.
      if (chunk.reset) chunk = await reader.read({ limit: MAX_LINES, cursor: 0 });
    }
  } finally {
    reader.close();
  }
}

/** Whether the log of this state folder is the log of the gateway that was meant. */
const isOurs = (target: Target, options: TargetFlags): boolean =>
  target.local && (target.lock ? target.lock.port === target.port : options.port === undefined);

function fileReader(target: Target): Reader {
  const file = join(target.paths.logsDir, 'openclaw.log');
  return { file, read: async (query) => tailLog(file, { ...query, maxBytes: MAX_BYTES }), close() {} };
}

async function gatewayReader(context: Context, options: TargetFlags): Promise<Reader> {
  const { client, target } = await openClient(context, options, { scopes: ['operator.read'] });
  return {
    file: `the log of ${target.address}`,
    read: async ({ limit, cursor }) => {
      const query = { limit: Math.min(limit, 5000), maxBytes: 1_000_000, ...(cursor === undefined ? {} : { cursor }) };
      return (await client.request('logs.tail', query)) as LogTail;
    },
    close: () => client.close(),
  };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return { message: line };
  }
}

/** `2026-03-01T14:05:09.120Z warn  what happened field=value`: made for eyes and for grep. */
function printLine(out: Output, line: string): void {
  if (out.json) return;
  const { time, level, message, ...fields } = parse(line) as Record<string, unknown>;
  const rest = Object.entries(fields).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  out.line(
    span('dim', `${String(time ?? '')} `.trimStart()),
    levelSpan(String(level ?? 'info')),
    ` ${String(message ?? '')}`,
    span('dim', rest.join('')),
  );
}

function levelSpan(level: string): Span | string {
  const text = level.padEnd(5);
  return level === 'error' ? span('red', text) : level === 'warn' ? span('yellow', text) : text;
}

function untilInterrupt(): { within(ms: number): Promise<boolean> } {
  let stopped = false;
  let wake = (): void => {};
  process.once('SIGINT', () => {
    stopped = true;
    wake();
  });
  return {
    within: (ms) =>
      new Promise((resolve) => {
        if (stopped) return resolve(true);
        const timer = setTimeout(() => resolve(false), ms);
        wake = () => {
          clearTimeout(timer);
          resolve(true);
        };
      }),
  };
}
