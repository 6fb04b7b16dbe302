// Owns the budgets of a gateway with three channels on: what it keeps in memory and what it computes while nobody writes.
// Telegram, Discord and Slack are doubles; the program is bundled as it is shipped.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDiscordServer } from '../doubles/discord-server.ts';
import { APP_TOKEN, BOT, startSlackServer } from '../doubles/slack-server.ts';
import { startTelegramServer, TELEGRAM_TOKEN } from '../doubles/telegram-server.ts';
import type { TestGateway } from '../support/gateway.ts';
import { bestOf, budgetTable, figuresOf } from '../support/measure.ts';
import { bundlePlatformGateway } from '../support/platform-gateway.ts';

const budget = budgetTable('three channels on');
const LIMIT = { rssMb: 110, idleCpuMsPerSecond: 10 } as const;
const EARLY_MS = 5_000;
/** Longer lives are the soak's (test/long/channels-soak.test.ts). */
const LATE_MS = 15_000;

let program: Awaited<ReturnType<typeof bundlePlatformGateway>>;
let doubles: Awaited<ReturnType<typeof startDoubles>>;
const startDoubles = async () => {
  const [telegram, discord, slack] = await Promise.all([
    startTelegramServer(),
    startDiscordServer(),
    startSlackServer(),
  ]);
  return { telegram, discord, slack };
};
beforeAll(async () => {
  [program, doubles] = await Promise.all([bundlePlatformGateway(), startDoubles()]);
});
afterAll(async () => {
  for (const one of Object.values(doubles ?? {})) await one.close();
  program?.remove();
});

async function start(): Promise<TestGateway> {
  const { telegram, discord, slack } = doubles;
  const channels = {
    telegram: { apiRoot: telegram.url, botToken: TELEGRAM_TOKEN, allowFrom: ['1'] },
    discord: { token: discord.token, allowFrom: ['1'] },
    slack: { botToken: BOT.token, appToken: APP_TOKEN, allowFrom: ['U1'] },
  };
  const gateway = await program.start(
    { discord: discord.endpoints, slack: slack.endpoints() },
    { config: { channels } },
  );
  await expect
    .poll(
      async () => {
        const { channels: all } = (await gateway.rpc('status')) as { channels: { state: string }[] };
        return all.map(({ state }) => state);
      },
      { timeout: 15_000 },
    )
    .toEqual(Array(3).fill('connected'));
  return gateway;
}

test('three channels stay under 110 MB resident and compute next to nothing when idle', async () => {
  const figures = await bestOf(
    2,
    ({ early, late }) => Math.max(early, late) <= LIMIT.rssMb,
    async () => {
      const gateway = await start();
      try {
        await sleep(EARLY_MS);
        const first = figuresOf(gateway.pid);
        await sleep(LATE_MS - EARLY_MS);
        const last = figuresOf(gateway.pid);
        const seconds = (LATE_MS - EARLY_MS) / 1_000;
        return { early: first.rssMb, late: last.rssMb, cpuMs: (last.cpuMs - first.cpuMs) / seconds };
      } finally {
        await gateway.dispose();
      }
    },
  );
  budget('resident, 5 s after all are connected', figures.early, LIMIT.rssMb, 'MB');
  budget('resident, 15 s after', figures.late, LIMIT.rssMb, 'MB');
  budget('processor, of each idle second', figures.cpuMs, LIMIT.idleCpuMsPerSecond, 'ms');
}, 200_000);
