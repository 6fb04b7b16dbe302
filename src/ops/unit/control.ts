// Owns talking to the service manager: systemctl and launchctl, bounded in time, with only the variables they need. It
// must never ask for a password and never act on a unit that is not ours.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Env } from '../../config/paths.ts';
import { HardshellError } from '../../platform/errors.ts';
import { type RunResult, run } from '../../platform/process/process.ts';
import { LABEL } from './launchd-plist.ts';
import { type InstalledUnit, type Manager, UNIT_NAME } from './places.ts';

const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];
const WITHIN_MS = 60_000;
const MAX_OUTPUT_BYTES = 64 * 1024;
/** How the person's own manager is reached. */
const VARIABLES = ['HOME', 'PATH', 'XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS', 'USER', 'LOGNAME'];

export type Verb = 'start' | 'stop' | 'restart';

/** A program of the system, never one that the PATH of the moment names. */
export const systemProgram = (name: string): string | null =>
  FOLDERS.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;

export function runProgram(path: string, args: readonly string[], env: Env = {}): Promise<RunResult> {
  const known = VARIABLES.flatMap((name) => (env[name] ? [[name, env[name]] as const] : []));
  return run([path, ...args], {
    cwd: '/',
    env: { ...Object.fromEntries(known), LC_ALL: 'C' },
    timeoutMs: WITHIN_MS,
    maxOutputBytes: MAX_OUTPUT_BYTES,
  });
}

/** Which manager would run a unit here, or null: a container without one, for instance. */
export function managerHere(wantsSystem: boolean): Manager | null {
  if (process.platform === 'darwin') return wantsSystem ? null : 'launchd';
  if (!existsSync('/run/systemd/system') || systemProgram('systemctl') === null) return null;
  return wantsSystem ? 'systemd-system' : 'systemd-user';
}

/** Whether the manager has the unit running. A manager that cannot be reached has nothing running. */
export async function isActive(unit: InstalledUnit, env: Env): Promise<boolean> {
  const answer = await ask(unit.manager, statusWords(unit), env);
  return answer?.exitCode === 0;
}

export async function control(unit: InstalledUnit, verb: Verb, env: Env): Promise<void> {
  for (const words of verbWords(unit, verb)) await mustWork(unit.manager, words, env);
}

/** Registers it and starts it, now and from now on. */
export async function enable(unit: InstalledUnit, env: Env): Promise<void> {
  if (unit.manager === 'launchd') {
    await ask('launchd', ['bootout', domain()], env);
    return mustWork('launchd', ['bootstrap', `gui/${process.getuid?.()}`, unit.path], env);
  }
  await mustWork(unit.manager, ['daemon-reload'], env);
  await mustWork(unit.manager, ['enable', UNIT_NAME], env);
  await mustWork(unit.manager, ['restart', UNIT_NAME], env);
}

export async function disable(unit: InstalledUnit, env: Env): Promise<void> {
  if (unit.manager === 'launchd') await ask('launchd', ['bootout', domain()], env);
  else await ask(unit.manager, ['disable', '--now', UNIT_NAME], env);
}

export const reload = async (manager: Manager, env: Env): Promise<void> => {
  if (manager !== 'launchd') await ask(manager, ['daemon-reload'], env);
};

const domain = (): string => `gui/${process.getuid?.()}/${LABEL}`;

const statusWords = ({ manager }: InstalledUnit): string[] =>
  manager === 'launchd' ? ['print', domain()] : ['is-active', '--quiet', UNIT_NAME];

function verbWords({ manager, path }: InstalledUnit, verb: Verb): string[][] {
  if (manager !== 'launchd') return [[verb, UNIT_NAME]];
  if (verb === 'stop') return [['bootout', domain()]];
  if (verb === 'restart') return [['kickstart', '-k', domain()]];
  return [['bootstrap', `gui/${process.getuid?.()}`, path]];
}

async function ask(manager: Manager, words: readonly string[], env: Env): Promise<RunResult | null> {
  const program = systemProgram(manager === 'launchd' ? 'launchctl' : 'systemctl');
  if (program === null) return null;
  const scope = manager === 'systemd-user' ? ['--user'] : [];
  const quiet = manager === 'launchd' ? [] : ['--no-ask-password'];
  return runProgram(program, [...scope, ...quiet, ...words], env);
}

async function mustWork(manager: Manager, words: readonly string[], env: Env): Promise<void> {
  const answer = await ask(manager, words, env);
  if (answer?.exitCode === 0) return;
  const name = manager === 'launchd' ? 'launchctl' : manager === 'systemd-user' ? 'systemctl --user' : 'systemctl';
  const said = answer?.stderr.trim().split('\n')[0] || answer?.failed || 'it did not answer';
  throw new HardshellError({
    code: 'MANAGER_REFUSED',
    message: `${name} ${words.join(' ')}: ${said}`,
    fix:
      manager === 'systemd-system'
        ? `sudo systemctl ${words.join(' ')}; journalctl -u ${UNIT_NAME} says more`
        : 'run it where you are logged in yourself (not through su or sudo), or: openclaw gateway run',
  });
}
