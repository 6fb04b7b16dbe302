// Owns `openclaw memory`: the memory as people see and mend it. Every line of it was perhaps written by somebody else: all of
// it is printed escaped, with its origin before it.
import type { Change, Hit, MemoryFile, ShownLine, Source } from '../../../memory/memory.ts';
import { EXIT } from '../../../platform/errors.ts';
import { agreed } from '../../chat/ask-owner.ts';
import { ask } from '../../connect/with-client.ts';
import type { Context } from '../../context.ts';
import { wholeNumber } from '../../numbers.ts';
import { type Output, type Style, span } from '../../output.ts';
import { tableLines } from '../../print/table.ts';
import { counted, formatTime } from '../../print/units.ts';
import type { TargetFlags } from '../../target.ts';

type Yes = TargetFlags & { readonly yes?: boolean };
const STYLES: Readonly<Record<string, Style>> = { untrusted: 'red', unknown: 'yellow' };
const FILE_COLUMNS = [{ title: 'FILE', flexible: true }, { title: 'SIZE' }, { title: 'OWNER' }, { title: 'AGENT' }, { title: 'OUTSIDE' }, { title: 'UNKNOWN' }] as const; // biome-ignore format: one row
const CHANGE_COLUMNS = [{ title: 'ID' }, { title: 'WHEN' }, { title: 'FILE', flexible: true }, { title: 'BY' }, { title: 'ORIGIN' }, { title: 'SIZE' }] as const; // biome-ignore format: one row
const SOURCE_COLUMNS = [{ title: 'ORIGIN' }, { title: 'SOURCE', flexible: true }, { title: 'WHERE', flexible: true }, { title: 'LINES' }, { title: 'BEGINS', flexible: true }] as const; // biome-ignore format: one row

const read = async <T>(context: Context, flags: TargetFlags, name: string, params: object = {}): Promise<T> =>
  (await ask(context, flags, 'operator.read', `memory.${name}`, params)) as T;

export async function list(context: Context, options: TargetFlags): Promise<undefined> {
  const { out } = context;
  const { files } = await read<{ files: MemoryFile[] }>(context, options, 'list');
  out.data({ files });
  if (files.length === 0) out.note(span('dim', 'nothing is remembered yet'));
  const row = ({ path, chars, lines }: MemoryFile): string[] => [path, ...[chars, lines.owner, lines.agent, lines.untrusted, lines.unknown].map(String)]; // biome-ignore format: one row
  if (files.length > 0) for (const line of tableLines(FILE_COLUMNS, files.map(row), out.width)) out.line(line);
  if (files.some(({ lines }) => lines.unknown > 0))
    out.note(
      span('dim', 'unknown: by your own hand, or by a command. To vouch for a file: openclaw memory trust FILE'),
    );
}

export async function show(context: Context, options: TargetFlags, path: string): Promise<undefined> {
  const { out } = context;
  const shown = await read<{ hash: string; lines: ShownLine[] }>(context, options, 'show', { path });
  out.data({ path, ...shown });
  printLines(out, shown.lines);
}

function printLines(out: Output, lines: readonly ShownLine[]): void {
  for (const { line, text, origin } of lines)
    out.line(span('dim', String(line).padStart(4)), '  ', span(STYLES[origin] ?? 'dim', origin.padEnd(9)), `  ${text}`);
}

export async function search(context: Context, options: TargetFlags, words: readonly string[]): Promise<undefined> {
  const { out } = context;
  const { hits } = await read<{ hits: Hit[] }>(context, options, 'search', { query: words.join(' ') });
  out.data({ hits });
  if (hits.length === 0) out.note(span('dim', 'nothing found'));
  for (const { id, path, firstLine, lastLine, origin, text } of hits) {
    out.line(span('bold', `#${id}`), `  ${path}:${firstLine}-${lastLine}  `, span(STYLES[origin] ?? 'dim', origin));
    for (const line of text.split('\n')) out.line('    ', line);
  }
}

export async function sources(context: Context, options: TargetFlags): Promise<undefined> {
  const { out } = context;
  const found = await read<{ sources: Source[] }>(context, options, 'sources');
  out.data(found);
  if (found.sources.length === 0) out.note(span('dim', 'nothing is remembered yet'));
  const rows = found.sources.map((one) => [one.origin, one.source, `${one.path}:${one.firstLine}`, String(one.lines), one.example]); // biome-ignore format: one row
  if (rows.length > 0) for (const line of tableLines(SOURCE_COLUMNS, rows, out.width)) out.line(line);
}

export async function changes(context: Context, options: TargetFlags): Promise<undefined> {
  const { out } = context;
  const found = await read<{ changes: Change[] }>(context, options, 'changes');
  out.data(found);
  if (found.changes.length === 0) out.note(span('dim', 'nothing was changed yet'));
  const size = (chars: number | null): string => (chars === null ? '-' : String(chars));
  const rows = found.changes.map((one) => [String(one.id), formatTime(one.atMs), one.path, one.who, one.origin, `${size(one.charsBefore)} -> ${size(one.charsAfter)}`]); // biome-ignore format: one row
  if (rows.length > 0) for (const line of tableLines(CHANGE_COLUMNS, rows, out.width)) out.line(line);
}

type Whole = { readonly change: Change; readonly before: string | null; readonly after: string | null };

export async function diff(context: Context, options: TargetFlags, given: string): Promise<undefined> {
  const { out } = context;
  const id = idOf(given);
  const { change, before, after } = await read<Whole>(context, options, 'change', { id });
  const { diffTexts } = await import('../../../ops/checkpoints/text-diff.ts');
  const bytes = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text));
  const { text, note } = diffTexts(bytes(before), bytes(after));
  out.data({ ...change, diff: text, note });
  out.line(span('bold', `change ${change.id}`), ` of ${change.path}, ${formatTime(change.atMs)}, by ${change.who}`);
  if (change.sources.length > 0) out.line('from: ', change.sources.join(', '));
  for (const line of text?.split('\n') ?? [note])
    out.line('    ', span(line.startsWith('+') ? 'green' : line.startsWith('-') ? 'red' : 'dim', line));
}

export async function revert(
  context: Context,
  options: TargetFlags & { readonly force?: boolean },
  given: string,
): Promise<undefined> {
  const { out } = context;
  const params = { id: idOf(given), force: options.force === true };
  const done = (await ask(context, options, 'operator.write', 'memory.revert', params)) as {
    path: string;
    changeId: number;
  };
  out.data(done);
  out.line(span('green', 'as before: '), done.path);
  out.note(span('dim', `to take this back: openclaw memory revert ${done.changeId}`));
}

export async function forget(context: Context, options: Yes, what: string): Promise<number> {
  const { out } = context;
  const question = `remove every line with ${JSON.stringify(what)} from the memory?`;
  if (!(await agreed(out, options.yes, question, 'look with openclaw memory search, then say --yes')))
    return EXIT.failure;
  const { changes: done } = (await ask(context, options, 'operator.write', 'memory.forget', { what })) as {
    changes: { path: string; lines: number; changeId: number }[];
  };
  out.data({ changes: done });
  if (done.length === 0) out.line('nothing of it is in the memory');
  for (const { path, lines, changeId } of done)
    out.line(span('green', 'forgotten: '), `${counted(lines, 'line')} of ${path} (openclaw memory revert ${changeId})`);
  return EXIT.ok;
}

export async function trust(context: Context, options: Yes, path: string): Promise<number> {
  const { out } = context;
  const shown = await read<{ hash: string; lines: ShownLine[] }>(context, options, 'show', { path });
  if (options.yes !== true) printLines(out, shown.lines);
  const question = `take all ${counted(shown.lines.length, 'line')} of ${path} as your own word?`;
  if (!(await agreed(out, options.yes, question, 'read what is above, then say --yes'))) return EXIT.failure;
  const done = (await ask(context, options, 'operator.admin', 'memory.trust', { path, hash: shown.hash })) as object;
  out.data({ path, ...done });
  out.line(span('green', 'yours: '), path, '; new conversations take it as your own word');
  return EXIT.ok;
}

const idOf = (given: string): number => wholeNumber(given.replace(/^#/, ''), 'ID', 1, 999_999_999);
