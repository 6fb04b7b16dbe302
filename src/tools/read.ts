// Owns reading a text file of the workspace, by lines. It must never show a binary file as text or more than a window.
import { z } from 'zod';
import { HardshellError } from '../platform/errors.ts';
import { label } from '../store/label.ts';
import type { Tool } from './tool.ts';

const parameters = z.strictObject({
  path: z.string(),
  offset: z.int().min(1).optional().describe('first line'),
  limit: z.int().min(1).optional().describe('lines'),
});

const MAX_FILE_BYTES = 8 * 1024 * 1024;
const MAX_LINES = 2_000;
const MAX_CHARS = 50_000;

export const read: Tool<z.output<typeof parameters>> = {
  name: 'read',
  description: 'Read a text file.',
  parameters,
  effects: ({ path }) => [{ kind: 'read', path }],
  async run(_call, { path, offset = 1, limit = MAX_LINES }, env) {
    const data = await env.workspace.read(path, MAX_FILE_BYTES);
    if (data.subarray(0, 8_192).includes(0)) {
      throw new HardshellError({
        code: 'BINARY_FILE',
        message: `${path} is not a text file (${data.length} bytes)`,
        fix: 'look at it with exec, for example `file` or `xxd | head`',
      });
    }
    return {
      text: windowOf(data.toString('utf8'), offset, Math.min(limit, MAX_LINES)),
      isError: false,
      label: label('untrusted', 'owner', `file:${path}`),
    };
  },
};

/** The lines asked for, as many as fit, and how to go on when there are more. */
function windowOf(text: string, offset: number, limit: number): string {
  if (text === '') return '(empty file)';
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (offset > lines.length) return `(the file has only ${lines.length} lines)`;
  let shown = lines.slice(offset - 1, offset - 1 + limit);
  let body = shown.join('\n');
  while (body.length > MAX_CHARS && shown.length > 1) {
    shown = shown.slice(0, Math.max(1, Math.floor(shown.length * (MAX_CHARS / body.length))));
    body = shown.join('\n');
  }
  if (body.length > MAX_CHARS)
    body = `${body.slice(0, MAX_CHARS)}\n[this line goes on for ${body.length - MAX_CHARS} more characters]`;
  const next = offset + shown.length;
  return next > lines.length
    ? body
    : `${body}\n[lines ${offset}-${next - 1} of ${lines.length}; go on with offset ${next}]`;
}
