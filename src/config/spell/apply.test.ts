// The table of spellings: every row leads to a key that exists, nothing vanishes, and the stricter of two answers wins.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { placeOf, schemaAt } from '../schema/tree.ts';
import { SPELLINGS, STRICTNESS } from '../spellings.ts';
import { fits, spell } from './apply.ts';

const read = (value: unknown) => spell(structuredClone(value));

test.each(SPELLINGS)('$from leads to a setting that exists: $to', ({ to }) => {
  const path = to
    .split('.')
    .map((key, i, all) =>
      key !== '*'
        ? key
        : all[i - 1] === 'channels'
          ? 'telegram'
          : all.at(-1) === '*' && i === all.length - 1
            ? null
            : 'x',
    );
  // A row for a whole group ends in *: then the group must exist.
  expect(schemaAt(path.filter((key) => key !== null))).not.toBeNull();
});

test.each(Object.entries(STRICTNESS))(
  'what is stricter at %s is said in words that the setting takes',
  (pattern, order) => {
    const schema = schemaAt(pattern.replace('channels.*', 'channels.telegram').replace('.*', '.high').split('.'));
    expect(schema && placeOf(schema).kind).toBe('leaf');
    if (!Array.isArray(order) || typeof order[0] !== 'string') return;
    const values = Object.values(schema?._zod.def.innerType?._zod.def.entries ?? {});
    expect([...order].sort()).toEqual(values.sort());
  },
);

describe('two spellings of one setting', () => {
  test.each([
    [{ gateway: { host: '0.0.0.0', bind: 'loopback' } }, 'gateway.bind', 'loopback'],
    [{ gateway: { host: '::1', bind: '0.0.0.0' } }, 'gateway.bind', 'loopback'],
    [
      {
        sandbox: { mode: 'off' },
        tools: { sandbox: { mode: 'all' } },
        agents: { defaults: { sandbox: { mode: 'non-main' } } },
      },
      'agents.defaults.sandbox.mode',
      'all',
    ],
    [
      { sandbox: { network: true }, agents: { defaults: { sandbox: { docker: { network: 'none' } } } } },
      'agents.defaults.sandbox.docker.network',
      'none',
    ],
    [
      { channels: { slack: { dmPolicy: 'disabled', allowlist: { senders: ['U123456'] } } } },
      'channels.slack.dmPolicy',
      'disabled',
    ],
    [
      { channels: { telegram: { allowFrom: ['1', '2'], allowlist: { senders: [2, '3'] } } } },
      'channels.telegram.allowFrom',
      ['2'],
    ],
    [
      { security: { deniedPaths: ['/a'] }, actions: { filesystem: { denied_paths: ['/b'] } } },
      'security.deniedPaths',
      ['/a', '/b'],
    ],
    [{ tools: { exec: { security: 'allowlist', ask: 'on-miss' } } }, 'tools.exec.mode', 'allowlist'],
    [{ tools: { exec: { mode: 'deny', security: 'full', ask: 'off' } } }, 'tools.exec.mode', 'deny'],
    [{ gateway: { auth: { enabled: false, mode: 'password' } } }, 'gateway.auth.mode', 'password'],
  ])('%j: the stricter one holds, and it is said', (value, path, expected) => {
    const { value: result, findings, mappings } = read(value);
    expect(path.split('.').reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], result)).toEqual(
      expected,
    );
    expect(findings).toEqual([]);
    expect(mappings.map(({ note }) => note).join()).toMatch(/the stricter/);
  });

  test('where nothing is stricter, both are refused, without their values', () => {
    const { findings } = read({ gateway: { authToken: 'one-secret', auth: { token: 'other-secret' } } });
    expect(findings).toEqual([
      {
        level: 'error',
        code: 'spellings-disagree',
        key: 'gateway.auth.token',
        message: 'gateway.authToken and gateway.auth.token mean the same setting and differ',
        fix: 'remove gateway.authToken, and keep in gateway.auth.token what you want',
      },
    ]);
  });

  test('the same twice is one', () => {
    const { value, findings } = read({ gateway: { authToken: 'x', auth: { token: 'x' } } });
    expect([value, findings]).toEqual([{ gateway: { auth: { token: 'x' } } }, []]);
  });
});

test('ids with dots, and names that look like keys, keep their place', () => {
  const value = {
    providers: { 'my.host': { apiKey: 'k' } },
    channels: { telegram: { groups: { '-1.5': { requireMention: true } } } },
  };
  expect(read(value).value).toEqual({
    models: { providers: { 'my.host': { apiKey: 'k' } } },
    channels: { telegram: { groups: { '-1.5': { requireMention: true } } } },
  });
});

test.each([
  [{ telegram: { botToken: 'x' } }, { channels: { telegram: { botToken: 'x' } } }],
  [
    { agent: { model: 'a/b', workspace: '/w' } },
    { agents: { defaults: { model: { primary: 'a/b' }, workspace: '/w' } } },
  ],
  [{ agents: { defaults: { model: 'a/b' } } }, { agents: { defaults: { model: { primary: 'a/b' } } } }],
  [
    { channels: { discord: { dm: { policy: 'allowlist', allowFrom: ['1'] } } } },
    { channels: { discord: { dmPolicy: 'allowlist', allowFrom: ['1'] } } },
  ],
  [{ channels: { imap: { imap: { host: 'h' } } } }, { channels: { mail: { imap: { host: 'h' } } } }],
  [{ gateway: { bind: '192.168.1.5' } }, { gateway: { bind: 'custom', customBindHost: '192.168.1.5' } }],
  [{ gateway: { bind: '[::1]' } }, { gateway: { bind: 'loopback' } }],
  [{ gateway: { bind: '127.0.0.53' } }, { gateway: { bind: 'loopback' } }],
  [{ gateway: { host: 'localhost' } }, { gateway: { bind: 'loopback' } }],
  [{ gateway: { host: 'example.net' } }, { gateway: { bind: 'example.net' } }],
  [
    { tools: { exec: { memoryMb: 512, maxProcesses: 64 } } },
    { agents: { defaults: { sandbox: { docker: { memory: '512m', pidsLimit: 64 } } } } },
  ],
  [
    { sandbox: { workspace: 'rw', scope: 'session', docker: { memory: '2g' } } },
    { agents: { defaults: { sandbox: { workspaceAccess: 'rw', scope: 'session', docker: { memory: '2g' } } } } },
  ],
])('%j', (written, expected) => {
  expect(read(written).value).toEqual(expected);
});

const KEYS = [...new Set(SPELLINGS.flatMap(({ from, to }) => [...from.split('.'), ...to.split('.')]))].filter(
  (key) => key !== '*',
);
const leaf = fc.constantFrom<unknown>('x', '127.0.0.1', '0.0.0.0', true, false, null, 3, ['a'], ['a', 'b']);
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.dictionary(fc.constantFrom(...KEYS, 'telegram', 'other'), fc.oneof({ maxDepth: 4 }, leaf, tie('tree')), {
    maxKeys: 4,
  }),
}));

test('for any configuration: it never throws, and every value is still there, was changed with a word, or is refused', () => {
  const texts = (value: unknown): string[] =>
    value !== null && typeof value === 'object' ? Object.values(value).flatMap(texts) : [String(value)];
  fc.assert(
    fc.property(tree, (value) => {
      const { value: result, mappings, findings } = read(value);
      if (mappings.length === 0) expect(result).toEqual(value);
      if (findings.length > 0 || mappings.some(({ note }) => note !== '')) return;
      // Moved only: nothing may be lost on the way, except below a parent that the schema refuses.
      const left = new Set(texts(result));
      for (const text of texts(value)) expect([...left, 'refused']).toContain(left.has(text) ? text : 'refused');
    }),
    { numRuns: 2_000 },
  );
});

test('a second reading changes nothing', () => {
  fc.assert(
    fc.property(tree, (value) => {
      const once = read(value);
      if (once.findings.length === 0) expect(read(once.value).value).toEqual(once.value);
    }),
    { numRuns: 5_000 },
  );
});

test('patterns', () => {
  expect(fits('a.*.c', 'a.b.c')).toBe(true);
  expect(fits('a.*.c', 'a.b.d')).toBe(false);
  expect(fits('a.b|c', 'a.c')).toBe(true);
});
