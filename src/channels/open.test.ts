// Which channels run: what is configured, with its secrets, and what an edit of the configuration changes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Config } from '../config/schema.ts';
import type { Log } from '../log/log.ts';
import { writeSecret } from '../secrets/files.ts';
import type { ChannelSetup, ConnectedChannel } from './channel.ts';
import { createChannelHost } from './open.ts';
import { PLATFORMS, type Platforms } from './platforms.ts';

let credentialsDir: string;
const stops: (() => Promise<void>)[] = [];
beforeEach(() => {
  credentialsDir = mkdtempSync(join(tmpdir(), 'hardshell-host-'));
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  rmSync(credentialsDir, { recursive: true, force: true });
});

const GOOD = '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw';
const OTHER = '987654321:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw';

function start(env: Record<string, string> = {}, real?: Platforms) {
  const opened: ChannelSetup[] = [];
  const closed: string[] = [];
  const warnings: string[] = [];
  const hidden: string[] = [];
  const typed: string[] = [];
  const log: Log = {
    ...{ debug() {}, info() {}, error() {}, reopen() {}, close() {}, file: '' },
    warn: (text) => void warnings.push(text),
  };
  const open = async (setup: ChannelSetup): Promise<ConnectedChannel> => {
    opened.push(setup);
    return {
      ...{ id: 'telegram', account: setup.account, idempotent: false, maxChars: 100, silenceMs: null },
      send: async () => ({ state: 'sent' }),
      probe: async () => ({ ok: true, atMs: 0, roundTripMs: 1, account: '@x' }),
      typing: async ({ chat }) => void typed.push(chat),
      run: (_ports, signal, connected) =>
        new Promise((resolve) => {
          connected();
          signal.addEventListener('abort', () => {
            closed.push(setup.account);
            resolve();
          });
        }),
    };
  };
  const platforms: Platforms = {
    telegram: {
      label: 'Telegram',
      secrets: [
        {
          key: 'botToken',
          env: 'TELEGRAM_BOT_TOKEN',
          fileKey: 'tokenFile',
          needed: true,
          label: 'bot token',
          shape: /^\d+:/,
        },
      ],
      open,
    },
  };
  const saved = new Map<string, string>();
  const host = createChannelHost({
    ...{ platforms: real ?? platforms, env, credentialsDir, log, now: Date.now },
    emit: () => 'accepted',
    groupChanged: () => {},
    chatMoved: () => {},
    changed: () => {},
    memory: { load: (name) => saved.get(name) ?? null, save: (name, text) => void saved.set(name, text) },
    readFile: async () => new Uint8Array(),
    hide: (secret) => void hidden.push(secret),
  });
  stops.push(host.stop);
  const apply = (telegram?: object, more: object = {}) =>
    host.apply({ channels: { defaults: {}, ...(telegram ? { telegram } : {}), ...more } } as unknown as Config);
  return { host, apply, opened, closed, warnings, hidden, typed, saved };
}
const whyIdle = (host: ReturnType<typeof start>['host']) => host.idle().map(({ what }) => what);

test('nothing is loaded that nobody configured', async () => {
  const { host, apply, opened } = start();
  await apply();
  expect([opened, host.status(), host.idle()]).toEqual([[], [], []]);
});

test('a token is found in a named file, then the setting, then the variable, then credentials/, and is hidden from the log', async () => {
  const file = writeSecret(credentialsDir, 'elsewhere', '1:file');
  writeSecret(credentialsDir, 'telegram-bot-token', '4:kept');
  const house = start({ TELEGRAM_BOT_TOKEN: '3:env' });
  const settings = [{ tokenFile: file, botToken: '2:set' }, { botToken: '2:set' }, {}];
  for (const one of settings) await house.apply({ enabled: true, ...one });
  const bare = start();
  await bare.apply({ enabled: true });
  const found = [...house.opened, ...bare.opened].map(({ secrets }) => secrets['botToken']);
  expect(found).toEqual(['1:file', '2:set', '3:env', '4:kept']);
  expect([...house.hidden, ...bare.hidden]).toEqual(found);
});

test('without a token, or with one of another platform, it is off with one warning, and says what to do', async () => {
  const { host, apply, opened, warnings } = start();
  await apply({ enabled: true });
  await apply({ enabled: true });
  expect(opened).toEqual([]);
  expect(warnings).toEqual(['channels.telegram has no bot token, so it stays off']);
  expect(host.idle()[0]?.fix).toMatch(/openclaw channels add telegram, or set TELEGRAM_BOT_TOKEN/);
  await apply({ enabled: true, botToken: 'xoxb-1' });
  expect(whyIdle(host)[0]).toMatch(/^channels.telegram.botToken is no Telegram bot token/);
  expect(JSON.stringify([host.idle(), warnings])).not.toContain('xoxb-1');
});

test('who may talk never touches the connection; a token restarts that channel alone', async () => {
  const { host, apply, opened, closed } = start();
  const accounts = (token: string, allowFrom: string[]) => ({
    enabled: true,
    accounts: { a: { botToken: GOOD, allowFrom }, b: { botToken: token, allowFrom } },
  });
  await apply(accounts(OTHER, []));
  const before = host.connected('telegram', 'a');
  await apply({ ...accounts(OTHER, ['1']), dmPolicy: 'open', groups: { '*': {} } });
  expect(opened).toHaveLength(2);
  await apply(accounts('555:new', ['1']));
  expect(opened.map(({ account }) => account)).toEqual(['a', 'b', 'b']);
  expect(closed).toEqual(['b']);
  expect(host.connected('telegram', 'a')).toBe(before);
});

test('switched off, taken out, and on again', async () => {
  const { host, apply, closed, opened } = start();
  await apply({ enabled: true, botToken: GOOD });
  await apply({ enabled: false, botToken: GOOD });
  expect([closed, host.idle()[0]?.off, host.channelOf('telegram', 'default')]).toEqual([['default'], true, undefined]);
  await apply({ enabled: true, botToken: GOOD });
  await apply();
  expect([opened.length, closed.length, host.status(), host.idle()]).toEqual([2, 2, [], []]);
});

test('one token serves one account; a switched-off channel switches off its accounts', async () => {
  const { host, apply, opened } = start();
  const twice = { enabled: true, botToken: GOOD, accounts: { work: { botToken: GOOD } } };
  await apply(twice);
  expect(opened.map(({ account }) => account)).toEqual(['default']);
  expect(whyIdle(host)).toEqual([
    'channels.telegram.accounts.work has the bot token of channels.telegram, and only one can use it',
  ]);
  await apply({ ...twice, enabled: false });
  expect(host.idle().map(({ off }) => off)).toEqual([true, true]);
});

test('a channel that this version does not have, and one that cannot be made, are said and keep nobody else from running', async () => {
  const { host, apply, opened } = start();
  await apply(
    { enabled: true, tokenFile: credentialsDir, accounts: { ok: { botToken: GOOD } } },
    { discord: { enabled: true } },
  );
  expect(opened.map(({ account }) => account)).toEqual(['ok']);
  expect(whyIdle(host).sort()).toEqual([
    expect.stringMatching(/^channels.discord is configured, and this version has no such channel/),
    expect.stringMatching(/^channels.telegram cannot run: /),
  ]);
});

test('typing is shown until it ends, and the last day is kept over a stop', async () => {
  const { host, apply, typed, saved } = start();
  await apply({ enabled: true, botToken: GOOD });
  const end = host.typing('telegram', 'default', { chat: '7', thread: '' });
  end();
  host.typing('telegram', 'nobody', { chat: '8', thread: '' })();
  expect(typed).toEqual(['7']);
  await host.stop();
  expect(saved.get('telegram/default')).toMatch(/"trips":1/);
});

test.each([
  ['socket', /app token/],
  ['http', /signing secret/],
])('what only mode %s needs is asked for in that mode alone', async (mode, what) => {
  const { host, apply } = start({}, PLATFORMS);
  await apply(undefined, { slack: { enabled: true, mode, botToken: 'xoxb-1-abcdefghij' } });
  expect(whyIdle(host)).toEqual([expect.stringMatching(what)]);
});
