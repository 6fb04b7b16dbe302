// Owns reading the plain part of YAML that guides print: nested keys, lists, scalars. Everything cleverer (anchors, tags,
// block texts, merge keys) is refused with its line, so that nothing is ever read otherwise than it looks.
import { TextError } from './position.ts';

type Line = { readonly indent: number; readonly text: string; readonly offset: number };

/** Whether a text is meant as YAML: it begins with a bare key, not with a bracket. */
export const looksLikeYaml = (text: string): boolean =>
  /^(?:---[ \t]*)?[A-Za-z_][\w-]*[ \t]*:(?:[ \t]|\r?$)/m.test(text) && !/^\s*(?:[{[/]|['"])/.test(text);

export function parseYaml(text: string): unknown {
  const lines = linesOf(text);
  const reader = { lines, at: 0 };
  if (lines.length === 0) return {};
  const value = block(reader, lines[0]?.indent ?? 0);
  const left = lines[reader.at];
  if (left) throw new TextError('the indentation does not fit', left.offset);
  return value;
}

type Reader = { readonly lines: readonly Line[]; at: number };

function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  let offset = 0;
  for (const raw of text.split('\n')) {
    const line = raw.replace(/\r$/, '');
    const body = withoutComment(line);
    const indent = body.search(/\S/);
    if (indent !== -1 && !(/^---$/.test(body) && lines.length === 0)) {
      if (/^ *\t/.test(line)) throw new TextError('tabs cannot indent', offset);
      if (/^(---|\.\.\.)/.test(body)) throw new TextError('only one document is read', offset);
      lines.push({ indent, text: body.slice(indent), offset: offset + indent });
    }
    offset += raw.length + 1;
  }
  return lines;
}

function withoutComment(line: string): string {
  let quote = '';
  for (let i = 0; i < line.length; i++) {
    const char = line[i] ?? '';
    if (quote) {
      if (char === '\\' && quote === '"') i += 1;
      else if (char === quote) quote = '';
    } else if ((char === '"' || char === "'") && /[\s:[{,-]/.test(line[i - 1] ?? ' ')) quote = char;
    else if (char === '#' && /\s/.test(line[i - 1] ?? ' ')) return line.slice(0, i).trimEnd();
  }
  return line.trimEnd();
}

function block(reader: Reader, indent: number): unknown {
  return reader.lines[reader.at]?.text.match(/^-(\s|$)/) ? sequence(reader, indent) : mapping(reader, indent);
}

function mapping(reader: Reader, indent: number): Record<string, unknown> {
  const entries = new Map<string, unknown>();
  for (let line = reader.lines[reader.at]; line?.indent === indent; line = reader.lines[reader.at]) {
    const found = /^("[^"]*"|'[^']*'|[^\s:"'&*!|>%@`?[\]{},#-][^:]*)(?<!\s)\s*:(?:\s+(.*))?$/.exec(line.text);
    if (!found) throw new TextError('a "key: value" is expected here', line.offset);
    const key = (found[1] ?? '').replace(/^(["'])(.*)\1$/, '$2');
    if (key === '__proto__' || key === '<<') throw new TextError(`the key ${key} is not allowed`, line.offset);
    if (entries.has(key)) throw new TextError(`the key "${key}" is there twice; keep one`, line.offset);
    reader.at += 1;
    entries.set(key, found[2] === undefined ? deeper(reader, indent) : inline(found[2], line));
  }
  return Object.fromEntries(entries);
}

/** What stands below a key; a list may stand at the indentation of its key. */
function deeper(reader: Reader, indent: number): unknown {
  const next = reader.lines[reader.at];
  if (!next) return null;
  if (next.indent > indent) return block(reader, next.indent);
  return next.indent === indent && /^-(\s|$)/.test(next.text) ? sequence(reader, indent) : null;
}

function sequence(reader: Reader, indent: number): unknown[] {
  const items: unknown[] = [];
  for (let line = reader.lines[reader.at]; line?.indent === indent; line = reader.lines[reader.at]) {
    const found = /^-(?:\s+(.*))?$/.exec(line.text);
    if (!found) break;
    if (found[1] !== undefined && /^[\w-]+\s*:(\s|$)/.test(found[1])) {
      throw new TextError('lists of objects are not read; write this file as JSON5', line.offset);
    }
    reader.at += 1;
    items.push(found[1] === undefined ? deeper(reader, indent) : inline(found[1], line));
  }
  return items;
}

/** A scalar, or a list in square brackets. */
function inline(text: string, line: Line): unknown {
  if (!text.startsWith('[')) return scalar(text, line);
  if (!text.endsWith(']')) throw new TextError('a list in brackets must end on its line', line.offset);
  const body = text.slice(1, -1).trim();
  const items: unknown[] = [];
  for (let at = 0; at < body.length; ) {
    ITEM.lastIndex = at;
    const found = ITEM.exec(body);
    if (!found) throw new TextError('this list is not plain enough; write this file as JSON5', line.offset);
    items.push(scalar(found[1] ?? '', line));
    at = ITEM.lastIndex;
  }
  return items;
}

/** One entry of a list, with the comma or the end that follows it. */
const ITEM = /\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s,[\]{}"'](?:[^,[\]{}"']*[^\s,[\]{}"'])?)\s*(?:,|$)/y;

function scalar(text: string, line: Line): string | number | boolean | null {
  if (/^"(?:[^"\\]|\\["\\/bfnrt]|\\u[\da-fA-F]{4})*"$/.test(text)) return JSON.parse(text) as string;
  if (/^'(?:[^']|'')*'$/.test(text)) return text.slice(1, -1).replaceAll("''", "'");
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null' || text === '~') return null;
  if (/^(yes|no|on|off)$/i.test(text)) throw new TextError('write true or false', line.offset);
  if (/^[&*!|>%@`?{}"'[\]]/.test(text) || /:\s/.test(text)) {
    throw new TextError('this is not plain enough; put it in quotes, or write this file as JSON5', line.offset);
  }
  return /^-?(0|[1-9]\d*)(\.\d+)?$/.test(text) ? Number(text) : text;
}
