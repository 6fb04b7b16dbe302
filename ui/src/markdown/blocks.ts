// Owns how lines become blocks: fences, lists, quotes, tables, headings, paragraphs. Close to CommonMark, with three
// choices for chat: `---` is always a rule, a single line break stays a break, raw HTML is text. It must stay linear.
import { parseInline } from './inline.ts';
import { readList } from './lists.ts';
import {
  dropIndent,
  type Fence,
  fenceOf,
  indentOf,
  interrupts,
  isBlank,
  isQuote,
  isRule,
  markerOf,
  startsTable,
} from './starts.ts';
import { readTable } from './tables.ts';
import type { Block, Read } from './tree.ts';

/** A top-level block and the line it starts on: what incremental parsing needs to know. */
export type Placed = { readonly block: Block; readonly line: number };

/** Containers deeper than this are shown as plain paragraphs. */
const MAX_CONTAINERS = 12;

export function parseMarkdown(text: string): Block[] {
  return parseLines(toLines(text), 0);
}

export function toLines(text: string): string[] {
  return text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}

export function parseLines(lines: readonly string[], containers: number): Block[] {
  return placeBlocks(lines, containers).map((placed) => placed.block);
}

export function placeBlocks(lines: readonly string[], containers: number): Placed[] {
  const placed: Placed[] = [];
  for (let at = 0; at < lines.length; ) {
    if (isBlank(lines[at])) {
      at++;
      continue;
    }
    const read = readBlock(lines, at, containers);
    placed.push({ block: read.block, line: at });
    at = read.next;
  }
  return placed;
}

function readBlock(lines: readonly string[], at: number, containers: number): Read {
  const line = lines[at] ?? '';
  if (indentOf(line) >= 4) return readIndented(lines, at);
  const fence = fenceOf(line);
  if (fence) return readFence(lines, at, fence);
  const heading = headingOf(line);
  if (heading) return { block: heading, next: at + 1 };
  if (isRule(line)) return { block: { type: 'rule' }, next: at + 1 };
  if (containers < MAX_CONTAINERS) {
    if (isQuote(line)) return readQuote(lines, at, containers);
    if (markerOf(line)) return readList(lines, at, (inner) => parseLines(inner, containers + 1));
  }
  if (startsTable(lines, at)) return readTable(lines, at);
  return readParagraph(lines, at);
}

function readParagraph(lines: readonly string[], from: number): Read {
  let at = from + 1;
  while (at < lines.length && !isBlank(lines[at]) && !interrupts(lines, at)) at++;
  const text = lines
    .slice(from, at)
    .map((line) => line.trimStart())
    .join('\n');
  return { block: { type: 'paragraph', children: parseInline(text.trimEnd()) }, next: at };
}

function readFence(lines: readonly string[], from: number, fence: Fence): Read {
  const text: string[] = [];
  let at = from + 1;
  for (; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const end = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line)?.[1];
    if (end?.startsWith(fence.mark)) break;
    text.push(line.slice(Math.min(fence.indent, indentOf(line))));
  }
  const closed = at < lines.length;
  return {
    block: { type: 'code', language: fence.language, text: text.join('\n'), closed },
    next: closed ? at + 1 : at,
  };
}

function readIndented(lines: readonly string[], from: number): Read {
  let at = from;
  let end = from;
  for (; at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (isBlank(line)) continue;
    if (indentOf(line) < 4) break;
    end = at + 1;
  }
  const text = lines
    .slice(from, end)
    .map((line) => dropIndent(line, 4))
    .join('\n');
  return { block: { type: 'code', language: '', text, closed: true }, next: end };
}

function headingOf(line: string): Block | null {
  const match = /^ {0,3}(#{1,6})(?:[ \t]|$)/.exec(line);
  if (!match) return null;
  const rest = line.slice(match[0].length).trim();
  let end = rest.length;
  while (rest[end - 1] === '#') end--;
  const closing = end === 0 || /\s/.test(rest[end - 1] ?? '');
  const words = closing ? rest.slice(0, end).trimEnd() : rest;
  return { type: 'heading', level: (match[1] ?? '#').length, children: parseInline(words) };
}

function readQuote(lines: readonly string[], from: number, containers: number): Read {
  let at = from;
  const inner: string[] = [];
  for (; at < lines.length && isQuote(lines[at] ?? ''); at++) inner.push((lines[at] ?? '').replace(/^ {0,3}> ?/, ''));
  return { block: { type: 'quote', blocks: parseLines(inner, containers + 1) }, next: at };
}
