// Owns which files are the memory, and how one is taken apart for the index: by headings, then by size, with lines shared
// between neighbours. Pure; it must never fail on a text, whatever is in it.

export const LONG_TERM = 'MEMORY.md';
export const ABOUT_OWNER = 'USER.md';
export const NOTES = 'memory';
/** Of one file; a longer one is not memory, but a document. */
export const MAX_MEMORY_BYTES = 1_000_000;

const NOTE = /^memory\/[^/]+\.md$/;
/** What the assistant may name a new one: nothing that could be read as something else. */
const NEW_NOTE = /^memory\/[\p{L}\p{N}][\p{L}\p{N} ._-]{0,80}\.md$/u;

export const isMemoryFile = (path: string): boolean =>
  path === LONG_TERM || path === ABOUT_OWNER || (NOTE.test(path) && !path.startsWith('memory/.'));
export const mayBecomeMemory = (path: string): boolean =>
  path === LONG_TERM || path === ABOUT_OWNER || NEW_NOTE.test(path);

/** Of that day, by this machine's clock. */
export function dayNote(atMs: number): string {
  const day = new Date(atMs);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `memory/${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}.md`;
}

export type Chunk = { readonly firstLine: number; readonly lastLine: number; readonly text: string };

/** About 400 tokens, and 80 that are shared. */
const CHUNK_CHARS = 1_600;
const SHARED_CHARS = 320;
/** Less than this and the next heading are one: a file of headings would be as many chunks as lines. */
const LEAST_CHARS = 80;
const HEADING = /^ {0,3}#{1,6}(\s|$)/;

export function chunksOf(text: string): Chunk[] {
  const lines = text.split('\n');
  const chunks: Chunk[] = [];
  let from = 0;
  let chars = 0;
  const close = (to: number): void => {
    const part = lines.slice(from, to).join('\n');
    if (part.trim() === '') return;
    // One endless line becomes several chunks of the same place.
    for (let at = 0; at < part.length; at += CHUNK_CHARS * 4 - SHARED_CHARS) {
      chunks.push({ firstLine: from + 1, lastLine: to, text: part.slice(at, at + CHUNK_CHARS * 4) });
      if (at + CHUNK_CHARS * 4 >= part.length) break;
    }
  };
  for (const [index, line] of lines.entries()) {
    const isFull = chars > 0 && chars + line.length > CHUNK_CHARS;
    if (index > from && ((HEADING.test(line) && chars >= LEAST_CHARS) || isFull)) {
      close(index);
      from = HEADING.test(line) ? index : sharedFrom(lines, from, index);
      chars = lines.slice(from, index).reduce((sum, one) => sum + one.length + 1, 0);
    }
    chars += line.length + 1;
  }
  close(lines.length);
  return chunks;
}

/** The last whole lines before `to` that are short enough to be told twice. */
function sharedFrom(lines: readonly string[], from: number, to: number): number {
  let at = to;
  for (let chars = 0; at > from + 1; at -= 1) {
    chars += (lines[at - 1]?.length ?? 0) + 1;
    if (chars > SHARED_CHARS) break;
  }
  return at;
}

const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/gu;

/** Scripts without spaces are indexed sign by sign; a run of them is then found as a phrase. */
export const wordsOf = (text: string): string => text.normalize('NFKC').replace(CJK, ' $& ');

const MAX_TERMS = 12;

/** What the index is asked: any of the words, the rarer the better; '' when there is none in it. */
export function matchFor(query: string): string {
  const runs =
    query
      .normalize('NFKC')
      .slice(0, 1_000)
      .match(/[\p{L}\p{N}\p{M}_]+/gu) ?? [];
  const terms = [...new Set(runs)].slice(0, MAX_TERMS);
  // Quoted, so that no word of a query is an operator.
  return terms.map((term) => `"${wordsOf(term).trim().replace(/\s+/g, ' ')}"`).join(' OR ');
}
