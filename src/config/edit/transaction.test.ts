// A change of the configuration from beginning to end, with a kill -9 after every step: there is always a whole file, and
// it is the old one or the new one.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
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
import { loadForStart } from '../load.ts';
import { diffTexts } from './diff.ts';
import { setAt, unsetAt } from './edit.ts';
import { listVersions, versionText } from './history.ts';
import { parseKeyPath } from './key-path.ts';
import { readPending } from './pending.ts';
import {
  armDeadline,
  type ChangePorts,
  changeConfig,
  confirmPending,
  provePending,
  returnPending,
  settlePendingAtStart,
} from './transaction.ts';

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
    const restarting = ports({
      apply: async () => {
        throw new Error('the process ends here');
      },
      step: (name) => {
        if (name === 'new-kept') throw new Error('gone');
      },
    });
    const interrupted = (): Promise<unknown> =>
      changeConfig(restarting, setPort(19_000), { confirmWithinMs: 1_000 }).catch(() => undefined);
    await interrupted();
    expect(content()).toBe(NEW);
    expect(settlePendingAtStart({ stateDir }, now)).toEqual({ state: 'prove' });
    // The start did not come to its end; the next one does not try again.
    expect(settlePendingAtStart({ stateDir }, now)).toEqual({
      state: 'returned',
      reason: 'the gateway did not come up with the change',
    });
    expect(content()).toBe(OLD);

    await interrupted();
    expect(settlePendingAtStart({ stateDir }, now)).toEqual({ state: 'prove' });
    const { config } = loadForStart(ports().paths, {});
    expect(await provePending(ports({ probe: async () => ({ ok: true }) }), config)).toMatchObject({
      state: 'waiting',
    });
    expect(settlePendingAtStart({ stateDir }, now)).toEqual({ state: 'waiting', deadlineMs: now + 1_000 });
    expect(settlePendingAtStart({ stateDir }, now + 1_000)).toEqual({
      state: 'returned',
      reason: 'nobody confirmed it in time',
    });
    expect(content()).toBe(OLD);
  });
});

test('a folder that cannot be written is one clear line, and the file stays', async () => {
  if (process.getuid?.() === 0) return;
  chmodSync(stateDir, 0o500);
  await expect(changeConfig(ports(), setPort(19_000))).rejects.toThrow(/permission denied/);
  chmodSync(stateDir, 0o700);
  expect(content()).toBe(OLD);
});

describe('kill -9', () => {
  // One process makes the change and is killed right after the named step.
  const script = `
    import { changeConfig } from ${JSON.stringify(join(import.meta.dirname, 'transaction.ts'))};
    import { setAt } from ${JSON.stringify(join(import.meta.dirname, 'edit.ts'))};
    const [stateDir, configPath, step, probe, confirm] = process.argv.slice(1);
    await changeConfig({
      paths: { stateDir, configPath, workspaceDir: stateDir + '/workspace' },
      env: {}, now: () => 1_000_000, by: 'child',
      ...(probe === 'none' ? {} : { probe: async () => (probe === 'good' ? { ok: true } : { ok: false, reason: 'bad' }) }),
      step: (name) => { if (name === step) process.kill(process.pid, 'SIGKILL'); },
    }, (text) => setAt(text, ['gateway', 'port'], 19_000), confirm === 'yes' ? { confirmWithinMs: 60_000 } : {});
  `;
  const run = (step: string, probe: string, confirm: string): void => {
    const { signal, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', script, stateDir, configPath, step, probe, confirm],
      { encoding: 'utf8', timeout: 20_000 },
    );
    expect([signal, stderr.replace(/.*(Warning|trace-warnings).*\n/g, '')]).toEqual(['SIGKILL', '']);
  };

  test.each([
    // a plain change: nothing to settle, the file is whole
    ['old-kept', 'none', 'no', OLD, 'none', OLD],
    ['written', 'none', 'no', NEW, 'none', NEW],
    ['new-kept', 'none', 'no', NEW, 'none', NEW],
    // one that is proved: before the proof the next start tries it, afterwards it stays
    ['pending-written', 'good', 'no', OLD, 'returned', OLD],
    ['old-kept', 'good', 'no', OLD, 'returned', OLD],
    ['written', 'good', 'no', NEW, 'prove', NEW],
    ['new-kept', 'good', 'no', NEW, 'prove', NEW],
    ['applied', 'good', 'no', NEW, 'prove', NEW],
    ['probed', 'good', 'no', NEW, 'prove', NEW],
    ['pending-dropped', 'good', 'no', NEW, 'none', NEW],
    ['probed', 'bad', 'no', NEW, 'prove', NEW],
    ['put-back', 'bad', 'no', OLD, 'none', OLD],
    // one that waits for a word
    ['written', 'good', 'yes', NEW, 'prove', NEW],
    ['waiting', 'good', 'yes', NEW, 'waiting', NEW],
  ])(
    'after "%s" (probe %s, confirm %s): a whole file, and the next start settles it',
    (step, probe, confirm, now, state, then) => {
      run(step, probe, confirm);
      expect(content()).toBe(now);
      expect(settlePendingAtStart({ stateDir }, 1_000_001).state).toBe(state);
      expect(content()).toBe(then);
      // Whatever it was, it comes to an end: proved, or returned by the next start.
      if (state === 'prove') {
        expect(settlePendingAtStart({ stateDir }, 1_000_001).state).toBe('returned');
        expect(content()).toBe(OLD);
      }
      if (state === 'waiting') {
        expect(settlePendingAtStart({ stateDir }, 1_060_000).state).toBe('returned');
        expect(content()).toBe(OLD);
      }
      expect(settlePendingAtStart({ stateDir }, 1_060_000)).toEqual({ state: 'none' });
      expect(loadForStart({ configPath, stateDir }, {}).config.gateway.port).toBe(content() === OLD ? 18_789 : 19_000);
    },
  );
});

test('a diff shows lines and no secret, but that a secret changed', () => {
  const before = `{ gateway: { auth: { token: 'first-secret-value' } },\n  providers: { x: { apiKey: 'same-secret' } },\n  a: 1 }`;
  const after = before.replace('first-secret', 'other-secret').replace('a: 1', 'a: 2');
  const lines = diffTexts(before, after);
  expect(lines.map(({ kind }) => kind).join('')).toBe('-+ -+');
  expect(JSON.stringify(lines)).not.toMatch(/secret/);
  expect(JSON.stringify(diffTexts('{ token: "abc-secret', ''))).not.toMatch(/secret/);
  expect(parseKeyPath('a')).toEqual(['a']);
});
