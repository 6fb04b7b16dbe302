// What a long reply looks like in several messages.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutReply } from './cut.ts';

const words = (count: number): string => Array.from({ length: count }, (_, i) => `word${i}`).join(' ');

test('a text that fits is one part, a blank one is none', () => {
  expect(cutReply('hello', 10)).toEqual(['hello']);
  expect(cutReply('hello', Number.POSITIVE_INFINITY)).toEqual(['hello']);
  expect(cutReply(' \n ', 10)).toEqual([]);
  expect(cutReply(`${'a'.repeat(10)}${' '.repeat(40)}`, 10)).toEqual(['a'.repeat(10)]);
});

test('paragraphs are kept whole, then lines, then sentences, then words', () => {
  expect(cutReply(`${'a'.repeat(60)}\n\n${'b'.repeat(60)}`, 100)).toEqual(['a'.repeat(60), 'b'.repeat(60)]);
  expect(cutReply(`${'a'.repeat(60)}\n${'b'.repeat(60)}`, 100)).toEqual(['a'.repeat(60), 'b'.repeat(60)]);
  expect(cutReply('This is the first sentence. And this is the second one', 40)).toEqual([
    'This is the first sentence.',
    'And this is the second one',
  ]);
  for (const part of cutReply(words(500), 100)) expect(part).toMatch(/^word\d+( word\d+)*$/);
});

test('a code fence that is cut is closed, and opened again with its language', () => {
  const code = Array.from({ length: 60 }, (_, i) => `const value${i} = ${i};`).join('\n');
  const parts = cutReply(`Look:\n\n\`\`\`ts\n${code}\n\`\`\`\n\nThat was it.`, 400);
  expect(parts.length).toBeGreaterThan(3);
  for (const part of parts) {
    expect(part.length).toBeLessThanOrEqual(400);
    expect((part.match(/^```/gm) ?? []).length % 2, part).toBe(0);
  }
  for (const part of parts.slice(1, -1)) expect(part).toMatch(/^```ts\n/);
  const lines = parts.flatMap((part) => part.split('\n')).filter((line) => line.startsWith('const'));
  expect(lines.join('\n')).toBe(code);
  expect(parts.at(-1)).toContain('That was it.');
});

test('a fence is not opened at the very end of a part', () => {
  const parts = cutReply(`${'x'.repeat(90)}\n\`\`\`py\nprint(1)\nprint(2)\n\`\`\``, 105);
  expect(parts[0]).toBe('x'.repeat(90));
  expect(parts[1]).toBe('```py\nprint(1)\nprint(2)\n```');
});

test('no character is torn apart: families, flags, accents', () => {
  for (const character of ['👩‍👩‍👧‍👦', '🇩🇪', 'e\u0301', '😀']) {
    for (const part of cutReply(character.repeat(200), 101)) {
      expect(part.isWellFormed()).toBe(true);
      expect(part.replaceAll(character, '')).toBe('');
    }
  }
  // One endless character still ends.
  for (const part of cutReply(`a${'\u0301'.repeat(1_000)}`, 100)) expect(part.length).toBeLessThanOrEqual(100);
});

test('for any text: every part fits and is whole, and nothing but spaces and fences is lost', () => {
  const bits = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.constantFrom('\n', '\n\n', '```\n', '\n```js\n', '~~~\n', ' ', '. ', '👩‍👩‍👧‍👦'),
  );
  fc.assert(
    fc.property(fc.array(bits, { maxLength: 60 }), fc.integer({ min: 40, max: 400 }), (pieces, max) => {
      const text = pieces.join('');
      const parts = cutReply(text, max);
      const bare = (value: string): string => value.replace(/^ {0,3}(`{3,}|~{3,}).*$/gm, '').replace(/[\s`~]+/g, '');
      for (const part of parts) {
        expect(part.length).toBeLessThanOrEqual(max);
        expect(part.trim()).not.toBe('');
        expect(part.isWellFormed()).toBe(true);
      }
      const kept = bare(parts.join('\n'));
      const all = bare(text);
      // A cut inside a line that looks like a fence may leave its language as a word.
      if (!/^ {0,3}(`{3}|~{3})/m.test(text)) expect(kept).toBe(all);
    }),
    { numRuns: 500 },
  );
});
