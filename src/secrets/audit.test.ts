// Every kind of trouble planted on a real disk, found, and nothing changed or repeated by the finding.
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tokenSamples } from '../../test/support/secret-samples.ts';
import { auditSecrets, type SecretAuditInput, type SecretFinding } from './audit.ts';
import { writeSecret } from './files.ts';
import { createVault, openVault } from './vault.ts';

let stateDir = '';
let credentialsDir = '';
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'hardshell-audit-'));
  credentialsDir = join(stateDir, 'credentials');
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const DAY_MS = 86_400_000;
const SECRET = 'Zq81-value-that-no-finding-may-repeat-77';
const audit = (more: Partial<SecretAuditInput> = {}): SecretFinding[] => {
  const configPath = join(stateDir, 'openclaw.json');
  const input = { stateDir, credentialsDir, configPath, settings: [], env: {}, rotateAfterDays: 90, nowMs: Date.now() };
  const findings = auditSecrets({ ...input, ...more });
  expect(JSON.stringify(findings)).not.toContain(SECRET);
  return findings;
};
const codes = (findings: readonly SecretFinding[]): string[] => findings.map((one) => one.code);

test('secrets that lie where they should are no finding', () => {
  writeSecret(credentialsDir, 'anthropic-key', SECRET);
  writeSecret(credentialsDir, 'gateway-token', '9f1ce07b52a61d48f30cb8176e94ad2531');
  const settings = [
    { path: 'gateway.auth.token', value: { source: 'file', id: 'gateway-token' } },
    { path: 'channels.telegram.botToken', value: '${TELEGRAM_BOT_TOKEN}' },
  ];
  expect(audit({ settings })).toEqual([]);
  expect(audit({ stateDir: join(stateDir, 'none'), credentialsDir: join(stateDir, 'none', 'x') })).toEqual([]);
});

test('S063 a secret in a setting, a placeholder in one, and a token in a setting that is not for any', () => {
  const token = tokenSamples().find((one) => one.kind === 'github')?.value ?? '';
  writeFileSync(join(stateDir, 'openclaw.json'), `{\n  a: "${SECRET}",\n  note: "use ${token}"\n}`);
  const settings = [
    { path: 'channels.telegram.botToken', value: SECRET },
    { path: 'gateway.auth.token', value: 'your-generated-token-here' },
  ];
  const found = audit({ settings });
  expect(found.map((one) => [one.code, one.severity, one.where])).toEqual([
    ['secret-in-config', 'warning', 'channels.telegram.botToken'],
    ['secret-placeholder', 'critical', 'gateway.auth.token'],
    ['token-in-config', 'warning', `${join(stateDir, 'openclaw.json')}:3`],
  ]);
  expect(JSON.stringify(found)).not.toContain(token);
});

test('K08 files and folders that others can see, with the line that mends each; looking mends nothing', () => {
  chmodSync(writeSecret(credentialsDir, 'telegram', SECRET), 0o644);
  writeFileSync(join(stateDir, '.env'), `TELEGRAM_BOT_TOKEN=${SECRET}\n`);
  chmodSync(join(stateDir, '.env'), 0o644);
  expect(audit().map((one) => [one.code, one.severity, one.fix])).toEqual([
    ['secret-file', 'critical', `chmod 600 ${join(credentialsDir, 'telegram')}`],
    ['secret-file', 'critical', `chmod 600 ${join(stateDir, '.env')}`],
  ]);
  chmodSync(credentialsDir, 0o600);
  expect(audit()[0]).toMatchObject({ code: 'secret-folder', fix: `chmod 700 ${credentialsDir}` });
  expect(statSync(credentialsDir).mode & 0o777).toBe(0o600);
  chmodSync(credentialsDir, 0o700);
  expect(statSync(join(credentialsDir, 'telegram')).mode & 0o777).toBe(0o644);
});

test('S124 what .env holds is named, not shown; a broken one is said', () => {
  writeFileSync(join(stateDir, '.env'), `A=1\nNOTION_KEY=${SECRET}\nLEVEL=debug\nPLAIN=${tokenSamples()[0]?.value}\n`, {
    mode: 0o600,
  });
  const [found] = audit();
  expect(found).toMatchObject({ code: 'secret-in-env-file', severity: 'info' });
  expect(found?.message).toMatch(/2 secrets in the open: NOTION_KEY, PLAIN$/);
  writeFileSync(join(stateDir, '.env'), `oops ${SECRET}\n`, { mode: 0o600 });
  expect(audit()[0]).toMatchObject({ code: 'secret-file', message: expect.stringContaining('.env:1:') });
});

test('S126 a secret older than the limit is told with its age, in files and in the vault', () => {
  const path = writeSecret(credentialsDir, 'anthropic-key', SECRET);
  const old = new Date(Date.now() - 100 * DAY_MS);
  utimesSync(path, old, old);
  const key = { kind: 'file', path: join(stateDir, 'vault.key') } as const;
  createVault({ path: join(stateDir, 'vault'), key, now: () => old.getTime() }).set('slack', `${SECRET}-2`);
  const vault = () => openVault({ path: join(stateDir, 'vault'), key, now: Date.now });
  const found = audit({ vault });
  expect(found.map((one) => [one.code, one.fix])).toEqual([
    ['secret-old', 'openclaw secrets rotate anthropic-key'],
    ['secret-old', 'openclaw secrets rotate slack'],
  ]);
  expect(found[0]?.message).toContain('is 100 days old');
  expect(audit({ vault, rotateAfterDays: 101 })).toEqual([]);
});

test('one secret in two places, whatever the places are', () => {
  writeSecret(credentialsDir, 'telegram', SECRET);
  writeFileSync(join(stateDir, '.env'), `TELEGRAM_BOT_TOKEN="${SECRET}"\n`, { mode: 0o600 });
  const found = audit({ settings: [{ path: 'hooks.token', value: SECRET }] }).filter(
    (one) => one.code === 'secret-twice',
  );
  expect(found).toHaveLength(1);
  expect(found[0]?.message).toContain('in 3 places: hooks.token');
});

test('a file that a variable makes meaningless is told', () => {
  writeSecret(credentialsDir, 'gateway-token', '9f1ce07b52a61d48f30cb8176e94ad2531');
  writeSecret(credentialsDir, 'anthropic-key', SECRET);
  const env = { OPENCLAW_GATEWAY_TOKEN: 'another', ANTHROPIC_API_KEY: SECRET };
  expect(audit({ env }).map((one) => [one.code, one.where])).toEqual([
    ['secret-shadowed', join(credentialsDir, 'gateway-token')],
  ]);
});

test('K07 copies that editors and careful people left, only when they hold secrets', () => {
  writeSecret(credentialsDir, 'telegram', SECRET);
  for (const name of ['openclaw.json.bak', '.env.production', 'openclaw.json~', 'notes.old', 'openclaw.json.1'])
    writeFileSync(join(stateDir, name), name === 'notes.old' ? 'nothing' : `x ${SECRET} y`);
  writeFileSync(join(stateDir, 'state.sqlite'), SECRET);
  expect(codes(audit())).toEqual(['secret-copy', 'secret-copy', 'secret-copy', 'secret-copy']);
  expect(readdirSync(stateDir)).toHaveLength(7);
});

test('a vault that does not open is a finding, not a failure', () => {
  const vault = () => openVault({ path: join(stateDir, 'none'), key: { kind: 'file', path: '/none' }, now: Date.now });
  expect(audit({ vault })).toMatchObject([{ code: 'vault-locked', severity: 'warning' }]);
});
