// What may be spent: caps of a day, a session, a provider and a person, a warning at 80 %, and `openclaw usage`. The whole
// program with a provider that says how many tokens each answer took.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { PERSON, startTelegramServer, TELEGRAM_TOKEN } from '../doubles/telegram-server.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';

let model: ModelServer;
const gateways: TestGateway[] = [];
beforeEach(async () => {
  model = await startModelServer();
});
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.dispose();
  await model.close();
});

/** The double's models run on this machine, so they are given a price: a dollar for each answer of ten thousand tokens. */
const config = (budget: object, more: object = {}) => {
  const base = configFor(model, { api: 'anthropic-messages' }) as {
    models: { providers: Record<string, { models?: { id: string }[] }> };
    agents: { defaults: { model: { primary: string } } };
  };
  const [provider = '', id = ''] = base.agents.defaults.model.primary.split('/');
  const known = base.models.providers[provider];
  if (!known) throw new Error('the double has no provider');
  known.models = [{ id, cost: { input: 100, output: 0, cacheRead: 0, cacheWrite: 0 } } as { id: string }];
  return { ...base, ...more, budget };
};
async function start(settings: object): Promise<TestGateway> {
  const gateway = await startTestGateway({ config: settings });
  gateways.push(gateway);
  return gateway;
}
const answer = (text: string) => ({ text, usage: { input: 10_000, output: 0 } });
const ask = (gateway: TestGateway, key = 'main') =>
  gateway.cli('agent', '-m', 'hello', '--session-key', `agent:main:${key}`, '--json');
const usageOf = async (gateway: TestGateway) => JSON.parse((await gateway.cli('usage', '--json')).stdout).data;

test('S127 S274 nothing is asked of a model over the cap of a day, and the reason names the way to raise it', async () => {
  const gateway = await start(config({ daily: { usd: 2 } }));
  expect((await gateway.cli('usage')).stdout).toMatch(/^nothing was spent in 30 days$/m);
  model.script(answer('one'), answer('two'), answer('three'));
  expect((await ask(gateway, 'a')).code).toBe(0);
  expect((await ask(gateway, 'b')).code).toBe(0);
  const asked = model.requests.length;
  const over = await ask(gateway, 'c');
  expect(over.code).not.toBe(0);
  expect(over.stdout).toContain('$2.00 of $2.00 spent today');
  expect(over.stdout).toContain('openclaw config set budget.daily.usd 4');
  expect(model.requests.length).toBe(asked);
  expect((await gateway.cli('config', 'set', 'budget.daily.usd', '4')).code).toBe(0);
  await expect.poll(async () => (await ask(gateway, 'd')).code, { timeout: 60_000 }).toBe(0);
  const { today, caps, models } = await usageOf(gateway);
  expect(today).toEqual({ tokens: 30_003, microusd: 3_000_000 });
  expect(caps).toMatchObject([{ at: 'budget.daily.usd', used: 3, cap: 4, isOver: false }]);
  expect(models).toMatchObject([{ tokens: 30_003, microusd: 3_000_000, price: 'settings' }]);
  const shown = (await gateway.cli('usage')).stdout;
  expect(shown).toContain('today $3.00');
  expect(shown).toMatch(/\u2588+/);
});

test('a turn is stopped between two requests, a session by its own cap, a provider by its own', async () => {
  const gateway = await start(config({ perSession: { tokens: 20_000 }, 'provider-double': { usd: 3 } }));
  const step = { toolCalls: [{ name: 'ls', args: { path: '.' } }], usage: { input: 10_000, output: 0 } };
  model.script(step, step, answer('never said'));
  const long = await ask(gateway, 'a');
  expect(long.stdout).toContain('20,002 tokens of 20,000 tokens spent in this session');
  model.script(answer('another session'));
  expect((await ask(gateway, 'b')).code).toBe(0);
  expect((await ask(gateway, 'c')).stdout).toContain('spent today with double');
});

test('S116 a friend has a dollar a day where nothing is set; the owner is warned at 80 % and says in a chat what a day may cost', async () => {
  const server = await startTelegramServer();
  try {
    const friend = { id: 777, first_name: 'Fay' };
    server.chats.set('777', { ...friend, type: 'private' });
    const gateway = await start(
      config(
        { daily: { usd: 5 } },
        {
          commands: { ownerAllowFrom: [`telegram:${PERSON.id}`] },
          channels: { telegram: { apiRoot: server.url, botToken: TELEGRAM_TOKEN, allowFrom: [PERSON.id, 777] } },
        },
      ),
    );
    const texts = () => server.sent.map(({ text }) => text);
    const says = (text: string, isFriend = false) =>
      server.say({
        text,
        ...(isFriend ? { from: { ...friend, is_bot: false }, chat: { ...friend, type: 'private' } } : {}),
      });
    model.script(...Array.from({ length: 8 }, (_, index) => answer(`answer ${index}`)));
    says('hello', true);
    await server.until(() => texts().includes('answer 0'));
    says('once more', true);
    await expect
      .poll(async () => (await gateway.cli('why', '--sender', 'telegram:777')).stdout, { timeout: 60_000 })
      .toContain('1 of 1 dollars');
    expect(model.requests.length).toBeGreaterThan(0);
    for (const at of [1, 2, 3]) {
      says(`question ${at}`);
      await server.until(() => texts().includes(`answer ${at}`));
    }
    await server.until(() => texts().some((text) => text.includes('$4.00 of $5.00 spent today')));
    expect(texts().filter((text) => text.includes('spent today'))).toHaveLength(1);
    says('/allowance 20/day', true);
    says('/allowance 4/day');
    await server.until(() => texts().some((text) => text.includes('at most $4.00 a day')));
    says('one more');
    await server.until(() => texts().some((text) => text.includes('What I may spend is used up')));
    says('/allowance off');
    await server.until(() => texts().some((text) => text.includes('The settings say again')));
    says('and now?');
    await server.until(() => texts().includes('answer 4'));
    const { senders, allowance } = await usageOf(gateway);
    expect(allowance).toBe(null);
    expect(senders).toMatchObject([{ sender: 'telegram:777', microusd: 1_000_000 }]);
  } finally {
    await server.close();
  }
});

test('fifty at once cannot each see an empty day', async () => {
  const gateway = await start(config({ daily: { usd: 10 } }));
  model.script(...Array.from({ length: 60 }, () => answer('one')));
  const ask = (key: string) =>
    gateway.rpc('chat.send', { sessionKey: `agent:main:${key}`, message: 'hi', idempotencyKey: key });
  await Promise.all(Array.from({ length: 50 }, (_, index) => ask(`s${index}`)));
  await expect
    .poll(async () => JSON.parse((await gateway.cli('status', '--json')).stdout).data.messages.queued, {
      timeout: 60_000,
    })
    .toBe(0);
  // What is under way when the cap is reached ends; nothing begins after it.
  const { today } = await usageOf(gateway);
  expect(today.microusd).toBeLessThan(15_000_000);
  console.log(`fifty at once with a cap of $10: $${today.microusd / 1e6} spent`);
  await gateway.rpc('chat.send', { sessionKey: 'agent:main:last', message: 'hi', idempotencyKey: 'last' });
  expect((await ask('again').then(() => usageOf(gateway))).today.microusd).toBe(today.microusd);
});
