// The long soak: 10,000 messages over Telegram, Discord, Slack, WhatsApp and mail, with faults on every side and twenty
// times kill -9. The balance is exact, no reply is doubled, order holds in each chat, and memory stays where it was.
import { expect, test } from 'vitest';
import { runSoak } from '../support/soak/run.ts';

const seed = Number(process.env['HARDSHELL_SEED'] ?? Date.now() % 1_000_000);
const MESSAGES = { telegram: 3_700, discord: 3_200, slack: 2_700, whatsapp: 320, mail: 80 };
const PLAN = { messages: MESSAGES, quiet: 5_000, breaks: 4, settledAfter: 1_000, kills: 20, seed } as const;
const LIMIT = { growthMb: 15, descriptors: 6 } as const;

test('10,000 messages over five channels with faults and twenty kills: nothing lost, nothing doubled, all in order', async () => {
  console.log(`seed ${seed} (HARDSHELL_SEED plays it again)`);
  const { counts, early, late, mayBeUnknown } = await runSoak(PLAN);
  console.table(Object.fromEntries(counts));
  console.log({ after: PLAN.settledAfter, early, until: PLAN.quiet, late, spoiled: Object.fromEntries(mayBeUnknown) });
  // A kill leaves as many replies with an unknown fate as were under way.
  for (const [id, { answered, unknown }] of counts)
    expect(unknown, `${id}: unknown fates`).toBeLessThan(answered / 4 + 10);
  // Measured idle, in one life, so that each of the two has the same past but for the messages between them.
  expect((late?.rssMb ?? Number.NaN) - (early?.rssMb ?? 0), 'memory growth, MB').toBeLessThan(LIMIT.growthMb);
  expect((late?.descriptors ?? Number.NaN) - (early?.descriptors ?? 0), 'descriptors').toBeLessThan(LIMIT.descriptors);
});
