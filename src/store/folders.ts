// Owns which folder may hold the state and which the assistant's files. Both are made private, and as root the workspace
// is handed to nobody, so it must never take a folder that holds anything else: /tmp, a home or a checkout would be lost.
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import type { Paths } from '../config/paths.ts';
import { misconfigured } from '../platform/errors.ts';
import { ensureFolder, replaceFile } from '../platform/files.ts';
import { isSystemFolder } from '../platform/system-folders.ts';
import { finishSwap } from '../platform/tree/staging.ts';

/** Any of these says that a folder is a state folder, ours or that of an older name of ours. */
const SIGNS = ['openclaw.json', 'state.sqlite', 'credentials', 'workspace', 'agents', 'logs', 'gateway.lock'];
const OLD_SIGNS = ['clawdbot.json', 'moltbot.json'];
/** What `openclaw reset all` leaves. */
const PUT_ASIDE = /^reset-\d{8}T\d{9}Z$/;
/** A folder of this name is nobody else's, whatever was left in it. */
const OUR_NAMES = ['.openclaw', '.clawdbot', '.moltbot'];
const STICKY_BIT = 0o1000;

/** The state folder (0700) with a `.gitignore` that keeps all of it out of any repository (S070). */
export function prepareState(paths: Paths): void {
  finishSwap(paths.stateDir);
  refuseForeignState(paths.stateDir);
  ensureFolder(paths.stateDir);
  const ignore = join(paths.stateDir, '.gitignore');
  if (!existsSync(ignore)) replaceFile(ignore, '*\n');
}

/** Throws when it holds what is not ours; for whoever is about to change modes or move files in it. */
export function refuseForeignState(dir: string): void {
  const why = whyForeign(dir);
  if (why === null) return;
  throw misconfigured(
    'STATE_FOLDER_FOREIGN',
    `the state folder would be ${dir}, ${why}; nothing in it was changed`,
    'set OPENCLAW_STATE_DIR to a folder of its own, new or empty, or unset it for ~/.openclaw',
  );
}

function whyForeign(dir: string): string | null {
  const real = realOf(dir);
  if (isSystemFolder(real) || real === realOf(homedir())) return 'which other programs use';
  if (!existsSync(real) || !statSync(real).isDirectory()) return null;
  if ((statSync(real).mode & STICKY_BIT) !== 0) return 'which other programs use';
  if (OUR_NAMES.includes(basename(real))) return null;
  const names = namesIn(real);
  const isSign = (name: string): boolean => PUT_ASIDE.test(name) || [...SIGNS, ...OLD_SIGNS].includes(name);
  if (names.length === 0 || names.some(isSign)) return null;
  return `which holds something else (${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''})`;
}

/** What is in a folder, without what says nothing: hidden files, and what mkfs puts on a new disk. */
function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir).filter((name) => !name.startsWith('.') && name !== 'lost+found');
  } catch {
    // Unreadable: opening it fails next, and says so better than a guess here.
    return [];
  }
}

/** The workspace is the assistant's to write in, so nothing of ours and nothing of the system may lie in it. */
export function refuseWideWorkspace(dir: string, paths: Paths): void {
  const real = realOf(dir);
  const holds = (inner: string): boolean => isWithin(inner, resolve(dir)) || isWithin(realOf(inner), real);
  if (!isSystemFolder(real) && ![homedir(), paths.stateDir, paths.credentialsDir, paths.configPath].some(holds)) return;
  throw misconfigured(
    'WORKSPACE_TOO_WIDE',
    `the workspace ${dir} holds more than the assistant's files: it must not be a folder of the system, nor contain a home or the state folder`,
    `set agents.defaults.workspace to a folder of its own, or remove it for ${paths.workspaceDir}`,
  );
}

const isWithin = (inner: string, outer: string): boolean => {
  const way = relative(outer, inner);
  return way === '' || !(way === '..' || way.startsWith('../'));
};

/** Where the path leads, as far as it exists. */
function realOf(path: string): string {
  const whole = resolve(path);
  for (let known = whole; ; known = resolve(known, '..')) {
    try {
      return join(realpathSync(known), relative(known, whole));
    } catch {
      if (known === '/') return whole;
    }
  }
}
