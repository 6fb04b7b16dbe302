// Owns the short codes that chats answer questions with: a letter and a digit, so that no word is one and nothing in it
// looks like something else. A code is no secret; it only says which question is meant.
import { randomInt } from 'node:crypto';

/** Without those that look like a digit or like each other: B 8, I 1, O 0, S 5, Z 2. */
const LETTERS = 'ACDEFGHJKLMNPQRTUVWXY';
const DIGITS = '23456789';

const two = [...LETTERS].flatMap((letter) => [...DIGITS].map((digit) => letter + digit));

/** One that is not taken; of three characters when all of two are. */
export function newCode(taken: ReadonlySet<string>): string {
  const free = two.filter((code) => !taken.has(code));
  const most = free.length > 0 ? free : two.flatMap((code) => [...LETTERS].map((letter) => code + letter)).filter((code) => !taken.has(code)); // biome-ignore format: one choice
  const code = most[randomInt(Math.max(1, most.length))];
  if (code === undefined) throw new Error('every code is taken');
  return code;
}
