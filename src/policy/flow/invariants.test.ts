// The nine invariants over some thousand made-up runs, and that each of them fails as soon as a rule that it rests on is
// gone. `npm run test:long` walks over a hundred thousand, `node scripts/invariants.ts 1000000` over as many as one likes.
import { describe, expect, test } from 'vitest';
import { INVARIANTS } from '../../../test/support/invariants/invariants.ts';
import { Broken } from '../../../test/support/invariants/traces.ts';

const TRACES = 1_500;
/** A rule that is gone has to show within so many. */
const SHOWS_WITHIN = 3_000;

describe.each(INVARIANTS)('$name', ({ hold, without }) => {
  test('over many runs', () => hold(1, TRACES));
  test.each(Object.entries(without))('and not without: %s', async (_rule, broken) => {
    await expect(broken(1, SHOWS_WITHIN)).rejects.toThrow(Broken);
  });
});
