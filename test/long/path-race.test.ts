// The race for files of test/attacks/path-race.test.ts, ten thousand times.
import { expect, test } from 'vitest';
import { race } from '../support/path-race.ts';

test('F03 F04 F06 ten thousand reads and writes in a race leak nothing', async () => {
  const { reads, writes, changed } = await race(10_000);
  console.log('reads', Object.fromEntries(reads), 'writes', Object.fromEntries(writes));
  expect(changed).toEqual([]);
  expect([...reads.keys()].filter((text) => !/^(INSIDE|[A-Z]+_[A-Z_]+)$/.test(text))).toEqual([]);
  expect([...writes.keys()].filter((text) => !/^(written|[A-Z]+_[A-Z_]+)$/.test(text))).toEqual([]);
}, 180_000);
