// Run as an ordinary user in every case: a gateway that is root refuses, and that is one of the promises.
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../driver.ts';
import { isRootHost, openHost } from './host.ts';

let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'host-')));
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'sub'));
  symlinkSync('/etc', join(folder, 'out'));
  if (isRootHost()) for (const name of ['', 'sub']) chownSync(join(folder, name), 65_534, 65_534);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a gateway of an ordinary user gets for each command, in a process of its own when we are root. */
function asUser(
  ...requests: readonly object[]
): { exitCode?: number; stdout?: string; code?: string; stopped?: string }[] {
  const script = `import { openHost } from ${JSON.stringify(join(import.meta.dirname, 'host.ts'))};
    const limits = ${JSON.stringify({ ...DEFAULT_LIMITS, timeoutMs: 5_000 })};
    const host = openHost(${JSON.stringify(folder)});
    const out = [];
    for (const { command, limits: more, ...rest } of ${JSON.stringify(requests)}) {
      const argv = ['/bin/bash', '--norc', '-c', command];
      const signal = new AbortController().signal;
      out.push(await host.exec({ argv, cwd: '.', signal, ...rest, limits: { ...limits, ...more } }).catch(({ code }) => ({ code })));
    }
    console.log(JSON.stringify(out));`;
  const node = [process.execPath, '--input-type=module', '-e', script];
  const argv = isRootHost() ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--', ...node] : node;
  const env = { PATH: '/usr/bin:/bin', OPENCLAW_GATEWAY_TOKEN: 'GATEWAY-SECRET', LD_LIBRARY_PATH: '/nowhere' };
  const [program = '', ...words] = argv;
  const { stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', env, cwd: '/' });
  return JSON.parse(stdout || `[{"code":${JSON.stringify(stderr)}}]`);
}

test('a command on the host has an environment made from nothing, the workspace for its home, limits and no new rights', () => {
  const [env, limits, where] = asUser(
    { command: 'env', env: { APP_MODE: 'x' } },
    { command: 'ulimit -c; ulimit -n; umask; grep NoNewPrivs /proc/self/status' },
    { command: 'pwd -P', cwd: 'sub' },
  );
  const names = env?.stdout
    ?.trim()
    .split('\n')
    .map((line) => line.replace(/=.*/, ''));
  expect(names?.sort()).toEqual(
    ['APP_MODE', 'HOME', 'LANG', 'OLDPWD', 'PATH', 'PWD', 'SHLVL', 'TERM', 'TMPDIR', 'USER', '_'].filter((one) =>
      names?.includes(one),
    ),
  );
  expect(env?.stdout).toContain(`HOME=${folder}\n`);
  expect(env?.stdout).not.toContain('SECRET');
  expect(limits?.stdout).toBe('0\n1024\n0077\nNoNewPrivs:\t1\n');
  expect(where?.stdout).toBe(`${folder}/sub\n`);
});

test('it starts in the workspace and nowhere else, in time, and never in the background', () => {
  const [link, up, slow, background] = asUser(
    { command: 'pwd', cwd: 'out' },
    { command: 'pwd', cwd: '../..' },
    { command: 'sleep 30', limits: { timeoutMs: 200 } },
    { command: 'true', background: true },
  );
  expect(link).toEqual({ code: 'PATH_LINK' });
  expect(up).toEqual({ code: 'PATH_OUTSIDE' });
  expect(slow).toMatchObject({ stopped: 'timeout' });
  expect(background).toEqual({ code: 'HOST_NO_BACKGROUND' });
});

test.runIf(isRootHost())('a gateway that is root runs nothing on the host', async () => {
  const { signal } = new AbortController();
  const request = { argv: ['/bin/true'], cwd: '.', limits: DEFAULT_LIMITS, signal };
  await expect(openHost(folder).exec(request)).rejects.toMatchObject({ code: 'HOST_EXEC_AS_ROOT' });
});
