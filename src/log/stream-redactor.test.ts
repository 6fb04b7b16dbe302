// Text that comes in pieces, cut anywhere.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allSamples, tokenSamples } from '../../test/support/secret-samples.ts';
import { createRedactor, HIDDEN } from './redact.ts';
import { createStreamRedactor } from './stream-redactor.ts';

const redactor = createRedactor();
for (const { value } of allSamples()) redactor.add(value);
const bare = createRedactor();

const inPieces = (text: string, sizes: readonly number[], by = redactor): string => {
  const stream = createStreamRedactor(by);
  let out = '';
  for (let at = 0, n = 0; at < text.length; n++) {
    const size = sizes[n % sizes.length] ?? 1;
    out += stream.push(text.slice(at, at + size));
    at += size;
  }
  return out + stream.end();
};

test.each(allSamples())('a secret, $kind, is hidden wherever it is cut in two', ({ value }) => {
  for (let cut = 1; cut < value.length; cut++) {
    const stream = createStreamRedactor(redactor);
    const before = 'it was: ';
    const out = stream.push(before + value.slice(0, cut)) + stream.push(`${value.slice(cut)} and`) + stream.end();
    expect(out.replace(HIDDEN, ''), `cut at ${cut}`).toBe(`${before} and`);
  }
});

test.each(tokenSamples())(
  'a token of $kind, known by its looks only, is hidden character by character',
  ({ value }) => {
    const out = inPieces(`it was: ${value} and`, [1], bare);
    for (const line of value.split('\n')) if (!line.startsWith('-----')) expect(out).not.toContain(line.slice(-16));
    expect(out).toMatch(/^it was: .*and$/s);
  },
);

test('what decides about a value may have been shown long before it comes', () => {
  for (const [text, shown] of [
    ['Authorization: Bearer abcdef123456ghij end', 'Authorization: Bearer [redacted]'],
    ['"password": "correct horse battery" end', '"password": "[redacted]" end'],
    ['cookie: a=b; c=d\nnext', 'cookie: [redacted]\nnext'],
    ['run --token abcdef123 now', 'run --token [redacted] now'],
  ] as const) {
    expect(inPieces(text, [1], bare)).toContain(shown);
    expect(inPieces(text, [7, 3], bare)).toContain(shown);
  }
});

test('any text of secrets and words in any pieces comes out as it would in one', () => {
  const word = fc.constantFrom('the', 'token', 'is', '\n', '"', 'a.b', '=', '-----', 'sk-', 'ключ', '🔑', ', ');
  const part = fc.oneof(word, fc.constantFrom(...allSamples().map((one) => one.value)));
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 10 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 }),
      (parts, sizes) => {
        const text = parts.join(' ');
        expect(inPieces(text, sizes)).toBe(redactor.redact(text));
      },
    ),
    { numRuns: 400 },
  );
});

test('prose waits for one word at most, and everything comes out in the end', () => {
  const text = 'The quick brown fox (who is 5) jumps, over “the” lazy dog.\nΑύριο 明日 '.repeat(20);
  const stream = createStreamRedactor(redactor);
  let shown = 0;
  for (let at = 0; at < text.length; at++) {
    shown += stream.push(text[at] ?? '').length;
    expect(at + 1 - shown).toBeLessThan(12);
  }
  expect(shown + stream.end().length).toBe(text.length);
  expect(stream.end()).toBe('');
});

test('a word without an end is not waited for without an end, and costs no more for it', () => {
  const stream = createStreamRedactor(redactor);
  const startedAtMs = process.cpuUsage().user;
  let shown = 0;
  for (let n = 0; n < 500; n++) shown += stream.push('abcdefghij'.repeat(20)).length;
  expect(100_000 - shown).toBeLessThan(5_000);
  expect((process.cpuUsage().user - startedAtMs) / 1_000).toBeLessThan(2_000);
});

test('a word without an end in tiny pieces costs no more than its length', () => {
  const stream = createStreamRedactor(createRedactor());
  const startedMs = process.cpuUsage().user / 1_000;
  let shown = '';
  for (let n = 0; n < 60_000; n++) shown += stream.push(n % 2 ? '.' : 'a');
  shown += stream.end();
  expect(shown).toBe('a.'.repeat(30_000));
  expect(process.cpuUsage().user / 1_000 - startedMs).toBeLessThan(2_500);
});
