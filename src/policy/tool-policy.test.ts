// Which tools there are: every layer narrows, deny wins, and a ban on writing is a ban on every way of writing.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { judgeFor, judgeTool, leavesFolder, type ToolRules } from './tool-policy.ts';

const none: ToolRules = { deny: [], policies: {}, exec: {} };
const judge = (name: string, rules: Partial<ToolRules>, place: 'dm' | 'group' = 'dm') =>
  judgeTool(name, { ...none, ...rules }, place);

test('by default the owner has every tool', () => {
  for (const name of ['read', 'write', 'edit', 'ls', 'exec']) expect(judge(name, {})).toEqual({ rule: 'allow' });
});

test.each([
  ['exec', { deny: ['exec'] }, 'tools.deny'],
  ['exec', { deny: ['group:runtime'] }, 'tools.deny'],
  ['edit', { deny: ['write'] }, 'tools.deny'],
  ['write', { deny: ['group:fs'] }, 'tools.deny'],
  ['exec', { exec: { mode: 'deny' } }, 'tools.exec.mode'],
  ['exec', { allow: ['read', 'ls'] }, 'tools.allow'],
  ['exec', { profile: 'minimal' as const }, 'tools.profile'],
  ['exec', { policies: { '*': { exec: 'deny' as const } } }, 'tools.policies.*.exec'],
])('%s is denied by %j, and the setting is named', (name, rules, key) => {
  expect(judge(name, rules)).toEqual({ rule: 'deny', key });
});

test('S255 S256 exec denied everywhere and allowed in direct chats: refused in a group, not in a DM', () => {
  const policies = { '*': { exec: 'deny', browser: 'deny' }, dm: { exec: 'allow', browser: 'allow' } } as const;
  expect(judge('exec', { policies }, 'group')).toEqual({ rule: 'deny', key: 'tools.policies.*.exec' });
  expect(judge('exec', { policies }, 'dm')).toEqual({ rule: 'allow' });
  expect(judge('exec', { policies, deny: ['exec'] }, 'dm').rule).toBe('deny');
});

test('property: one more denial never opens anything', () => {
  const name = fc.constantFrom('read', 'write', 'edit', 'ls', 'exec');
  const entry = fc.constantFrom('read', 'write', 'edit', 'ls', 'exec', 'group:fs', 'group:runtime', '*', 'unknown');
  const rules = fc.record({
    deny: fc.array(entry, { maxLength: 3 }),
    allow: fc.option(fc.array(entry, { maxLength: 3 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(name, rules, entry, (tool, given, more) => {
      const before = judge(tool, given).rule;
      const after = judge(tool, { ...given, deny: [...given.deny, more] }).rule;
      if (before === 'deny') expect(after).toBe('deny');
    }),
  );
});

const person = (kind: string, tools: string[] | null = null, folder: string | null = null) => ({
  kind,
  limits: tools === null ? null : { tools, folder },
});
const judgeAs = (
  name: string,
  rules: Partial<ToolRules>,
  who: ReturnType<typeof person>,
  place: 'dm' | 'group' = 'dm',
) => judgeFor(name, { ...none, ...rules }, { principal: who, place }).rule;

test('S254 whoever is not the owner has no tool, unless a rule of this very place names it', () => {
  for (const name of ['read', 'write', 'edit', 'ls', 'exec'])
    for (const kind of ['paired', 'guest', 'member', 'anything'])
      for (const place of ['dm', 'group'] as const)
        for (const policies of [
          {},
          { '*': { '*': 'allow', [name]: 'allow' } },
          { dm: { '*': 'allow' }, group: { '*': 'allow' } },
        ] as const)
          expect(judgeAs(name, { policies }, person(kind), place)).toBe('deny');
  expect(judgeAs('read', { policies: { dm: { read: 'allow' } } }, person('paired'))).toBe('allow');
  expect(judgeAs('read', { policies: { dm: { 'group:fs': 'ask' } } }, person('paired'))).toBe('ask');
  expect(judgeAs('read', { policies: { dm: { read: 'allow' } } }, person('member'), 'group')).toBe('deny');
  expect(judgeAs('read', { policies: { dm: { read: 'allow' } }, deny: ['read'] }, person('paired'))).toBe('deny');
});

test('a rule for your own direct chats hands your commands to nobody else', () => {
  const policies = { '*': { exec: 'deny' }, dm: { exec: 'allow' } } as const;
  expect(judgeAs('exec', { policies }, person('owner'))).toBe('allow');
  expect(judgeAs('exec', { policies }, person('paired'))).toBe('deny');
});

test('a guest has what the pass names, where the place allows it, in its folder', () => {
  const guest = person('guest', ['group:fs'], 'recipes');
  expect(judgeAs('read', {}, guest)).toBe('allow');
  expect(judgeAs('exec', {}, guest)).toBe('deny');
  expect(judgeAs('read', { policies: { group: { read: 'deny' } } }, guest, 'group')).toBe('deny');
  const leaves = (path: string, kind: 'read' | 'write' = 'read') =>
    leavesFolder([{ kind, path }], { principal: guest, place: 'dm' });
  expect([leaves('recipes'), leaves('recipes/a.md'), leaves('recipes/a.md', 'write')]).toEqual([false, false, false]);
  expect([leaves('.'), leaves('recipes2/a.md'), leaves('notes/recipes/a.md')]).toEqual([true, true, true]);
  expect(
    leavesFolder([{ kind: 'run', command: 'ls', cwd: '.', where: 'sandbox' }], { principal: guest, place: 'dm' }),
  ).toBe(true);
  expect(leavesFolder([{ kind: 'read', path: 'x' }], { principal: person('owner'), place: 'dm' })).toBe(false);
});
