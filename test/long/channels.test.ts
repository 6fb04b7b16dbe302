// The commands of `openclaw channels`: a token is tried before it is kept, never a word of a command, and connects a gateway
// that runs; what belongs elsewhere is refused in one line.
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTelegramServer, TELEGRAM_TOKEN, type TelegramServer } from '../doubles/telegram-server.ts';
import { newHome, runCommand, startTestGateway, type TestGateway, writeConfig } from '../support/gateway.ts';

let home: string;
let telegram: TelegramServer;
let gateway: TestGateway | undefined;

beforeEach(async () => {
  home = newHome();
  telegram = await startTelegramServer();
});
afterEach(async () => {
  await gateway?.dispose();
  gateway = undefined;
  await telegram.close();
  rmSync(home, { recursive: true, force: true });
});

const channels = (words: string, input?: string, env: Record<string, string> = {}) =>
  runCommand(['channels', ...words.split(' ')], { home, env, ...(input === undefined ? {} : { input }) });
const configText = (): string => {
  const path = join(home, '.openclaw', 'openclaw.json');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
};
const kept = (): string[] => {
  const folder = join(home, '.openclaw', 'credentials');
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('telegram')) : [];
};
/** The comment must survive, and the address of the double is there before the channel is. */
const prepare = (): void =>
  writeConfig(home, `{\n  // mine\n  channels: { telegram: { enabled: false, apiRoot: "${telegram.url}" } },\n}\n`);

describe('channels add', () => {
  test('a token that works is kept in credentials/ and referred to; comments stay', async () => {
    prepare();
    const { code, stdout, stderr } = await channels('add telegram', `${TELEGRAM_TOKEN}\n`);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/knows it as @shell_test_bot/);
    expect(stdout + stderr).not.toContain(TELEGRAM_TOKEN);
    expect(configText()).toMatch(/\/\/ mine/);
    expect(configText()).not.toContain(TELEGRAM_TOKEN);
    expect(configText()).toMatch(/source: ?"file".*id: ?"telegram-bot-token"/s);
    expect(kept()).toEqual(['telegram-bot-token']);
    const file = join(home, '.openclaw', 'credentials', 'telegram-bot-token');
    expect(readFileSync(file, 'utf8')).toBe(`${TELEGRAM_TOKEN}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const down = await runCommand(['status'], { home });
    expect(down.stdout, 'a token in a file is no mistake in the settings').toMatch(/^config +\S+openclaw\.json$/m);
  });

  test('one that was revoked, or cannot be tried, leaves nothing behind', async () => {
    prepare();
    const before = configText();
    telegram.revoke();
    const refused = await channels('add telegram', TELEGRAM_TOKEN);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/does not know this bot token.*nothing was written/);
    await telegram.close();
    const untested = await channels('add telegram', TELEGRAM_TOKEN);
    expect(untested.code).toBe(1);
    expect(untested.stderr).toMatch(/nothing was written[\s\S]*--no-test/);
    expect([configText(), kept()]).toEqual([before, []]);
    expect((await channels('add telegram --no-test', TELEGRAM_TOKEN)).code).toBe(0);
    expect(kept()).toEqual(['telegram-bot-token']);
  });

  test.each([
    ['telegram', 'xoxb-1234567890-abcdefghijkl', /^error: this is a Slack bot token, not a Telegram bot token/],
    ['discord', TELEGRAM_TOKEN, /^error: this is a Telegram bot token, not a Discord bot token/],
    ['slack', TELEGRAM_TOKEN, /^error: this is a Telegram bot token, not a Slack bot token/],
    ['telegram', 'hunter2', /^error: this is no Telegram bot token/],
    ['telegram', '', /^error: there is no bot token/],
    [TELEGRAM_TOKEN, '', /^error: there is no channel "…"/],
  ])('add %s refuses what belongs elsewhere, in one line and without repeating it', async (name, token, line) => {
    const { code, stderr } = await channels(`add ${name}`, token);
    expect(code).toBe(64);
    expect(stderr).toMatch(line);
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
    if (token !== '') expect(stderr).not.toContain(token);
    expect(stderr).not.toContain(TELEGRAM_TOKEN);
    expect(telegram.calls).toEqual([]);
  });

  test('a gateway that runs connects it at once, and lets it go again', async () => {
    prepare();
    gateway = await startTestGateway({ home });
    const { env } = gateway;
    expect((await channels('list', undefined, env)).stdout).toMatch(/telegram +off/);
    const added = await channels('add telegram', TELEGRAM_TOKEN, env);
    expect(added.code, added.stderr).toBe(0);
    await telegram.until(() => telegram.calls.some(({ method }) => method === 'getUpdates'));
    const tested = await channels('test telegram', undefined, env);
    expect(tested.stdout, tested.stderr).toMatch(/telegram: ok, \d+ ms there and back/);
    expect(tested.code).toBe(0);
    const deep = await runCommand(['status', '--deep'], { home, env });
    expect(deep.stdout).toMatch(/telegram +connected/);
    telegram.revoke();
    const failed = await channels('test telegram', undefined, env);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toMatch(/does not know this bot token[\s\S]*fix: openclaw channels add telegram/);
    const removed = await channels('remove telegram --yes', undefined, env);
    expect(removed.code, removed.stderr).toBe(0);
    expect(kept()).toEqual([]);
    await expect
      .poll(async () => (await channels('list --json', undefined, env)).stdout, { timeout: 10_000 })
      .toMatch(/"channels": ?\[\]/);
    expect(telegram.underWay()).toBe(0);
  });
});

describe('channels without a gateway', () => {
  test('an empty list is no failure; what is configured is listed, and the gateway is said to be down', async () => {
    expect(await channels('list')).toMatchObject({ code: 0 });
    expect(JSON.parse((await channels('status --json')).stdout)).toMatchObject({ ok: true, data: { channels: [] } });
    prepare();
    const { code, stdout, stderr } = await channels('status');
    expect([code, stdout]).toEqual([0, 'telegram  off\n']);
    expect(stderr).toMatch(/no gateway runs here/);
  });

  test('remove asks, and says when there is nothing', async () => {
    expect((await channels('remove telegram --yes')).stderr).toMatch(/channels.telegram is not configured/);
    prepare();
    expect(await channels('remove telegram')).toMatchObject({ code: 64 });
    expect((await channels('remove telegram --yes')).code).toBe(0);
    expect(configText()).not.toMatch(/telegram/);
  });

  test('login is for WhatsApp; the others are told what to do', async () => {
    for (const name of ['telegram', 'discord', 'slack', 'mail'])
      expect((await channels(`login ${name}`)).stderr).toMatch(/needs no login.*\nfix: openclaw channels add/);
  });

  test('a file with the token serves too', async () => {
    prepare();
    const file = join(home, 'token');
    writeFileSync(file, `${TELEGRAM_TOKEN}\n`);
    expect((await channels(`add telegram --account work --token-file ${file}`)).code).toBe(0);
    expect(kept()).toEqual(['telegram-work-bot-token']);
    expect((await channels('add telegram --token-file /no/such/file')).stderr).toMatch(/cannot be read/);
  });
});
