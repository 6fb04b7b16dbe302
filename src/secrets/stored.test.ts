import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addStoredSecrets } from './stored.ts';
import { createVault } from './vault.ts';

let stateDir = '';
let found: string[] = [];
const credentialsDir = () => join(stateDir, 'credentials');
const look = (env: Record<string, string> = {}) =>
  addStoredSecrets({ stateDir, credentialsDir: credentialsDir(), env }, (secret) => found.push(secret));
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'hardshell-stored-'));
  found = [];
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

test('everything in credentials/ is one, whether a setting refers to it or not, and whatever its mode', () => {
  mkdirSync(join(credentialsDir(), 'whatsapp'), { recursive: true });
  writeFileSync(join(credentialsDir(), 'a'), 'plain-one\n', { mode: 0o600 });
  writeFileSync(join(credentialsDir(), 'b'), 'too-open-one', { mode: 0o644 });
  const many = { client_email: 'bot@example.org', private_key: 'line one\nline two', url: 'https://example.org/x' };
  writeFileSync(join(credentialsDir(), 'c.json'), JSON.stringify(many), { mode: 0o600 });
  look();
  expect(found.sort()).toEqual(['line one\nline two', 'plain-one', 'too-open-one']);
});

test('of the environment and .env, what is named or looks like one; ordinary settings stay readable', () => {
  const ordinary = { HOME: '/home/somebody', PWD: '/tmp/somewhere', LANG: 'C.UTF-8', OPENCLAW_GATEWAY_PORT: '19000' };
  writeFileSync(
    join(stateDir, '.env'),
    'SLACK_BOT_TOKEN=correct-horse\nLOG_LEVEL=production\nSIGNING=q8Zr2Lk0Vb7Xt4Ny9Wp3\nDATA=/var/lib/some/where/deep\n',
    { mode: 0o600 },
  );
  look({ ...ordinary, GITHUB_TOKEN: 'from-the-environment' });
  expect(found.sort()).toEqual(['correct-horse', 'from-the-environment', 'q8Zr2Lk0Vb7Xt4Ny9Wp3']);
});

test('the whole vault, when its key is a file', () => {
  const key = { kind: 'file', path: join(stateDir, 'vault.key') } as const;
  const vault = createVault({ path: join(stateDir, 'vault'), key, now: Date.now });
  vault.set('one', 'first value');
  vault.set('two', 'second value');
  look();
  expect(found.sort()).toEqual(['first value', 'second value']);
});

test('what is stored later is found by the next look, and nothing is read when nothing changed', () => {
  const again = look();
  mkdirSync(credentialsDir());
  writeFileSync(join(credentialsDir(), 'late'), 'came later', { mode: 0o600 });
  again();
  expect(found).toEqual(['came later']);
  again();
  expect(found).toEqual(['came later']);
});

test('a broken .env, a vault without its key and a folder that is a file stop nobody', () => {
  writeFileSync(join(stateDir, '.env'), '"', { mode: 0o600 });
  writeFileSync(join(stateDir, 'vault'), 'garbage', { mode: 0o600 });
  writeFileSync(credentialsDir(), 'a file');
  expect(() => look()()).not.toThrow();
  expect(found).toEqual([]);
});
