// Owns the last versions of the configuration, one private file each, in config-history/ of the state folder. A version is
// written whole or not at all, and never changed.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, misused } from '../../platform/errors.ts';
import { ensureFolder, removeFile, replaceFile, tryReadText } from '../../platform/files.ts';
import { sha256 } from '../../platform/ids.ts';

export type Version = {
  /** counts up, never used twice */
  readonly id: number;
  readonly atMs: number;
  readonly hash: string;
  /** who made it: cli, page, onboard, hand, … */
  readonly by: string;
  readonly why: string;
};
type Stored = Version & { readonly text: string };

const KEPT = 20;
const MAX_VERSION_BYTES = 8 * 1024 * 1024;
const FILE = /^(\d{6,12})\.json$/;

const folderOf = (stateDir: string): string => join(stateDir, 'config-history');

/** Newest first. A version that cannot be read is left out. */
export function listVersions(stateDir: string): Version[] {
  return idsIn(stateDir)
    .map((id) => read(stateDir, id))
    .filter((stored) => stored !== null)
    .map(({ text: _, ...version }) => version);
}

export function versionText(stateDir: string, id: number): string {
  const stored = read(stateDir, id);
  if (stored) return stored.text;
  throw misused('CONFIG_VERSION_UNKNOWN', `there is no version ${id} of the configuration`, 'openclaw config history');
}

/** Keeps a text as the newest version, unless it already is. */
export function keepVersion(stateDir: string, text: string, version: Pick<Version, 'atMs' | 'by' | 'why'>): void {
  const ids = idsIn(stateDir);
  const hash = sha256(text);
  const newest = ids[0] === undefined ? null : read(stateDir, ids[0]);
  if (newest?.hash === hash) return;
  ensureFolder(folderOf(stateDir));
  const id = (ids[0] ?? 0) + 1;
  const stored: Stored = { id, ...version, hash, text };
  replaceFile(pathOf(stateDir, id), JSON.stringify(stored));
  for (const old of ids.slice(KEPT - 1)) removeFile(pathOf(stateDir, old));
}

/** Removes the versions whose text is not to be kept, such as one with a secret in the open. Returns how many. */
export function forgetVersions(stateDir: string, isUnwanted: (text: string) => boolean): number {
  const unwanted = idsIn(stateDir).filter((id) => isUnwanted(read(stateDir, id)?.text ?? ''));
  for (const id of unwanted) removeFile(pathOf(stateDir, id));
  return unwanted.length;
}

const pathOf = (stateDir: string, id: number): string =>
  join(folderOf(stateDir), `${String(id).padStart(6, '0')}.json`);

function idsIn(stateDir: string): number[] {
  try {
    return readdirSync(folderOf(stateDir))
      .map((name) => Number(FILE.exec(name)?.[1] ?? 0))
      .filter((id) => id > 0)
      .sort((a, b) => b - a);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function read(stateDir: string, id: number): Stored | null {
  const text = tryReadText(pathOf(stateDir, id), MAX_VERSION_BYTES);
  if (text === null) return null;
  try {
    const stored = JSON.parse(text) as Partial<Stored>;
    const { atMs = 0, by = '', why = '' } = stored;
    return typeof stored.text === 'string' && stored.hash === sha256(stored.text)
      ? { id, atMs, by, why, hash: stored.hash, text: stored.text }
      : null;
  } catch {
    return null;
  }
}
