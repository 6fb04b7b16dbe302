import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { HardshellError } from '../platform/errors.ts';
import { bubblewrapDriver } from './bubblewrap.ts';
import { openBestDriver, openSandboxes } from './choose.ts';
import type { ExecRequest, Sandbox, SandboxDriver, SandboxSpec } from './driver.ts';
import { DEFAULT_LIMITS } from './driver.ts';
import { howToAllow } from './programs.ts';
import { unshareDriver } from './unshare.ts';
import { prepareWorkspace } from './workspace.ts';

const folder = mkdtempSync(join(tmpdir(), 'choose-'));
prepareWorkspace(folder);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const WALLS = { fixedFiles: [], hidden: [] };
const SPEC: SandboxSpec = { workspace: folder, workspaceAccess: 'rw', network: 'none', ...WALLS };
const SETTINGS = { timeoutSeconds: 5, memoryMb: 256, maxProcesses: 16 };
const nowhere = [bubblewrapDriver({ bwrap: '/nonexistent/bwrap' }), unshareDriver({ unshare: '/nonexistent/unshare' })];

const working = (requests: ExecRequest[], closed: string[] = []): SandboxDriver => {
  const sandbox: Sandbox = {
    driver: 'test',
    exec: async (request) => {
      requests.push(request);
      return { exitCode: 0, stdout: '', stderr: '', truncated: false, durationMs: 0 };
    },
    close: async () => void closed.push('closed'),
  };
  return { name: 'test', probe: async () => ({ ok: true, detail: '' }), open: async () => sandbox };
};

describe('openBestDriver', () => {
  test('takes the first driver that opens', async () => {
    const choice = await openBestDriver([bubblewrapDriver({ bwrap: '/nonexistent/bwrap' }), working([])], SPEC);
    expect(choice.sandbox?.driver).toBe('test');
  });
  test('G07 without any, gives the reason of each and what to install, and never the host', async () => {
    const choice = await openBestDriver(nowhere, SPEC);
    expect(choice).toMatchObject({
      sandbox: null,
      refusals: [
        { driver: 'bubblewrap', reason: 'bubblewrap is not installed', fix: 'apt install bubblewrap' },
        {
          driver: 'unshare',
          reason: expect.stringContaining('unshare is not installed'),
          fix: 'apt install util-linux',
        },
      ],
    });
  });
  test('a program that is there but builds no sandbox is refused by what it says', async () => {
    const impostor = bubblewrapDriver({ bwrap: '/bin/true' });
    const probe = await impostor.probe();
    expect(probe).toMatchObject({ ok: false, reason: expect.stringContaining('the proof of its walls lacks') });
    await expect(impostor.open(SPEC)).rejects.toMatchObject({ code: 'SANDBOX_UNAVAILABLE' });
    const failing = unshareDriver({ unshare: '/bin/false' });
    expect(await failing.probe()).toMatchObject({ ok: false, fix: howToAllow() });
  });
});

test('says which switch of the kernel forbids it, and how to turn it', () => {
  const set = (path: string, value: string) => howToAllow((asked) => (asked === path ? `${value}\n` : null));
  expect(set('user/max_user_namespaces', '0')).toBe('sysctl user.max_user_namespaces=15000');
  expect(set('kernel/apparmor_restrict_unprivileged_userns', '1')).toContain('apparmor_restrict_unprivileged_userns=0');
  expect(set('kernel/unprivileged_userns_clone', '1')).toContain('outside of a container');
});

describe('openSandboxes', () => {
  test('a real one runs a command, with the limits of the settings, and says which driver it is', async () => {
    const sandboxes = openSandboxes(folder, SETTINGS, WALLS);
    expect(sandboxes.known()).toBeNull();
    const { sandbox, sandboxReason, limits } = await sandboxes.current();
    expect(sandboxReason).toBe('');
    expect(limits).toEqual({ ...DEFAULT_LIMITS, timeoutMs: 5_000, memoryBytes: 256 * 1024 ** 2, maxProcesses: 16 });
    const request = { argv: ['/bin/sh', '-c', 'ulimit -d'], cwd: '.', signal: new AbortController().signal };
    const result = await sandbox?.exec({ ...request, limits: DEFAULT_LIMITS });
    expect(result?.stdout).toBe(`${256 * 1024}\n`);
    expect(sandboxes.known()).toMatchObject({ driver: sandbox?.driver, fix: null });
    await sandboxes.close();
  });
  test('a call can ask for less than the settings allow, never for more', async () => {
    const requests: ExecRequest[] = [];
    const { sandbox } = await openSandboxes(folder, SETTINGS, { ...WALLS, drivers: [working(requests)] }).current();
    const huge = Object.fromEntries(Object.keys(DEFAULT_LIMITS).map((name) => [name, 1e15])) as typeof DEFAULT_LIMITS;
    const request = { argv: ['/bin/true'], cwd: '.', signal: new AbortController().signal };
    await sandbox?.exec({ ...request, limits: huge });
    await sandbox?.exec({ ...request, limits: { ...huge, timeoutMs: 1 } });
    expect(requests[0]?.limits).toMatchObject({ timeoutMs: 5_000, memoryBytes: 256 * 1024 ** 2, maxProcesses: 16 });
    expect(requests[1]?.limits.timeoutMs).toBe(1);
  });
  test('says why there is none, and finds one that was installed meanwhile', async () => {
    let nowMs = 1_000;
    let installed = false;
    const driver = working([]);
    const late: SandboxDriver = {
      ...driver,
      open: async (spec) => {
        if (installed) return driver.open(spec);
        throw new HardshellError({
          code: 'SANDBOX_UNAVAILABLE',
          message: 'it is not installed',
          fix: 'apt install it',
        });
      },
    };
    const sandboxes = openSandboxes(folder, SETTINGS, { ...WALLS, drivers: [late], now: () => nowMs });
    expect(await sandboxes.current()).toMatchObject({
      sandbox: null,
      sandboxReason: 'it is not installed; apt install it',
    });
    expect(sandboxes.known()).toEqual({ driver: null, detail: 'it is not installed', fix: 'apt install it' });
    installed = true;
    expect((await sandboxes.current()).sandbox).toBeNull();
    nowMs += 10_000;
    expect((await sandboxes.current()).sandbox?.driver).toBe('test');
    expect(sandboxes.known()).toMatchObject({ driver: 'test' });
  });
  test('closing closes also one that is still opening', async () => {
    const closed: string[] = [];
    await openSandboxes(folder, SETTINGS, { ...WALLS, drivers: [working([], closed)] }).close();
    expect(closed.length).toBeGreaterThan(0);
  });
});
