// Owns the container engines that tests run against: a dockerd of their own in a temporary folder, a podman with storage
// of its own, and the image, made once. It ends what it started, by its id, and touches no engine of the machine.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineOptions } from '../../src/sandbox/container/engine.ts';
import { buildImage } from '../../src/sandbox/container/image.ts';

export type TestEngine = EngineOptions & {
  readonly client: readonly string[];
  /** what the client prints; throws with what it complains about */
  ask(...args: string[]): string;
  stop(): Promise<void>;
};

const START_MS = 30_000;
const INSTALL_MS = 240_000;

/** Debian's own packages; there is no other way to come by an engine here. */
function install(program: string, packages: readonly string[]): void {
  if (existsSync(program)) return;
  const apt = (...args: string[]) =>
    spawnSync('apt-get', args, {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      encoding: 'utf8',
      timeout: INSTALL_MS,
    });
  apt('update', '-q');
  // What the package would start as a service stays off.
  const done = apt('install', '-q', '-y', '--no-install-recommends', ...packages);
  if (!existsSync(program))
    throw new Error(`${packages[0]} cannot be installed: ${done.stderr?.trim().split('\n').at(-1)}`);
}

function asking(client: readonly string[]): TestEngine['ask'] {
  return (...args) => {
    const [program = '', ...words] = client;
    const result = spawnSync(program, [...words, ...args], {
      encoding: 'utf8',
      timeout: 60_000,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' },
    });
    if (result.status !== 0) throw new Error(`${args[0]}: ${result.stderr.trim()}`);
    return result.stdout;
  };
}

/** A dockerd without a bridge and without a rule in the machine's firewall. Only root can start one. */
export async function startDockerd(): Promise<TestEngine> {
  install('/usr/sbin/dockerd', ['docker.io']);
  const folder = mkdtempSync(join(tmpdir(), 'hs-dockerd-'));
  const socket = `unix://${join(folder, 'd.sock')}`;
  const log = openSync(join(folder, 'log'), 'w');
  const daemon = spawn(
    '/usr/sbin/dockerd',
    [
      ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'pid')],
      ...['--host', socket, '--bridge=none', '--iptables=false', '--ip6tables=false'],
      ...['--shutdown-timeout', '2'],
    ],
    { stdio: ['ignore', log, log], env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: folder } },
  );
  const client = ['/usr/bin/docker', '--host', socket];
  const ask = asking(client);
  const stop = async (): Promise<void> => {
    await end(daemon);
    unmountBelow(folder);
    rmSync(folder, { recursive: true, force: true });
  };
  const until = performance.now() + START_MS;
  for (;;) {
    try {
      ask('version');
      return { engine: 'docker', client, ask, stop };
    } catch (error) {
      if (daemon.exitCode === null && performance.now() < until) {
        await sleep(100);
        continue;
      }
      const said = readFileSync(join(folder, 'log'), 'utf8').trim().split('\n').slice(-3).join('\n');
      await stop();
      throw new Error(`dockerd does not run here: ${said || error}`);
    }
  }
}

/** It has no daemon; what it needs of the machine is a folder. */
export async function openPodman(): Promise<TestEngine> {
  install('/usr/bin/podman', ['podman', 'uidmap', 'fuse-overlayfs']);
  const folder = mkdtempSync(join(tmpdir(), 'hs-podman-'));
  const client = [
    ...[
      '/usr/bin/podman',
      '--root',
      join(folder, 'root'),
      '--runroot',
      join(folder, 'run'),
      '--tmpdir',
      join(folder, 'tmp'),
    ],
    ...['--cgroup-manager', 'cgroupfs', '--events-backend', 'none'],
  ];
  const ask = asking(client);
  const stop = async (): Promise<void> => {
    try {
      ask('rm', '--all', '--force');
    } catch {
      // There is nothing to remove then.
    }
    unmountBelow(folder);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    ask('info');
  } catch (error) {
    await stop();
    throw new Error(`podman does not run here: ${error}`);
  }
  return { engine: 'podman', client, ask, stop };
}

export async function withImage(engine: TestEngine): Promise<TestEngine> {
  await buildImage(engine);
  return engine;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  // It ends its containerd with it.
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await ended;
  clearTimeout(timer);
}

function unmountBelow(folder: string): void {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(`${folder}/`));
  for (const point of points.reverse()) spawnSync('umount', ['--lazy', point]);
}
