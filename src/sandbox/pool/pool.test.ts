import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inspectConfig } from '../../config/inspect.ts';
import type { Config } from '../../config/schema.ts';
import { HardshellError } from '../../platform/errors.ts';
import { openRoot } from '../../platform/root.ts';
import { bubblewrapDriver } from '../bubblewrap.ts';
import type { ExecRequest, SandboxDriver, SandboxSpec } from '../driver.ts';
import { DEFAULT_LIMITS } from '../driver.ts';
import { howToAllow } from '../programs.ts';
import { unshareDriver } from '../unshare.ts';
import { prepareWorkspace, workspaceOwner } from '../workspace.ts';
import { driversFor, openBestDriver } from './drivers.ts';
import { type Conversation, MAIN, planFor } from './plan.ts';
import { openSandboxes, type PoolPorts, type Sandboxes } from './pool.ts';

const configOf = (sandbox: object, more: object = {}): Config => {
  const text = JSON.stringify({ agents: { defaults: { sandbox }, ...more } });
  const { config, findings } = inspectConfig({ configPath: '/nonexistent/openclaw.json' }, {}, { text });
  if (!config || findings.some(({ level }) => level === 'error')) throw new Error(JSON.stringify(findings));
  return config;
};
const OWNERS_OTHER: Conversation = { ...MAIN, sessionKey: 'agent:main:holiday' };
const GROUP: Conversation = { ...MAIN, sessionKey: 'agent:main:telegram:group:-1', isOwners: false };
const GROUP2: Conversation = { ...GROUP, sessionKey: 'agent:main:telegram:group:-2' };
const GUEST: Conversation = { ...MAIN, sessionKey: 'agent:main:telegram:direct:2', isOwners: false, hasFolder: true };

describe('the plan of a conversation', () => {
  const plan = (sandbox: object, conversation: Conversation, more?: object) =>
    planFor(configOf(sandbox, more), conversation);

  test('S163 S284 mode all boxes everybody, non-main all but the owner in their main conversation, off nobody', () => {
    const boxed = (mode?: string) =>
      [MAIN, OWNERS_OTHER, GROUP, GUEST].map((one) => plan(mode ? { mode } : {}, one).isBoxed);
    expect(boxed()).toEqual([true, true, true, true]);
    expect(boxed('non-main')).toEqual([false, true, true, true]);
    expect(boxed('off')).toEqual([false, false, false, false]);
    // Somebody else who writes into the main conversation is not the owner.
    expect(plan({ mode: 'non-main' }, { ...MAIN, isOwners: false }).isBoxed).toBe(true);
    expect(plan({ mode: 'non-main' }, { ...MAIN, sessionKey: 'agent:main:main:topic:7' }).isBoxed).toBe(false);
    expect(plan({ mode: 'non-main' }, { ...MAIN, sessionKey: 'agent:main:mainly' }).isBoxed).toBe(true);
  });

  test('S041 S165 a scope is a conversation, an agent, or all; others never share a box unless all do', () => {
    const keys = (scope?: string) =>
      [MAIN, OWNERS_OTHER, GROUP, GROUP2].map((one) => plan(scope ? { scope } : {}, one).scopeKey);
    expect(keys()).toEqual(['agent:main', 'agent:main', GROUP.sessionKey, GROUP2.sessionKey]);
    expect(keys('session')).toEqual([MAIN, OWNERS_OTHER, GROUP, GROUP2].map(({ sessionKey }) => sessionKey));
    expect(keys('shared')).toEqual(Array(4).fill('shared'));
  });

  test('S040 the workspace is for the owner alone and for a pass that names a folder, unless a setting says more or less', () => {
    const access = (sandbox: object) => [MAIN, GROUP, GUEST].map((one) => plan(sandbox, one).access);
    expect(access({})).toEqual(['rw', 'none', 'rw']);
    for (const workspaceAccess of ['none', 'ro', 'rw'])
      expect(access({ workspaceAccess })).toEqual(Array(3).fill(workspaceAccess));
  });

  test('an agent has its own, and each says which setting it comes from', () => {
    const entries = { entries: { b: { sandbox: { scope: 'session', workspaceAccess: 'ro' } } } };
    const one = plan({}, { ...MAIN, agentId: 'b', sessionKey: 'agent:b:main' }, entries);
    expect(one).toMatchObject({ scope: 'session', access: 'ro', mode: 'all' });
    expect(one.because).toEqual({
      mode: 'agents.defaults.sandbox.mode',
      scope: 'agents.entries.b.sandbox.scope',
      access: 'agents.entries.b.sandbox.workspaceAccess',
    });
  });

  test('the limits are those of the settings', () => {
    const { limits, cpus } = plan({ docker: { memory: '2g', pidsLimit: 64, cpus: 2 } }, MAIN);
    expect({ limits, cpus }).toMatchObject({ limits: { memoryBytes: 2 * 1024 ** 3, maxProcesses: 64 }, cpus: 2 });
    expect(plan({}, MAIN)).toMatchObject({ limits: DEFAULT_LIMITS, cpus: 1, network: 'none' });
  });
});

type Opened = { readonly spec: SandboxSpec; readonly requests: ExecRequest[]; closed: number };
let state: string;
let opened: Opened[];
let problem: string | null;
let nowMs: number;
let running: { end(): void }[];
const driver: SandboxDriver = {
  name: 'test',
  probe: async () => ({ ok: true, detail: '' }),
  async open(spec) {
    if (problem !== null)
      throw new HardshellError({ code: 'SANDBOX_UNAVAILABLE', message: problem, fix: 'apt install it' });
    const one: Opened = { spec, requests: [], closed: 0 };
    opened.push(one);
    return {
      driver: 'test',
      async exec(request) {
        one.requests.push(request);
        if (request.argv[0] === 'wait') await new Promise<void>((resolve) => running.push({ end: resolve }));
        if (request.argv[0] === 'break')
          throw new HardshellError({ code: 'SANDBOX_UNAVAILABLE', message: 'the engine is gone' });
        return { exitCode: 0, stdout: '', stderr: '', truncated: false, durationMs: 0 };
      },
      async close() {
        one.closed += 1;
      },
    };
  },
};
const request = (argv: string[] = ['true']): ExecRequest => ({
  argv,
  cwd: '.',
  limits: DEFAULT_LIMITS,
  signal: new AbortController().signal,
});

describe('the pool', () => {
  let sandboxes: Sandboxes;
  let config: Config;
  const open = async (more: Partial<PoolPorts> = {}): Promise<Sandboxes> => {
    const workspace = join(state, 'workspace');
    prepareWorkspace(workspace);
    sandboxes = openSandboxes({
      workspace: await openRoot(workspace, workspaceOwner()),
      stateDir: state,
      fixedFiles: ['AGENTS.md'],
      hidden: [state],
      hosts: () => [],
      record: () => {},
      plan: (conversation) => planFor(config, conversation),
      now: () => nowMs,
      env: {},
      drivers: [async () => driver],
      ...more,
    });
    return sandboxes;
  };
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), 'pool-'));
    [opened, problem, nowMs, running, config] = [[], null, 1_000, [], configOf({})];
  });
  afterEach(async () => {
    await sandboxes.close();
    rmSync(state, { recursive: true, force: true });
  });

  test('opens one at the start, and one for each scope when its first command comes, however many come at once', async () => {
    const pool = await open();
    const handed = await Promise.all([MAIN, OWNERS_OTHER, GROUP, GROUP, GROUP2].map((one) => pool.forCall(one, true)));
    expect(handed.every(({ sandbox }) => sandbox?.driver === 'test')).toBe(true);
    expect(opened).toHaveLength(3);
    expect(
      pool
        .list()
        .map(({ scopeKey }) => scopeKey)
        .sort(),
    ).toEqual(['agent:main', GROUP.sessionKey, GROUP2.sessionKey]);
    expect(pool.known()).toMatchObject({ driver: 'test', fix: null, atMs: 1_000 });
  });

  test('a tool that runs nothing opens nothing, and neither does a conversation without a box', async () => {
    const pool = await open();
    config = configOf({ mode: 'non-main', scope: 'session' });
    expect(await pool.forCall(GROUP, false)).toMatchObject({ sandbox: null, sandboxReason: '' });
    expect(await pool.forCall(MAIN, true)).toMatchObject({ sandbox: null, sandboxReason: '' });
    expect(pool.list()).toHaveLength(1);
  });

  test('S040 what others write lands in a private folder of their own conversation, which is their /workspace', async () => {
    const pool = await open();
    await pool.forCall(GROUP, true);
    const { spec } = opened.at(-1) as Opened;
    expect(spec.workspace.startsWith(join(state, 'sandboxes'))).toBe(true);
    expect(pool.folderFor(GROUP)).toBe(spec.workspace);
    expect(statSync(spec.workspace).mode & 0o777).toBe(0o700);
    expect(spec).toMatchObject({ workspaceAccess: 'rw', fixedFiles: [], binds: [] });
    expect(pool.folderFor(GROUP2)).not.toBe(spec.workspace);
    expect(pool.folderFor(MAIN)).toBe(join(state, 'workspace'));
  });

  test('read-only is so for commands', async () => {
    config = configOf({ workspaceAccess: 'ro' });
    await (await open()).forCall(MAIN, true);
    expect(opened[0]?.spec).toMatchObject({ workspaceAccess: 'ro', workspace: join(state, 'workspace') });
  });

  test('a call can ask for less than the settings allow, never for more', async () => {
    const { sandbox } = await (await open()).forCall(MAIN, true);
    const huge = Object.fromEntries(Object.keys(DEFAULT_LIMITS).map((name) => [name, 1e15])) as typeof DEFAULT_LIMITS;
    await sandbox?.exec({ ...request(), limits: huge });
    await sandbox?.exec({ ...request(), limits: { ...huge, timeoutMs: 1 } });
    expect(opened[0]?.requests.map(({ limits }) => limits.timeoutMs)).toEqual([DEFAULT_LIMITS.timeoutMs, 1]);
    expect(opened[0]?.requests[0]?.limits).toEqual(DEFAULT_LIMITS);
  });

  test('a change of the settings gives the next command another box; the one before ends with its last command', async () => {
    const pool = await open();
    const before = await pool.forCall(MAIN, true);
    const waiting = before.sandbox?.exec(request(['wait']));
    await expect.poll(() => running.length).toBe(1);
    config = configOf({ docker: { memory: '2g' } });
    const after = await pool.forCall(MAIN, true);
    expect(after.limits.memoryBytes).toBe(2 * 1024 ** 3);
    expect(opened).toHaveLength(2);
    expect(opened[0]?.closed).toBe(0);
    running[0]?.end();
    await waiting;
    expect(opened.map(({ closed }) => closed)).toEqual([1, 0]);
  });

  test('without an engine the tool is refused with the reason and the fix, and one that was installed meanwhile is found', async () => {
    problem = 'it is not installed';
    const pool = await open();
    expect(await pool.forCall(MAIN, true)).toMatchObject({
      sandbox: null,
      sandboxReason: 'it is not installed',
      sandboxFix: 'apt install it',
    });
    expect(pool.known()).toMatchObject({ driver: null, detail: 'it is not installed', fix: 'apt install it' });
    problem = null;
    expect((await pool.forCall(MAIN, true)).sandbox).toBeNull();
    nowMs += 10_000;
    expect((await pool.forCall(MAIN, true)).sandbox?.driver).toBe('test');
    expect(pool.known()).toMatchObject({ driver: 'test' });
  });

  test('what was found for another backend is not told of the one that the settings name now', async () => {
    const pool = await open();
    await pool.forCall(MAIN, true);
    expect(pool.known()).toMatchObject({ driver: 'test' });
    config = configOf({ backend: 'docker' });
    problem = 'the engine does not answer';
    expect(pool.known()).toBeNull();
    await expect.poll(() => pool.known()).toMatchObject({ driver: null, detail: 'the engine does not answer' });
  });

  test('a box that broke is opened anew for the next command', async () => {
    const pool = await open();
    const { sandbox } = await pool.forCall(MAIN, true);
    await expect(sandbox?.exec(request(['break']))).rejects.toThrow(/gone/);
    await (await pool.forCall(MAIN, true)).sandbox?.exec(request());
    expect(opened).toHaveLength(2);
    expect(opened[0]?.closed).toBe(1);
  });

  test('what nobody used for long is closed, also on demand; what runs is not', async () => {
    const pool = await open();
    await pool.forCall(GROUP, true);
    const { sandbox } = await pool.forCall(MAIN, true);
    const waiting = sandbox?.exec(request(['wait']));
    await expect.poll(() => running.length).toBe(1);
    expect(await pool.prune(false)).toBe(0);
    nowMs += 24 * 3_600_000;
    expect(await pool.prune(false)).toBe(1);
    expect(pool.list()).toMatchObject([{ scopeKey: 'agent:main', running: 1 }]);
    running[0]?.end();
    await waiting;
    expect(await pool.prune(true)).toBe(1);
  });

  test('recreate ends the one asked for, or all', async () => {
    const pool = await open();
    await pool.forCall(GROUP, true);
    expect(await pool.recreate((key) => key === GROUP.sessionKey)).toBe(1);
    expect(await pool.recreate((key) => key === 'agent:nobody')).toBe(0);
    expect(await pool.recreate(() => true)).toBe(1);
    expect(opened.map(({ closed }) => closed)).toEqual([1, 1]);
  });

  test('binds of the settings come into every box, allowed folders only where the workspace is; ro makes them ro', async () => {
    mkdirSync(join(state, 'data'));
    const reach = {
      binds: () => [{ source: '/a', target: '/a', access: 'rw' as const }],
      masked: async () => ['x/.env'],
    };
    config = configOf({ docker: { binds: ['/opt/data:/data:ro'], dangerouslyAllowExternalBindSources: true } });
    const pool = await open({ reach });
    await pool.forCall(MAIN, true);
    await pool.forCall(GROUP, true);
    const data = { source: '/opt/data', target: '/data', access: 'ro' };
    expect(opened.map(({ spec }) => spec.binds)).toEqual([
      [data, { source: '/a', target: '/a', access: 'rw' }],
      [data],
    ]);
    expect(opened.map(({ spec }) => spec.masked !== undefined)).toEqual([true, false]);
  });

  test('after closing nothing opens, and what was opening is closed', async () => {
    const pool = await open();
    await pool.close();
    expect(opened.every(({ closed }) => closed === 1)).toBe(true);
    expect((await pool.forCall(GROUP, true)).sandboxReason).toBe('the gateway is stopping');
  });
});

test('G07 a backend that is named is used or nothing is, with the reason and the fix', async () => {
  expect(driversFor('auto', {}).length).toBeGreaterThan(1);
  expect(driversFor('docker', {})).toHaveLength(1);
  const spec: SandboxSpec = {
    workspace: '/nonexistent',
    workspaceAccess: 'rw',
    network: 'none',
    fixedFiles: [],
    hidden: [],
  };
  const choice = await openBestDriver(driversFor('nothing-of-ours', {}), spec);
  expect(choice).toMatchObject({
    sandbox: null,
    refusals: [{ driver: 'nothing-of-ours', fix: expect.stringContaining('openclaw') }],
  });
});

test('G07 without any driver, gives the reason of each and what to install, and never the host', async () => {
  const spec: SandboxSpec = {
    workspace: state || '/',
    workspaceAccess: 'rw',
    network: 'none',
    fixedFiles: [],
    hidden: [],
  };
  const nowhere = [
    async () => bubblewrapDriver({ bwrap: '/nonexistent/bwrap' }),
    async () => unshareDriver({ unshare: '/nonexistent/unshare' }),
  ];
  expect(await openBestDriver(nowhere, spec)).toMatchObject({
    sandbox: null,
    refusals: [
      { driver: 'bubblewrap', reason: 'bubblewrap is not installed', fix: 'apt install bubblewrap' },
      { driver: 'unshare', reason: expect.stringContaining('unshare is not installed'), fix: 'apt install util-linux' },
    ],
  });
});

test('a program that is there but builds no sandbox is refused by what it says', async () => {
  const probe = await bubblewrapDriver({ bwrap: '/bin/true' }).probe();
  expect(probe).toMatchObject({ ok: false, reason: expect.stringContaining('the proof of its walls lacks') });
  expect(await unshareDriver({ unshare: '/bin/false' }).probe()).toMatchObject({ ok: false, fix: howToAllow() });
});
