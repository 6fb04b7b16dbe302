import { describe, expect, it } from 'vitest';
import { formatAgo, formatBytes, formatCount, formatDuration, formatTime } from './units.ts';

describe('units for people', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1536, '1.54 kB'],
    [78_412_345, '78.4 MB'],
    [123_456_789, '123 MB'],
    [999_999, '1 MB'],
  ])('%i bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
  it.each([
    [0, '0 ms'],
    [850, '850 ms'],
    [1500, '1.5 s'],
    [59_900, '59.9 s'],
    [59_999, '1 min'],
    [245_000, '4 min 5 s'],
    [12_000_000, '3 h 20 min'],
    [187_200_000, '2 d 4 h'],
    [3_600_000, '1 h'],
  ])('%i ms are %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
  it('counts with thousands separators', () => {
    expect(formatCount(1_234_567)).toBe('1,234,567');
  });
  it('says how long ago', () => {
    expect(formatAgo(1000, 2000)).toBe('just now');
    expect(formatAgo(0, 7 * 60_000)).toBe('7 min ago');
    expect(formatAgo(0, 50 * 3_600_000)).toBe('2 d ago');
  });
  it('writes a time that sorts', () => {
    expect(formatTime(new Date(2026, 2, 1, 4, 5, 9).getTime())).toBe('2026-03-01 04:05:09');
  });
});
