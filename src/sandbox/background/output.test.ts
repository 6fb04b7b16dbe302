import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createOutput } from './output.ts';

/** Reads on until there is nothing new, as a poll does. */
function drain(output: ReturnType<typeof createOutput>, at = 0) {
  let text = '';
  let left = 0;
  for (let next = at; ; ) {
    const piece = output.read(next, 4_000);
    left += piece.from - next;
    text += piece.text;
    if (piece.next === next) return { text, left, next };
    next = piece.next;
  }
}

test('what is read piece by piece is what came, characters whole, in whatever pieces it came', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 3_000 }),
      fc.array(fc.integer({ min: 1, max: 700 })),
      (text, cuts) => {
        const output = createOutput();
        const bytes = Buffer.from(text);
        let at = 0;
        for (const size of [...cuts, bytes.length]) {
          output.add(bytes.subarray(at, at + size));
          at += size;
        }
        expect(drain(output).text).toBe(text);
      },
    ),
  );
});

test('of endless output the beginning and the newest are there, and the gap is counted', () => {
  const output = createOutput();
  const lines = Array.from({ length: 60_000 }, (_, i) => `line ${i} ü\n`);
  for (const line of lines) output.add(Buffer.from(line));
  const all = lines.join('');
  const { text, left, next } = drain(output);
  expect(next).toBe(Buffer.byteLength(all));
  expect(output.total()).toBe(next);
  expect(text.startsWith('line 0 ü\nline 1 ü\n')).toBe(true);
  expect(text.endsWith(`line 59999 ü\n`)).toBe(true);
  expect(text).not.toContain('\ufffd');
  expect(left).toBe(next - 64 * 1024);
  expect(all.endsWith(text.slice(-50_000))).toBe(true);
});

test('a piece of a character that never gets its rest is shown, and holds nothing up', () => {
  const output = createOutput();
  output.add(Buffer.from([0xe2, 0x82]));
  const first = output.read(0, 100);
  expect(first.text).toBe('\ufffd');
  output.add(Buffer.from('after'));
  expect(drain(output, first.next).text).toContain('after');
});
