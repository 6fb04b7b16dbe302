// Caps against a provider that lies: one that never says what an answer took, and one that says absurd numbers.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { configFor, type DoubleOptions } from '../support/model-config.ts';
import { enter } from '../support/wire.ts';

let model: ModelServer;
let gateway: TestGateway;
beforeEach(async () => {
  model = await startModelServer();
});
afterEach(async () => {
  await gateway.dispose();
  await model.close();
});

/** The double's model runs on this machine, so it is given a price. */
async function start(usd: number, api: NonNullable<DoubleOptions['api']>): Promise<void> {
  const base = configFor(model, { api }) as { models: { providers: { double: object } } };
  const models = [
    { id: 'double', contextWindow: 128_000, cost: { input: 100, output: 0, cacheRead: 0, cacheWrite: 0 } },
  ];
  const double = { ...base.models.providers.double, models };
  gateway = await startTestGateway({
    config: { ...base, models: { providers: { double } }, budget: { daily: { usd } } },
  });
}
const ask = (key: string) => gateway.cli('agent', '-m', 'hello', '--session-key', `agent:main:${key}`, '--json');
const usage = async () => JSON.parse((await gateway.cli('usage', '--json')).stdout).data;

test('silent: a provider that never says what an answer took meets its cap all the same', async () => {
  await start(0.5, 'openai-completions');
  model.script({ text: 'one', quirks: { noUsage: true } }, { text: 'two', quirks: { noUsage: true } });
  expect((await ask('a')).code).toBe(0);
  expect((await ask('b')).stdout).toContain('spent today');
  expect((await usage()).today.tokens).toBeGreaterThan(5_000);
});

test('overflow: a provider that claims absurd numbers stops its own spending, and nothing else is lost by it', async () => {
  await start(5, 'anthropic-messages');
  const lie = { text: 'one', usage: { input: Number.MAX_SAFE_INTEGER, output: Number.MAX_SAFE_INTEGER } };
  model.script(lie, lie);
  expect((await ask('a')).code).toBe(0);
  expect((await ask('b')).stdout).toContain('spent today');
  expect((await usage()).today.tokens).toBe(200_000_000);
  expect((await gateway.cli('sessions', 'list', '--json')).code).toBe(0);
});

test.each<[string, NonNullable<DoubleOptions['api']>, number]>([
  ['says what was asked first', 'anthropic-messages', 10_000],
  ['says all of it at the end', 'openai-completions', 25_000],
])(
  'stopped: an answer that is stopped before its end counts with what was shown and written, by a provider that %s',
  async (_what, api, asked) => {
    await start(100, api);
    const written = 35_000;
    model.script({ text: ['y'.repeat(written)], usage: { input: 10_000, output: 1 }, ending: 'hang' });
    const peer = await enter(gateway.port, { auth: { token: gateway.token } });
    const [sessionKey, idempotencyKey] = ['agent:main:a', 'stopped'];
    await peer.ask('chat.send', { sessionKey, idempotencyKey, message: 'x'.repeat(90_000) });
    await peer.event('chat', (payload) => JSON.stringify(payload).length > written);
    expect(await peer.ask('chat.abort', { sessionKey })).toMatchObject({ aborted: true });
    await peer.event('chat', ({ state }) => state === 'aborted');
    expect((await usage()).today.tokens).toBeGreaterThan(asked + written / 4);
    await peer.end();
  },
);
