// Owns what a start does about a database that is damaged, cut or gone. Of the file and its snapshots the one that knows
// most is used; what was damaged is kept beside it, never deleted, and whatever was done is told.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { HardshellError } from '../../platform/errors.ts';
import { copyFileDurable, moveFile, removeFile } from '../../platform/files.ts';
import { openStore, type Store } from '../open.ts';
import { refuseOdd } from '../plain.ts';
import { snapshotsIn, stamp } from './snapshots.ts';
import { walDamage } from './wal.ts';

/** What a start had to do to get a sound database. */
export type Opened = {
  readonly store: Store;
  /** what was wrong and what was done about it, one sentence; null when all was well */
  readonly told: string | null;
  readonly restoredFrom: string | null;
  readonly brokenKept: string | null;
};

const PARTS = ['', '-wal', '-shm'];

export function openOrRestore(path: string, snapshotsDir: string, now: Date): Opened {
  const snapshots = snapshotsIn(snapshotsDir).reverse();
  const newest = snapshots[0];
  // Starting empty would push the last good copies out, one a stop, while nobody notices.
  if (newest !== undefined && isGone(path)) return restore({ path, snapshotsDir, snapshots, now }, 'gone or empty');
  const damage = walDamage(path);
  const kept = `${path}.broken-${stamp(now)}`;
  if (damage !== null) for (const part of present(path)) copyFileDurable(path + part, kept + part);
  try {
    const store = openStore(path);
    if (damage === null) return { store, told: null, restoredFrom: null, brokenKept: null };
    if (newest === undefined || progressOf(join(snapshotsDir, newest)) <= progressIn(store.db)) {
      const told = `the database was damaged (${damage}): what is sound is in use, and all of it is kept as ${kept}*`;
      return { store, told, restoredFrom: null, brokenKept: kept };
    }
    store.db.close();
    return restore({ path, snapshotsDir, snapshots, now }, `damaged (${damage})`);
  } catch (error) {
    if (!(error instanceof HardshellError) || error.code !== 'DATABASE_CORRUPT') throw error;
    const why = error.message.replace(`${path} is damaged: `, '');
    return restore({ path, snapshotsDir, snapshots, now }, `damaged (${why})`);
  }
}

type Place = {
  readonly path: string;
  readonly snapshotsDir: string;
  /** newest first */
  readonly snapshots: readonly string[];
  readonly now: Date;
};

/** `what` follows on "the database was". */
function restore({ path, snapshotsDir, snapshots, now }: Place, what: string): Opened {
  const kept = `${path}.broken-${stamp(now)}`;
  const parts = present(path);
  // Copies that are there already were made before the opening; what the opening left of the files adds nothing.
  const isCopied = existsSync(kept);
  const setAside = parts.filter((part) => !(part === '' && isGone(path)));
  if (snapshots.length > 0) {
    for (const part of parts) {
      if (isCopied || !setAside.includes(part)) removeFile(path + part);
      else moveFile(path + part, kept + part);
    }
  }
  for (const name of snapshots) {
    const from = join(snapshotsDir, name);
    try {
      copyFileDurable(from, path);
      const store = openStore(path);
      const brokenKept = setAside.length > 0 ? kept : null;
      const told = `the database was ${what}: restored ${from}${brokenKept ? `, kept the damaged one as ${kept}` : ''}`;
      return { store, told, restoredFrom: from, brokenKept };
    } catch (error) {
      for (const part of PARTS) removeFile(path + part);
      if (!(error instanceof HardshellError) || error.code !== 'DATABASE_CORRUPT') {
        putBack(path, kept);
        throw error;
      }
    }
  }
  // Nothing is sound: the damaged files stand where they stood, so that nothing has changed.
  putBack(path, kept);
  throw new HardshellError({
    code: 'DATABASE_CORRUPT',
    message: `${path} is ${what}, ${snapshots.length > 0 ? 'and no snapshot is sound' : 'and there is no snapshot to restore'}`,
    fix: `to start empty and keep the damaged files: mkdir ${kept} && mv ${present(path).map((part) => path + part).join(' ')} ${kept}/`, // biome-ignore format: one command
  });
}

function putBack(path: string, kept: string): void {
  for (const part of PARTS) if (existsSync(kept + part)) moveFile(kept + part, path + part);
}

const present = (path: string): string[] => PARTS.filter((part) => existsSync(path + part));

/** Nothing is in it: not there, or cut to no byte at all, with no log that could still hold everything. */
function isGone(path: string): boolean {
  const isEmpty = (file: string): boolean => !existsSync(file) || statSync(file).size === 0;
  return isEmpty(path) && isEmpty(`${path}-wal`);
}

/** A number that only grows with what the database has seen, to tell which of two copies knows more. */
function progressIn(db: DatabaseSync): number {
  const row = db.prepare(
    'SELECT coalesce((SELECT max(seq) FROM journal), 0) + coalesce((SELECT max(id) FROM inbox), 0) AS progress',
  );
  return Number(row.get()?.['progress'] ?? 0);
}

/** Of a snapshot, read as it lies there. One that cannot be read knows nothing. */
function progressOf(file: string): number {
  try {
    refuseOdd(file);
    const db = new DatabaseSync(new URL(`${pathToFileURL(file).href}?immutable=1`), { readOnly: true });
    try {
      return progressIn(db);
    } finally {
      db.close();
    }
  } catch {
    return -1;
  }
}
