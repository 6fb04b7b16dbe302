// The attacks in which a configuration is accepted and means less than its author wrote, or stops the reader for long.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { inspectConfig } from '../../src/config/inspect.ts';
import { judgeFor } from '../../src/policy/tool-policy.ts';
import { OWNER_DM } from '../support/speaker.ts';

const dir = mkdtempSync(join(tmpdir(), 'weaker-'));
afterAll(() => rmSync(dir, { recursive: true }));

const read = (text: string | object) => {
  const paths = { configPath: join(dir, 'openclaw.json'), stateDir: dir };
  const given = typeof text === 'string' ? text : JSON.stringify(text);
  const { config, findings } = inspectConfig(paths, { HOME: dir }, { text: given, rules: true });
  const errors = findings.filter(({ level }) => level === 'error').map(({ code }) => code);
  const tool = (name: string) => judgeFor(name, (config ?? expect.fail()).tools, OWNER_DM).rule;
  return { config, errors, findings, tool };
};
const box = (sandbox: object) => ({ agents: { defaults: { sandbox } } });

describe('a word that is not known does not give way to a looser one that is', () => {
  test.each([
    [{ sandbox: { mode: 'strict' }, ...box({ mode: 'off' }) }],
    [{ sandbox: { network: 'isolated' }, ...box({ docker: { network: 'bridge' } }) }],
    [{ gateway: { host: 'myhost', bind: 'lan', dangerouslyExposeToNetwork: true } }],
    [{ actions: { shell: { mode: 'never' } }, tools: { exec: { mode: 'full' } } }],
    [
      {
        channels: {
          telegram: { dm: { policy: 'nobody' }, dmPolicy: 'open', allowFrom: ['*'], dangerouslyAllowAnyone: true },
        },
      },
    ],
  ])('%j is refused', (config) => {
    expect(read(config).errors).toContain('spellings-disagree');
  });
});

test('auth.enabled: true wins over a mode "none" beside it', () => {
  const auth = { enabled: true, mode: 'none', dangerouslyDisableAuth: true };
  expect(read({ gateway: { auth } }).config?.gateway.auth.mode).toBe('token');
});

describe('a ban of a tool under another of its names is a ban', () => {
  test.each(['bash', 'Exec', 'EXEC', 'exec*', 'ex?c', '*', 'shell', 'group:shell', 'Group:Runtime'])('%s', (name) => {
    expect(read({ tools: { deny: [name] } }).tool('exec')).toBe('deny');
    expect(read({ tools: { policies: { dm: { [name]: 'deny' } } } }).tool('exec')).toBe('deny');
  });
  test('and gives nothing away: only an exact name allows', () => {
    for (const name of ['bash', 'Exec', 'exec*']) expect(read({ tools: { allow: [name] } }).tool('exec')).toBe('deny');
    expect(read({ tools: { policies: { '*': { exec: 'deny' }, dm: { Exec: 'allow' } } } }).tool('exec')).toBe('deny');
    expect(read({ tools: { deny: ['r*'] } }).tool('exec')).toBe('allow');
  });
  test('a slip of the pen is refused, and a name that nothing has is said', () => {
    expect(read({ tools: { deny: ['group:runtme'] } }).errors).toEqual(['tool-unknown']);
    expect(read({ tools: { policies: { group: { exce: 'deny' } } } }).errors).toEqual(['tool-unknown']);
    const { errors, findings } = read({ tools: { deny: ['browser', 'calendar_of_mine'] } });
    expect([errors, findings.map(({ message }) => message)]).toEqual([
      [],
      ['tools.deny: there is no tool "calendar_of_mine", so this holds nothing back'],
    ]);
  });
});

test.each([
  [{ tools: { exec: { mode: 'ask' } } }, 'ask'],
  [{ tools: { exec: { ask: 'always' } } }, 'ask'],
  [{ tools: { exec: { security: 'allowlist', ask: 'always' } } }, 'ask'],
  [{ actions: { shell: { mode: 'allowlist', allowed: ['git'] } } }, 'ask'],
  [{ actions: { shell: { mode: 'confirm' } }, tools: { policies: { dm: { exec: 'allow' } } } }, 'ask'],
  [{ actions: { shell: { mode: 'disabled' } } }, 'deny'],
  [{ tools: { exec: { mode: 'full' } } }, 'allow'],
])('no command runs unasked for whoever wrote %j', (config, rule) => {
  expect(read(config).tool('exec')).toBe(rule);
});

test('an empty list of allowed tools allows none', () => {
  expect(read({ tools: { allow: [] } }).tool('read')).toBe('deny');
});

test.each([
  ['a key of many spaces in YAML', `a: 1\nb${' '.repeat(900_000)}x\n`],
  ['a long word that breaks the syntax', `{ a: 1, ${'b'.repeat(900_000)}`],
  ['a name that could go on for ever', `{ a: 1 ${'auth'.repeat(200_000)}`],
  ['a variable that is used too often', JSON.stringify({ env: { vars: { A: 'x'.repeat(400_000) } }, ui: '${A}'.repeat(100_000) })], // biome-ignore format: one case a line
])('%s is refused in a moment', (_name, text) => {
  const begunAt = performance.now();
  expect(read(text).errors.length).toBeGreaterThan(0);
  expect(performance.now() - begunAt).toBeLessThan(1_500);
});

test('a list of group members that loses all its names does not become the longer one of direct chats', () => {
  const telegram = { allowFrom: ['111111'], groups: { '-100': {} } };
  expect(read({ channels: { telegram: { ...telegram, groupAllowFrom: ['@bob'] } } }).errors).toEqual([
    'allowlist-empty',
  ]);
  expect(read({ channels: { telegram: { ...telegram, groupAllowFrom: ['@bob', '222222'] } } }).errors).toEqual([]);
});
