// A change of the configuration from beginning to end: kept, waiting for a word, or returned. What a kill -9 leaves is in
// test/guides/config-crash.test.ts.
import {
  chmodSync,
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
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256 } from '../../platform/ids.ts';
import { loadForStart } from '../load.ts';
import { diffTexts } from './diff.ts';
import { setAt, unsetAt } from './edit.ts';
import { listVersions, versionText } from './history.ts';
import { readPending, writePending } from './pending.ts';
import type { ChangePorts } from './ports.ts';
import { armDeadline, confirmPending, provePending, returnPending, settlePendingAtStart } from './settle.ts';
import { changeConfig } from './transaction.ts';

const OLD = `{\n  // mine\n  gateway: { port: 18789 },\n}\n`;
const NEW = OLD.replace('18789', '19000');

let stateDir = '';
let configPath = '';
let now = 1_000_000;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'hardshell-change-'));
  configPath = join(stateDir, 'openclaw.json');
  writeFileSync(configPath, OLD, { mode: 0o600 });
  now = 1_000_000;
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const ports = (more: Partial<ChangePorts> = {}): ChangePorts => ({
  paths: { configPath, stateDir, workspaceDir: join(stateDir, 'workspace') },
  env: { HOME: '/nobody' },
  now: () => now,
  by: 'test',
  ...more,
});
const setPort = (port: unknown) => (text: string) => setAt(text, ['gateway', 'port'], port);
const content = (): string => readFileSync(configPath, 'utf8');

describe('a change', () => {
  test('is written in place, private, with old and new version in the history', async () => {
    const outcome = await changeConfig(ports(), setPort(19_000));
    expect(outcome).toMatchObject({
      state: 'kept',
      changed: ['gateway.port'],
      restart: ['gateway.port'],
      reach: ['gateway.port'],
    });
    expect(content()).toBe(NEW);
    expect(statSync(configPath).mode & 0o777).toBe(0o600);
    expect(listVersions(stateDir).map(({ id, by }) => [id, by])).toEqual([
      [2, 'test'],
      [1, 'before'],
    ]);
    expect(versionText(stateDir, 1)).toBe(OLD);
    expect(readPending(stateDir)).toBeNull();
  });

  test('makes the file when there is none, and its undoing removes nothing else', async () => {
    rmSync(configPath);
    await changeConfig(ports(), (text) => setAt(text, ['gateway', 'port'], 19_000));
    expect(content()).toBe('{\n  "gateway": {\n    "port": 19000\n  }\n}\n');
    await changeConfig(ports(), (text) => unsetAt(text, ['gateway', 'port']));
    expect(content()).toBe('{}\n');
  });

  test('that takes away what is not there makes no file, and no version to go back from', async () => {
    rmSync(configPath);
    expect(await changeConfig(ports(), (text) => unsetAt(text, ['gateway', 'port']))).toMatchObject({
      state: 'unchanged',
    });
    expect([existsSync(configPath), listVersions(stateDir)]).toEqual([false, []]);
  });

  test.each([['zz'], ['gateway', 'qqqqqqqq']])(
    'of a key that there is not is told to leave it out, not to remove what was never written: %s',
    async (...path) => {
      const key = path.join('.');
      await expect(changeConfig(ports(), (text) => setAt(text, path, 1))).rejects.toMatchObject({
        fix: `leave ${key} out; openclaw config schema shows every key`,
      });
    },
  );

  test.each([
    [setPort(99_999), /gateway\.port: 99999/],
    [setPort('x'), /gateway\.port: "x"/],
    [(text: string) => setAt(text, ['gateway', 'bind'], 'lan'), /lets a network reach the gateway/],
    [(text: string) => setAt(text, ['gatewy'], 1), /did you mean "gateway"/],
    [(text: string) => setAt(text, ['gateway', 'auth'], { token: 'changeme-changeme' }), /gateway\.auth\.token/],
    [() => '{ gateway: ', /not JSON5/],
  ])('that would not start is refused, and nothing is written (%#)', async (edit, message) => {
    await expect(changeConfig(ports(), edit)).rejects.toThrow(message);
    expect(content()).toBe(OLD);
    expect(readdirSync(stateDir)).toEqual(['openclaw.json']);
  });

  test('on the ground of an older text is refused', async () => {
    const { hash } = await changeConfig(ports(), setPort(19_000));
    await changeConfig(ports(), setPort(19_001), { baseHash: hash });
    await expect(changeConfig(ports(), setPort(19_002), { baseHash: hash })).rejects.toMatchObject({
      code: 'CONFIG_CHANGED',
      httpStatus: 409,
    });
    expect(content()).toBe(OLD.replace('18789', '19001'));
  });

  test('a dry run says what would change and writes nothing', async () => {
    expect(await changeConfig(ports(), setPort(19_000), { dryRun: true })).toMatchObject({ changed: ['gateway.port'] });
    expect(content()).toBe(OLD);
  });

  test('two at once are made one after the other', async () => {
    await Promise.all([
      changeConfig(ports(), setPort(19_000)),
      changeConfig(ports(), (text) => setAt(text, ['logging', 'level'], 'debug')),
    ]);
    expect(content()).toContain('19000');
    expect(content()).toContain('debug');
  });

  test('a file with a mistake is not edited but can be replaced; one that cannot be read is left alone', async () => {
    writeFileSync(configPath, '{ gateway: { port: ');
    await expect(changeConfig(ports(), setPort(19_000))).rejects.toThrow(/not JSON5.*line 1/);
    await changeConfig(ports(), () => OLD);
    expect(content()).toBe(OLD);
    writeFileSync(configPath, Buffer.from([0xff, 0xfe, 0x7b, 0x00]));
    await expect(changeConfig(ports(), () => OLD)).rejects.toThrow(/NUL byte|not UTF-8/);
    expect(readFileSync(configPath)).toHaveLength(4);
    writeFileSync(configPath, 'gateway:\n  port: 18789\n');
    await expect(changeConfig(ports(), setPort(1))).rejects.toMatchObject({ code: 'CONFIG_IS_YAML' });
  });

  test('several mistakes are mended one after the other, and none is added on the way', async () => {
    const broken = '{ gateway: { prt: 1, bind: "lan" }, chanels: {} }';
    writeFileSync(configPath, broken);
    await expect(changeConfig(ports(), (text) => setAt(text, ['tools', 'fss'], 1))).rejects.toThrow(/not usable/);
    await expect(
      changeConfig(ports(), (text) => setAt(unsetAt(text, ['chanels']), ['gateway', 'port'], 'x')),
    ).rejects.toThrow(/not usable/);
    expect(content()).toBe(broken);
    const first = await changeConfig(ports(), (text) => unsetAt(text, ['chanels']));
    expect(first).toMatchObject({ state: 'kept', changed: [], reason: expect.stringMatching(/left/) });
    expect(first.warnings.map(({ key }) => key)).toEqual(['gateway.prt']);
    // Only now is it said that the bind lets a network in.
    expect((await changeConfig(ports(), (text) => unsetAt(text, ['gateway', 'prt']))).warnings).toMatchObject([
      { code: 'exposed', key: 'gateway.bind' },
    ]);
    const last = await changeConfig(ports(), (text) => setAt(text, ['gateway', 'bind'], 'loopback'));
    expect(last).toMatchObject({ state: 'kept', warnings: [] });
    expect(content()).toContain('loopback');
  });

  test('only the last 20 versions stay', async () => {
    for (let port = 20_000; port < 20_025; port++) await changeConfig(ports(), setPort(port));
    const versions = listVersions(stateDir);
    expect(versions).toHaveLength(20);
    expect(versionText(stateDir, versions[0]?.id ?? 0)).toContain('20024');
    expect(() => versionText(stateDir, 1)).toThrow(/no version 1/);
  });
});

describe('a change that could lock you out', () => {
  test('is kept when every probe succeeds', async () => {
    const seen: string[] = [];
    const outcome = await changeConfig(
      ports({
        apply: async (config) => void seen.push(`apply ${config.gateway.port}`),
        probe: async (config) => {
          seen.push(`probe ${config.gateway.port}`);
          return { ok: true };
        },
      }),
      setPort(19_000),
    );
    expect([outcome.state, seen, content()]).toEqual(['kept', ['apply 19000', 'probe 19000'], NEW]);
    expect(readPending(stateDir)).toBeNull();
  });

  test('returns to exactly the previous bytes when a probe fails, and the gateway too', async () => {
    const applied: number[] = [];
    const outcome = await changeConfig(
      ports({
        apply: async (config) => void applied.push(config.gateway.port),
        probe: async () => ({ ok: false, reason: 'telegram: 401' }),
      }),
      setPort(19_000),
    );
    expect([outcome.state, outcome.reason, content(), applied]).toEqual([
      'returned',
      'telegram: 401',
      OLD,
      [19_000, 18_789],
    ]);
    expect(readPending(stateDir)).toBeNull();
  });

  test('removes a file that was not there before', async () => {
    rmSync(configPath);
    await changeConfig(ports({ probe: async () => ({ ok: false, reason: 'no' }) }), setPort(19_000));
    expect(existsSync(configPath)).toBe(false);
  });

  test('waits for a word, and stays with it', async () => {
    const outcome = await changeConfig(ports(), setPort(19_000), { confirmWithinMs: 300_000 });
    expect(outcome).toMatchObject({ state: 'waiting', deadlineMs: now + 300_000 });
    await expect(changeConfig(ports(), setPort(1))).rejects.toMatchObject({ code: 'CONFIG_PENDING' });
    await confirmPending(ports());
    expect(content()).toBe(NEW);
    await expect(confirmPending(ports())).rejects.toMatchObject({ code: 'CONFIG_NOT_PENDING' });
  });

  test('returns by itself without a word', async () => {
    const { deadlineMs = 0 } = await changeConfig(ports(), setPort(19_000), { confirmWithinMs: 300_000 });
    const { promise, resolve } = Promise.withResolvers<string>();
    now = deadlineMs;
    armDeadline(ports(), deadlineMs, resolve);
    expect(await promise).toBe('returned');
    expect(content()).toBe(OLD);
  });

  test('returns on a word', async () => {
    await changeConfig(ports(), setPort(19_000), { confirmWithinMs: 300_000 });
    expect(await returnPending(ports())).toBe('returned');
    expect(content()).toBe(OLD);
  });

  test('what was edited by hand meanwhile holds', async () => {
    await changeConfig(ports(), setPort(19_000), { confirmWithinMs: 300_000 });
    writeFileSync(configPath, OLD.replace('18789', '20000'));
    expect(await returnPending(ports())).toBe('superseded');
    expect(content()).toContain('20000');
  });

  test('a restart: it is proved after it, and returns when the gateway does not come up', async () => {
    // What the change leaves when the process ends to start anew: the record, and the new file.
    const interrupted = (): void => {
      const [by, why, atMs] = ['test', '', now];
      const open = { proved: false, deadlineMs: null, confirmWithinMs: 1_000, starts: 0 };
      writePending(stateDir, { configPath, before: OLD, afterHash: sha256(NEW), atMs, by, why, ...open });
      writeFileSync(configPath, NEW);
    };
    interrupted();
    expect(content()).toBe(NEW);
    expect(settlePendingAtStart({ stateDir, configPath }, now)).toEqual({ state: 'prove' });
    // The start did not come to its end; the next one does not try again.
    expect(settlePendingAtStart({ stateDir, configPath }, now)).toEqual({
      state: 'returned',
      reason: 'the gateway did not come up with the change',
    });
    expect(content()).toBe(OLD);

    interrupted();
    expect(settlePendingAtStart({ stateDir, configPath }, now)).toEqual({ state: 'prove' });
    const { config } = loadForStart(ports().paths, {});
    expect(await provePending(ports({ probe: async () => ({ ok: true }) }), config)).toMatchObject({
      state: 'waiting',
    });
    expect(settlePendingAtStart({ stateDir, configPath }, now)).toEqual({ state: 'waiting', deadlineMs: now + 1_000 });
    expect(settlePendingAtStart({ stateDir, configPath }, now + 1_000)).toEqual({
      state: 'returned',
      reason: 'nobody confirmed it in time',
    });
    expect(content()).toBe(OLD);
  });
});

test('a forged record of a pending change writes over no other file, at a start, at a rollback and at the deadline', async () => {
  const precious = join(stateDir, 'precious');
  const more = { by: 'x', why: '', atMs: 0, proved: true, deadlineMs: 1, confirmWithinMs: 1, starts: 9 };
  for (const path of [precious, join(stateDir, 'elsewhere', 'openclaw.json')]) {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, 'keep');
    const forged = { configPath: path, before: 'taken over', afterHash: sha256('keep'), ...more };
    for (const settle of [
      () => settlePendingAtStart({ stateDir, configPath }, now),
      () => returnPending(ports()),
      () => provePending(ports({ probe: async () => ({ ok: false, reason: 'forged' }) }), {} as never),
    ]) {
      writePending(stateDir, forged);
      await settle();
      expect(readFileSync(path, 'utf8')).toBe('keep');
    }
  }
});

test('what fails on the way leaves the old file and nothing open', async () => {
  writeFileSync(join(stateDir, 'config-history'), 'in the way');
  await expect(changeConfig(ports(), setPort(19_000))).rejects.toThrow(/config-history/);
  await expect(changeConfig(ports(), setPort(19_000), { confirmWithinMs: 1_000 })).rejects.toThrow(/config-history/);
  expect([content(), readPending(stateDir)]).toEqual([OLD, null]);
});

test('a folder that cannot be written is one clear line, and the file stays', async () => {
  if (process.getuid?.() === 0) return;
  chmodSync(stateDir, 0o500);
  await expect(changeConfig(ports(), setPort(19_000))).rejects.toThrow(/permission denied/);
  chmodSync(stateDir, 0o700);
  expect(content()).toBe(OLD);
});

test('a diff shows lines and no secret, but that a secret changed', () => {
  const before = `{ gateway: { auth: { token: 'first-secret-value' } },\n  providers: { x: { apiKey: 'same-secret' } },\n  a: 1 }`;
  const after = before.replace('first-secret', 'other-secret').replace('a: 1', 'a: 2');
  const lines = diffTexts(before, after);
  expect(lines.map(({ kind }) => kind).join('')).toBe('-+ -+');
  expect(JSON.stringify(lines)).not.toMatch(/secret/);
  expect(JSON.stringify(diffTexts('{ token: "abc-secret', ''))).not.toMatch(/secret/);
});
