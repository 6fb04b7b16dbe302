// Owns what goes into a unit: the program that runs now, the folders it needs, the account. The same facts write the unit
// and tell later whether the one that lies there is still the one that would be written.
import { realpathSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import type { Paths } from '../../config/paths.ts';
import { defaultFolder } from '../backup/places.ts';
import { launchdPlist } from './launchd-plist.ts';
import type { Manager } from './places.ts';
import { systemdUnit, type UnitFacts } from './systemd-unit.ts';

/** How this program was started, so that the same one can be started again: interpreter, its flags, the file. */
export function ownProgram(): readonly [string, ...string[]] {
  return [process.execPath, ...process.execArgv.filter((flag) => !flag.startsWith('--inspect')), ownFile()];
}

const ownFile = (): string => {
  const file = process.argv[1] ?? '';
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
};

export type FactsOptions = {
  readonly user: string | null;
  readonly workspace: string | undefined;
  /** where backups go when not to their usual place */
  readonly backups?: string | undefined;
};

export function unitFacts(
  paths: Pick<Paths, 'stateDir' | 'configPath'>,
  program: readonly [string, ...string[]],
  { user, workspace, backups }: FactsOptions,
): UnitFacts {
  const file = program.at(-1) ?? '/';
  const isOutside = (path: string): boolean => relative(paths.stateDir, path).startsWith('..');
  const configDir = dirname(paths.configPath);
  return {
    command: [...program, 'gateway', 'run'],
    // bin/openclaw.cjs, dist/openclaw.mjs, src/cli/main.ts: the folder of the whole package.
    programDir: file.endsWith('/src/cli/main.ts') ? dirname(dirname(dirname(file))) : dirname(dirname(file)),
    stateDir: paths.stateDir,
    writable: [...(workspace ? [workspace] : []), configDir].filter(isOutside),
    maybeWritable: [backups ?? defaultFolder(paths)],
    user,
    environment: {
      OPENCLAW_STATE_DIR: paths.stateDir,
      ...(isOutside(paths.configPath) ? { OPENCLAW_CONFIG_PATH: paths.configPath } : {}),
      MALLOC_ARENA_MAX: '1',
    },
  };
}

export const unitText = (manager: Manager, facts: UnitFacts): string =>
  manager === 'launchd' ? launchdPlist(facts) : systemdUnit(facts);
