// Owns the checks of files and folders: who may read them, whether they can be written, whether there is room. It looks at
// modes and never at content.
import { accessSync, constants, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { HardshellError, reasonOf } from '../../platform/errors.ts';
import { ensureFolder, look, makePrivate, tryNames } from '../../platform/files.ts';
import { envFileOf } from '../../secrets/env-file.ts';
import { quoted } from '../../secrets/files.ts';
import { refuseForeignState, refuseWideWorkspace } from '../../store/folders.ts';
import { type Answer, type Check, error, type Facts, info, type Mend, ok, warning } from './check.ts';

const OF_OTHERS = 0o077;
const LITTLE_BYTES = 1024 ** 3;
const TOO_LITTLE_BYTES = 64 * 1024 ** 2;

export const FOLDER_CHECKS: readonly Check[] = [
  { id: 'modes', title: 'file modes', ask: askModes },
  { id: 'log', title: 'log', ask: ({ paths }) => askWritable(paths.logsDir, join(paths.logsDir, 'openclaw.log')) },
  { id: 'disk', title: 'disk space', ask: ({ paths }) => askDisk(paths.stateDir) },
  { id: 'workspace', title: 'workspace', ask: askWorkspace },
];

/** What only its owner may read: everything of ours but the workspace, which is the assistant's. */
function askModes({ paths }: Facts): Answer {
  try {
    refuseForeignState(paths.stateDir);
  } catch (cause) {
    return error(reasonOf(cause), (cause instanceof HardshellError && cause.fix) || 'set OPENCLAW_STATE_DIR');
  }
  if (look(paths.stateDir) === null) return info(`there is no ${paths.stateDir} yet; the first start makes it`);
  const folders = [paths.stateDir, paths.credentialsDir, paths.logsDir, paths.snapshotsDir];
  const files = [
    ...[paths.configPath, envFileOf(paths.stateDir), paths.lockPath],
    ...['', '-wal', '-shm'].map((suffix) => paths.databasePath + suffix),
    ...[paths.credentialsDir, paths.logsDir, paths.snapshotsDir].flatMap((folder) =>
      tryNames(folder).map((name) => join(folder, name)),
    ),
  ];
  const foreign: string[] = [];
  const mends: Mend[] = [];
  const visit = (path: string, isFolder: boolean): void => {
    const stat = look(path);
    // Only what we made: a link could lead to a file of somebody else, whose mode is not ours to change.
    if (stat === null || (isFolder ? !stat.isDirectory() : !stat.isFile())) return;
    if ((stat.mode & OF_OTHERS) === 0) return;
    if (stat.uid !== process.geteuid?.()) foreign.push(path);
    else if (isFolder) mends.push({ does: `chmod 700 ${quoted(path)}`, run: () => ensureFolder(path) });
    else mends.push({ does: `chmod 600 ${quoted(path)}`, run: () => makePrivate(path) });
  };
  for (const folder of folders) visit(folder, true);
  for (const file of files) visit(file, false);
  const [other] = foreign;
  if (other)
    return error(`${other} is open to others and belongs to another user`, `chmod go= ${quoted(other)} as that user`);
  const [first] = mends;
  if (!first) return ok('only you can read what is yours');
  const path = first.does.replace(/^chmod \d+ /, '');
  const rest = mends.length > 1 ? ` (and ${mends.length - 1} more)` : '';
  return error(`others on this machine can reach ${path}${rest}`, `openclaw doctor --fix, or: ${first.does}`, mends);
}

function askWritable(folder: string, file: string): Answer {
  const path = look(file) === null ? folder : file;
  if (look(path) === null) return info('there is none yet');
  try {
    accessSync(path, constants.W_OK);
    return ok(file);
  } catch (cause) {
    return error(`${path} cannot be written: ${reasonOf(cause)}`, `chown -R "$(id -un)" ${quoted(folder)}`);
  }
}

function askDisk(stateDir: string): Answer {
  const path = look(stateDir) === null ? '/' : stateDir;
  const { bavail, bsize } = statfsSync(path);
  const bytes = bavail * bsize;
  const said = `${(bytes / 1024 ** 3).toFixed(1)} GB are free`;
  if (bytes < TOO_LITTLE_BYTES)
    return error(`${said} where ${path} lies: nothing more can be stored`, 'df -h, and make room');
  if (bytes < LITTLE_BYTES) return warning(`only ${said} where ${path} lies`, 'df -h, and make room');
  return ok(said);
}

function askWorkspace({ paths, config }: Facts): Answer {
  const folder = config?.agents.defaults.workspace ?? paths.workspaceDir;
  try {
    refuseWideWorkspace(folder, paths);
  } catch (cause) {
    return error(reasonOf(cause), (cause instanceof HardshellError && cause.fix) || 'set agents.defaults.workspace');
  }
  const stat = look(folder);
  if (stat === null) return info(`there is no ${folder} yet; the first start makes it`);
  if (!stat.isDirectory())
    return error(`${folder} is not a folder`, 'set agents.defaults.workspace to a folder of its own');
  return ok(folder);
}
