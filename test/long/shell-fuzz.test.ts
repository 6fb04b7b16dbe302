// The fuzz of test/attacks/shell-fuzz.test.ts for longer, from a new seed each time; a failure names its seed.
import { expect, test } from 'vitest';
import { differ, fuzz } from '../support/shell-fuzz.ts';

const seed = Date.now() % 1_000_000_000;

test('E12-E23 no command that is allowed touches anything outside of its allowance', async () => {
  const { made, allowed, leaks } = await fuzz(seed, 20_000);
  console.log(`shell fuzz: seed ${seed}, ${made} commands made, ${allowed} allowed and run`);
  expect(leaks, `seed ${seed}`).toEqual([]);
  expect(allowed, `seed ${seed}`).toBeGreaterThan(50);
});

test('bash starts the same programs with the same words and input as were judged', async () => {
  const { compared, differences } = await differ(seed, 400);
  expect(differences, `seed ${seed}`).toEqual([]);
  expect(compared).toBe(400);
});
