// The nine invariants over a hundred thousand made-up runs each. The seed of a run that breaks one is in its message, and
// `node scripts/invariants.ts 1 SEED` runs it again.
import { test } from 'vitest';
import { INVARIANTS } from '../support/invariants/invariants.ts';

test.each(INVARIANTS)('over 100,000 runs: $name', ({ hold }) => hold(1, 100_000), 300_000);
