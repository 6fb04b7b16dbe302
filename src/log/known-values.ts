// Owns the registered secrets in all their spellings, found by the hash of four characters: hundreds of values cost a
// text no more than a few. What was added stays; nothing here can be listed or read back.
import { beginsWord } from './find-shapes.ts';
import { spellingsOf } from './spellings.ts';

/** Shorter values would blank ordinary words. */
const MIN_SECRET_CHARS = 6;
/** From here on a value is hidden also inside of words. */
const MIN_INNER_CHARS = 8;

export const HASH_CHARS = 4;
const HASH_MASK = 0xffff;

/** The hash of the last four characters, from the hash before the last one came. */
export const rolled = (hash: number, code: number): number => ((hash << 4) ^ code) & HASH_MASK;

export type KnownValues = {
  /** false when the value is too short to be hidden anywhere without hiding words */
  add(secret: string): boolean;
  /** not 0 where a value may begin with characters of that hash */
  readonly mayBegin: Uint8Array;
  /** the end of the longest value that begins there, or 0 */
  endAt(text: string, start: number, hash: number): number;
  /** where a value begins that the text ends in the middle of, else the text's length */
  openFrom(text: string): number;
  /** how many spellings are registered */
  count(): number;
};

export function createKnownValues(): KnownValues {
  const mayBegin = new Uint8Array(HASH_MASK + 1);
  const byHash = new Map<number, string[]>();
  const byFirst = new Map<number, string[]>();
  const known = new Set<string>();
  let longest = 0;

  const addSpelling = (value: string): void => {
    if (value.length < MIN_SECRET_CHARS || known.has(value)) return;
    known.add(value);
    longest = Math.max(longest, value.length);
    let hash = 0;
    for (let i = 0; i < HASH_CHARS; i++) hash = rolled(hash, value.charCodeAt(i));
    mayBegin[hash] = 1;
    insert(byHash, hash, value);
    insert(byFirst, pairAt(value, 0), value);
  };

  return {
    mayBegin,
    add(secret) {
      if (secret.trim().length < MIN_SECRET_CHARS) return false;
      if (!known.has(secret)) for (const spelling of spellingsOf(secret)) addSpelling(spelling);
      return true;
    },
    endAt(text, start, hash) {
      const values = byHash.get(hash);
      if (values === undefined) return 0;
      for (const value of values) {
        if (!text.startsWith(value, start)) continue;
        const end = start + value.length;
        if (value.length >= MIN_INNER_CHARS || standsAlone(text, start, end)) return end;
      }
      return 0;
    },
    openFrom(text) {
      for (let i = Math.max(0, text.length - longest + 1); i < text.length - 1; i++) {
        const values = byFirst.get(pairAt(text, i));
        if (values === undefined) continue;
        const tail = text.slice(i);
        if (values.some((value) => value.length > tail.length && value.startsWith(tail))) return i;
      }
      return text.length;
    },
    count: () => known.size,
  };
}

/** The longest first, so that a value that begins like another one is hidden whole. */
function insert(into: Map<number, string[]>, key: number, value: string): void {
  const values = [...(into.get(key) ?? []), value].sort((a, b) => b.length - a.length);
  into.set(key, values);
}

const pairAt = (text: string, at: number): number => (text.charCodeAt(at) << 16) | text.charCodeAt(at + 1);

const standsAlone = (text: string, start: number, end: number): boolean =>
  beginsWord(text, start) && !/\w/.test(text[end] ?? '');
