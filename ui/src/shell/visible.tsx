// Owns making unseen characters seen: control, bidirectional and zero-width ones can make text read differently from
// what it is, so where trust depends on exact text they are shown by number.
import type { ComponentChildren } from 'preact';

/** Control and bidirectional characters, and blanks without width: they have no business in ordinary text. */
const ODD =
  '\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb';
/** Also what emoji and some scripts need (joiners, variation selectors, tags, fillers): shown where a person decides. */
const RARE = '\\u00ad\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u200c\\u200d\\u3164\\ufe00-\\ufe0f\\u{e0000}-\\u{e0fff}';
const UNSEEN = new RegExp(`[${ODD}]`, 'gu');
const UNSEEN_STRICT = new RegExp(`[${ODD}${RARE}]`, 'gu');

export function hasUnseen(text: string): boolean {
  return text.search(UNSEEN_STRICT) !== -1;
}

/** `U+202E` for a character that cannot be seen. */
export function codeOf(char: string): string {
  return `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** The text as one line of plain characters: for titles and labels, which cannot hold marks. */
export function plainLine(text: string): string {
  return text.replace(/[\n\t]+/g, ' ').replace(UNSEEN, (char) => `[${codeOf(char)}]`);
}

/** `strict`: where a person decides by the text, every character without a shape is shown. `marks`: what of it is risky. */
export function Exact({
  text,
  strict = false,
  marks = [],
}: {
  text: string;
  strict?: boolean;
  marks?: readonly string[];
}) {
  return (
    <>
      {markedIn(text, marks).map((piece) =>
        piece.marked ? <mark class="risky">{seen(piece.text, strict)}</mark> : seen(piece.text, strict),
      )}
    </>
  );
}

function seen(text: string, strict: boolean): ComponentChildren[] {
  const pieces: ComponentChildren[] = [];
  let from = 0;
  for (const match of text.matchAll(strict ? UNSEEN_STRICT : UNSEEN)) {
    pieces.push(text.slice(from, match.index), <mark class="unseen">{codeOf(match[0])}</mark>);
    from = match.index + match[0].length;
  }
  pieces.push(text.slice(from));
  return pieces;
}

const MAX_MARKED = 200;

/** The text in pieces, those that a mark covers told apart; overlapping marks are one. */
export function markedIn(text: string, marks: readonly string[]): readonly { text: string; marked: boolean }[] {
  const spans: [number, number][] = [];
  for (const mark of marks) {
    if (mark === '') continue;
    for (let at = text.indexOf(mark); at !== -1 && spans.length < MAX_MARKED; at = text.indexOf(mark, at + mark.length))
      spans.push([at, at + mark.length]);
  }
  spans.sort(([a], [b]) => a - b);
  const pieces: { text: string; marked: boolean }[] = [];
  let done = 0;
  for (const [from, to] of spans) {
    if (to <= done) continue;
    if (from > done) pieces.push({ text: text.slice(done, from), marked: false });
    pieces.push({ text: text.slice(Math.max(from, done), to), marked: true });
    done = to;
  }
  if (done < text.length) pieces.push({ text: text.slice(done), marked: false });
  return pieces;
}
