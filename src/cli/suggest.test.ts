import { describe, expect, it } from 'vitest';
import { editDistance, nearestWord } from './suggest.ts';

describe('nearestWord', () => {
  it.each([
    ['statsu', 'status'],
    ['stats', 'status'],
    ['session', 'sessions'],
    ['STATUS', 'status'],
    ['lgos', 'logs'],
  ])('finds for %s the word %s', (typed, meant) => {
    expect(nearestWord(typed, ['status', 'sessions', 'logs', 'chat'])).toBe(meant);
  });
  it.each(['x', 'banana', 'up'])('has nothing to offer for %s', (typed) => {
    expect(nearestWord(typed, ['status', 'sessions', 'logs', 'chat'])).toBeUndefined();
  });
});

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['abc', '', 3],
    ['abc', 'acb', 1],
    ['abc', 'abd', 1],
    ['kitten', 'sitting', 3],
  ])('of %j and %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });
});
