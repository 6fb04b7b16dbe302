// Owns walking over as many made-up runs as one likes: `node scripts/invariants.ts 1000000 [first seed]`. It says how long
// each invariant took, and the seed of the first run that breaks one.
import { INVARIANTS } from '../test/support/invariants/invariants.ts';

const [count = 100_000, first = 1] = process.argv.slice(2).map(Number);
if (!Number.isSafeInteger(count) || !Number.isSafeInteger(first) || count < 1)
  throw new Error('usage: node scripts/invariants.ts COUNT [FIRST]');
for (const { name, hold } of INVARIANTS) {
  const from = performance.now();
  await hold(first, count);
  const seconds = (performance.now() - from) / 1_000;
  process.stdout.write(`${count} runs, ${seconds.toFixed(1)} s: ${name}\n`);
}
