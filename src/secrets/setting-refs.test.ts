// References as they stand in openclaw.json, with and without providers.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeSecret } from './files.ts';
import { followRefs, type SecretProviders, type SettingRef, toSecretRef } from './setting-refs.ts';

let stateDir = '';
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'hardshell-setting-refs-'));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const PROVIDERS: SecretProviders = {
  few: { source: 'env', allowlist: ['ONE'] },
  json: { source: 'file', path: '~/keys.json', mode: 'json' },
  single: { source: 'file', path: '/run/key' },
  empty: { source: 'file' },
  op: { source: 'exec', command: '/usr/bin/op', args: ['read', 'op://home/{id}', '--no-newline'], timeoutMs: 500 },
  asks: { source: 'exec', command: '/usr/bin/x', args: ['-'], passEnv: ['A'] },
};

test.each<[SettingRef, unknown]>([
  [
    { source: 'env', id: 'A' },
    { source: 'env', name: 'A' },
  ],
  [
    { source: 'env', provider: 'default', id: 'A' },
    { source: 'env', name: 'A' },
  ],
  [
    { source: 'env', provider: 'few', id: 'ONE' },
    { source: 'env', name: 'ONE' },
  ],
  [
    { source: 'vault', id: 'a' },
    { source: 'vault', name: 'a' },
  ],
  [
    { source: 'store', provider: 'default', id: 'a' },
    { source: 'vault', name: 'a' },
  ],
  [
    { source: 'file', id: 'anthropic-key' },
    { source: 'file', path: 'credentials/anthropic-key' },
  ],
  [
    { source: 'file', id: '/run/secrets/x' },
    { source: 'file', path: '/run/secrets/x' },
  ],
  [
    { source: 'file', provider: 'json', id: '/a/b' },
    { source: 'file', path: '~/keys.json', key: '/a/b' },
  ],
  [
    { source: 'file', provider: 'single', id: 'value' },
    { source: 'file', path: '/run/key' },
  ],
  [
    { source: 'exec', provider: 'op', id: 'mail; rm $&' },
    {
      source: 'exec',
      command: ['/usr/bin/op', 'read', 'op://home/mail; rm $&', '--no-newline'],
      timeoutMs: 500,
      passEnv: [],
    },
  ],
  [
    { source: 'exec', provider: 'asks', id: 'a' },
    { source: 'exec', command: ['/usr/bin/x', '-'], passEnv: ['A'], ask: 'a' },
  ],
])('%j leads to the place it means', (ref, expected) => {
  expect(toSecretRef(ref, PROVIDERS)).toEqual(expected);
});

test.each<[SettingRef, RegExp]>([
  [{ source: 'env', provider: 'few', id: 'TWO' }, /may not read the variable TWO/],
  [{ source: 'env', provider: 'none', id: 'A' }, /no provider none/],
  [{ source: 'env', provider: '__proto__', id: 'A' }, /no provider __proto__/],
  [{ source: 'env', provider: 'op', id: 'A' }, /is for exec, not for env/],
  [{ source: 'exec', id: 'A' }, /needs a provider/],
  [{ source: 'file', provider: 'empty', id: 'A' }, /has no path/],
])('%j is refused with what to write', (ref, expected) => {
  expect(() => toSecretRef(ref, PROVIDERS)).toThrow(expected);
  expect(() => toSecretRef(ref, PROVIDERS)).toThrow(
    expect.objectContaining({ code: 'SECRET_UNRESOLVED', exitCode: 78 }),
  );
});

test('K11 all are followed once; each failure names the setting that asked', async () => {
  const program = join(stateDir, 'program');
  writeFileSync(program, `#!/bin/sh\necho run >> ${stateDir}/runs\necho from-program\n`);
  chmodSync(program, 0o700);
  writeSecret(join(stateDir, 'credentials'), 'telegram', 'from-file');
  const exec: SettingRef = { source: 'exec', provider: 'p', id: 'x' };
  const file: SettingRef = { source: 'file', id: 'telegram' };
  const gone: SettingRef = { source: 'env', id: 'GONE' };
  const asked = [exec, exec, file, gone].map((ref, index) => ({ ref, path: `setting.${index}` }));
  const providers = { p: { source: 'exec', command: program } };
  const follow = await followRefs(asked, { env: {}, stateDir, providers });
  expect([follow(exec, 'a'), follow(exec, 'b'), follow(file, 'c')]).toEqual([
    'from-program',
    'from-program',
    'from-file',
  ]);
  expect(readFileSync(join(stateDir, 'runs'), 'utf8')).toBe('run\n');
  expect(() => follow(gone, 'channels.telegram.botToken')).toThrow(
    'channels.telegram.botToken: the environment variable GONE is not set',
  );
  expect(() => follow({ source: 'env', id: 'OTHER' }, 'a.b')).toThrow(/^a\.b: this reference is new/);
});
