// Many people write over Telegram while the gateway is killed again and again and Telegram misbehaves: every message has one
// end, no reply is shown twice, each chat sees its replies in order, and what nobody can know is said.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startModelServer } from '../doubles/model-server.ts';
import { PERSON, startTelegramServer, TELEGRAM_TOKEN, type TelegramFault } from '../doubles/telegram-server.ts';
import { newHome, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { figuresOf } from '../support/measure.ts';
import { configFor } from '../support/model-config.ts';

const KILLS = Number(process.env['HARDSHELL_CHANNEL_KILLS'] ?? 20);
const PEOPLE = Number(process.env['HARDSHELL_CHANNEL_PEOPLE'] ?? 250);
const EACH = 8;
/** as src/channels/delivery.ts has it */
const AT_ONCE = 16;

const FAULTS: readonly TelegramFault[] = [
  { kind: 'error', code: 429, retryAfterS: 1 },
  { kind: 'html', status: 502 },
  { kind: 'answer-lost' },
  { kind: 'drop' },
  { kind: 'slow', ms: 300 },
];

type Row = Record<string, unknown>;

test(`${PEOPLE * EACH} messages, ${KILLS} times kill -9, with faults: the balance is exact, no reply is doubled, order holds`, async () => {
  const model = await startModelServer({ keep: 10 });
  model.script(({ user }) => ({ text: `re ${/n\d+/.exec(user)?.[0] ?? '?'}` }));
  const telegram = await startTelegramServer();
  const home = newHome();
  const people = Array.from({ length: PEOPLE }, (_, n) => 5_000 + n);
  for (const id of people) telegram.chats.set(String(id), { id, type: 'private', first_name: `P${id}` });
  const config = {
    ...configFor(model),
    messages: { queue: { mode: 'followup', cap: 50 } },
    channels: {
      telegram: {
        apiRoot: telegram.url,
        botToken: TELEGRAM_TOKEN,
        dmPolicy: 'allowlist',
        allowFrom: people.map(String),
      },
    },
  };
  let gateway: TestGateway | undefined;
  const dice = (sides: number): number => Math.floor(Math.random() * sides);
  try {
    let said = 0;
    let injected = 0;
    for (let kill = 0; kill <= KILLS; kill++) {
      gateway = await startTestGateway({ home, ...(kill === 0 ? { config } : {}) });
      const until = Math.floor((PEOPLE * EACH * (kill + 1)) / (KILLS + 1));
      while (said < until) {
        const id = people[said % PEOPLE] as number;
        const chat = { id, type: 'private', first_name: `P${id}` };
        telegram.say({ chat, from: { ...PERSON, id }, text: `n${said}` });
        said += 1;
        if (dice(20) === 0) {
          injected += 1;
          telegram.fault('sendMessage', FAULTS[dice(FAULTS.length)] as TelegramFault);
        }
        if (dice(40) === 0) telegram.fault('getUpdates', { kind: 'answer-lost' });
        if (dice(4) === 0) await sleep(dice(12));
      }
      if (kill < KILLS) {
        await sleep(1_500 + dice(3_000));
        await gateway.kill9();
      }
    }
    const last = gateway as TestGateway;
    const balance = async (): Promise<Row> => (await last.rpc('status'))['messages'] as Row;
    await expect.poll(async () => (await balance())['received'], { timeout: 180_000, interval: 500 }).toBe(said);
    await expect.poll(async () => (await balance())['queued'], { timeout: 300_000, interval: 500 }).toBe(0);
    const replies = async (): Promise<Row> => (await last.rpc('status'))['outbox'] as Row;
    await expect.poll(async () => (await replies())['queued'], { timeout: 120_000, interval: 500 }).toBe(0);
    const total = await balance();
    const { rssMb } = figuresOf(last.pid);
    await last.stop();

    const database = new DatabaseSync(join(home, '.openclaw', 'state.sqlite'), { readOnly: true });
    const rows = database
      .prepare(`SELECT i.state, i.reason, o.state AS reply FROM inbox i LEFT JOIN outbox o ON o.inbox_id = i.id`)
      .all() as Row[];
    database.close();
    const reasons = Map.groupBy(
      rows.filter(({ state }) => state === 'failed'),
      ({ reason }) => String(reason),
    );
    const why = [...reasons].map(([reason, inside]) => `${inside.length} ${reason}`).join(', ');
    const unknown = rows.filter(({ reply }) => reply === 'unknown').length;
    const shown = telegram.sent.map(({ chat, text }) => ({ chat, n: Number(/^re n(\d+)$/.exec(text)?.[1] ?? -1) }));
    const answers = shown.filter(({ n }) => n >= 0).map(({ n }) => n);
    console.log(
      `said ${said}, balance ${JSON.stringify(total)}, failed (${why}), shown ${answers.length}, of unknown delivery ${unknown}, resident ${rssMb.toFixed(0)} MB`,
    );
    expect(total['received']).toBe(Number(total['answered']) + Number(total['declined']) + Number(total['failed']));
    expect(total['declined']).toBe(0);
    expect(rows).toHaveLength(said);
    expect(new Set(answers).size, 'a reply was shown twice').toBe(answers.length);
    for (const [chat, inside] of Map.groupBy(
      shown.filter(({ n }) => n >= 0),
      (one) => one.chat,
    )) {
      const order = inside.map(({ n }) => n);
      expect(order, `order in ${chat}`).toEqual([...order].sort((a, b) => a - b));
    }
    // Every message was answered on the screen, or failed, or its reply is one of those that nobody can know of.
    expect(answers.length + unknown + Number(total['failed'])).toBeGreaterThanOrEqual(said);
    // At a kill at most so many are under way, and only some faults leave a doubt.
    expect(unknown).toBeLessThanOrEqual(KILLS * AT_ONCE + injected);
    expect(Number(total['failed'])).toBeLessThan(said * 0.05);
  } finally {
    await gateway?.dispose();
    await telegram.close();
    await model.close();
  }
});
