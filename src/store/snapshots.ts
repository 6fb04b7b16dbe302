// Owns the copies of the database that a start falls back to. A broken file is kept, never deleted.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { backup } from 'node:sqlite';
import { EXIT, HardshellError } from '../platform/errors.ts';
import { copyFileDurable, ensureFolder, moveFile, removeFile } from '../platform/files.ts';
import { openStore, type Store } from './open.ts';

const KEEP = 3;
const NAME = /^state-\d{8}T\d{6}\d{3}Z\.sqlite$/;

/** What a start had to do to get a sound database. */
export type Opened = {
  readonly store: Store;
  readonly restoredFrom: string | null;
  readonly brokenKept: string | null;
};

/** Opens the database; a damaged one is moved aside and the newest sound snapshot takes its place. */
export function openOrRestore(path: string, snapshotsDir: string, now: Date): Opened {
  try {
    return { store: openStore(path), restoredFrom: null, brokenKept: null };
  } catch (error) {
    if (!(error instanceof HardshellError) || error.code !== 'DATABASE_CORRUPT') throw error;
    return restore(path, snapshotsDir, now, error);
  }
}

function restore(path: string, snapshotsDir: string, now: Date, error: HardshellError): Opened {
  const kept = `${path}.broken-${stamp(now)}`;
  const candidates = snapshotsIn(snapshotsDir).reverse();
  if (candidates.length === 0) {
    throw new HardshellError({
      code: 'DATABASE_CORRUPT',
      message: `${error.message}; there is no snapshot to restore`,
      fix: `to start empty and keep the damaged file: mv ${path} ${kept}`,
      exitCode: EXIT.failure,
    });
  }
  for (const suffix of ['', '-wal', '-shm']) if (existsSync(path + suffix)) moveFile(path + suffix, kept + suffix);
  for (const name of candidates) {
    const from = join(snapshotsDir, name);
    try {
      copyFileDurable(from, path);
      return { store: openStore(path), restoredFrom: from, brokenKept: kept };
    } catch {
      for (const suffix of ['', '-wal', '-shm']) removeFile(path + suffix);
    }
  }
  // None of them was sound: put the damaged one back, so that nothing has changed.
  for (const suffix of ['', '-wal', '-shm']) if (existsSync(kept + suffix)) moveFile(kept + suffix, path + suffix);
  throw error;
}

/** Copies the live database in small steps (the event loop stays free) and keeps the newest three. */
export async function takeSnapshot(store: Store, snapshotsDir: string, now: Date): Promise<string> {
  ensureFolder(snapshotsDir);
  const final = join(snapshotsDir, `state-${stamp(now)}.sqlite`);
  const partial = `${final}.partial`;
  await backup(store.db, partial, { rate: 200 });
  moveFile(partial, final);
  for (const old of snapshotsIn(snapshotsDir).slice(0, -KEEP)) removeFile(join(snapshotsDir, old));
  return final;
}

const snapshotsIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((n) => NAME.test(n))
        .sort()
    : [];

const stamp = (now: Date): string => now.toISOString().replace(/[-:.]/g, '');
