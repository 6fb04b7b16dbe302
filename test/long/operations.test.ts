// Owns the proof that the daily commands work on real processes without a service manager: start, stop, restart, what
// kill -9 leaves. Every gateway that it starts is ended by the process number in its own lock.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type CommandResult, freePort, newHome, runCommand, writeConfig } from '../support/gateway.ts';

type Place = {
  readonly home: string;
  readonly port: number;
  readonly stateDir: string;
  readonly lockPath: string;
  run(...args: string[]): Promise<CommandResult>;
};
const places: Place[] = [];

async function newPlace(config?: object | string): Promise<Place> {
  const home = newHome();
  const port = await freePort();
  const stateDir = join(home, '.openclaw');
  if (config !== undefined) writeConfig(home, config);
  const place: Place = {
    home,
    port,
    stateDir,
    lockPath: join(stateDir, 'gateway.lock'),
    run: (...args) => runCommand(args, { home, env: { OPENCLAW_GATEWAY_PORT: String(port) }, timeoutMs: 50_000 }),
  };
  places.push(place);
  return place;
}

const pidIn = (place: Place): number => (JSON.parse(readFileSync(place.lockPath, 'utf8')) as { pid: number }).pid;
const lives = (pid: number): boolean => existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(statusOf(pid));
function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return 'State: Z';
  }
}
async function untilGone(pid: number): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (lives(pid) && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(lives(pid)).toBe(false);
}
const health = async (place: Place): Promise<number> => (await fetch(`http://127.0.0.1:${place.port}/health`)).status;

afterEach(async () => {
  for (const place of places.splice(0)) {
    if (existsSync(place.lockPath)) await place.run('gateway', 'stop', '--force');
    rmSync(place.home, { recursive: true, force: true, maxRetries: 3 });
  }
});

test('S071 S277 S131 gateway start goes on in the background, says where, and gateway stop ends it', async () => {
  const place = await newPlace();
  const started = await place.run('gateway', 'start');
  expect(started).toMatchObject({ code: 0 });
  expect(started.stdout).toContain(`started on http://127.0.0.1:${place.port}`);
  expect(await health(place)).toBe(200);
  const pid = pidIn(place);
  expect(lives(pid)).toBe(true);

  const again = await place.run('gateway', 'start', '--json');
  expect(JSON.parse(again.stdout)).toMatchObject({ ok: true, data: { state: 'already running', pid } });

  const elsewhere = await place.run('gateway', 'start', '--port', '1234');
  expect([elsewhere.code, elsewhere.stderr]).toEqual([1, expect.stringContaining(`already, on port ${place.port}`)]);

  const status = await place.run('gateway', 'status', '--json');
  expect(JSON.parse(status.stdout)).toMatchObject({ data: { running: true, pid, manager: null } });

  const stopped = await place.run('gateway', 'stop');
  expect(stopped.stdout).toContain(`stopped process ${pid}`);
  await untilGone(pid);
  expect(existsSync(place.lockPath)).toBe(false);
  expect((await place.run('gateway', 'stop')).stdout).toContain('no gateway runs');
});

test('S046 S188 S246 gateway restart ends the old process and serves on the same port with a new one', async () => {
  const place = await newPlace();
  await place.run('gateway', 'start');
  const before = pidIn(place);
  const restarted = await place.run('gateway', 'restart', '--json');
  expect(JSON.parse(restarted.stdout)).toMatchObject({ data: { state: 'restarted', port: place.port } });
  expect(pidIn(place)).not.toBe(before);
  await untilGone(before);
  expect(await health(place)).toBe(200);
});

test('a port that was changed in the configuration is the one that a restart serves on; one that was given stays', async () => {
  const place = await newPlace();
  const run = (...args: string[]): Promise<CommandResult> => runCommand(args, { home: place.home, timeoutMs: 50_000 });
  await run('config', 'set', 'gateway.port', String(await freePort()));
  await run('gateway', 'start');
  await run('config', 'set', 'gateway.port', String(place.port));
  const restarted = JSON.parse((await run('gateway', 'restart', '--json')).stdout);
  expect(restarted).toMatchObject({ data: { state: 'restarted', port: place.port } });
  const given = await freePort();
  await run('gateway', 'restart', '--port', String(given));
  expect(JSON.parse((await run('gateway', 'restart', '--json')).stdout)).toMatchObject({ data: { port: given } });
});

test('the token of a detached gateway stands in no log', async () => {
  const place = await newPlace();
  await place.run('gateway', 'start');
  const token = readFileSync(join(place.stateDir, 'credentials', 'gateway-token'), 'utf8').trim();
  for (const name of ['gateway.err', 'openclaw.log']) {
    const file = join(place.stateDir, 'logs', name);
    expect(readFileSync(file, 'utf8')).not.toContain(token);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  }
});

test('what kill -9 leaves is no obstacle: stop finds nobody, start takes over', async () => {
  const place = await newPlace();
  await place.run('gateway', 'start');
  const pid = pidIn(place);
  process.kill(pid, 'SIGKILL');
  await untilGone(pid);
  expect(existsSync(place.lockPath)).toBe(true);
  expect((await place.run('gateway', 'stop')).stdout).toContain('no gateway runs');
  expect((await place.run('gateway', 'start')).code).toBe(0);
  expect(await health(place)).toBe(200);
});

test('a lock that names the process of somebody else signals nobody', async () => {
  const place = await newPlace();
  mkdirSync(place.stateDir, { mode: 0o700 });
  // This very process, with a start time that is not its own: the number was given to another program since.
  writeFileSync(place.lockPath, JSON.stringify({ pid: process.pid, port: 1, startedAtMs: 1, startTicks: '1' }));
  expect((await place.run('gateway', 'stop', '--force')).stdout).toContain('no gateway runs');
  writeFileSync(place.lockPath, JSON.stringify({ pid: process.pid, port: 1 }));
  expect(await place.run('gateway', 'stop', '--force')).toMatchObject({ code: 1 });
  rmSync(place.lockPath);
});

test('a start that fails says why in the words of the gateway, with its exit code', async () => {
  const broken = await newPlace('{ gateway: { port: "no" } }');
  const refused = await broken.run('gateway', 'start');
  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain('gateway.port');
  expect(refused.stderr).toMatch(/^fix: /m);

  const place = await newPlace();
  const server = createServer().listen(place.port, '127.0.0.1');
  const taken = await place.run('gateway', 'start');
  server.close();
  expect(taken.code).not.toBe(0);
  expect(taken.stderr).toContain(String(place.port));
});

test.runIf(process.geteuid?.() === 0)(
  'S130 S135 S268 root gets no unit of its own, but the lines that make an account',
  async () => {
    const place = await newPlace();
    const refused = await place.run('gateway', 'install');
    expect(refused.code).toBe(77);
    expect(refused.stderr).toContain('useradd --create-home --shell /usr/sbin/nologin openclaw');
    expect(refused.stderr).toContain('--system-user openclaw');
    expect((await place.run('gateway', 'install', '--system-user', 'root')).code).not.toBe(0);
  },
);

test('a folder that holds something else is neither narrowed, nor moved, nor recommended for removal', async () => {
  const place = await newPlace();
  const dir = join(place.home, 'checkout');
  mkdirSync(dir, { mode: 0o755 });
  writeFileSync(join(dir, 'main.c'), 'int main;', { mode: 0o644 });
  const env = { OPENCLAW_STATE_DIR: dir };
  for (const words of ['gateway start', 'doctor --fix', 'reset all --yes', 'uninstall --yes', 'onboard --yes']) {
    const refused = await runCommand(words.split(' '), { home: place.home, env });
    expect(refused.code, words).toBe(78);
    expect(refused.stderr, words).toContain('which holds something else');
  }
  expect(statSync(dir).mode & 0o777).toBe(0o755);
  expect(statSync(join(dir, 'main.c')).mode & 0o777).toBe(0o644);
  expect(readdirSync(dir)).toEqual(['main.c']);
});

test.runIf(process.geteuid?.() === 0 && !existsSync('/run/systemd/system'))(
  'without a service manager nothing is installed and no account is made',
  async () => {
    const place = await newPlace();
    const refused = await place.run('gateway', 'install', '--system-user', 'hardshelltest');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('no service manager');
    expect(readFileSync('/etc/passwd', 'utf8')).not.toContain('hardshelltest');
  },
);

test('S221 S268 gateway install --print shows a unit with limits and an account, and changes nothing', async () => {
  const place = await newPlace();
  const printed = await place.run('gateway', 'install', '--system-user', 'openclaw', '--print');
  expect(printed.stdout).toContain('User=openclaw');
  expect(printed.stdout).toContain('MemoryMax=4G');
  expect(printed.stdout).toContain('CPUQuota=200%');
  expect(existsSync(place.stateDir)).toBe(false);
});
