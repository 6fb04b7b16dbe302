import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCapture } from './capture.ts';

const MARK = /\n\[… (\d+) bytes left out …\]\n/;

test('whatever comes in whatever pieces, the head and the tail are the real ones and nothing exceeds the cap', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 400 }),
      fc.integer({ min: 8, max: 600 }),
      fc.array(fc.nat(40), { minLength: 1, maxLength: 40 }),
      (text, maxBytes, cuts) => {
        const bytes = Buffer.from(text);
        const capture = createCapture(maxBytes);
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = (cuts[turn % cuts.length] ?? 0) + 1;
          capture.add('stdout', bytes.subarray(at, at + size));
          at += size;
        }
        const { stdout, truncated } = capture.finish();
        const mark = MARK.exec(stdout);
        if (!truncated) {
          expect(stdout).toBe(text);
          return;
        }
        const head = stdout.slice(0, mark?.index);
        const tail = stdout.slice((mark?.index ?? 0) + (mark?.[0].length ?? 0));
        expect(text.startsWith(head)).toBe(true);
        expect(text.endsWith(tail)).toBe(true);
        const kept = Buffer.byteLength(head) + Buffer.byteLength(tail);
        expect(kept).toBeLessThanOrEqual(maxBytes);
        expect(kept + Number(mark?.[1])).toBe(bytes.length);
      },
    ),
  );
});

test('both streams share the cap, and each keeps its end', () => {
  const capture = createCapture(1000);
  for (let i = 0; i < 500; i += 1) {
    capture.add('stdout', Buffer.from(`out ${i}\n`));
    capture.add('stderr', Buffer.from(`err ${i}\n`));
  }
  const { stdout, stderr, truncated } = capture.finish();
  expect(truncated).toBe(true);
  expect(stdout.startsWith('out 0\n')).toBe(true);
  expect(stderr.startsWith('err 0\n')).toBe(true);
  expect(stdout.endsWith('out 499\n')).toBe(true);
  expect(stderr.endsWith('err 499\n')).toBe(true);
  expect(stdout.length + stderr.length).toBeLessThan(1100);
});

test('bytes that are no text become replacement characters, never an exception', () => {
  const capture = createCapture(100);
  capture.add(
    'stdout',
    Uint8Array.from({ length: 256 }, (_, i) => i),
  );
  expect(capture.finish().stdout).toContain('\ufffd');
});
