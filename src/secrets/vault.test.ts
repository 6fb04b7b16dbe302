// The vault on a real disk: what goes in comes out, and nothing comes out of a file that was touched.
import { execFile } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { msWithin } from '../../test/support/measure.ts';
import { acquireLock } from '../platform/lock.ts';
import { createVault, openVault, type Vault, vaultKind } from './vault.ts';
import type { VaultKey } from './vault-key.ts';

let folder = '';
let path = '';
let key: VaultKey;
let nowMs = 1_000;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-vault-'));
  path = join(folder, 'state', 'vault');
  key = { kind: 'file', path: join(folder, 'keys', 'vault.key') };
  nowMs = 1_000;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const now = (): number => nowMs;
const CHEAP = { memoryKib: 19_456, passes: 2, lanes: 1 };
const create = (): Vault => createVault({ path, key, now });
const open = (other: VaultKey = key): Vault => openVault({ path, key: other, now });
const PASSPHRASE: VaultKey = { kind: 'passphrase', passphrase: 'velvet kumquat drizzle anvil tundra' };

test('what is set comes back, after opening again too; the file shows neither value nor key, 0600', () => {
  const vault = create();
  vault.set('telegram', 'value-one');
  vault.set('slack', 'wert-zwei-ü\n-----END-----');
  expect(open().get('telegram')).toBe('value-one');
  expect(open().get('slack')).toBe('wert-zwei-ü\n-----END-----');
  expect(open().get('none')).toBeNull();
  const text = readFileSync(path, 'utf8');
  expect(text).not.toMatch(/value-one|wert-zwei/);
  expect(text).not.toContain(readFileSync(join(folder, 'keys', 'vault.key'), 'utf8').trim());
  for (const file of [path, join(folder, 'keys', 'vault.key')]) expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, 'keys')).mode & 0o777).toBe(0o700);
});

test('S126 the age of each secret is known: set and rotate renew it, the day of its making stays', () => {
  const vault = create();
  vault.set('a', 'one');
  nowMs = 2_000;
  vault.rotate('a', 'two');
  vault.set('b', 'three');
  nowMs = 3_000;
  vault.set('b', 'four');
  expect(open().list()).toEqual([
    { name: 'a', createdAtMs: 1_000, rotatedAtMs: 2_000 },
    { name: 'b', createdAtMs: 2_000, rotatedAtMs: 3_000 },
  ]);
});

test('rotate wants a secret that is there and a value that is new', () => {
  const vault = create();
  vault.set('a', 'one');
  expect(() => vault.rotate('b', 'x')).toThrow(expect.objectContaining({ code: 'SECRET_MISSING' }));
  expect(() => vault.rotate('a', 'one')).toThrow(expect.objectContaining({ code: 'SECRET_SAME' }));
  expect([vault.remove('a'), vault.remove('a'), vault.get('a')]).toEqual([true, false, null]);
});

test('any sequence of changes gives what a plain map would give', () => {
  const name = fc.constantFrom('a', 'b', 'c-long.name_1');
  const value = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
    .filter((text) => text.trim() !== '' && !text.includes('\0'));
  const step = fc.oneof(
    fc.record({ act: fc.constant('set' as const), name, value }),
    fc.record({ act: fc.constant('remove' as const), name, value }),
    fc.record({ act: fc.constant('reopen' as const), name, value }),
    fc.record({ act: fc.constant('rekey' as const), name, value }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      rmSync(join(folder, 'state'), { recursive: true, force: true });
      let vault = create();
      const model = new Map<string, string>();
      for (const { act, name: at, value: text } of steps) {
        if (act === 'set') {
          vault.set(at, text);
          model.set(at, text);
        } else if (act === 'remove') expect(vault.remove(at)).toBe(model.delete(at));
        else if (act === 'rekey') vault.rekey(key);
        else vault = open();
        expect(new Map(vault.list().map((one) => [one.name, vault.get(one.name)]))).toEqual(model);
      }
    }),
    { numRuns: 25 },
  );
});

describe('tampering', () => {
  const refused = (bytes: string | Uint8Array): void => {
    writeFileSync(path, bytes);
    expect(() => open()).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^VAULT_(DAMAGED|KEY_)/), exitCode: 78 }),
    );
  };

  test('any flipped bit of any byte makes the whole vault refused', () => {
    const vault = create();
    vault.set('telegram', 'value-one');
    vault.set('slack', 'value-two');
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
      refused(bytes);
    }
    writeFileSync(path, whole);
    expect(open().get('slack')).toBe('value-two');
  });

  test('so does any cut, addition, removal or exchange of a piece', () => {
    create().set('telegram', 'value-one');
    const whole = readFileSync(path, 'utf8');
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(whole.length), fc.string({ maxLength: 5 }), (from, length, text) => {
        const changed = whole.slice(0, from) + text + whole.slice(from + length);
        fc.pre(changed !== whole);
        refused(changed);
      }),
      { numRuns: 300 },
    );
    refused('');
    refused(`${whole}\n`);
  });

  test('values cannot change their names, nor get another age, nor come from an older state or another vault', () => {
    const vault = create();
    vault.set('bank', 'value-one');
    vault.set('forum', 'value-two');
    const [line = '', mark = ''] = readFileSync(path, 'utf8').split('\n');
    const edited = (edit: (body: ReturnType<typeof parse>) => void): string => {
      const body = parse();
      edit(body);
      return `${JSON.stringify(body)}\n${mark}\n`;
    };
    const parse = () =>
      JSON.parse(line) as { secrets: Record<string, { data: string; createdAtMs: number; rotatedAtMs: number }> };
    refused(
      edited(
        (body) =>
          ([body.secrets['bank'], body.secrets['forum']] = [
            body.secrets['forum'] ?? never(),
            body.secrets['bank'] ?? never(),
          ]),
      ),
    );
    refused(
      edited((body) => {
        (body.secrets['bank'] ?? never()).rotatedAtMs += 1;
      }),
    );
    refused(edited((body) => void delete body.secrets['forum']));
    writeFileSync(path, `${line}\n${mark}\n`);
    open().set('bank', 'value-three');
    const [newLine = '', newMark = ''] = readFileSync(path, 'utf8').split('\n');
    refused(`${newLine}\n${mark}\n`);
    refused(`${line}\n${newMark}\n`);
  });

  test('each value is bound to its name even for somebody who could make the seal', async () => {
    const { readSealed, seal, newDataKey } = await import('./vault-format.ts');
    const dataKey = newDataKey();
    const slot = { kind: 'file', salt: 'A'.repeat(22), memoryKib: 0, passes: 0, lanes: 0 } as const;
    const age = { createdAtMs: 1, rotatedAtMs: 1 };
    const text = seal(
      new Map([
        ['a', { value: 'one', ...age }],
        ['b', { value: 'two', ...age }],
      ]),
      slot,
      dataKey,
      dataKey,
    );
    const body = JSON.parse(text.split('\n')[0] ?? '');
    [body.secrets.a, body.secrets.b] = [body.secrets.b, body.secrets.a];
    const line = JSON.stringify(body);
    const { createHmac, hkdfSync } = await import('node:crypto');
    const sealKey = Buffer.from(hkdfSync('sha256', dataKey, Buffer.alloc(0), 'hardshell-vault 1 seal', 32));
    const forged = `${line}\n${createHmac('sha256', sealKey).update(line).digest('hex')}\n`;
    expect(readSealed(Buffer.from(text))?.open(dataKey)?.get('a')?.value).toBe('one');
    expect(readSealed(Buffer.from(forged))?.open(dataKey)).toBeNull();
  });

  test('a change under a running program is noticed at the next use', () => {
    const vault = create();
    vault.set('a', 'one');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"a"', '"b"'));
    expect(() => vault.get('a')).toThrow(expect.objectContaining({ code: 'VAULT_DAMAGED' }));
    expect(() => vault.set('a', 'two')).toThrow(expect.objectContaining({ code: 'VAULT_DAMAGED' }));
  });
});

describe('keys', () => {
  test('a wrong, missing, weak or open key is said in one line each, without the key', () => {
    create();
    const file = join(folder, 'keys', 'vault.key');
    const codes: [string, number, string][] = [
      ['ab'.repeat(4), 0o600, 'VAULT_KEY_WEAK'],
      [`0f9c1e${'7a3bd25846'.repeat(3)}c1`, 0o600, 'VAULT_KEY_WEAK'],
      ['9f1ce07b52a61d48f30cb8176e94ad2531c5e8f4', 0o600, 'VAULT_KEY_WRONG'],
      ['9f1ce07b52a61d48f30cb8176e94ad2531c5e8f4', 0o644, 'SECRET_TOO_OPEN'],
    ];
    for (const [text, mode, code] of codes) {
      writeFileSync(file, text);
      chmodSync(file, mode);
      const refused = expect(() => open());
      refused.toThrow(expect.objectContaining({ code, exitCode: 78 }));
      refused.not.toThrow(text);
    }
    rmSync(file);
    expect(() => open()).toThrow(expect.objectContaining({ code: 'VAULT_KEY_MISSING' }));
    expect(existsSync(file)).toBe(false);
  });

  test('a vault that is missing or there already is said, and nothing is made over it', () => {
    expect(() => open()).toThrow(expect.objectContaining({ code: 'VAULT_MISSING' }));
    expect(vaultKind(path)).toBeNull();
    create().set('a', 'one');
    expect(() => create()).toThrow(expect.objectContaining({ code: 'VAULT_EXISTS' }));
    expect(open().get('a')).toBe('one');
    expect(vaultKind(path)).toBe('file');
    chmodSync(path, 0o644);
    expect(() => open()).toThrow(expect.objectContaining({ code: 'SECRET_TOO_OPEN' }));
  });

  test('a passphrase opens it through argon2id; another one, or a file, does not', () => {
    createVault({ path, key: PASSPHRASE, now, stretching: CHEAP }).set('a', 'one');
    expect(vaultKind(path)).toBe('passphrase');
    expect(open(PASSPHRASE).get('a')).toBe('one');
    const wrong = () => open({ kind: 'passphrase', passphrase: 'velvet kumquat drizzle anvil tundrA' });
    expect(wrong).toThrow(
      expect.objectContaining({ code: 'VAULT_KEY_WRONG', message: expect.stringContaining('passphrase') }),
    );
    expect(wrong).not.toThrow(/kumquat/);
    expect(() => open()).toThrow(/opens with a passphrase, not with a key file/);
    expect(() =>
      createVault({ path: `${path}2`, key: { kind: 'passphrase', passphrase: 'hunter2hunter2' }, now }),
    ).toThrow(expect.objectContaining({ code: 'PASSPHRASE_WEAK' }));
    expect(existsSync(`${path}2`)).toBe(false);
  });

  test('the same passphrase typed on another system, in another normal form, is the same', () => {
    const spelled = (form: string): VaultKey => ({
      kind: 'passphrase',
      passphrase: `kümmel çay drizzle anvil tundra`.normalize(form),
    });
    createVault({ path, key: spelled('NFC'), now, stretching: CHEAP }).set('a', 'one');
    expect(open(spelled('NFD')).get('a')).toBe('one');
  });

  test('a planted vault cannot make the machine work for hours, nor lower the cost of guessing', async () => {
    createVault({ path, key: PASSPHRASE, now, stretching: CHEAP });
    const whole = readFileSync(path, 'utf8');
    for (const [name, value] of [
      ['memoryKib', 4_000_000],
      ['memoryKib', 8],
      ['passes', 1_000_000],
      ['passes', 1],
      ['lanes', 9_999],
    ] as const) {
      writeFileSync(path, whole.replace(new RegExp(`"${name}":\\d+`), `"${name}":${value}`));
      const refuse = () => expect(() => open(PASSPHRASE)).toThrow(expect.objectContaining({ code: 'VAULT_DAMAGED' }));
      expect(await msWithin(500, refuse)).toBeLessThan(500);
    }
  });

  test('a systemd credential opens it, and its name cannot lead out of the folder', () => {
    const credentials = join(folder, 'credentials');
    mkdirSync(credentials, { mode: 0o700 });
    writeFileSync(join(credentials, 'vault-key'), '9f1ce07b52a61d48f30cb8176e94ad2531c5e8f4', { mode: 0o400 });
    const systemd: VaultKey = { kind: 'systemd', folder: credentials, name: 'vault-key' };
    createVault({ path, key: systemd, now }).set('a', 'one');
    expect(open(systemd).get('a')).toBe('one');
    expect(() => open({ ...systemd, name: '../x' })).toThrow(expect.objectContaining({ code: 'SECRET_NAME' }));
    expect(() => open({ ...systemd, name: 'none' })).toThrow(expect.objectContaining({ code: 'VAULT_KEY_MISSING' }));
  });

  test('after a rekey the old key opens nothing, and the new one everything', () => {
    const vault = create();
    vault.set('a', 'one');
    const file = join(folder, 'keys', 'vault.key');
    copyFileSync(file, `${file}.old`);
    const before = readFileSync(path, 'utf8');
    vault.rekey(key);
    expect(vault.get('a')).toBe('one');
    expect(open().get('a')).toBe('one');
    expect(() => open({ kind: 'file', path: `${file}.old` })).toThrow(
      expect.objectContaining({ code: 'VAULT_KEY_WRONG' }),
    );
    expect(readFileSync(path, 'utf8')).not.toBe(before);
    openVault({ path, key, now, stretching: CHEAP }).rekey(PASSPHRASE);
    expect(open(PASSPHRASE).list()).toEqual([{ name: 'a', createdAtMs: 1_000, rotatedAtMs: 1_000 }]);
    expect(() => open()).toThrow(expect.objectContaining({ code: 'VAULT_KEY_KIND' }));
    // The one who has it open notices too.
    expect(() => vault.get('a')).toThrow(expect.objectContaining({ code: 'VAULT_KEY_KIND' }));
    expect(readdirSync(join(folder, 'keys')).sort()).toEqual(['vault.key', 'vault.key.old']);
  });

  test('a rekey that was killed between any two of its writes leaves a vault that opens', () => {
    const vault = create();
    vault.set('a', 'one');
    const file = join(folder, 'keys', 'vault.key');
    const old = { vault: readFileSync(path), key: readFileSync(file) };
    vault.rekey(key);
    const next = { vault: readFileSync(path), key: readFileSync(file) };
    const put = (at: string, bytes: Buffer): void => writeFileSync(at, bytes, { mode: 0o600 });
    // The new key was written, the vault was not.
    put(path, old.vault);
    put(file, old.key);
    put(`${file}.new`, next.key);
    expect(open().get('a')).toBe('one');
    // Both were written, the new key has not taken its place; opening ends the work.
    put(path, next.vault);
    expect(open().get('a')).toBe('one');
    expect(readFileSync(file)).toEqual(next.key);
    expect(existsSync(`${file}.new`)).toBe(false);
    open().rekey(key);
    expect(open().get('a')).toBe('one');
  });
});

test('while another program changes it, a change is refused in one line, and reading goes on', () => {
  const vault = create();
  vault.set('a', 'one');
  const lock = acquireLock(`${path}.lock`, 1);
  for (const act of [() => vault.set('a', 'two'), () => vault.rekey(key)])
    expect(act).toThrow(expect.objectContaining({ code: 'VAULT_BUSY' }));
  expect(vault.get('a')).toBe('one');
  lock.release();
  vault.set('a', 'two');
  expect(open().get('a')).toBe('two');
});

test('two programs that write at once lose nothing', async () => {
  create();
  const script = `
    import { openVault } from ${JSON.stringify(new URL('./vault.ts', import.meta.url).href)};
    const [path, file, who] = process.argv.slice(1);
    const vault = openVault({ path, key: { kind: 'file', path: file }, now: Date.now });
    for (let n = 0; n < 15; ) {
      try { vault.set(who + n, 'value of ' + who + n); n += 1; } catch (error) { if (error.code !== 'VAULT_BUSY') throw error; }
    }`;
  const file = join(folder, 'keys', 'vault.key');
  const start = (who: string) =>
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, path, file, who], { timeout: 50_000 });
  await Promise.all([start('a'), start('b')]);
  const vault = open();
  expect(vault.list()).toHaveLength(30);
  for (const { name } of vault.list()) expect(vault.get(name)).toBe(`value of ${name}`);
});

test('a vault of 50 secrets gives one within its time, and is one small file', async () => {
  const vault = create();
  for (let n = 0; n < 50; n++) vault.set(`secret-${n}`, `value-${n}`.repeat(5));
  const give = () => expect(open().get('secret-37')).toBe('value-37'.repeat(5));
  expect(await msWithin(100, give)).toBeLessThan(100);
  expect(statSync(path).size).toBeLessThan(15_000);
});

function never(): never {
  throw new Error('the vault of this test has this secret');
}
