// The list of repairs: what a person must do something about is in it, what takes care of itself is not.
import { expect, test } from 'vitest';
import { createStatus, type StatusPorts } from './status.ts';

function repairsWith(
  queued: number,
  active: number,
  channels: object[] = [],
  servers: object[] = [],
  unvouched: string[] = [],
): string[] {
  const count = { queued: 0, sent: 0, unknown: 0, failed: 0 };
  const ports = {
    now: () => 0,
    paths: { stateDir: '/state', configPath: '/state/openclaw.json' },
    core: {
      inbox: { balance: () => ({ received: 1, answered: 0, declined: 0, queued, failed: 0 }) },
      outbox: { count: () => count },
      lanes: { activeCount: () => active },
      directory: { count: () => 1 },
      usage: { since: () => ({}) },
      access: { pairing: { pending: () => [] } },
    },
    models: { primary: 'anthropic/x' },
    live: {
      current: () => ({ config: { backup: {}, agents: { defaults: { model: { fallbacks: [] } } } } }),
      repairs: () => [],
    },
    sandbox: () => ({ driver: 'bubblewrap', detail: '', fix: null }),
    opened: { told: null, brokenKept: null },
    channels: () => channels,
    elevated: () => [],
    mcp: () => servers,
    unvouched: () => unvouched,
    audits: () => [],
    panic: () => null,
  };
  return createStatus(ports as unknown as StatusPorts)().repairs.map(({ what }) => what);
}

test('a message that waits although nothing runs is a repair; one that waits for its turn is not', () => {
  expect(repairsWith(1, 0)).toEqual(['1 accepted message waits for the next start']);
  expect(repairsWith(3, 1)).toEqual([]);
  expect(repairsWith(0, 0)).toEqual([]);
});

test('a channel that is refused or lacks something is a repair; one that is off or merely had a bad moment is not', () => {
  const problem = {
    atMs: 0,
    family: 'refused',
    reason: 'the token was revoked',
    fix: 'openclaw channels add telegram',
  };
  const channel = (more: object) => ({ id: 'telegram', account: 'default', state: 'refused', problem, ...more });
  expect(repairsWith(0, 0, [channel({})])).toEqual(['telegram is not connected: the token was revoked']);
  expect(repairsWith(0, 0, [channel({ state: 'idle', account: 'work' })])).toHaveLength(1);
  expect(repairsWith(0, 0, [channel({ state: 'off' }), channel({ state: 'connected', problem: null })])).toEqual([]);
  expect(repairsWith(0, 0, [channel({ state: 'connected', problem: { ...problem, family: 'network' } })])).toEqual([]);
});

test('an MCP server that is down and tools that wait for a yes are repairs; what the settings leave out is not', () => {
  const server = { name: 'github', kind: 'stdio', state: 'ready', problem: null };
  const tools = ['new', 'changed', 'approved', 'left out'].map((state) => ({ state }));
  expect(repairsWith(0, 0, [], [{ ...server, tools }])).toEqual(['2 tools of the MCP server github wait for your yes']);
  const down = { ...server, state: 'down', problem: 'it ended with 1', tools: [] };
  expect(repairsWith(0, 0, [], [down])).toEqual(['the MCP server github does not run: it ended with 1']);
  expect(repairsWith(0, 0, [], [{ ...server, tools: [{ state: 'left out' }] }])).toEqual([]);
});

test('files that steer and that nobody vouched for are a repair, by name', () => {
  expect(repairsWith(0, 0, [], [], ['USER.md'])).toEqual([
    expect.stringMatching(/^USER\.md changed by hand .* counts as/),
  ]);
  expect(repairsWith(0, 0, [], [], ['SOUL.md', 'USER.md', 'MEMORY.md'])[0]).toMatch(
    /^SOUL\.md, USER\.md and MEMORY\.md /,
  );
});
