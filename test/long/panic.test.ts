// A bad day: everything stops within a second, stays stopped over a kill and a restart, keeps what happened, and goes on
// when it is lifted. The whole program, with commands that run in real boxes.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { PERSON, startTelegramServer, TELEGRAM_TOKEN } from '../doubles/telegram-server.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';
import { openBrowser, openChat, signInUrl } from '../support/page.ts';
import { processesWith, until } from '../support/sandbox.ts';

let model: ModelServer;
const gateways: TestGateway[] = [];
beforeAll(async () => {
  model = await startModelServer();
});
afterAll(() => model.close());
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.dispose();
});

async function start(config: object, home?: string): Promise<TestGateway> {
  const gateway = await startTestGateway({ config, ...(home ? { home } : {}) });
  gateways.push(gateway);
  return gateway;
}
const config = () => configFor(model, { api: 'anthropic-messages' });
const send = (gateway: TestGateway, message = 'go on') =>
  gateway.rpc('chat.send', {
    ...{ sessionKey: `agent:main:${crypto.randomUUID()}`, message },
    idempotencyKey: crypto.randomUUID(),
  });
const run = (command: string) => ({ toolCalls: [{ name: 'exec', args: { command } }] });
const status = async (gateway: TestGateway) =>
  JSON.parse((await gateway.cli('status', '--json')).stdout).data as Record<string, unknown>;

test('S071 S277 fifty turns at work are stopped within a second, and stay stopped until it is lifted', async () => {
  const gateway = await start(config());
  const mark = `panic-${crypto.randomUUID()}`;
  model.script(...Array.from({ length: 50 }, () => run(`exec -a ${mark} sleep 300`)));
  await Promise.all(Array.from({ length: 50 }, () => send(gateway)));
  await until(() => processesWith(mark).length >= 50, 100_000);
  const startedMs = performance.now();
  const said = await gateway.cli('panic', '--why', 'a test', '--json');
  expect(said.code, said.stderr).toBe(0);
  await until(() => processesWith(mark).length === 0, 1_000);
  console.log(`50 turns stopped ${Math.round(performance.now() - startedMs)} ms after the command began`);
  expect(JSON.parse(said.stdout).data).toMatchObject({ stoppedRuns: 50, panic: { why: 'a test' } });

  expect((await gateway.cli('panic', '--state')).stdout).toContain('everything is stopped');
  await gateway.kill9();
  const calls = model.requests.length;
  const again = await start(config(), gateway.home);
  expect(again.output()).toContain('nothing is heard, thought or sent until: openclaw panic --lift');
  await expect(send(again)).rejects.toThrow(/everything is stopped/);
  expect(await status(again)).toMatchObject({
    panic: { why: 'a test' },
    activeRuns: 0,
    messages: { received: 50, queued: 0, failed: 50 },
  });
  expect((await again.cli('status')).stdout.split('\n')[1]).toMatch(
    /^everything is stopped .*; lift: openclaw panic --lift$/,
  );
  expect(model.requests.length).toBe(calls);

  model.script({ text: 'back' });
  expect((await again.cli('panic', '--lift')).stdout).toContain('lifted');
  await vi.waitFor(
    async () => expect((await again.cli('agent', '--message', 'are you there?')).stdout).toContain('back'),
    60_000,
  );
  const log = await again.cli('audit', 'log', '--json');
  expect(log.stdout).toContain('panic.raised');
  expect(log.stdout).toContain('panic.lifted');
  expect((await again.cli('audit', 'verify')).code).toBe(0);
});

test('a gateway that does not answer is killed, and does not go on when it is started again', async () => {
  const gateway = await start(config());
  process.kill(gateway.pid, 'SIGSTOP');
  const said = await gateway.cli('panic');
  expect(said.stdout).toContain('was killed');
  const again = await start(config(), gateway.home);
  await expect(send(again)).rejects.toThrow(/everything is stopped/);
});

test('a turn that was cut off by killing its gateway does not run again, also when it was lifted with none running', async () => {
  const gateway = await start(config());
  const mark = `panic-${crypto.randomUUID()}`;
  model.script(run(`exec -a ${mark} sleep 300`));
  await send(gateway);
  await until(() => processesWith(mark).length > 0, 60_000);
  process.kill(gateway.pid, 'SIGSTOP');
  await gateway.cli('panic');
  await until(() => processesWith(mark).length === 0, 1_000);
  await gateway.cli('panic', '--lift');
  const calls = model.requests.length;
  const again = await start(config(), gateway.home);
  expect(await status(again)).toMatchObject({ panic: null, messages: { received: 1, failed: 1, queued: 0 } });
  expect(model.requests.length).toBe(calls);
});

test('without a gateway none will start to work, and a mark that cannot be read stops as well', async () => {
  const gateway = await start(config());
  await gateway.stop();
  expect((await gateway.cli('panic')).stdout).toContain('none will start to work');
  expect((await gateway.cli('panic', '--lift')).stdout).toContain('lifted');
  expect(existsSync(join(gateway.stateDir, 'panic.json'))).toBe(false);
  expect((await gateway.cli('panic', '--lift')).stdout).toContain('nothing was stopped');
  writeFileSync(join(gateway.stateDir, 'panic.json'), '{', { mode: 0o600 });
  expect((await gateway.cli('panic', '--state')).stdout).toContain('everything is stopped');
});

test('the owner says /panic in a chat, hears that it was done, and nobody is heard after it; a friend cannot', async () => {
  const server = await startTelegramServer();
  try {
    const gateway = await start({
      ...config(),
      commands: { ownerAllowFrom: [`telegram:${PERSON.id}`] },
      channels: { telegram: { apiRoot: server.url, botToken: TELEGRAM_TOKEN, allowFrom: [PERSON.id, 777] } },
    });
    model.script({ text: 'hello friend' });
    const friend = { id: 777, first_name: 'Fay' };
    server.chats.set('777', { ...friend, type: 'private' });
    server.say({ text: '/panic', from: { ...friend, is_bot: false }, chat: { ...friend, type: 'private' } });
    await server.until(() => server.sent.length === 1);
    expect(existsSync(join(gateway.stateDir, 'panic.json'))).toBe(false);
    server.say({ text: '/panic' });
    await server.until(() => server.sent.length === 2);
    expect(JSON.stringify(server.sent[1])).toContain('Everything stops now');
    await until(() => existsSync(join(gateway.stateDir, 'panic.json')), 20_000);
    server.say({ text: 'are you there?' });
    const calls = model.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(model.requests.length).toBe(calls);
    // What was said meanwhile waits at the platform and is answered afterwards: nothing is lost.
    model.script({ text: 'now I am' });
    await gateway.cli('panic', '--lift');
    await server.until(() => server.sent.length === 3);
    expect(JSON.stringify(server.sent[2])).toContain('now I am');
  } finally {
    await server.close();
  }
});

test('the page stops everything with one button and a yes, says so, and lets it work again', async () => {
  const gateway = await start(config());
  const browser = await openBrowser();
  try {
    const { page, close } = await openChat(browser, signInUrl(gateway), { colorScheme: 'dark' });
    await page.getByRole('button', { name: 'Stop everything' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Stop everything' }).click();
    const banner = page.getByRole('alert').filter({ hasText: 'Everything is stopped' });
    await banner.waitFor({ timeout: 30_000 });
    const folder = process.env['PICTURES'];
    if (folder) await page.screenshot({ path: join(folder, 'panic.png') });
    await banner.getByRole('button', { name: 'Let it work again' }).click();
    await banner.waitFor({ state: 'detached', timeout: 30_000 });
    expect(existsSync(join(gateway.stateDir, 'panic.json'))).toBe(false);
    await close();
  } finally {
    await browser.close();
  }
});
