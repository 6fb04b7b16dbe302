// A thread swaps folders, files and parents for links, hard links and denied ones while the file tools use them (F03, F04,
// F06): nothing of the outside is ever read or changed. The long run does the same ten thousand times.
import { expect, test } from 'vitest';
import { race } from '../support/path-race.ts';

test('F03 F04 F06 two thousand reads and writes in a race leak nothing', async () => {
  const { reads, writes, changed } = await race(2_000);
  expect(changed).toEqual([]);
  expect([...reads.keys()].filter((text) => !/^(INSIDE|[A-Z]+_[A-Z_]+)$/.test(text))).toEqual([]);
  expect([...writes.keys()].filter((text) => !/^(written|[A-Z]+_[A-Z_]+)$/.test(text))).toEqual([]);
  // It has to have been a race.
  for (const met of ['INSIDE', 'PATH_LINK', 'PATH_HARD_LINK', 'PATH_DENIED']) expect(reads.has(met), met).toBe(true);
}, 60_000);
