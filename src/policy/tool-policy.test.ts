// Which tools there are: every layer narrows, deny wins, and a ban on writing is a ban on every way of writing.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { judgeTool, type ToolRules } from './tool-policy.ts';

const none: ToolRules = { deny: [], policies: {}, exec: { mode: 'ask' } };
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
