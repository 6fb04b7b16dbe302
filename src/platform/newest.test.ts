import { expect, test } from 'vitest';
import { setNewest } from './newest.ts';

test('the entries set last are kept, and setting one again makes it the newest', () => {
  const map = new Map<string, number>();
  for (const [n, key] of ['a', 'b', 'c', 'a', 'd'].entries()) setNewest(map, key, n, 3);
  expect([...map]).toEqual([
    ['c', 2],
    ['a', 3],
    ['d', 4],
  ]);
});
