// References of the four kinds, resolved for real; and that every failure names the setting and never the secret.
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HardshellError } from '../platform/errors.ts';
import { writeSecret } from './files.ts';
import { describeRef, type ResolveContext, resolveSecret, type SecretRef } from './reference.ts';
import { createVault } from './vault.ts';

let stateDir = '';
let context: ResolveContext;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'hardshell-refs-'));
  context = { env: { HOME: stateDir, KEY: 'key-from-env' }, stateDir };
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const AT = 'channels.telegram.botToken';
const SECRET = 'value-that-no-error-may-repeat';
const resolved = (ref: unknown): Promise<string> => resolveSecret(ref as SecretRef, AT, context);
const failure = async (ref: unknown): Promise<HardshellError> => {
  const error = await resolved(ref).then(
    (value) => new Error(`resolved to ${value}`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(HardshellError);
  const known = error as HardshellError;
  expect(known).toMatchObject({ exitCode: 78 });
  expect(known.message).toMatch(/^channels\.telegram\.botToken\b/);
  expect(`${known.message}\n${known.fix}\n${known.stack}`).not.toContain(SECRET);
  expect(known.message).not.toContain('\n');
  return known;
};
const script = (text: string, mode = 0o700): string => {
  const path = join(stateDir, 'program');
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, mode);
  return path;
};
const write = (name: string, text: string, mode = 0o600): string => {
  writeFileSync(join(stateDir, name), text, { mode });
  return join(stateDir, name);
};

describe('env', () => {
  test('the value, or the name of what is not set', async () => {
    expect(await resolved({ source: 'env', name: 'KEY' })).toBe('key-from-env');
    expect((await failure({ source: 'env', name: 'MISSING' })).message).toContain('variable MISSING is not set');
    context = { ...context, env: { EMPTY: '', BLANK: ' ' } };
    await failure({ source: 'env', name: 'EMPTY' });
    await failure({ source: 'env', name: 'constructor' });
    expect((await failure({ source: 'env', name: 'BLANK' })).message).toContain('is empty');
  });
});

describe('file', () => {
  test('S206 absolute, from home, or from the state folder; one line feed at the end is not part of it', async () => {
    const path = writeSecret(join(stateDir, 'credentials'), 'telegram', SECRET);
    for (const spelled of [path, '~/credentials/telegram', 'credentials/telegram', './credentials/telegram'])
      expect(await resolved({ source: 'file', path: spelled })).toBe(SECRET);
  });
  test('a key of a JSON file, by name or by pointer', async () => {
    write('keys.json', JSON.stringify({ a: SECRET, 'b/c': { d: ['x', SECRET] }, n: 5, __proto__: null }));
    expect(await resolved({ source: 'file', path: 'keys.json', key: 'a' })).toBe(SECRET);
    expect(await resolved({ source: 'file', path: 'keys.json', key: '/b~1c/d/1' })).toBe(SECRET);
    for (const key of ['none', 'n', '/b~1c', '/a/0', 'constructor', '__proto__', '/b~1c/d/length'])
      expect((await failure({ source: 'file', path: 'keys.json', key })).message).toContain('has no text under');
    write('broken.json', `{"a": "${SECRET}"`);
    expect((await failure({ source: 'file', path: 'broken.json', key: 'a' })).message).toContain('gives no JSON');
  });
  test('K08 a missing, empty, open, foreign or linked file is refused with its fix', async () => {
    expect((await failure({ source: 'file', path: 'none' })).message).toContain('there is no file');
    write('empty', '\n');
    expect((await failure({ source: 'file', path: 'empty' })).message).toContain('is empty');
    const open = write('open', SECRET, 0o644);
    expect(await failure({ source: 'file', path: open })).toMatchObject({
      code: 'SECRET_TOO_OPEN',
      fix: `chmod 600 ${open}`,
    });
    symlinkSync(write('real', SECRET), join(stateDir, 'link'));
    expect((await failure({ source: 'file', path: 'link' })).code).toBe('SECRET_IS_LINK');
    mkdirSync(join(stateDir, 'folder'));
    await failure({ source: 'file', path: 'folder' });
  });
});

describe('exec', () => {
  const exec = (command: string[], more = {}) => resolved({ source: 'exec', command, ...more });
  const execFails = async (command: string[], more = {}) =>
    (await failure({ source: 'exec', command, ...more })).message;

  test('what the program prints, without its last line feed; arguments are passed as they are', async () => {
    expect(await exec([script('printf "%s|" "$@"; echo'), 'a b', '$HOME', '; id', '"'])).toBe('a b|$HOME|; id|"|');
  });
  test('it gets PATH, HOME and LANG, what passEnv names, and nothing else', async () => {
    context = { ...context, env: { HOME: '/h', KEY: 'k', OTHER: 'o', NODE_OPTIONS: '--x' } };
    const printed = await exec(['/usr/bin/env'], { passEnv: ['KEY', 'NOT_SET'] });
    expect(printed.split('\n').sort()).toEqual([
      'HOME=/h',
      'KEY=k',
      'LANG=C.UTF-8',
      'PATH=/usr/local/bin:/usr/bin:/bin',
    ]);
  });
  test('a failing, silent, slow, talkative or binary program is an error that repeats nothing it printed', async () => {
    expect(await execFails([script(`echo ${SECRET}; echo ${SECRET} >&2; exit 3`)])).toContain('ended with exit code 3');
    expect(await execFails([script('exit 0')])).toContain('is empty');
    expect(await execFails([script('sleep 20')], { timeoutMs: 150 })).toContain('did not answer within 150 ms');
    expect(await execFails([script('head -c 100000 /dev/zero | tr "\\0" x')])).toContain('printed more than');
    expect(await execFails([script('cat /dev/zero')])).toContain('printed more than');
    expect(await execFails([script('printf "\\377\\376"')])).toContain('not text');
  });
  test('a program is absolute, there, a file, and nobody else could have replaced it', async () => {
    expect(await execFails(['echo', SECRET])).toContain('not an absolute path');
    expect(await execFails(['/nowhere/op'])).toContain('does not exist');
    expect(await execFails(['/usr/bin'])).toContain('is not a file');
    const path = script('echo x');
    chmodSync(path, 0o722);
    expect(await execFails([path])).toContain('can be changed by others');
    chmodSync(path, 0o700);
    chmodSync(stateDir, 0o777);
    expect(await execFails([path])).toContain('a folder that others can change');
    // Whoever can rename a folder on the way puts another one in its place.
    chmodSync(stateDir, 0o777);
    const inner = join(stateDir, 'mine', 'bin');
    mkdirSync(inner, { recursive: true, mode: 0o700 });
    writeFileSync(join(inner, 'op'), '#!/bin/sh\necho x\n', { mode: 0o700 });
    expect(await execFails([join(inner, 'op')])).toContain('a folder that others can change');
    chmodSync(stateDir, 0o700);
    expect(await exec([path])).toBe('x');
  });
  test.runIf(process.geteuid?.() === 0)('a program of another user is refused', async () => {
    const path = script('echo x', 0o755);
    chownSync(path, 65_534, 65_534);
    expect(await execFails([path])).toContain('uid 65534');
  });
  test('it ends when the start is given up', async () => {
    context = { ...context, signal: AbortSignal.timeout(100) };
    expect(await execFails([script('sleep 20')])).toContain('was stopped');
  });
});

describe('vault', () => {
  test('by name; a missing secret and a missing vault are said', async () => {
    const key = { kind: 'file', path: join(stateDir, 'vault.key') } as const;
    const vault = createVault({ path: join(stateDir, 'vault'), key, now: () => 1 });
    vault.set('telegram', SECRET);
    expect((await failure({ source: 'vault', name: 'telegram' })).message).toContain('there is no vault');
    context = { ...context, vault: () => vault };
    expect(await resolved({ source: 'vault', name: 'telegram' })).toBe(SECRET);
    expect((await failure({ source: 'vault', name: 'none' })).message).toContain('the vault has no secret none');
    expect((await failure({ source: 'vault', name: '../x' })).code).toBe('SECRET_NAME');
  });
});

test('a program is asked for an item as upstream asks, and may also just print the secret', async () => {
  const ask = (text: string) => ({ source: 'exec', command: [script(text)], ask: 'a/b~c' });
  const answer = JSON.stringify({ protocolVersion: 1, values: { 'a/b~c': SECRET } });
  expect(await resolved(ask(`read -r line; printf '%s' "$line" > ${stateDir}/asked; echo '${answer}'`))).toBe(SECRET);
  expect(JSON.parse(readFileSync(join(stateDir, 'asked'), 'utf8'))).toEqual({ protocolVersion: 1, ids: ['a/b~c'] });
  expect(await resolved(ask(`echo ${SECRET}`))).toBe(SECRET);
  expect((await failure(ask(`echo '{"values":{"other":"${SECRET}"}}'`))).message).toContain('has no text under');
  expect((await failure(ask(`echo '{"values":${SECRET}'`))).message).toContain('gives no JSON');
});

test('what is shown of a reference to people', () => {
  expect(
    [
      { source: 'env', name: 'KEY' } as const,
      { source: 'vault', name: 'a' } as const,
      { source: 'exec', command: ['/usr/bin/op', 'read'] } as const,
      { source: 'file', path: 'x', key: 'k' } as const,
    ].map(describeRef),
  ).toEqual(['the environment variable KEY', 'a in the vault', 'the program /usr/bin/op', 'k in x']);
});
