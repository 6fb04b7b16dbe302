// Owns list items: where one ends, what belongs inside it, and task boxes. Nested lists need two columns of indent, as
// models write them, where CommonMark asks for the width of the marker.
import { dropIndent, indentOf, interrupts, isBlank, isRule, type Marker, markerOf } from './starts.ts';
import type { Block, ListItem, Read } from './tree.ts';

type Parse = (lines: readonly string[]) => Block[];

export function readList(lines: readonly string[], from: number, parse: Parse): Read {
  const items: ListItem[] = [];
  let start: number | null = null;
  let kind = '';
  let loose = false;
  let at = from;
  while (at < lines.length) {
    const marker = isRule(lines[at] ?? '') ? null : markerOf(lines[at] ?? '');
    if (!marker || (items.length > 0 && marker.kind !== kind)) break;
    if (items.length === 0) {
      kind = marker.kind;
      start = marker.start;
    }
    const item = readItem(lines, at, marker, parse);
    items.push(item.item);
    loose ||= item.loose;
    at = item.next;
    // A blank line between two items makes the list loose; one after the last does not.
    let ahead = at;
    while (ahead < lines.length && isBlank(lines[ahead])) ahead++;
    if (ahead > at && ahead < lines.length && markerOf(lines[ahead] ?? '')?.kind === kind) loose = true;
    at = ahead;
  }
  return { block: { type: 'list', start, tight: !loose, items }, next: at };
}

function readItem(
  lines: readonly string[],
  from: number,
  marker: Marker,
  parse: Parse,
): { item: ListItem; loose: boolean; next: number } {
  const inner: string[] = [marker.content];
  let at = from + 1;
  let end = at;
  for (let blank = isBlank(marker.content); at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (isBlank(line)) {
      // An item that begins with a blank line holds nothing below it.
      if (inner.length === 1 && isBlank(inner[0])) break;
      inner.push('');
      blank = true;
      continue;
    }
    const indent = indentOf(line);
    if (indent >= marker.width) inner.push(dropIndent(line, marker.width));
    else if (indent >= marker.indent + 2 && markerOf(line.trimStart())) inner.push(line.trimStart());
    else if (!blank && !interrupts(lines, at) && !markerOf(line)) inner.push(line.trimStart());
    else break;
    blank = false;
    end = at + 1;
  }
  inner.length = end - from;
  const task = /^\[([ xX])\][ \t]+(?=\S)/.exec(inner[0] ?? '');
  if (task) inner[0] = (inner[0] ?? '').slice(task[0].length);
  const blocks = parse(inner);
  const loose = blocks.length > 1 && hasGap(inner);
  return { item: { task: task ? task[1] !== ' ' : null, blocks }, loose, next: end };
}

/** A blank line outside of nested structures, judged by what surrounds it. */
function hasGap(inner: readonly string[]): boolean {
  let fenced = false;
  for (let at = 1; at < inner.length - 1; at++) {
    if (/^ {0,3}(?:```|~~~)/.test(inner[at] ?? '')) fenced = !fenced;
    if (!fenced && isBlank(inner[at]) && indentOf(inner[at + 1] ?? '') < 2 && !isBlank(inner[at + 1])) return true;
  }
  return false;
}
