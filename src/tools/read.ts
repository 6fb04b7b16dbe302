// Owns reading a text file of the workspace, a window of lines at a time. It must never show a binary file or more than
// the cap, and a file that fits is shown exactly, so that `edit` can be given any part of it.
import { z } from 'zod';
import { HardshellError } from '../platform/errors.ts';
import { label } from '../store/label.ts';
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
    const data = await env.workspace.read(name, MAX_FILE_BYTES);
    if (data.subarray(0, SNIFF_BYTES).includes(0)) throw notText(name, data.length);
    return {
      text: window(data.toString('utf8'), offset, limit),
      isError: false,
      label: label('untrusted', 'owner', `file:${name}`),
    };
  },
};

function window(text: string, offset: number, limit: number): string {
  if (offset === 1 && Buffer.byteLength(text) <= MAX_SHOWN_BYTES && countLines(text) <= limit) return text;
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (offset > lines.length) return `[the file ends at line ${lines.length}]`;
  const shown: string[] = [];
  let bytes = 0;
  for (const line of lines.slice(offset - 1, offset - 1 + limit)) {
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > MAX_SHOWN_BYTES && shown.length > 0) break;
    shown.push(bytes > MAX_SHOWN_BYTES ? cutLine(line) : line);
  }
  const last = offset - 1 + shown.length;
  const more = last < lines.length ? `; go on with offset=${last + 1}` : '';
  return `${shown.join('\n')}\n[lines ${offset}-${last} of ${lines.length}${more}]`;
}

function countLines(text: string): number {
  let count = text === '' || text.endsWith('\n') ? 0 : 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

function cutLine(line: string): string {
  const kept = Buffer.from(line)
    .subarray(0, MAX_SHOWN_BYTES)
    .toString('utf8')
    .replace(/\ufffd$/, '');
  return `${kept} [the line goes on: ${shownBytes(Buffer.byteLength(line))} in all]`;
}

function notText(name: string, bytes: number): HardshellError {
  const message = `${name} is a binary file (${shownBytes(bytes)})`;
  return new HardshellError({
    code: 'NOT_TEXT',
    message,
    fix: 'look at it with a command, such as file, strings or xxd',
  });
}
