// Owns where the entries of an object or list stand in the text, with their commas and the white space that belongs to
// them. Reading only; what is cut or put in is decided in edit.ts.
import type { ArrayNode, Json5, Node, ObjectNode } from '../text/json5.ts';

export type Container = ObjectNode | ArrayNode;
/** One member or item: from its key (or value) to the end of its value. */
export type Entry = { readonly start: number; readonly end: number };

export const entriesOf = (container: Container): Entry[] =>
  container.type === 'array'
    ? container.items.map(({ start, end }) => ({ start, end }))
    : container.members.map(({ keyStart, value }) => ({ start: keyStart, end: value.end }));

export function childOf(container: Node, key: string): { node: Node; index: number } | null {
  if (container.type === 'scalar') return null;
  if (container.type === 'object') {
    const index = container.members.findIndex((member) => member.key === key);
    const node = container.members[index]?.value;
    return node ? { node, index } : null;
  }
  const index = /^\d+$/.test(key) ? Number(key) : -1;
  const node = container.items[index];
  return node ? { node, index } : null;
}

/** The comma after an entry, or -1. Commas in comments do not count. */
export function commaAfter(text: string, { comments }: Json5, from: number, until: number): number {
  for (let at = from; at < until; at++) {
    const comment = comments.find((one) => one.start === at);
    if (comment) at = comment.end - 1;
    else if (text[at] === ',') return at;
  }
  return -1;
}

/** Where the line of an entry begins (at its line end character), or -1 when something else stands before it there. */
export function lineStart(text: string, start: number, after: number): number {
  let at = start;
  while (at > after && (text[at - 1] === ' ' || text[at - 1] === '\t')) at -= 1;
  if (text[at - 1] !== '\n' || at - 1 < after) return -1;
  return text[at - 2] === '\r' && at - 2 >= after ? at - 2 : at - 1;
}

/** The white space before a position, on its line. */
export function indentAt(text: string, position: number): string {
  const start = text.lastIndexOf('\n', position - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start, position))?.[0] ?? '';
}

/** The end of the line when only spaces and comments that end on it follow, else the position itself. */
export function restOfLine(text: string, { comments }: Json5, position: number, until: number): number {
  let at = position;
  for (;;) {
    const comment = comments.find((one) => one.start === at);
    if (comment) {
      if (text.slice(comment.start, comment.end).includes('\n')) return position;
      at = comment.end;
    } else if (at < until && (text[at] === ' ' || text[at] === '\t')) at += 1;
    else break;
  }
  const rest = text.slice(at, at + 2);
  if (at >= until || !(rest.startsWith('\n') || rest === '\r\n')) return position;
  // Spaces at the end of the line stay behind what is put in.
  let end = at;
  while (end > position && (text[end - 1] === ' ' || text[end - 1] === '\t')) end -= 1;
  return end;
}
