// Owns a machine of its own for tests of units: a booted systemd in a container over a copy-on-write view of this system,
// so that nothing that a test does there stays. Only root can make one; elsewhere it says why not.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { REPO } from './gateway.ts';

export type Answer = { readonly code: number | null; readonly stdout: string; readonly stderr: string };
export type Machine = {
  /** Runs a program in it, as root there. */
  run(program: string, ...args: string[]): Answer;
  stop(): Promise<void>;
};

/** Where the program lies in it, readable by every account. */
export const PROGRAM = '/opt/hardshell/bin/openclaw.cjs';

const BOOT_MS = 60_000;
const STOP_MS = 30_000;
const RUN_MS = 90_000;
const NEEDED = ['systemd-nspawn', 'nsenter', 'mount', 'umount', 'systemctl', 'setpriv'];

/** Why there can be none here, or null. */
export function noMachineBecause(): string | null {
  if (process.platform !== 'linux') return 'this is not Linux';
  if (process.getuid?.() !== 0) return 'only root can boot a container';
  const missing = NEEDED.find((name) => spawnSync('which', [name]).status !== 0);
  if (missing) return `${missing} is not installed (Debian: systemd-container)`;
  if (!existsSync('/lib/systemd/systemd')) return 'there is no systemd to boot';
  return null;
}

/** Throws with what the kernel or systemd said when it does not boot. */
export async function bootMachine(): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), 'hardshell-machine-'));
  const root = join(folder, 'root');
  const layers = join(folder, 'layers');
  const undo: (() => void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const unmount = (path: string) => () => void spawnSync('umount', ['--lazy', path]);
  const mount = (path: string, ...args: string[]): void => {
    const { status, stderr } = spawnSync('mount', [...args, path], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`mount ${args.join(' ')}: ${stderr.trim()}`);
    undo.unshift(unmount(path));
  };
  let container: ChildProcess | undefined;
  let said = '';
  const stop = async (): Promise<void> => {
    if (container && container.exitCode === null && container.signalCode === null) {
      const ended = new Promise((resolve) => container?.once('exit', resolve));
      // It passes an orderly end on to the systemd inside.
      container.kill('SIGTERM');
      await Promise.race([ended, sleep(STOP_MS, undefined, { ref: false }).then(() => container?.kill('SIGKILL'))]);
      await ended;
    }
    for (const step of undo.splice(0)) step();
  };
  try {
    mkdirSync(root);
    mkdirSync(layers);
    mount(layers, '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs');
    for (const name of ['upper', 'work']) mkdirSync(join(layers, name));
    const over = `lowerdir=/,upperdir=${join(layers, 'upper')},workdir=${join(layers, 'work')}`;
    mount(root, '-t', 'overlay', '-o', over, 'overlay');
    container = spawn('systemd-nspawn', [
      ...['--quiet', `--directory=${root}`, `--machine=hardshell-${process.pid}`, '--register=no', '--keep-unit'],
      ...['--private-network', '--link-journal=no', '--console=pipe', '--kill-signal=SIGRTMIN+3'],
      ...[`--bind-ro=${REPO}:/opt/hardshell`, '--boot', 'systemd.unit=basic.target', 'systemd.log_target=console'],
    ]);
    for (const stream of [container.stdout, container.stderr]) {
      stream?.on('data', (data: Buffer) => {
        said = (said + data).slice(-4_000);
      });
    }
    const machine = await booted(container, () => said);
    return { ...machine, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function booted(container: ChildProcess, said: () => string): Promise<Pick<Machine, 'run'>> {
  const deadline = performance.now() + BOOT_MS;
  while (performance.now() < deadline && container.exitCode === null) {
    const pid = firstChild(container.pid);
    if (pid !== null) {
      const run = (program: string, ...args: string[]): Answer => within(pid, [program, ...args]);
      if (run('systemctl', 'is-active', 'basic.target').stdout.trim() === 'active') return { run };
    }
    await sleep(100);
  }
  throw new Error(`systemd did not boot here: ${said().trim()}`);
}

function firstChild(pid: number | undefined): number | null {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]) || null;
  } catch {
    return null;
  }
}

function within(pid: number, command: readonly string[]): Answer {
  const enter = ['--target', String(pid), '--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--'];
  const env = { HOME: '/root', LANG: 'C.UTF-8', PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
  const { status, stdout, stderr } = spawnSync('nsenter', [...enter, ...command], {
    env,
    encoding: 'utf8',
    timeout: RUN_MS,
  });
  return { code: status, stdout, stderr };
}
