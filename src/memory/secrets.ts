// Owns refusing to remember what is secret (guide 003, S186): keys and passwords as the log knows them, and numbers of
// payment cards. Its refusal says where and what kind, and must never repeat any of it.
import { HardshellError } from '../platform/errors.ts';

type Find = (text: string) => readonly { readonly start: number; readonly kind: string }[];

export function refuseSecrets(text: string, path: string, find: Find): void {
  const [first] = [...find(text), ...cardsIn(text)].sort((a, b) => a.start - b.start);
  if (first === undefined) return;
  const line = text.slice(0, first.start).split('\n').length;
  throw new HardshellError({
    code: 'SECRET_IN_MEMORY',
    message: `${path} was not changed: line ${line} of the new text holds what looks like a secret (${first.kind})`,
    fix: 'leave it out; the owner keeps secrets with: openclaw secrets set',
    httpStatus: 422,
  });
}

const DIGITS = /(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.])/g;

/** With the check digit of payment cards, which one of ten numbers has by chance. */
function cardsIn(text: string): { start: number; kind: string }[] {
  return [...text.matchAll(DIGITS)].flatMap(({ 0: found, index }) =>
    isCard(found.replace(/\D/g, '')) ? [{ start: index, kind: 'payment card' }] : [],
  );
}

function isCard(digits: string): boolean {
  if (!/^[3-6]/.test(digits) || /^(\d)\1+$/.test(digits)) return false;
  let sum = 0;
  for (const [index, digit] of [...digits].reverse().entries()) {
    const value = Number(digit) * (index % 2 === 0 ? 1 : 2);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}
