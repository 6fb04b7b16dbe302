import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { diffTexts } from './text-diff.ts';

const diff = (before: string, after: string) => diffTexts(Buffer.from(before), Buffer.from(after));

test('a change is shown with three lines around it, as everybody knows it', () => {
  const before = Array.from({ length: 20 }, (_, i) => `line ${i}\n`).join('');
  expect(diff(before, before.replace('line 9\n', 'nine\nnine and a half\n')).text).toBe(
    '@@ -7,7 +7,8 @@\n line 6\n line 7\n line 8\n-line 9\n+nine\n+nine and a half\n line 10\n line 11\n line 12',
  );
  expect(diff('', 'a\n').text).toBe('@@ -0,0 +1,1 @@\n+a');
  expect(diff('a\nb', 'a\nb\n').text).toContain('No newline');
});

test('what it shows is a patch: applied to the one text it gives the other, for 100 pairs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hardshell-diff-'));
  try {
    let state = 7;
    const next = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let pair = 0; pair < 100; pair++) {
      const text = (): string[] => Array.from({ length: next(40) }, () => 'abcdef'[next(6)] ?? '');
      const before = text();
      const after = next(2) === 0 ? text() : before.filter(() => next(5) > 0);
      const [a, b] = [before, after].map((lines) => lines.map((line) => `${line}\n`).join('')) as [string, string];
      if (a === b) continue;
      const file = join(folder, 'file');
      writeFileSync(file, a);
      const patch = `--- file\n+++ file\n${diff(a, b).text}\n`;
      execFileSync('git', ['apply', '--unidiff-zero', '-p0', '-'], { cwd: folder, input: patch });
      expect(b === '' ? readOrEmpty(file) : readFileSync(file, 'utf8')).toBe(b);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const readOrEmpty = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

test('a text made to be slow is given up on, in time', () => {
  const [a, b] = [0, 1].map((side) =>
    Array.from({ length: 100_000 }, (_, i) => `${(i * 7_919 + side * (i % 3)) % 97}`).join('\n'),
  ) as [string, string];
  const began = performance.now();
  expect(diff(a, b)).toMatchObject({ text: null, note: expect.stringContaining('changed throughout') });
  expect(diff('x'.repeat(999_000), `${'x'.repeat(998_999)}y`).text).toContain('...');
  expect(performance.now() - began).toBeLessThan(2_000);
});

test('what is no text, or too much of it, is said in sizes', () => {
  expect(diff('a\0b', 'c').note).toBe('not a text, 3 B -> 1 B');
  expect(diffTexts(Buffer.from([0xff, 0xfe]), null).note).toBe('not a text, 2 B -> nothing');
  expect(diff('a', 'b'.repeat(1_000_001)).note).toBe('too large to compare, 1 B -> 1000001 B');
});
