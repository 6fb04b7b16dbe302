// Mention patterns: what they match, what is refused, and that no pattern and no text can keep the program busy.
import { describe, expect, test } from 'vitest';
import { readPattern } from './pattern.ts';

const match = (pattern: string, text: string): boolean => {
  const read = readPattern(pattern);
  if (!('match' in read)) throw new Error(`${pattern}: ${read.problem}`);
  return read.match(text);
};

test.each([
  ['@openclaw', 'hey @OpenClaw, are you there?', true],
  ['hey openclaw', 'HEY OPENCLAW', true],
  ['@openclaw', '@openc\u200blaw', false],
  ['\\bclaw(bot)?\\b', 'my clawbot!', true],
  ['\\bclaw(bot)?\\b', 'clawbots', false],
  ['\\bclaw(?:bot|dbot)\\b', 'a clawdbot', true],
  ['^bot[,:]', 'bot: hello', true],
  ['^bot[,:]', 'a bot: hello', false],
  ['bot[?!]*$', 'is it the bot?!', true],
  ['bot[^a-z]', 'robots', false],
  ['h.llo', 'h\nllo', false],
  ['a{2,3}b', 'xab', false],
  ['a{2,3}b', 'xaaab', true],
  ['a{2}', 'a a', false],
  ['[a-c0-9_-]+z', 'b-1_z', true],
  ['\\d+ \\w+\\s?$', 'take 42 apples ', true],
  ['\\W\\D\\S', '!!!', true],
  ['Grüß', 'GRÜß dich', true],
  ['a\\.b', 'axb', false],
  ['x*y', 'zzzy', true],
  ['(x|x*)*y', 'xxxxz', false],
])('%s in %j: %s', (pattern, text, expected) => {
  expect(match(pattern, text)).toBe(expected);
});

describe('refused with the reason', () => {
  test.each([
    ['(', /without its \)/],
    [')', /without its \(/],
    ['[a', /without its \]/],
    ['(?=a)b', /not offered/],
    ['(?<n>a)', /not offered/],
    ['(a)\\1', /not offered/],
    ['\\p{L}', /not offered/],
    ['a**', /two repetitions/],
    ['*a', /nothing before/],
    ['a{900}', /more than 32/],
    ['a{3,2}', /is none/],
    ['[z-a]', /is none/],
    ['((a{32}){32}){32}', /too much/],
    ['', /every message/],
    ['x*', /every message/],
    ['a'.repeat(201), /characters/],
    [`${'('.repeat(40)}a${')'.repeat(40)}`, /brackets/],
  ])('%s', (pattern, reason) => {
    expect(readPattern(pattern)).toEqual({ problem: expect.stringMatching(reason) });
  });
});

test('neither a hostile pattern nor a message of 100 kB can stall (L05)', () => {
  const hostile = [
    '(a+)+$',
    '(a|a)*b',
    '((a?){16}){4}a{16}b',
    '(.*.*.*.*)=x',
    '(\\w+\\s?)*!$',
    'a{0,32}a{0,32}a{0,32}c',
  ];
  const texts = ['a'.repeat(100_000), 'a '.repeat(50_000), `${'a'.repeat(99_999)}!`];
  const startedMs = performance.now();
  for (const pattern of hostile) for (const text of texts) match(pattern, text);
  // 18 searches of the part that is looked at; a backtracking engine would not live to see the end of one.
  expect(performance.now() - startedMs).toBeLessThan(6_000);
});

test('it agrees with the engine of the language on short random texts', () => {
  const patterns = ['a(b|c)*d', '(ab?)+c', '[ab]{1,3}c$', '^a?b+', '(a|bc|d){2}', 'a.c|b.d'];
  let seed = 1;
  const next = (n: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % n;
  };
  for (let round = 0; round < 3_000; round++) {
    const text = Array.from({ length: next(9) }, () => 'abcd'[next(4)]).join('');
    for (const pattern of patterns)
      expect([pattern, text, match(pattern, text)]).toEqual([pattern, text, new RegExp(pattern, 'iu').test(text)]);
  }
});
