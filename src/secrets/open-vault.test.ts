// Which key opens the vault of a state folder, and what is said when there is none at hand.
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openVaultOf } from './open-vault.ts';
import { createVault, vaultKeyPathOf, vaultPathOf } from './vault.ts';
import type { VaultKey } from './vault-key.ts';

let stateDir = '';
let credentials = '';
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'hardshell-door-'));
  credentials = join(stateDir, 'handed-over');
  mkdirSync(credentials, { mode: 0o700 });
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const PASSPHRASE = 'velvet kumquat drizzle anvil tundra';
const create = (key: VaultKey): void =>
  createVault({
    path: vaultPathOf(stateDir),
    key,
    now: () => 1,
    stretching: { memoryKib: 19_456, passes: 2, lanes: 1 },
  }).set('a', 'one');
const open = (env = {}, askPassphrase?: () => string) =>
  openVaultOf({ stateDir, env, now: () => 1, ...(askPassphrase ? { askPassphrase } : {}) });

test('no vault is null, whatever else is there', () => {
  expect(open()).toBeNull();
});

test('the key file of the state folder, or the one that is kept elsewhere', () => {
  create({ kind: 'file', path: vaultKeyPathOf(stateDir) });
  expect(open()?.get('a')).toBe('one');
  const elsewhere = join(credentials, 'key');
  renameSync(vaultKeyPathOf(stateDir), elsewhere);
  expect(() => open()).toThrow(expect.objectContaining({ code: 'VAULT_KEY_MISSING', exitCode: 78 }));
  expect(open({ OPENCLAW_VAULT_KEY_FILE: elsewhere })?.get('a')).toBe('one');
});

test('a systemd credential, only where systemd handed it over', () => {
  writeFileSync(join(credentials, 'vault-key'), '9f1ce07b52a61d48f30cb8176e94ad2531c5e8f4', { mode: 0o400 });
  create({ kind: 'systemd', folder: credentials, name: 'vault-key' });
  expect(open({ CREDENTIALS_DIRECTORY: credentials })?.get('a')).toBe('one');
  expect(() => open()).toThrow(/systemd did not start this/);
});

test('a passphrase from a prompt or a credential, never from the environment', () => {
  create({ kind: 'passphrase', passphrase: PASSPHRASE });
  expect(open({}, () => PASSPHRASE)?.get('a')).toBe('one');
  writeFileSync(join(credentials, 'vault-passphrase'), `${PASSPHRASE}\n`, { mode: 0o400 });
  expect(open({ CREDENTIALS_DIRECTORY: credentials })?.get('a')).toBe('one');
  const nobody = () => open({ OPENCLAW_VAULT_PASSPHRASE: PASSPHRASE });
  expect(nobody).toThrow(expect.objectContaining({ code: 'VAULT_LOCKED', exitCode: 78 }));
});
