// The schema as a whole: how large it is, that each setting says what it is, and that what is derived from it agrees.
import { describe, expect, test } from 'vitest';
import { explain, jsonSchema, suggestKey } from '../explain.ts';
import { loadConfig } from '../load.ts';
import { SECTION_NAMES, wholeSchema } from '../schema.ts';
import { allLeaves, kindOf } from './tree.ts';

const leaves = [...allLeaves()];
const secret = new Set(leaves.filter(({ facts }) => facts.secret).map(({ path }) => path));

test('there are fewer than 250 settings, all written out, each once', () => {
  expect(leaves.length).toBeLessThan(250);
  expect(leaves.length).toBeGreaterThan(200);
  expect(new Set(leaves.map(({ path }) => path)).size).toBe(leaves.length);
});

test.each(leaves)('$path says in one line what it is, and has a default or may be left out', ({ facts, schema }) => {
  expect(facts.doc).toMatch(/^[A-Z$*0-9a-z][^\n]{1,160}$/);
  expect(facts.doc).not.toMatch(/\.$/);
  expect(['default', 'optional', 'string']).toContain(schema._zod.def.type);
  expect(kindOf(schema)).not.toBe('');
});

test('what is unsafe begins with dangerously, and is off', () => {
  const unsafe = leaves.filter(({ path }) => /dangerously/i.test(path));
  expect(unsafe.length).toBeGreaterThan(8);
  for (const { path, schema } of unsafe) {
    expect(path.split('.').at(-1)).toMatch(/^dangerously[A-Z]/);
    expect([false, []]).toContainEqual(schema._zod.def.defaultValue);
  }
});

test('what is named like a secret is marked as one', () => {
  const named = leaves
    .map(({ path }) => path)
    .filter((path) => /(token|password|apiKey|secret|headers|\.env)$/i.test(path));
  expect(named.filter((path) => !secret.has(path))).toEqual([]);
  expect(secret.size).toBe(named.length);
});

test('every default is what an empty file gives', () => {
  const { config } = loadConfig({ configPath: '/nonexistent/openclaw.json' }, {});
  for (const { path, schema } of leaves) {
    if (/[*[]/.test(path) || /^channels\.(?!defaults)/.test(path) || path === 'tools.policies') continue;
    const value = path.split('.').reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], config);
    expect([path, value]).toEqual([
      path,
      schema._zod.def.type === 'default' ? schema._zod.def.defaultValue : undefined,
    ]);
  }
  expect(Object.keys(config)).toEqual([...SECTION_NAMES]);
});

test('an empty file is hardened: the defaults that the audit relies on', () => {
  const { config } = loadConfig({ configPath: '/nonexistent/openclaw.json' }, {});
  expect(config).toMatchObject({
    gateway: {
      bind: 'loopback',
      port: 18_789,
      auth: { mode: 'token', rateLimit: { exemptLoopback: false } },
      tailscale: { mode: 'off' },
    },
    session: { dmScope: 'per-channel-peer' },
    pairing: { autoApprove: false, groups: true, codeTtlMinutes: 60 },
    tools: {
      fs: { workspaceOnly: true },
      exec: { strictInlineEval: true },
      elevated: { enabled: false },
      loopDetection: { enabled: true },
    },
    agents: {
      defaults: {
        sandbox: {
          mode: 'all',
          scope: 'agent',
          backend: 'auto',
          docker: { network: 'none', pidsLimit: 256, memory: '1g', cpus: 1 },
        },
        heartbeat: { every: 'off' },
      },
    },
    actions: { email: { requireConfirmation: true }, destructive: { requireConfirmation: true, useTrash: true } },
    browser: { enabled: false },
    hooks: { enabled: false },
    security: { installPolicy: { enabled: true } },
  });
});

describe('explained', () => {
  test('a setting, a group, a free name, and what does not exist', () => {
    expect(explain(['gateway', 'port'])).toEqual({
      path: 'gateway.port',
      doc: expect.stringContaining('TCP port'),
      kind: 'a number',
      default: 18_789,
      secret: false,
      restart: true,
      keys: [],
    });
    expect(explain(['gateway', 'auth'])?.keys).toContain('token');
    expect(explain(['models', 'providers', 'anything', 'apiKey'])?.secret).toBe(true);
    expect(explain(['channels', 'telegram', 'accounts', 'work', 'dmPolicy'])?.default).toBe('pairing');
    expect(explain(['gateway', 'prot'])).toBeNull();
    expect(suggestKey(['gateway', 'prot'])).toBe('gateway.port');
  });
});

test('JSON Schema has every setting, with its words, and refuses what is unknown', () => {
  const schema = jsonSchema();
  const text = JSON.stringify(schema);
  for (const { facts } of leaves) expect(text).toContain(JSON.stringify(facts.doc).slice(1, -1));
  expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
  const count = (text.match(/"x-secret":true/g) ?? []).length;
  expect(count).toBe(secret.size);
  expect(wholeSchema()._zod.def.type).toBe('object');
});
