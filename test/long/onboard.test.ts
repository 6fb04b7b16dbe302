// Owns the proof of the first setup and of the ways out: what they write, what they never write, what they leave. Providers
// are servers of the test on loopback.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type CommandResult, cleanEnv, entry, freePort, newHome, runCommand } from '../support/gateway.ts';

const KEY = 'tk-7Qm2xV9bLr4WcE1pZs8Nd3Hf';
type Place = { home: string; stateDir: string; run(args: string[], input?: string): Promise<CommandResult> };
const places: Place[] = [];
const servers: Server[] = [];

async function newPlace(): Promise<Place> {
  const home = newHome();
  const env = { OPENCLAW_GATEWAY_PORT: String(await freePort()) };
  const place: Place = {
    home,
    stateDir: join(home, '.openclaw'),
    run: (args, input) => runCommand(args, { home, env, timeoutMs: 50_000, ...(input === undefined ? {} : { input }) }),
  };
  places.push(place);
  return place;
}

/** Answers the list of models to whoever has the key. */
async function newProvider(): Promise<{ baseUrl: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((req, res) => {
    asked.push(`${req.url} ${req.headers.authorization}`);
    const isGood = req.headers.authorization === `Bearer ${KEY}`;
    res.writeHead(isGood ? 200 : 401, { 'content-type': 'application/json' });
    res.end(isGood ? '{"data":[{"id":"small-1"},{"id":"large-1"}]}' : '{"error":"no"}');
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, asked };
}

afterEach(async () => {
  for (const { home, stateDir, run } of places.splice(0)) {
    if (existsSync(join(stateDir, 'gateway.lock'))) await run(['gateway', 'stop', '--force']);
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  }
  for (const server of servers.splice(0)) server.close();
});

test('S078 onboard --yes on an empty home: a configuration without a secret, a token of its own, all of it in order', async () => {
  const { stateDir, run } = await newPlace();
  const done = await run(['onboard', '--yes']);
  expect(done).toMatchObject({ code: 0 });
  const token = readFileSync(join(stateDir, 'credentials', 'gateway-token'), 'utf8').trim();
  const config = readFileSync(join(stateDir, 'openclaw.json'), 'utf8');
  expect(token).toMatch(/^[0-9a-f]{64}$/);
  expect(config).not.toContain(token);
  expect(done.stdout + done.stderr).not.toContain(token);
  expect(statSync(join(stateDir, 'openclaw.json')).mode & 0o777).toBe(0o600);
  expect(statSync(stateDir).mode & 0o777).toBe(0o700);
  const doctor = await run(['doctor', '--json']);
  expect(JSON.parse(doctor.stdout)).toMatchObject({ data: { errors: 0 } });

  writeFileSync(join(stateDir, 'openclaw.json'), '{ // mine\n  agents: { defaults: { timeoutSeconds: 300 } },\n}\n');
  expect((await run(['setup', '--yes'])).code).toBe(0);
  expect(readFileSync(join(stateDir, 'openclaw.json'), 'utf8')).toContain('// mine\n  agents');
  expect(readFileSync(join(stateDir, 'credentials', 'gateway-token'), 'utf8').trim()).toBe(token);
});

test('a key is tried at once and goes to a file of its own, never to the configuration or the screen', async () => {
  const { stateDir, run } = await newPlace();
  const { baseUrl, asked } = await newProvider();
  const args = ['onboard', '--yes', '--provider', 'house', '--base-url', baseUrl, '--key-stdin'];
  const done = await run(args, `${KEY}\n`);
  expect(done).toMatchObject({ code: 0 });
  expect(asked).toEqual([`/v1/models Bearer ${KEY}`]);
  expect(done.stdout).toContain('house offers 2 models');
  const file = join(stateDir, 'credentials', 'house-key');
  expect(readFileSync(file, 'utf8').trim()).toBe(KEY);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const config = readFileSync(join(stateDir, 'openclaw.json'), 'utf8');
  expect(config).not.toContain(KEY);
  expect(config).toContain('house/small-1');
  expect(done.stdout + done.stderr).not.toContain(KEY);
});

test('a key that the provider refuses, and a left-over example, write nothing', async () => {
  const { home, run } = await newPlace();
  const { baseUrl } = await newProvider();
  const args = ['onboard', '--yes', '--provider', 'house', '--base-url', baseUrl, '--key-stdin'];
  const refused = await run(args, 'tk-wrongwrongwrong77\n');
  expect(refused.code).toBe(77);
  expect(refused.stderr).toContain('HTTP 401');
  expect(refused.stderr).not.toContain('tk-wrong');
  expect((await run(args, 'your-api-key-here\n')).code).toBe(64);
  expect(readdirSync(home)).toEqual([]);
});

test('a provider that cannot be reached is said to be untested, and the key is kept', async () => {
  const { stateDir, run } = await newPlace();
  const args = ['--base-url', `http://127.0.0.1:${await freePort()}/v1`, '--model', 'one', '--key-stdin'];
  const done = await run(['onboard', '--yes', '--provider', 'house', ...args], KEY);
  expect(done).toMatchObject({ code: 0 });
  expect(done.stderr).toContain('not tested');
  expect(existsSync(join(stateDir, 'credentials', 'house-key'))).toBe(true);
});

test.runIf(!existsSync('/run/systemd/system'))(
  'S078 onboard --install-daemon without a service manager starts it in the background',
  async () => {
    const { run } = await newPlace();
    const done = await run(['onboard', '--yes', '--install-daemon', '--json']);
    const { url } = (JSON.parse(done.stdout) as { data: { url: string } }).data;
    expect((await fetch(`${url}/health`)).status).toBe(200);
  },
);

test.runIf(existsSync('/usr/bin/script') && !existsSync('/run/systemd/system'))(
  'S078 at a terminal it asks, shows no key, tries it, starts, and offers the page',
  async () => {
    const { home, stateDir } = await newPlace();
    const { baseUrl } = await newProvider();
    const port = String(await freePort());
    const { child, until, screen, ended } = atTerminal(home, port, ['onboard', '--base-url', baseUrl, '--key-stdin']);
    await until('which model provider?');
    child.stdin.write('house\r');
    await until('(not shown)');
    child.stdin.write('your-api-key-here\r');
    await until('example from a guide');
    await until('(not shown)', 2);
    child.stdin.write(`${KEY}\r`);
    await until('house offers 2 models');
    await until('open the chat page?');
    child.stdin.write('n\r');
    await until('openclaw dashboard');
    expect(await ended).toEqual([0, null]);
    expect(screen()).not.toContain(KEY);
    expect(screen()).toContain(`runs on http://127.0.0.1:${port}`);
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    expect(readFileSync(join(stateDir, 'credentials', 'house-key'), 'utf8').trim()).toBe(KEY);
  },
);

test.runIf(existsSync('/usr/bin/script'))(
  'a slip in the name of the provider is asked again, not the end of it',
  async () => {
    const { home } = await newPlace();
    const { child, until, ended } = atTerminal(home, String(await freePort()), ['onboard']);
    await until('which model provider?');
    child.stdin.write('antropic\r');
    await until('antropic is not one of these');
    await until('which model provider?', 2);
    child.stdin.write('\x03');
    expect(await ended).toEqual([64, null]);
    expect(readdirSync(home)).toEqual([]);
  },
);

function atTerminal(home: string, port: string, words: readonly string[]) {
  const command = [process.execPath, ...entry(), ...words].map((word) => `'${word}'`).join(' ');
  const child = spawn('/usr/bin/script', ['-qefc', command, '/dev/null'], {
    env: cleanEnv(home, { OPENCLAW_GATEWAY_PORT: port, TERM: 'xterm' }),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), 150_000);
  const ended = once(child, 'exit').finally(() => clearTimeout(timer));
  let screen = '';
  let wake = (): void => {};
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    screen += chunk;
    wake();
  });
  const until = async (text: string, times = 1): Promise<void> => {
    while (screen.split(text).length <= times && child.exitCode === null && child.signalCode === null) {
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      await Promise.race([promise, ended]);
    }
    expect(screen.split(text).length, screen).toBeGreaterThan(times);
  };
  return { child, until, ended, screen: () => screen };
}

test('reset moves aside and deletes nothing; it asks, and refuses while a gateway runs', async () => {
  const { stateDir, run } = await newPlace();
  await run(['onboard', '--yes', '--start']);
  const running = await run(['reset', 'all', '--yes']);
  expect(running).toMatchObject({ code: 1 });
  expect([running.stderr, running.stdout]).toEqual([expect.stringContaining('already runs'), '']);
  await run(['gateway', 'stop']);

  const before = readdirSync(stateDir).sort();
  expect((await run(['reset', 'sessions', '--dry-run'])).stdout).toContain('would move');
  expect((await run(['reset', 'sessions'])).code).toBe(64);
  expect((await run(['reset', 'everything', '--yes'])).code).toBe(64);
  expect(readdirSync(stateDir).sort()).toEqual(before);

  const database = readFileSync(join(stateDir, 'state.sqlite'));
  const done = await run(['reset', 'sessions', '--yes', '--json']);
  const { into } = (JSON.parse(done.stdout) as { data: { into: string } }).data;
  expect(readFileSync(join(into, 'state.sqlite'))).toEqual(database);
  expect(existsSync(join(stateDir, 'state.sqlite'))).toBe(false);
  expect(existsSync(join(stateDir, 'openclaw.json'))).toBe(true);
  expect((await run(['reset', 'all', '--yes'])).code).toBe(0);
  expect(readdirSync(stateDir).filter((name) => !/^reset-|^\.gitignore$/.test(name))).toEqual([]);
  expect((await run(['gateway', 'start'])).code).toBe(0);
});

test('S075 S076 uninstall stops it, keeps the data and says how to remove it: one folder', async () => {
  const { stateDir, run } = await newPlace();
  await run(['onboard', '--yes', '--start']);
  expect((await run(['uninstall'])).code).toBe(64);
  expect(existsSync(join(stateDir, 'gateway.lock'))).toBe(true);
  const done = await run(['uninstall', '--yes']);
  expect(done).toMatchObject({ code: 0 });
  expect(done.stdout).toContain(`rm -rf ${stateDir}`);
  expect(existsSync(join(stateDir, 'gateway.lock'))).toBe(false);
  expect(existsSync(join(stateDir, 'credentials', 'gateway-token'))).toBe(true);
});

test.runIf(existsSync('/bin/bash'))('completion bash offers in a real bash what can follow', async () => {
  const { home, run } = await newPlace();
  const { stdout } = await run(['completion', 'bash']);
  writeFileSync(join(home, 'completion'), stdout);
  const complete = (...words: string[]): string[] => {
    const script = `. ${home}/completion; COMP_WORDS=(${words.join(' ')} ''); COMP_CWORD=${words.length}; _openclaw; echo "\${COMPREPLY[@]}"`;
    return execFileSync('/bin/bash', ['--norc', '-c', script], { encoding: 'utf8', timeout: 60_000 }).trim().split(' ');
  };
  expect(complete('openclaw', 'gateway')).toEqual(expect.arrayContaining(['start', 'stop', 'restart', 'install']));
  expect(complete('openclaw', 'gateway', 'stop')).toContain('--force');
  expect(complete('openclaw')).toEqual(expect.arrayContaining(['doctor', 'status', 'onboard']));
  for (const shell of ['zsh', 'fish']) expect((await run(['completion', shell])).stdout).toContain('gateway stop');
  expect((await run(['completion', 'tcsh'])).code).toBe(64);
});
