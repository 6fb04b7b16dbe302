// Owns putting a unit in its place and taking it away. It must never make a unit that runs as root (S130, S135), and never
// replace or remove one that serves another state folder.
import { dirname } from 'node:path';
import { type Env, type Paths, resolvePaths } from '../../config/paths.ts';
import { EXIT, HardshellError } from '../../platform/errors.ts';
import { ensureFolder, removeFile, replaceFile, tryReadText } from '../../platform/files.ts';
import { giveTree } from '../../platform/ownership.ts';
import { prepareState } from '../../store/folders.ts';
import { checkAccountName, ensureAccount, findAccount, USERADD_LINES } from './account.ts';
import { disable, enable, managerHere, reload, runProgram, systemProgram } from './control.ts';
import { ownProgram, unitFacts, unitText } from './facts.ts';
import { findInstalled, type InstalledUnit, type Manager, servedBy, unitPath } from './places.ts';

export type InstallOptions = {
  readonly systemUser?: string | undefined;
  /** only its text */
  readonly print: boolean;
  readonly workspace?: string | undefined;
  readonly backups?: string | undefined;
};

export type Installed = InstalledUnit & { readonly notes: readonly string[] };

const MAX_UNIT_BYTES = 64 * 1024;
const UNIT_MODE = 0o644;

/** The unit as it would be written here. */
export function planUnit(
  paths: Paths,
  env: Env,
  { systemUser, print, workspace, backups }: InstallOptions,
): InstalledUnit {
  if (systemUser !== undefined) checkAccountName(systemUser);
  if (!print) refuseWrongRights(systemUser);
  const manager = managerHere(systemUser !== undefined) ?? (print ? presumed(systemUser) : noManager());
  const served = systemUser === undefined ? paths : pathsOf(systemUser, env);
  const facts = unitFacts(served, ownProgram(), { user: systemUser ?? null, workspace, backups });
  return { manager, path: unitPath(manager, env), text: unitText(manager, facts) };
}

/** An account's own state folder, unless one is named. */
function pathsOf(user: string, env: Env): Paths {
  const home = findAccount(user)?.home ?? `/home/${user}`;
  const { OPENCLAW_STATE_DIR: stateDir, OPENCLAW_CONFIG_PATH: configPath } = env;
  return resolvePaths({ HOME: home, OPENCLAW_STATE_DIR: stateDir, OPENCLAW_CONFIG_PATH: configPath });
}

export async function installUnit(paths: Paths, env: Env, options: InstallOptions): Promise<Installed> {
  // Refuses before anything is made.
  planUnit(paths, env, options);
  const account = options.systemUser === undefined ? null : await ensureAccount(options.systemUser);
  const plan = planUnit(paths, env, options);
  const served = account ? pathsOf(account.name, env) : paths;
  refuseForeign(plan, served.stateDir);
  const notes: string[] = [];
  prepareState(served);
  if (account) {
    await refuseOutOfReach(account.name);
    giveTree(served.stateDir, account);
  }
  // Folders of the system keep their modes; only those of one's own are made.
  if (plan.manager !== 'systemd-system') ensureFolder(dirname(plan.path));
  replaceFile(plan.path, plan.text, UNIT_MODE);
  notes.push(...(await verify(plan)));
  await enable(plan, env);
  if (plan.manager === 'systemd-user') notes.push(...(await linger(env)));
  return { ...plan, notes };
}

/** Resolves to what was removed, or null when there was none of ours. */
export async function uninstallUnit(paths: Paths, env: Env): Promise<InstalledUnit | null> {
  const unit = findInstalled(paths, env);
  if (unit === null) return null;
  await disable(unit, env);
  removeFile(unit.path);
  await reload(unit.manager, env);
  return unit;
}

function refuseWrongRights(systemUser: string | undefined): void {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot && systemUser === undefined) {
    const message =
      'a gateway that starts with the machine as root is not installed: whoever breaks it has the machine';
    const fix = `give it an account of its own: ${USERADD_LINES.join(' && ')}`;
    throw new HardshellError({ code: 'ROOT_UNIT', message, fix, exitCode: EXIT.denied });
  }
  if (isRoot || systemUser === undefined) return;
  throw new HardshellError({
    code: 'NEEDS_ROOT',
    message: 'a unit for another account is installed by root',
    fix: `sudo openclaw gateway install --system-user ${systemUser}, or without --system-user for your own account`,
    exitCode: EXIT.denied,
  });
}

const presumed = (systemUser: string | undefined): Manager =>
  process.platform === 'darwin' ? 'launchd' : systemUser === undefined ? 'systemd-user' : 'systemd-system';

function noManager(): never {
  throw new HardshellError({
    code: 'NO_SERVICE_MANAGER',
    message: 'no service manager runs on this machine (neither systemd nor launchd)',
    fix: 'openclaw gateway start runs it in the background; --print shows the unit for another machine',
    exitCode: EXIT.couldNotRun,
  });
}

function refuseForeign(plan: InstalledUnit, served: string): void {
  const text = tryReadText(plan.path, MAX_UNIT_BYTES);
  if (text === null || servedBy(text) === served) return;
  throw new HardshellError({
    code: 'UNIT_OF_ANOTHER',
    message: `${plan.path} runs the gateway of ${servedBy(text) ?? 'something else'}`,
    fix: `openclaw gateway uninstall with OPENCLAW_STATE_DIR set to that folder, or move ${plan.path} away`,
  });
}

/** A unit that cannot read its own program only fails at the next start of the machine. */
async function refuseOutOfReach(user: string): Promise<void> {
  const setpriv = systemProgram('setpriv');
  const file = ownProgram().at(-1) ?? '';
  if (setpriv === null) return;
  const account = findAccount(user);
  const [uid, gid] = [String(account?.uid), String(account?.gid)];
  const test = ['--reuid', uid, '--regid', gid, '--clear-groups', '--', '/usr/bin/test', '-r', file];
  if ((await runProgram(setpriv, test)).exitCode === 0) return;
  throw new HardshellError({
    code: 'PROGRAM_OUT_OF_REACH',
    message: `the account ${user} cannot read ${file}`,
    fix: 'install the program where everybody can read it (npm install -g, or below /opt), and run this again from there',
  });
}

async function verify(unit: InstalledUnit): Promise<string[]> {
  const program = unit.manager === 'launchd' ? null : systemProgram('systemd-analyze');
  if (program === null) return [];
  const { stderr } = await runProgram(program, [
    'verify',
    ...(unit.manager === 'systemd-user' ? ['--user'] : []),
    unit.path,
  ]);
  return stderr.split('\n').filter((line) => line.includes(unit.path));
}

/** Without it, a person's own units end when that person logs out. */
async function linger(env: Env): Promise<string[]> {
  const program = systemProgram('loginctl');
  const answer = program && (await runProgram(program, ['enable-linger'], env));
  if (answer && answer.exitCode === 0) return [];
  return ['it ends when you log out, until: sudo loginctl enable-linger $USER'];
}
