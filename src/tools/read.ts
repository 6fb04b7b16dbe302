// Owns reading a text file of the workspace, a window of lines at a time. It must never show a binary file or more than
// the cap, and a file that fits is given back exactly, so that `edit` can be given any part of it.
import { z } from 'zod';
import { HardshellError } from '../platform/errors.ts';
import { filePath, shownBytes } from './paths.ts';
import type { Tool } from './tool.ts';

const MAX_FILE_BYTES = 16_000_000;
const MAX_LINES = 2_000;
const MAX_SHOWN_BYTES = 50_000;
/** Binary files nearly always have a NUL early; text never does. */
const SNIFF_BYTES = 8_000;

const parameters = z.strictObject({
  path: z.string(),
  offset: z.int().min(1).optional().describe('first line, from 1'),
  limit: z.int().min(1).max(MAX_LINES).optional().describe('lines'),
});

export const readTool: Tool<z.infer<typeof parameters>> = {
  name: 'read',
  description: `Read a text file (up to ${MAX_LINES} lines or ${MAX_SHOWN_BYTES / 1000} kB at a time).`,
  parameters,
  effects: ({ path }) => [{ kind: 'read', path: filePath(path) }],
  async run(_call, { path, offset = 1, limit = MAX_LINES }, env) {
    const name = filePath(path);
    const file = await env.files.at(name, 'read');
    const data = await file.root.read(file.name, MAX_FILE_BYTES);
    if (data.subarray(0, SNIFF_BYTES).includes(0)) throw notText(name, data.length);
    return {
      text: window(data, offset, limit),
      isError: false,
      label: env.provenance.labelRead(data, name),
    };
  },
};

/** Bytes are counted where they lie: sixteen million short lines as strings would take half a gigabyte and a second. */
function window(data: Buffer, offset: number, limit: number): string {
  const total = countLines(data);
  if (offset === 1 && data.length <= MAX_SHOWN_BYTES && total <= limit) return data.toString('utf8');
  if (offset > total) return `[the file ends at line ${total}]`;
  const start = afterLines(data, 0, offset - 1);
  const mostLines = Math.min(limit, total - offset + 1);
  let end = start;
  let shown = 0;
  while (shown < mostLines) {
    const next = afterLines(data, end, 1);
    if (next - start > MAX_SHOWN_BYTES && shown > 0) break;
    end = next;
    shown += 1;
  }
  const last = offset - 1 + shown;
  const more = last < total ? `; go on with offset=${last + 1}` : '';
  return `${shownText(data.subarray(start, end))}\n[lines ${offset}-${last} of ${total}${more}]`;
}

const LINE_FEED = 10;

function countLines(data: Buffer): number {
  let count = data.length === 0 || data[data.length - 1] === LINE_FEED ? 0 : 1;
  for (let at = 0; at < data.length; at++) if (data[at] === LINE_FEED) count += 1;
  return count;
}

/** Where the line begins that follows `lines` more line feeds. */
function afterLines(data: Buffer, from: number, lines: number): number {
  let at = from;
  for (let left = lines; left > 0 && at < data.length; at++) if (data[at] === LINE_FEED) left -= 1;
  return at;
}

/** Without the last line feed; a single line over the cap is cut. */
function shownText(lines: Buffer): string {
  const whole = lines[lines.length - 1] === LINE_FEED ? lines.subarray(0, -1) : lines;
  if (whole.length <= MAX_SHOWN_BYTES) return whole.toString('utf8');
  const kept = whole
    .subarray(0, MAX_SHOWN_BYTES)
    .toString('utf8')
    .replace(/\ufffd$/, '');
  return `${kept} [the line goes on: ${shownBytes(whole.length)} in all]`;
}

function notText(name: string, bytes: number): HardshellError {
  const message = `${name} is a binary file (${shownBytes(bytes)})`;
  return new HardshellError({
    code: 'NOT_TEXT',
    message,
    fix: 'look at it with a command, such as file, strings or xxd',
  });
}
