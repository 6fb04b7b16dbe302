// Owns tables: their rows and alignment. A short row is filled, a long one cut, as in GitHub's tables.
import { parseInline } from './inline.ts';
import { interrupts, isBlank, splitRow } from './starts.ts';
import type { Align, Inline, Read } from './tree.ts';

export function readTable(lines: readonly string[], from: number): Read {
  const head = splitRow(lines[from] ?? '');
  const align = splitRow(lines[from + 1] ?? '').map(alignOf);
  const rows: Inline[][][] = [];
  let at = from + 2;
  for (; at < lines.length && !isBlank(lines[at]) && !interrupts(lines, at); at++) {
    const cells = splitRow(lines[at] ?? '');
    rows.push(align.map((_, column) => parseInline(cells[column] ?? '')));
  }
  return { block: { type: 'table', align, head: head.map((cell) => parseInline(cell)), rows }, next: at };
}

function alignOf(cell: string): Align {
  const [left, right] = [cell.startsWith(':'), cell.endsWith(':')];
  return left && right ? 'center' : right ? 'right' : left ? 'left' : null;
}
