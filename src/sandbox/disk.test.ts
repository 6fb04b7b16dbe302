import { expect, test } from 'vitest';
import { isNearlyFull } from './disk.ts';

const GB = 1024 ** 3;
const disk =
  (bytes: number, freeBytes: number, files = 1_000_000, freeFiles = files) =>
  () => ({
    bsize: 4096,
    blocks: bytes / 4096,
    bavail: freeBytes / 4096,
    files,
    ffree: freeFiles,
  });

test('half a gigabyte stays free, and a quarter of a small disk', () => {
  expect(isNearlyFull('/x', disk(100 * GB, 0.6 * GB))).toBe(false);
  expect(isNearlyFull('/x', disk(100 * GB, 0.4 * GB))).toBe(true);
  expect(isNearlyFull('/x', disk(GB, 0.3 * GB))).toBe(false);
  expect(isNearlyFull('/x', disk(GB, 0.2 * GB))).toBe(true);
});

test('a disk without room for another file is full, one that counts no files is not', () => {
  expect(isNearlyFull('/x', disk(100 * GB, 50 * GB, 1_000_000, 9_000))).toBe(true);
  expect(isNearlyFull('/x', disk(100 * GB, 50 * GB, 0, 0))).toBe(false);
});

test('a disk that cannot be asked stops nobody', () => {
  expect(isNearlyFull('/no/such/folder')).toBe(false);
});
