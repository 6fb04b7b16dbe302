// Out of the configuration, into files or the vault: planned without writing, and nothing lost on the way.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tryReadSecret, writeSecret } from './files.ts';
import { ensureGatewayToken } from './gateway-token.ts';
import { applyMigration, nameFor, planMigration, type SecretStores } from './migrate.ts';
import { findProviderKey } from './provider-keys.ts';
import { followRefs } from './setting-refs.ts';
import { createVault, openVault } from './vault.ts';

let stateDir = '';
let credentialsDir = '';
let stores: SecretStores;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'hardshell-migrate-'));
  credentialsDir = join(stateDir, 'credentials');
  stores = { credentialsDir };
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const TOKEN = '9f1ce07b52a61d48f30cb8176e94ad2531';
const SETTINGS = [
  { path: 'gateway.auth.token', value: TOKEN },
  { path: 'models.providers.anthropic.apiKey', value: 'key-of-anthropic' },
  { path: 'channels.telegram.botToken', value: 'token-of-telegram' },
  { path: 'channels.telegram.accounts.work.botToken', value: 'token-of-work' },
  { path: 'channels.slack.appToken', value: '${SLACK_APP_TOKEN}' },
  { path: 'channels.slack.botToken', value: { source: 'env', id: 'SLACK' } },
  { path: 'channels.discord.token', value: 'TELEGRAM_BOT_TOKEN' },
  { path: 'hooks.token', value: 'your-token-here' },
];

test.each([
  ['gateway.auth.token', 'gateway-token'],
  ['models.providers.anthropic.apiKey', 'anthropic-key'],
  ['channels.telegram.botToken', 'telegram-bot-token'],
  ['channels.telegram.accounts.work.botToken', 'telegram-work-bot-token'],
  ['channels.slack.signingSecret', 'slack-signing-secret'],
  ['hooks.token', 'hooks-token'],
  ['tools.web.search.apiKey', 'web-search-key'],
  ['mcp.servers.my server/1.env.API_KEY', 'mcp-servers-my-server-1-env-api_key'],
])('the secret of %s is called %s', (path, name) => {
  expect(nameFor(path)).toBe(name);
});

test('the plan says what goes where and what stays, holds no value, and writes nothing', () => {
  const plan = planMigration(SETTINGS, stores);
  expect(plan.moves.map((one) => [one.path, one.name, one.how, one.ref])).toEqual([
    ['gateway.auth.token', 'gateway-token', 'write', { source: 'file', id: 'gateway-token' }],
    ['models.providers.anthropic.apiKey', 'anthropic-key', 'write', { source: 'file', id: 'anthropic-key' }],
    ['channels.telegram.botToken', 'telegram-bot-token', 'write', { source: 'file', id: 'telegram-bot-token' }],
    [
      'channels.telegram.accounts.work.botToken',
      'telegram-work-bot-token',
      'write',
      { source: 'file', id: 'telegram-work-bot-token' },
    ],
  ]);
  expect(plan.skipped.map((one) => one.path)).toEqual(['channels.discord.token', 'hooks.token']);
  expect(JSON.stringify(plan)).not.toMatch(/key-of|token-of|9f1ce0/);
  expect(existsSync(credentialsDir)).toBe(false);
});

test('after it every reference gives the value that stood there, and the gateway its token', async () => {
  const edits = applyMigration(planMigration(SETTINGS, stores), SETTINGS, stores);
  const follow = await followRefs(
    edits.map(({ path, value }) => ({ path, ref: value })),
    { env: {}, stateDir, providers: {} },
  );
  for (const { path, value } of edits) {
    expect(follow(value, path)).toBe(SETTINGS.find((one) => one.path === path)?.value);
  }
  expect(statSync(join(credentialsDir, 'anthropic-key')).mode & 0o777).toBe(0o600);
  expect(findProviderKey('anthropic', undefined, credentialsDir, {})).toBe('key-of-anthropic');
  expect(ensureGatewayToken({ credentialsDir }, {})).toBe(TOKEN);
});

test('a second run, or one after a crash in the middle, changes nothing that is there', () => {
  applyMigration(planMigration(SETTINGS.slice(0, 2), stores), SETTINGS, stores);
  const plan = planMigration(SETTINGS, stores);
  expect(plan.moves.map((one) => one.how)).toEqual(['keep', 'keep', 'write', 'write']);
  const again = applyMigration(plan, SETTINGS, stores);
  expect(again).toEqual(applyMigration(planMigration(SETTINGS, stores), SETTINGS, stores));
});

test('another value under the same name is never overwritten; the gateway token is, since it was not in force', () => {
  writeSecret(credentialsDir, 'anthropic-key', 'another-key');
  writeSecret(credentialsDir, 'gateway-token', 'not-in-force-while-the-setting-was');
  const plan = planMigration(SETTINGS.slice(0, 2), stores);
  expect(plan.moves.map((one) => [one.name, one.how])).toEqual([
    ['gateway-token', 'replace'],
    ['anthropic-key-2', 'write'],
  ]);
  applyMigration(plan, SETTINGS, stores);
  expect(tryReadSecret(credentialsDir, 'anthropic-key')).toBe('another-key');
  expect(tryReadSecret(credentialsDir, 'anthropic-key-2')).toBe('key-of-anthropic');
  expect(tryReadSecret(credentialsDir, 'gateway-token')).toBe(TOKEN);
});

test('two settings whose names would meet do not share one secret, unless it is the same', () => {
  const settings = [
    { path: 'channels.a.token', value: 'one-of-them' },
    { path: 'tools.a.token', value: 'the-other-one' },
    { path: 'models.a.token', value: 'one-of-them' },
  ];
  expect(planMigration(settings, stores).moves.map((one) => one.name)).toEqual(['a-token', 'a-token-2', 'a-token']);
});

test('into the vault: all but the gateway token, which the command line needs', async () => {
  const options = {
    path: join(stateDir, 'vault'),
    key: { kind: 'file', path: join(stateDir, 'vault.key') },
    now: Date.now,
  } as const;
  const vault = createVault(options);
  const edits = applyMigration(planMigration(SETTINGS, { credentialsDir, vault }), SETTINGS, { credentialsDir, vault });
  expect(edits.map((one) => one.value.source)).toEqual(['file', 'vault', 'vault', 'vault']);
  const context = { env: {}, stateDir, providers: {}, vault: () => openVault(options) };
  const follow = await followRefs(
    edits.map(({ path, value }) => ({ path, ref: value })),
    context,
  );
  expect(follow({ source: 'vault', id: 'telegram-bot-token' }, 'x')).toBe('token-of-telegram');
  expect(readFileSync(options.path, 'utf8')).not.toContain('token-of-telegram');
});

test('a setting that changed between plan and deed stops it before any edit', () => {
  const plan = planMigration(SETTINGS, stores);
  expect(() => applyMigration(plan, SETTINGS.slice(1), stores)).toThrow(
    expect.objectContaining({ code: 'MIGRATION_STALE' }),
  );
  writeSecret(credentialsDir, 'anthropic-key', 'key-of-anthropic');
  const keeping = planMigration(SETTINGS, stores);
  writeSecret(credentialsDir, 'anthropic-key', 'changed-since');
  expect(() => applyMigration(keeping, SETTINGS, stores)).toThrow(expect.objectContaining({ code: 'MIGRATION_STALE' }));
});

test('a value that a file could not give back unchanged stays where it is', () => {
  const plan = planMigration([{ path: 'a.password', value: ' padded ' }], stores);
  expect(plan).toMatchObject({ moves: [], skipped: [{ path: 'a.password' }] });
});
