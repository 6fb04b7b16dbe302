// Owns replacing a piece of a text file. It changes nothing unless the piece is found exactly as given, once, and says
// how close it came when it is not.
import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { HardshellError } from '../platform/errors.ts';
import { label } from '../store/label.ts';
import { filePath } from './paths.ts';
import type { Tool } from './tool.ts';

const MAX_FILE_BYTES = 1_000_000;

const parameters = z.strictObject({
  path: z.string(),
  oldText: z.string().min(1).describe('exact, with whitespace'),
  newText: z.string(),
  all: z.boolean().optional().describe('replace every match'),
});

export const editTool: Tool<z.infer<typeof parameters>> = {
  name: 'edit',
  description: 'Replace text in a file. oldText must occur exactly once.',
  parameters,
  effects: ({ path }) => [
    { kind: 'read', path: filePath(path) },
    { kind: 'write', path: filePath(path) },
  ],
  async run(_call, { path, oldText, newText, all = false }, env) {
    const name = filePath(path);
    if (oldText === newText) throw refused('NO_CHANGE', 'oldText and newText are the same', 'give the new text');
    const data = await env.workspace.read(name, MAX_FILE_BYTES);
    if (!isUtf8(data)) throw refused('NOT_TEXT', `${name} is not UTF-8 text`, 'change it with a command');
    const parts = data.toString('utf8').split(oldText);
    const count = parts.length - 1;
    if (count === 0) throw notFound(name, data.toString('utf8'), oldText);
    if (count > 1 && !all) {
      const fix = 'give more of the text around it, or set all to true';
      throw refused('AMBIGUOUS_MATCH', `oldText occurs ${count} times in ${name}`, fix);
    }
    const changed = parts.join(newText);
    if (Buffer.byteLength(changed) > MAX_FILE_BYTES) {
      throw refused('FILE_TOO_BIG', `${name} would become larger than ${MAX_FILE_BYTES} bytes`, 'split the file');
    }
    await env.workspace.replace(name, changed);
    const what = count === 1 ? '1 place' : `${count} places`;
    return { text: `Changed ${what} in ${name}.`, isError: false, label: label('tool-local', 'owner') };
  },
};

function notFound(name: string, text: string, oldText: string): HardshellError {
  return refused(
    'NO_MATCH',
    `oldText does not occur in ${name}${nearMiss(text, oldText)}`,
    'read the file again and copy the text exactly',
  );
}

/** Only numbers and fixed words: the file's own text must not get into a message. */
function nearMiss(text: string, oldText: string): string {
  if (text.replaceAll('\r\n', '\n').includes(oldText)) return ': its lines end with CR LF';
  const lines = text.split('\n');
  const wanted = oldText.split('\n');
  const bare = wanted.map((line) => line.trim());
  const at = lines.findIndex((_, start) => bare.every((line, i) => lines[start + i]?.trim() === line));
  if (at !== -1) return `, but it does at line ${at + 1} with other spaces or tabs`;
  const first = bare.find((line) => line !== '');
  if (first === undefined) return '';
  const begins = lines.findIndex((line) => line.trim() === first);
  return begins === -1 ? '' : `, but its first line is line ${begins + 1}; what follows there differs`;
}

function refused(code: string, message: string, fix: string): HardshellError {
  return new HardshellError({ code, message, fix });
}
