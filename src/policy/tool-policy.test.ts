// Which tools there are: every layer narrows, deny wins, a ban on writing is a ban on every way of writing, and what is
// explained is what is decided.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { COMING, TOOL_NAMES } from '../config/shape/tool-words.ts';
import { TOOLS } from '../tools/registry.ts';
import { layersOf } from './layers/layers.ts';
import { isTool } from './layers/names.ts';
import { type Asking, type Box, LAYERS, type Rule, type ToolRules } from './layers/rules.ts';
import { judgeFor, judgeToolCall, leavesFolder } from './tool-policy.ts';

const none: ToolRules = { deny: [], policies: {}, exec: {} };
const OWNER: Asking = { principal: { kind: 'owner', limits: null }, place: 'dm' };
const judge = (name: string, rules: Partial<ToolRules>, asking: Partial<Asking> = {}) => {
  const { rule, key } = judgeFor(name, { ...none, ...rules }, { ...OWNER, ...asking });
  return rule === 'allow' ? { rule } : { rule, key };
};
const group = { place: 'group', channel: 'telegram', account: 'default', chat: '-100123', sender: '42' } as const;

test('by default the owner has every tool', () => {
  for (const name of ['read', 'write', 'edit', 'ls', 'exec', 'process', 'message'])
    expect(judge(name, {})).toEqual({ rule: 'allow' });
});

test('every tool that is here has its word in the one list, and what is said to come is not here', () => {
  const here = TOOLS.map(({ name }) => name);
  expect([...here, ...COMING].sort()).toEqual([...TOOL_NAMES].sort());
  for (const name of here) expect(isTool(name)).toBe(true);
  expect([isTool('group:runtime'), isTool('nodes'), isTool('constructor')]).toEqual([true, false, false]);
});

test.each<[string, Partial<ToolRules>, string]>([
  ['exec', { deny: ['exec'] }, 'tools.deny'],
  ['exec', { deny: ['group:runtime'] }, 'tools.deny'],
  ['process', { deny: ['exec'] }, 'tools.deny'],
  ['edit', { deny: ['write'] }, 'tools.deny'],
  ['apply_patch', { deny: ['edit'] }, 'tools.deny'],
  ['write', { deny: ['group:fs'] }, 'tools.deny'],
  ['exec', { exec: { mode: 'deny' } }, 'tools.exec.mode'],
  ['process', { exec: { mode: 'deny' } }, 'tools.exec.mode'],
  ['exec', { allow: ['read', 'ls'] }, 'tools.allow'],
  ['exec', { allow: [] }, 'tools.allow'],
  ['exec', { profile: 'minimal' }, 'tools.profile'],
  ['read', { profile: 'messaging' }, 'tools.profile'],
  ['nodes', {}, 'tools.profile'],
  ['exec', { policies: { '*': { exec: 'deny' } } }, 'tools.policies.*.exec'],
  ['edit', { policies: { dm: { write: 'deny' } } }, 'tools.policies.dm.write'],
  ['read', { agents: { main: { tools: { allow: ['ls'], deny: [] } } } }, 'agents.entries.main.tools.allow'],
  ['read', { agents: { main: { tools: { deny: ['group:fs'] } } } }, 'agents.entries.main.tools.deny'],
  ['web_search', { deny: ['group:web'] }, 'tools.deny'],
])('%s is denied by %j, and the setting is named', (name, rules, key) => {
  expect(judge(name, rules)).toEqual({ rule: 'deny', key });
});

test('whoever may not read a file may not have it sent either, and words alone are another matter', () => {
  const sending = (rules: Partial<ToolRules>, path: string | null) =>
    judgeToolCall(
      { name: 'message' } as never,
      [{ kind: 'message', to: '', text: '' }, ...(path === null ? [] : [{ kind: 'read', path } as const])],
      { ...none, ...rules },
      OWNER,
    );
  expect(sending({ deny: ['read'] }, 'notes.md')).toMatchObject([{ rule: 'deny', key: 'tools.deny' }]);
  expect(sending({ deny: ['read'] }, null)).toEqual([]);
  expect(sending({ policies: { dm: { read: 'ask' } } }, 'notes.md')).toMatchObject([{ rule: 'ask' }]);
  expect(sending({}, 'notes.md')).toEqual([]);
});

test("an agent's rules hold for that agent, and no agent gets the rules of an object", () => {
  const agents = { work: { tools: { deny: ['exec'] } } };
  expect(judge('exec', { agents }, { agentId: 'work' }).rule).toBe('deny');
  expect(judge('exec', { agents }, { agentId: 'main' }).rule).toBe('allow');
  expect(judge('exec', { agents }, { agentId: 'constructor' }).rule).toBe('allow');
});

test('S255 S256 exec denied everywhere and allowed in direct chats: refused in a group, not in a DM', () => {
  const policies = { '*': { exec: 'deny', browser: 'deny' }, dm: { exec: 'allow', browser: 'allow' } } as const;
  expect(judge('exec', { policies }, { place: 'group' })).toEqual({ rule: 'deny', key: 'tools.policies.*.exec' });
  expect(judge('process', { policies }, { place: 'group' }).rule).toBe('deny');
  expect(judge('exec', { policies })).toEqual({ rule: 'allow' });
  expect(judge('exec', { policies, deny: ['exec'] }).rule).toBe('deny');
});

describe('a chat and a sender', () => {
  test.each(['telegram:-100123', '-100123', 'telegram:default:-100123', 'Telegram:-100123'])(
    'are named as %s, and only hold back',
    (key) => {
      const rules = { policies: { [key]: { read: 'deny', exec: 'allow' }, group: { exec: 'deny' } } } as const;
      expect(judge('read', rules, group)).toEqual({ rule: 'deny', key: `tools.policies.${key}.read` });
      expect(judge('read', rules, { ...group, chat: '-100124' }).rule).toBe('allow');
      expect(judge('exec', rules, group)).toEqual({ rule: 'deny', key: 'tools.policies.group.exec' });
    },
  );
  test.each(['sender:telegram:42', 'sender:42'])('%s holds back this sender alone', (key) => {
    const rules = { policies: { [key]: { '*': 'deny', read: 'allow', write: 'ask' } } } as const;
    expect(judge('exec', rules, group)).toEqual({ rule: 'deny', key: `tools.policies.${key}.*` });
    expect(judge('read', rules, group).rule).toBe('allow');
    expect(judge('write', rules, group)).toEqual({ rule: 'ask', key: `tools.policies.${key}.write` });
    expect(judge('edit', { policies: { [key]: { write: 'ask' } } }, group).rule).toBe('ask');
    expect(judge('exec', rules, { ...group, sender: '421' }).rule).toBe('allow');
  });
  test('open nothing for whoever is not the owner', () => {
    const policies = { 'telegram:-100123': { read: 'allow' }, 'sender:42': { read: 'allow' } } as const;
    const member = { ...group, principal: { kind: 'member', limits: null } };
    expect(judge('read', { policies }, member).rule).toBe('deny');
  });
  test('two words for one tool that disagree: the stricter counts, whatever their order', () => {
    for (const dm of [
      { exec: 'allow', bash: 'deny' },
      { bash: 'deny', exec: 'allow' },
    ] as const)
      expect(judge('exec', { policies: { dm } })).toEqual({ rule: 'deny', key: 'tools.policies.dm.bash' });
  });
  test('a chat is never taken for a place of the same name', () => {
    expect(judge('read', { policies: { dm: { read: 'deny' } } }, { ...group, chat: 'dm' }).rule).toBe('allow');
  });
});

describe('S041 whoever may not write may not write by a command either', () => {
  const ro: Box = { isBoxed: true, access: 'ro' };
  const rules = { policies: { dm: { write: 'deny', exec: 'allow' } } } as const;
  test('exec and process go with write, unless the box cannot change the workspace', () => {
    for (const name of ['exec', 'process']) {
      expect(judge(name, { deny: ['write'] })).toEqual({ rule: 'deny', key: 'tools.deny' });
      expect(judge(name, rules)).toEqual({ rule: 'deny', key: 'tools.policies.dm.write' });
      expect(judge(name, { deny: ['write'] }, { box: ro }).rule).toBe('allow');
      expect(judge(name, { deny: ['write'] }, { box: { isBoxed: false, access: 'ro' } }).rule).toBe('deny');
    }
  });
  test('a rule for everything leaves a command that has a rule of its own', () => {
    expect(judge('exec', { policies: { dm: { '*': 'deny', exec: 'allow' } } }).rule).toBe('allow');
    expect(judge('write', { policies: { dm: { '*': 'deny', exec: 'allow' } } }).rule).toBe('deny');
  });
  test('in a box that sees the workspace read-only, nothing that writes is there', () => {
    const key = 'agents.defaults.sandbox.workspaceAccess';
    for (const name of ['write', 'edit', 'apply_patch']) {
      expect(judge(name, {}, { box: ro })).toEqual({ rule: 'deny', key });
      expect(judge(name, {}, { box: { isBoxed: true, access: 'none' } }).rule).toBe('allow');
    }
    for (const name of ['read', 'ls', 'exec']) expect(judge(name, {}, { box: ro }).rule).toBe('allow');
  });
});

test("S039 S040 the guide's tools of the box: no exec and no browser in it, files are there; outside of it they do not count", () => {
  const sandbox = {
    tools: {
      allow: ['read', 'write', 'edit', 'web_search', 'web_fetch'],
      deny: ['browser', 'exec', 'nodes', 'cron'],
    },
  };
  expect(judge('exec', { sandbox }, group)).toEqual({ rule: 'deny', key: 'tools.sandbox.tools.deny' });
  expect(judge('ls', { sandbox }, group)).toEqual({ rule: 'deny', key: 'tools.sandbox.tools.allow' });
  for (const name of ['read', 'write', 'edit']) expect(judge(name, { sandbox }, group).rule).toBe('allow');
  expect(judge('exec', { sandbox }, { box: { isBoxed: false, access: 'rw' } }).rule).toBe('allow');
});

const person = (kind: string, tools: string[] | null = null, folder: string | null = null) => ({
  kind,
  limits: tools === null ? null : { tools, folder },
});
const judgeAs = (
  name: string,
  rules: Partial<ToolRules>,
  principal: Asking['principal'],
  place: Asking['place'] = 'dm',
) => judge(name, rules, { principal, place }).rule;

test('S254 whoever is not the owner has no tool but messages, unless a rule of this very place names it', () => {
  for (const name of ['read', 'write', 'edit', 'ls', 'exec', 'process', 'cron', 'browser', 'nodes'])
    for (const kind of ['paired', 'guest', 'member', 'anything'])
      for (const place of ['dm', 'group'] as const)
        for (const policies of [
          {},
          { '*': { '*': 'allow', [name]: 'allow' } },
          { dm: { '*': 'allow' }, group: { '*': 'allow' } },
        ] as const)
          for (const profile of [undefined, 'full'] as const)
            expect(judgeAs(name, { policies, profile }, person(kind), place)).toBe('deny');
  expect(judgeAs('message', {}, person('paired'))).toBe('allow');
  expect(judgeAs('message', { profile: 'minimal' }, person('paired'))).toBe('deny');
  expect(judgeAs('read', { policies: { dm: { read: 'allow' } } }, person('paired'))).toBe('allow');
  expect(judgeAs('read', { policies: { dm: { 'group:fs': 'ask' } } }, person('paired'))).toBe('ask');
  expect(judgeAs('read', { policies: { dm: { read: 'allow' } } }, person('member'), 'group')).toBe('deny');
  expect(judgeAs('read', { policies: { dm: { read: 'allow' } }, deny: ['read'] }, person('paired'))).toBe('deny');
});

test('a rule for your own direct chats hands your commands to nobody else', () => {
  const policies = { '*': { exec: 'deny' }, dm: { exec: 'allow' } } as const;
  expect(judgeAs('exec', { policies }, person('owner'))).toBe('allow');
  expect(judgeAs('exec', { policies }, person('paired'))).toBe('deny');
  expect(judgeAs('process', { policies }, person('paired'))).toBe('deny');
});

test('a guest has what the pass names, where the place allows it, in its folder', () => {
  const guest = person('guest', ['group:fs'], 'recipes');
  expect(judgeAs('read', {}, guest)).toBe('allow');
  expect(judgeAs('exec', {}, guest)).toBe('deny');
  expect(judgeAs('message', {}, guest)).toBe('deny');
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

describe('the command that opens a layer', () => {
  test.each<[string, Partial<ToolRules>, Partial<Asking>, string]>([
    ['exec', { deny: ['cron', 'bash', 'exec'] }, {}, `openclaw config set tools.deny '["cron"]'`],
    ['exec', { allow: ['read'] }, {}, `openclaw config set tools.allow '["read","exec"]'`],
    ['exec', { exec: { mode: 'deny' } }, {}, 'openclaw config set tools.exec.mode ask'],
    ['exec', { policies: { '*': { exec: 'deny' } } }, group, 'openclaw config set tools.policies.group.exec allow'],
    ['exec', { policies: { group: { bash: 'deny' } } }, group, 'openclaw config set tools.policies.group.bash allow'],
    ['exec', { policies: { group: { write: 'deny' } } }, group, 'openclaw config set tools.policies.group.write allow'],
    [
      'read',
      { policies: { '-100123': { '*': 'deny' } } },
      group,
      'openclaw config set tools.policies.-100123.read allow',
    ],
    ['read', {}, { ...group, principal: person('member') }, 'openclaw config set tools.policies.group.read allow'],
  ])('%s under %j', (name, rules, asking, fix) => {
    expect(judgeFor(name, { ...none, ...rules }, { ...OWNER, ...asking }).fix).toBe(fix);
  });
  test('a place with dots in it is one word of a shell', () => {
    const policies = { 'mail:ann@example.net': { read: 'deny' } } as const;
    const asking = {
      ...OWNER,
      channel: 'mail',
      account: 'default',
      chat: 'ann@example.net',
      sender: 'ann@example.net',
    };
    expect(judgeFor('read', { ...none, policies }, asking).fix).toBe(
      `openclaw config set 'tools.policies["mail:ann@example.net"].read' allow`,
    );
  });
});

const NAMES = ['read', 'write', 'edit', 'apply_patch', 'ls', 'exec', 'process', 'message', 'nodes', 'made_up'];
const ENTRIES = [...NAMES, 'group:fs', 'group:runtime', '*', 'w*', 'bash', 'unknown'];
const name = fc.constantFrom(...NAMES);
const entry = fc.constantFrom(...ENTRIES);
const rule = fc.constantFrom<Rule>('deny', 'ask', 'allow');
const map = fc.dictionary(entry, rule, { maxKeys: 4 });
const lists = fc.record({ allow: fc.option(fc.array(entry, { maxLength: 4 }), { nil: undefined }), deny: fc.array(entry, { maxLength: 3 }) }); // biome-ignore format: short
const anyRules: fc.Arbitrary<ToolRules> = fc
  .record({
    own: lists,
    profile: fc.constantFrom(undefined, 'minimal', 'messaging', 'coding', 'full'),
    policies: fc.dictionary(fc.constantFrom('*', 'dm', 'group', '-100123', 'telegram:-100123', 'sender:42'), map),
    exec: fc.record({ mode: fc.constantFrom(undefined, 'deny', 'ask', 'allowlist', 'full') }),
    sandbox: fc.record({ tools: lists }),
    agents: fc.record({ main: fc.record({ tools: lists }) }, { requiredKeys: [] }),
  })
  .map(({ own, ...rest }) => ({ ...own, ...rest }) as ToolRules);
const anyAsking: fc.Arbitrary<Asking> = fc.record({
  principal: fc.constantFrom(person('owner'), person('paired'), person('guest', ['read', 'exec'], '.')),
  place: fc.constantFrom('dm', 'group'),
  chat: fc.constantFrom('-100123', '42'),
  channel: fc.constant('telegram'),
  account: fc.constant('default'),
  sender: fc.constantFrom('42', '43'),
  box: fc.record({ isBoxed: fc.boolean(), access: fc.constantFrom('none', 'ro', 'rw') }),
});
const weight = (said: Rule): number => ['allow', 'ask', 'deny'].indexOf(said);

describe('whatever the rules are', () => {
  const holds = (change: (rules: ToolRules, more: string) => ToolRules) =>
    fc.assert(
      fc.property(name, anyRules, anyAsking, entry, (tool, rules, asking, more) => {
        const before = judgeFor(tool, rules, asking).rule;
        expect(weight(judgeFor(tool, change(rules, more), asking).rule)).toBeGreaterThanOrEqual(weight(before));
      }),
      { numRuns: 2_000 },
    );
  test('property: one more denial never opens anything', () => {
    holds((rules, more) => ({ ...rules, deny: [...rules.deny, more] }));
    holds((rules, more) => ({
      ...rules,
      sandbox: { tools: { ...rules.sandbox?.tools, deny: [...(rules.sandbox?.tools.deny ?? []), more] } },
    }));
  }, 20_000);
  test('property: one more layer never turns a no into anything else, nor a question into a yes', () => {
    fc.assert(
      fc.property(name, anyRules, anyAsking, lists, map, (tool, full, asking, more, rest) => {
        const { agents: _agents, sandbox: _sandbox, allow: _allow, ...rules } = full;
        const { [`-100123`]: _chat, 'telegram:-100123': _same, 'sender:42': _sender, ...policies } = rules.policies;
        const bare: ToolRules = { ...rules, deny: [], policies };
        const before = weight(judgeFor(tool, bare, asking).rule);
        for (const wider of [
          { ...bare, ...more },
          { ...bare, agents: { main: { tools: more } } },
          { ...bare, sandbox: { tools: more } },
          { ...bare, policies: { ...policies, '-100123': rest } },
          { ...bare, policies: { ...policies, 'sender:telegram:42': rest } },
        ])
          expect(weight(judgeFor(tool, wider, asking).rule)).toBeGreaterThanOrEqual(before);
      }),
      { numRuns: 2_000 },
    );
  }, 20_000);
  test('property: what is explained is what is decided, layer by layer, in their order', () => {
    fc.assert(
      fc.property(name, anyRules, anyAsking, (tool, rules, asking) => {
        const says = layersOf(tool, rules, asking);
        const worst = Math.max(...says.map((say) => weight(say.rule)));
        expect(says.map(({ layer }) => LAYERS.indexOf(layer))).toEqual(
          says.map(({ layer }) => LAYERS.indexOf(layer)).toSorted((a, b) => a - b),
        );
        for (const say of says) expect(say.key).toMatch(/^(tools|agents)\b|^openclaw pairing approved$/);
        const [verdict] = judgeToolCall({ name: tool } as never, [], rules, asking);
        expect(weight(verdict?.rule ?? 'allow')).toBe(worst);
        if (verdict) expect(verdict.key).toBe(says.find((say) => weight(say.rule) === worst)?.key);
      }),
      { numRuns: 2_000 },
    );
  }, 20_000);
  test('property: whoever may not write has no command that could, and no other tool for it', () => {
    fc.assert(
      fc.property(fc.constantFrom('write', 'edit', 'apply_patch'), anyRules, anyAsking, (tool, rules, asking) => {
        const denied: ToolRules = { ...rules, deny: [...rules.deny, tool] };
        const canWrite = !asking.box?.isBoxed || asking.box.access === 'rw';
        for (const other of ['write', 'edit', 'apply_patch', ...(canWrite ? ['exec', 'process'] : [])])
          expect(judgeFor(other, denied, asking).rule).toBe('deny');
      }),
    );
  });
  test('is cheap: a turn asks about every tool', () => {
    const rules: ToolRules = {
      ...none,
      policies: { '*': { exec: 'deny' }, dm: { exec: 'allow' }, 'sender:42': { read: 'ask' } },
    };
    const asking = { ...OWNER, ...group };
    for (let n = 0; n < 2_000; n++) judgeFor('exec', rules, asking);
    const startMs = performance.now();
    for (let n = 0; n < 2_000; n++) judgeFor('exec', rules, asking);
    expect((performance.now() - startMs) / 2_000).toBeLessThan(0.1);
  });
});

describe('tools of MCP servers', () => {
  const tool = 'git_hub__search';
  test.each<[Partial<ToolRules>, Rule]>([
    [{}, 'allow'],
    [{ profile: 'coding' }, 'allow'],
    [{ profile: 'messaging' }, 'deny'],
    [{ deny: ['group:mcp'] }, 'deny'],
    [{ deny: ['git_hub__*'] }, 'deny'],
    [{ deny: ['*search'] }, 'deny'],
    [{ deny: ['GIT_HUB__SEARCH'] }, 'deny'],
    [{ deny: ['other__*', 'search'] }, 'allow'],
    [{ allow: ['read'] }, 'deny'],
    [{ allow: ['read', 'git_hub__*'] }, 'allow'],
    [{ allow: ['*'] }, 'allow'],
    [{ allow: ['git__*'] }, 'deny'],
    [{ sandbox: { tools: { deny: ['group:mcp'] } } }, 'deny'],
    [{ policies: { dm: { 'git_hub__*': 'ask' } } }, 'ask'],
    [{ policies: { '*': { 'git_hub__*': 'deny' }, dm: { [tool]: 'allow' } } }, 'allow'],
  ])('the owner, with %j: %s', (rules, rule) => {
    expect(judge(tool, rules).rule).toBe(rule);
  });

  test('nobody else has them unless they are named, by a rule for the place or by their pass', () => {
    const other: Partial<Asking> = { ...group, principal: { kind: 'peer', limits: null } };
    const guest = (...tools: string[]): Partial<Asking> => ({
      ...{ place: 'dm', principal: { kind: 'guest', limits: { tools, folder: '.' } } },
    });
    expect(judge(tool, {}, other).rule).toBe('deny');
    expect(judge(tool, { policies: { group: { '*': 'allow' } } }, other).rule).toBe('deny');
    expect(judge(tool, { policies: { group: { 'git_hub__*': 'allow' } } }, other).rule).toBe('allow');
    expect(judge(tool, {}, guest('*')).rule).toBe('deny');
    expect(judge(tool, {}, guest('read', 'git_hub__*')).rule).toBe('allow');
    const call = [{ kind: 'call', server: 'git-hub', tool: 'search' }] as const;
    const limits = { tools: ['git_hub__*'], folder: 'guests' };
    expect(leavesFolder(call, { ...OWNER, principal: { kind: 'guest', limits } })).toBe(true);
  });

  test('no tool of ours is taken for one of a server, and none of a server has a name of ours', () => {
    for (const name of TOOL_NAMES) expect(judge(name, { deny: ['group:mcp'] })).toEqual(judge(name, {}));
  });
});
