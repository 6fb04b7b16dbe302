// The decision table of tool calls: what runs, what asks, what stops, with the reason a person reads.
import { expect, test } from 'vitest';
import { guestIn, OWNER_DM } from '../../test/support/speaker.ts';
import { label } from '../store/label.ts';
import { factsOf, visible } from './approvals/approval.ts';
import { decide as decideWith } from './decide.ts';
import type { Effect } from './effects.ts';
import type { ToolRules } from './layers/rules.ts';
import { judgeShell, shellRulesOf } from './shell/judge.ts';
import { judgeSteering } from './steering.ts';
import { judgeToolCall } from './tool-policy.ts';

const exec = { mode: undefined, allow: [], safeBins: [], strictInlineEval: true };
const nowhere = { workspace: ['/nowhere'], allowed: [], denied: [], lifted: [], readsAll: false, closed: [] };
const decide = async (c: Parameters<typeof decideWith>[0], effects: readonly Effect[]) =>
  decideWith(c, effects, [
    ...judgeSteering(effects),
    ...(await judgeShell(c.context, effects, shellRulesOf(exec, nowhere))),
  ]);
const rules = (more: Partial<ToolRules>): ToolRules => ({ deny: [], policies: {}, exec: {}, ...more });
const call = {
  turnId: 't',
  sessionKey: 'agent:main:main',
  callId: 'c',
  name: 'x',
  args: {},
  context: label('owner', 'owner'),
  agentId: 'main',
  speaker: OWNER_DM,
};

test.each<[string, Effect, string]>([
  ['reading a file', { kind: 'read', path: 'a.md' }, 'allow'],
  ['writing a file', { kind: 'write', path: 'notes/a.md' }, 'allow'],
  ['a command in the sandbox', { kind: 'run', command: 'ls', cwd: '.', where: 'sandbox' }, 'allow'],
  ['a command on the host', { kind: 'run', command: 'ls', cwd: '.', where: 'host' }, 'deny'],
  ['changing AGENTS.md', { kind: 'write', path: 'AGENTS.md' }, 'ask'],
  ['changing ./agents.MD', { kind: 'write', path: './agents.MD' }, 'ask'],
  ['changing full-width SOUL.md', { kind: 'write', path: 'ＳＯＵＬ.md' }, 'ask'],
  ['changing a/../SOUL.md', { kind: 'write', path: 'a/../SOUL.md' }, 'ask'],
  ['changing /workspace/USER.md', { kind: 'write', path: '/workspace/USER.md' }, 'ask'],
  ['changing MEMORY.md', { kind: 'write', path: 'MEMORY.md' }, 'allow'],
])('%s: %s', async (_name, effect, expected) => {
  expect((await decide(call, [effect])).kind).toBe(expected);
});

test('one bad effect is enough, wherever it stands', async () => {
  const onHost: Effect = { kind: 'run', command: 'ls', cwd: '.', where: 'host' };
  expect(await decide(call, [{ kind: 'read', path: 'a' }, onHost])).toMatchObject({
    kind: 'deny',
    code: 'HOST_EXEC_DENIED',
    fix: expect.any(String),
  });
  expect((await decide(call, [{ kind: 'write', path: 'SOUL.md' }, onHost])).kind).toBe('deny');
});

test('C11 a card shows every argument in full, with what could disguise it spelled out', () => {
  expect(visible('a\u202Eb\u200Bc\x1b[2J\nline')).toBe('a\\u{202e}b\\u{200b}c\\u{1b}[2J\nline');
  expect(visible('a\u3164b')).toBe('a\\u{3164}b');
  expect(factsOf({ path: 'x', content: 'y'.repeat(9_000) })[1]?.value).toHaveLength(9_000);
});

test('a tool that the settings deny or ask about is refused or asked, with the setting named', () => {
  const read: Effect = { kind: 'read', path: 'a' };
  const judged = (more: Partial<ToolRules>, c: typeof call = call) =>
    decideWith(c, [read], judgeToolCall(c, [read], rules(more), c.speaker));
  expect(judged({ deny: ['read'] }, { ...call, name: 'read' })).toMatchObject({
    kind: 'deny',
    code: 'TOOL_DENIED',
    reason: expect.stringContaining('tools.deny'),
  });
  // A guest can mend it by what they ask for, and cannot run a command of the owner's.
  const limits = { tools: ['read'], folder: 'theirs', messagesPerDay: 9, tokensPerDay: 9 };
  const guest = { ...call, name: 'read', speaker: guestIn('dm', limits) };
  expect(judged({}, guest)).toMatchObject({
    kind: 'deny',
    reason: expect.stringContaining('guest was given'),
    fix: expect.stringContaining('/whoami'),
  });
  expect(judged({ policies: { dm: { read: 'ask' } } }, { ...call, name: 'read' })).toMatchObject({
    kind: 'ask',
    code: 'TOOL_ASKS',
  });
});
