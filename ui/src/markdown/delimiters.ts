// Owns the chain of inline pieces and the pairing of * _ ~ runs in it (CommonMark's algorithm with its lower bounds, so
// that hostile input stays linear). It must never nest deeper than MAX_DEPTH: deeper text is flattened, not followed.
import type { Inline } from './tree.ts';

const MAX_DEPTH = 24;

/** An Inline whose children are still links of a chain. */
type Piece = Inline | { readonly type: 'span'; readonly kind: 'em' | 'strong' | 'del'; readonly first: Link | null };
export type Link = { piece: Piece; previous: Link | null; next: Link | null };
export type Chain = { first: Link | null; last: Link | null; lastDelimiter: Delimiter | null };
export type Delimiter = {
  readonly char: '*' | '_' | '~';
  count: number;
  readonly originalCount: number;
  readonly canOpen: boolean;
  readonly canClose: boolean;
  readonly link: Link;
  /** where it stands in the text: bounds survive the removal of their delimiter */
  readonly at: number;
  previous: Delimiter | null;
  next: Delimiter | null;
};

export function chain(): Chain {
  return { first: null, last: null, lastDelimiter: null };
}

export function append(to: Chain, piece: Piece): Link {
  const link: Link = { piece, previous: to.last, next: null };
  if (to.last) to.last.next = link;
  else to.first = link;
  to.last = link;
  return link;
}

export function remove(from: Chain, link: Link): void {
  if (link.previous) link.previous.next = link.next;
  else from.first = link.next;
  if (link.next) link.next.previous = link.previous;
  else from.last = link.previous;
}

function unlink(from: Chain, delimiter: Delimiter): void {
  if (delimiter.previous) delimiter.previous.next = delimiter.next;
  if (delimiter.next) delimiter.next.previous = delimiter.previous;
  else from.lastDelimiter = delimiter.previous;
}

/** Pairs every closer above `bottom` with its opener and wraps what lies between. */
export function pairDelimiters(pieces: Chain, bottom: Delimiter | null): void {
  const lowest = new Map<string, number>();
  const floor = bottom ? bottom.at + 1 : 0;
  let closer = firstAbove(pieces, bottom);
  while (closer) {
    if (!closer.canClose) {
      closer = closer.next;
      continue;
    }
    const kind = `${closer.char}${closer.canOpen}${closer.originalCount % 3}`;
    const stop = lowest.get(kind) ?? floor;
    let opener = closer.previous;
    while (opener && opener.at >= stop && !matches(opener, closer)) opener = opener.previous;
    if (!opener || opener.at < stop) {
      lowest.set(kind, closer.at);
      const next: Delimiter | null = closer.next;
      if (!closer.canOpen) unlink(pieces, closer);
      closer = next;
      continue;
    }
    closer = wrap(pieces, opener, closer);
  }
  // What is left above the bottom is plain text.
  pieces.lastDelimiter = bottom;
  if (bottom) bottom.next = null;
}

function firstAbove(pieces: Chain, bottom: Delimiter | null): Delimiter | null {
  if (bottom) return bottom.next;
  let first = pieces.lastDelimiter;
  while (first?.previous) first = first.previous;
  return first;
}

function matches(opener: Delimiter, closer: Delimiter): boolean {
  if (opener.char !== closer.char || !opener.canOpen) return false;
  if (!closer.canOpen && !opener.canClose) return true;
  return closer.originalCount % 3 === 0 || (opener.originalCount + closer.originalCount) % 3 !== 0;
}

/** Wraps the links between a pair, and says where to look for the next closer. */
function wrap(pieces: Chain, opener: Delimiter, closer: Delimiter): Delimiter | null {
  const used = closer.count >= 2 && opener.count >= 2 ? 2 : 1;
  const kind = closer.char === '~' ? 'del' : used === 2 ? 'strong' : 'em';
  opener.next = closer;
  closer.previous = opener;
  const first = opener.link.next === closer.link ? null : opener.link.next;
  if (first) {
    first.previous = null;
    if (closer.link.previous) closer.link.previous.next = null;
  }
  const span: Link = { piece: { type: 'span', kind, first }, previous: opener.link, next: closer.link };
  opener.link.next = span;
  closer.link.previous = span;
  shorten(pieces, opener, used);
  shorten(pieces, closer, used);
  return closer.count === 0 ? closer.next : closer;
}

function shorten(pieces: Chain, delimiter: Delimiter, used: number): void {
  delimiter.count -= used;
  delimiter.link.piece = { type: 'text', text: delimiter.char.repeat(delimiter.count) };
  if (delimiter.count > 0) return;
  remove(pieces, delimiter.link);
  unlink(pieces, delimiter);
}

/** Turns a chain into nodes; neighbouring texts become one. */
export function toInline(first: Link | null, end: Link | null, depth = 0): Inline[] {
  const nodes: Inline[] = [];
  let text = '';
  const flush = (): void => {
    if (text !== '') nodes.push({ type: 'text', text });
    text = '';
  };
  for (let link = first; link && link !== end; link = link.next) {
    const { piece } = link;
    if (piece.type === 'text') text += piece.text;
    else if (piece.type === 'span' && depth >= MAX_DEPTH) text += flatten(piece.first);
    else {
      flush();
      nodes.push(
        piece.type === 'span' ? { type: piece.kind, children: toInline(piece.first, null, depth + 1) } : piece,
      );
    }
  }
  flush();
  return nodes;
}

/** The words of a chain without its nesting; walks with its own stack, since the nesting may be thousands deep. */
function flatten(first: Link | null): string {
  let text = '';
  const stack: (Link | null)[] = [first];
  while (stack.length > 0) {
    const link = stack.pop() ?? null;
    if (!link) continue;
    stack.push(link.next);
    if (link.piece.type === 'span') stack.push(link.piece.first);
    else text += wordsOf(link.piece);
  }
  return text;
}

function wordsOf(node: Inline): string {
  switch (node.type) {
    case 'text':
    case 'code':
      return node.text;
    case 'break':
      return '\n';
    case 'image':
      return node.alt;
    default:
      return textOf(node.children);
  }
}

/** The words of finished nodes. Their depth is bounded by MAX_DEPTH. */
export function textOf(nodes: readonly Inline[]): string {
  return nodes.map(wordsOf).join('');
}
