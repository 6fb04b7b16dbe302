// Owns replacing a piece of a text file. It changes nothing unless the piece is found exactly as given, once, and says
// how close it came when it is not.
import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { HardshellError } from '../platform/errors.ts';
import { label } from '../store/label.ts';
import { matchesOf, replaceAt } from './matches.ts';
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
  async run(call, { path, oldText, newText, all = false }, env) {
    const name = filePath(path);
    if (oldText === newText) throw refused('NO_CHANGE', 'oldText and newText are the same', 'give the new text');
    const [file, target] = await Promise.all([env.files.at(name, 'read'), env.files.at(name, 'write')]);
    const data = await file.root.read(file.name, MAX_FILE_BYTES);
    if (!isUtf8(data)) throw refused('NOT_TEXT', `${name} is not UTF-8 text`, 'change it with a command');
    const text = data.toString('utf8');
    const places = matchesOf(text, oldText);
    const count = places.length;
    if (count === 0) throw notFound(name, text, oldText);
    if (count > 1 && !all) {
      const fix = 'give more of the text around it, or set all to true';
      throw refused('AMBIGUOUS_MATCH', `oldText occurs ${count} times in ${name}`, fix);
    }
    // Before it is built: many places times a long text is more than there is memory.
    const bytes = data.length + count * (Buffer.byteLength(newText) - Buffer.byteLength(oldText));
    if (bytes > MAX_FILE_BYTES) {
      throw refused('FILE_TOO_BIG', `${name} would become larger than ${MAX_FILE_BYTES} bytes`, 'split the file');
    }
    const changed = replaceAt(text, places, oldText.length, newText);
    env.provenance.check(target.name, newText);
    env.provenance.record({
      ...{ path: target.name, before: text, after: changed, label: call.context },
      ...{ isWhole: false, isApproved: call.isApproved === true },
    });
    await target.root.replace(target.name, changed);
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
  if (matchesOf(text.replaceAll('\r\n', '\n'), oldText, 1).length > 0) return ': its lines end with CR LF';
  const lines = trimmedLines(text);
  const wanted = trimmedLines(oldText);
  const [at] = matchesOf(asOne(lines), asOne(wanted), 1);
  if (at !== undefined) return `, but it does at line ${lineAt(lines, at)} with other spaces or tabs`;
  const first = wanted.find((line) => line !== '');
  if (first === undefined) return '';
  const begins = lines.indexOf(first);
  return begins === -1 ? '' : `, but its first line is line ${begins + 1}; what follows there differs`;
}

const trimmedLines = (text: string): string[] => text.split('\n').map((line) => line.trim());

/** Each line between two line feeds, so that only whole lines match. */
const asOne = (lines: readonly string[]): string => `\n${lines.join('\n')}\n`;

function lineAt(lines: readonly string[], place: number): number {
  let line = 0;
  for (let start = 0; start < place; line++) start += (lines[line]?.length ?? 0) + 1;
  return line + 1;
}

function refused(code: string, message: string, fix: string): HardshellError {
  return new HardshellError({ code, message, fix });
}
