// Commands made at random: none that is allowed reads, changes or starts anything outside, and bash starts what was judged.
// A few seconds of it; test/long has more.
import { expect, test } from 'vitest';
import { differ, fuzz } from '../support/shell-fuzz.ts';

const seed = Date.now() % 1_000_000;

test('E12-E23 no command that is allowed touches anything outside of its allowance', async () => {
  const { made, allowed, leaks } = await fuzz(seed, 3_000);
  expect(leaks, `seed ${seed}`).toEqual([]);
  expect(made, `seed ${seed}`).toBeGreaterThan(50);
  expect(allowed, `seed ${seed}`).toBeGreaterThan(5);
});

test('bash starts the same programs with the same words and input as were judged', async () => {
  const { compared, started, differences } = await differ(seed, 25);
  expect(differences, `seed ${seed}`).toEqual([]);
  expect(compared).toBe(25);
  expect(started).toBeGreaterThan(15);
});
