// Owns how a long reply becomes several messages: never longer than the platform takes, a code fence that is cut is closed
// and opened again with its language, and no character is torn apart. Pure.

type Fence = { readonly marker: string; readonly language: string };

const FENCE = /^ {0,3}(`{3,32}|~{3,32})([^`\n]*)$/;

/** The parts in order; none is blank, so a blank text has none. */
export function cutReply(text: string, maxChars: number): readonly string[] {
  if (text.length <= maxChars) return text.trim() === '' ? [] : [text];
  const parts: string[] = [];
  // What closing a fence may take, in every part that could have one.
  const closing = Math.max(0, ...[...text.matchAll(/^ {0,3}(`{3,32}|~{3,32})/gm)].map((found) => found[0].length + 1));
  let rest = text;
  let fence: Fence | null = null;
  while (rest !== '') {
    const prefix: string = fence ? `${fence.marker}${fence.language}\n` : '';
    if (prefix.length + rest.length <= maxChars) {
      push(parts, prefix + rest, fence, rest);
      break;
    }
    const room = Math.max(1, maxChars - prefix.length - Math.min(closing, maxChars >> 1));
    let at = breakOf(rest, room, fence !== null);
    let after: Fence | null = fenceAfter(fence, rest.slice(0, at));
    const opened = after && !fence ? openingOf(rest.slice(0, at)) : -1;
    // A fence that would be opened only to be closed again goes into the next part as a whole.
    if (opened > 0 && rest.slice(opened, at).trim().split('\n').length < 2) {
      at = opened;
      after = null;
    }
    const piece = rest.slice(0, at);
    push(parts, `${prefix}${piece.trimEnd()}${after ? `\n${after.marker}` : ''}`, fence, piece);
    rest = after ? rest.slice(at).replace(/^\n/, '') : rest.slice(at).replace(/^\s+/, '');
    fence = after;
  }
  return parts;
}

/** What is left of a fence after its last line says nothing and is not sent. */
function push(parts: string[], part: string, fence: Fence | null, content: string): void {
  const bare = fence ? content.replace(/^ {0,3}(`{3,}|~{3,})\s*$/m, '') : content;
  if (bare.trim() !== '') parts.push(part.trimEnd());
}

function fenceAfter(before: Fence | null, piece: string): Fence | null {
  let fence = before;
  for (const line of piece.split('\n')) {
    const found = FENCE.exec(line);
    const marker = found?.[1];
    if (!marker) continue;
    const info = (found[2] ?? '').trim();
    if (fence === null) fence = { marker, language: /^[\w+#.-]{1,32}/.exec(info)?.[0] ?? '' };
    else if (info === '' && marker.startsWith(fence.marker)) fence = null;
  }
  return fence;
}

/** Where the fence begins that is open at the end of the piece. */
function openingOf(piece: string): number {
  let fence: Fence | null = null;
  let at = 0;
  let opened = -1;
  for (const line of piece.split('\n')) {
    const next = fenceAfter(fence, line);
    if (next && !fence) opened = at;
    fence = next;
    at += line.length + 1;
  }
  return opened;
}

/** The best place to cut at or before `room`: paragraph, line, sentence, word; in code a line; else between characters. */
function breakOf(text: string, room: number, inCode: boolean): number {
  const window = text.slice(0, room + 1);
  const least = Math.floor(room / 2);
  const paragraph = inCode ? -1 : window.lastIndexOf('\n\n');
  if (paragraph >= least) return paragraph;
  const line = window.lastIndexOf('\n');
  if (line >= least) return line;
  if (!inCode) {
    const sentence = lastEnd(window, /[.!?…。！？]["')\]»”]*(?=\s)/gu);
    if (sentence >= least && sentence <= room) return sentence;
  }
  const word = lastEnd(window, /\s+/gu, true);
  if (word >= least) return word;
  return betweenCharacters(text, room);
}

function lastEnd(text: string, pattern: RegExp, atStart = false): number {
  let at = -1;
  for (const found of text.matchAll(pattern)) at = atStart ? found.index : found.index + found[0].length;
  return at;
}

let segmenter: Intl.Segmenter | undefined;

/** Before the character that reaches over the limit; one that is longer than the whole part is cut between code points. */
function betweenCharacters(text: string, room: number): number {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  const start = segmenter.segment(text.slice(0, room + 64)).containing(room)?.index ?? room;
  if (start > room / 2) return start;
  const isLow = (text.charCodeAt(room) & 0xfc00) === 0xdc00;
  return Math.max(1, isLow ? room - 1 : room);
}
