// Owns whether the words of a search may leave unasked, given what the model has read: a page must not be able to have it
// carry what is the owner's to the search service. Pure, and linear in what was read.
import { leadsIn, namedIn } from '../flow/canonical.ts';

export type Read = {
  /** the owner's own words, of this run and before */
  readonly own: string;
  /** what stood in pages and in results of searches, in this run */
  readonly pages: readonly string[];
  /** what tools gave back that is not public: files, output of commands, mails */
  readonly things: readonly string[];
  /** such things are in the context, also from before this run */
  readonly hasThings: boolean;
  /** somebody else's words are in it */
  readonly hasOutside: boolean;
};

const MAX_CHARS = 2_000_000;
/** Say nothing by themselves. */
const SMALL = new Set(
  (
    'about after also and are best but can der das den des die does ein eine eines for from für how into ist latest mit near ' +
    'new not oder over than that the their there this und vom von vs was were what when where which who why will with wie wer ' +
    'without you your zum zur'
  ).split(' '),
);

/** The part that nobody vouches for, or null. */
export function unvouched(query: string, read: Read): string | null {
  const { own, pages, things, hasThings, hasOutside } = read;
  if (!hasThings && !hasOutside) return null;
  const named = namedIn(own);
  if (named.has(query)) return null;
  const lead = hasThings ? leadsIn(query).find((one) => !named.has(one)) : undefined;
  if (lead !== undefined) return lead;
  const wanted = wordsIn(query);
  const said = new Set(wordsIn(own));
  // Somebody else's words could have been read as an order: then nothing is put in that neither they nor the owner wrote,
  // and beside things of the owner's nothing that the owner did not write.
  if (hasOutside) {
    const shown = hasThings ? new Set<string>() : new Set(pages.flatMap(wordsIn));
    return wanted.find((word) => !isSmall(word) && !said.has(word) && !shown.has(word)) ?? null;
  }
  const texts = things.map((text) => ` ${wordsIn(text).join(' ')} `);
  const stands = (part: string): boolean => texts.some((text) => text.includes(` ${part} `));
  const isOwn = (word: string): boolean => said.has(word) || isSmall(word);
  for (const [at, word] of wanted.entries()) {
    if (!isOwn(word) && /\d/.test(word) && stands(word)) return word;
    const next = wanted[at + 1];
    if (next !== undefined && !(isOwn(word) && isOwn(next)) && stands(`${word} ${next}`)) return `${word} ${next}`;
  }
  return null;
}

const isSmall = (word: string): boolean =>
  SMALL.has(word) || (word.length < 3 && !/\d/.test(word)) || /^(19|20)\d\d$/.test(word);

const wordsIn = (text: string): string[] =>
  text
    .slice(0, MAX_CHARS)
    .normalize('NFKC')
    .toLowerCase()
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter((word) => word !== '');
