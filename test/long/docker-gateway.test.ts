// S219 and S220: the gateway's own image, with exactly the flags of the guides and a volume for its state, on a dockerd
// that the test starts. It needs what scripts/build.ts has made.
import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildGatewayImage } from '../../scripts/image.ts';
import { startDockerd, type TestEngine } from '../support/engines.ts';

let engine: TestEngine;
let folder: string;
const FLAGS = ['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--read-only', '--tmpfs', '/tmp'];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hs-image-'));
  mkdirSync(join(folder, 'ws'));
  chownSync(join(folder, 'ws'), 1000, 1000);
  engine = await startDockerd();
  await buildGatewayImage(engine, 'openclaw');
}, 120_000);
afterAll(async () => {
  await engine?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What a program inside says; a gateway that is not up yet says nothing. */
async function said(name: string, ...command: string[]): Promise<string> {
  const until = performance.now() + 60_000;
  for (;;) {
    try {
      return engine.ask('exec', name, ...command);
    } catch (error) {
      if (performance.now() > until) throw new Error(`${error}\n${engine.ask('logs', name)}`, { cause: error });
      await sleep(200);
    }
  }
}

const HEALTH = `fetch('http://127.0.0.1:18789/healthz').then(async (r) => console.log(r.status, await r.text()), (e) => { console.error(e); process.exit(1) })`;

test('S219 it boots with the flags of the guides, answers, is not root, and keeps its state and workspace apart', async () => {
  const volumes = ['-v', 'openclaw-state:/state', '-v', `${join(folder, 'ws')}:/workspace`];
  engine.ask(
    'run',
    '--detach',
    '--pull',
    'never',
    '--network',
    'none',
    '--name',
    'one',
    ...FLAGS,
    ...volumes,
    'openclaw',
  );
  expect(await said('one', 'node', '-e', HEALTH)).toMatch(/^200 .*"ok":true/);
  const status = await said(
    'one',
    'sh',
    '-c',
    'cat /proc/1/status /proc/1/comm; id -u; ls -A /workspace; touch /x /usr/x || true',
  );
  for (const line of [
    /^Uid:\t1000\t1000\t1000\t1000$/m,
    /^CapEff:\t0{16}$/m,
    /^CapBnd:\t0{16}$/m,
    /^NoNewPrivs:\t1$/m,
  ]) {
    expect(status).toMatch(line);
  }
  expect(status).toContain('AGENTS.md');
  // A new container on the same volume goes on as the same gateway.
  const token = engine.ask('exec', 'one', 'cat', '/state/.openclaw/credentials/gateway-token');
  engine.ask('rm', '--force', 'one');
  engine.ask(
    'run',
    '--detach',
    '--pull',
    'never',
    '--network',
    'none',
    '--name',
    'two',
    ...FLAGS,
    ...volumes,
    'openclaw',
  );
  expect(await said('two', 'node', '-e', HEALTH)).toMatch(/^200 /);
  expect(engine.ask('exec', 'two', 'cat', '/state/.openclaw/credentials/gateway-token')).toBe(token);
  engine.ask('rm', '--force', 'two');
});

test('S220 it runs within the limits of the guide, and within 256 MiB', async () => {
  for (const [name, limits] of [
    ['guide', ['--memory=4g', '--cpus=2']],
    ['small', ['--memory=256m', '--memory-swap=256m', '--cpus=1']],
  ] as const) {
    engine.ask(
      'run',
      '--detach',
      '--pull',
      'never',
      '--network',
      'none',
      '--name',
      name,
      ...limits,
      ...FLAGS,
      'openclaw',
    );
    expect(await said(name, 'node', '-e', HEALTH)).toMatch(/^200 /);
    const [{ State }] = JSON.parse(engine.ask('inspect', name));
    expect(State).toMatchObject({ Running: true, OOMKilled: false });
    engine.ask('rm', '--force', name);
  }
});

test('S161 scripts/sandbox-setup.sh makes the image for commands', () => {
  const { status, stdout, stderr } = spawnSync(join(import.meta.dirname, '../../scripts/sandbox-setup.sh'), {
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, DOCKER_HOST: engine.client.at(-1) ?? '' },
    encoding: 'utf8',
    timeout: 300_000,
  });
  expect(stderr).not.toMatch(/^error/m);
  expect(stdout).toMatch(/^built openclaw-sandbox:bookworm-slim: \d+ files, \d+ MB$/m);
  expect(status).toBe(0);
});
