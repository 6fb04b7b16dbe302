// The attacks in which a configuration is accepted and means less than its author wrote, or stops the reader for long.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { inspectConfig } from '../../src/config/inspect.ts';
import { zonesOf } from '../../src/config/zones.ts';
import { explain } from '../../src/policy/explain.ts';
import { judgesOf } from '../../src/policy/judges.ts';
import { judgeFor } from '../../src/policy/tool-policy.ts';
import { label } from '../../src/store/label.ts';
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
  test.each([
    ['grop', 'did you mean "group"'],
    ['telegramm:-100123', 'did you mean "telegram:-100123"'],
    ['sender:telegran:42', 'did you mean "sender:telegram:42"'],
    ['sender:telegram:@bea', 'can be changed or taken over'],
    ['sender:telegram:*', 'nobody in particular'],
    ['telegram:', 'names no chat'],
    ['sender:', 'no place and no sender'],
  ])('a rule for the place %s, from which no message ever comes, is refused', (place, why) => {
    const { findings } = read({ tools: { policies: { [place]: { exec: 'deny' } } } });
    expect(findings.map(({ level, code }) => [level, code])).toEqual([['error', 'policy-place']]);
    expect(findings[0]?.message).toContain(why);
    expect(findings[0]?.key).toBe(`tools.policies.${place}`);
  });
  test.each([
    '*',
    'dm',
    'group',
    'channel',
    'telegram:-100123',
    '-100123',
    'C0123ABCD',
    'sender:telegram:42',
    'sender:42',
    'mail:ann@example.net',
    'discord:work:123456789012345678',
    '120363025@g.us',
  ])('the place %s is one', (place) => {
    const { findings, tool } = read({ tools: { policies: { [place]: { exec: 'deny' } } } });
    expect(findings).toEqual([]);
    expect(tool('exec')).toBe(place === '*' || place === 'dm' ? 'deny' : 'allow');
  });
  test('a slip in the bans of an agent or of the box is refused as well', () => {
    expect(read({ tools: { sandbox: { tools: { deny: ['exce'] } } } }).errors).toEqual(['tool-unknown']);
    expect(read({ agents: { entries: { work: { tools: { deny: ['wirte'] } } } } }).errors).toEqual(['tool-unknown']);
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
])('no command runs unasked for whoever wrote %j', async (config, rule) => {
  const given = read(config).config ?? expect.fail();
  const { security, tools } = given;
  const places = { workspace: dir, stateDir: join(dir, 'state'), configPath: join(dir, 'openclaw.json') };
  const zones = zonesOf({ security, workspaceOnly: tools.fs.workspaceOnly }, places);
  const ids = { turnId: 't', sessionKey: 'agent:main:main', callId: 'c', agentId: 'main' };
  const command = 'touch a';
  const call = { ...ids, speaker: OWNER_DM, name: 'exec', args: { command }, context: label('owner', 'owner') };
  const run = { kind: 'run', command, cwd: '.', where: 'sandbox' } as const;
  expect((await explain(call, [run], given, judgesOf(given, zones))).decision).toBe(rule);
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
