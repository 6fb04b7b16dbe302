// The small soak: 500 messages over five platforms that misbehave, and three kills. test/long/channels-soak.test.ts is the
// long one.
import { expect, test } from 'vitest';
import { runSoak } from '../support/soak/run.ts';

const seed = Number(process.env['HARDSHELL_SEED'] ?? Date.now() % 1_000_000);
const MESSAGES = { telegram: 180, discord: 150, slack: 130, whatsapp: 30, mail: 10 };

test('500 messages over five channels with faults and three kills: nothing lost, nothing doubled, all in order', async () => {
  console.log(`seed ${seed} (HARDSHELL_SEED plays it again)`);
  const { counts } = await runSoak({ messages: MESSAGES, quiet: 100, breaks: 1, settledAfter: 100, kills: 3, seed });
  console.log([...counts]);
  for (const [id, { answered, said }] of counts) expect(answered, id).toBeGreaterThan(said / 2);
});
