// Owns a copy of a database that others may be writing: one moment of it, whole, in a file of its own without a log of
// writes. It opens the original to read, and must never hold up who writes it.
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { HardshellError, reasonOf } from '../../platform/errors.ts';
import { makePrivate, removeFile } from '../../platform/files.ts';
import { refuseOdd } from '../plain.ts';
import { MIGRATIONS } from '../schema.ts';

/** What this program can read. */
export const SCHEMA = MIGRATIONS.length;

export type Copied = { readonly schema: number; readonly sessions: number; readonly records: number };

/** To a path where nothing is yet. This takes its time: for a program that has nothing else to do. */
export function copyDatabase(from: string, to: string): Copied {
  let db: DatabaseSync | undefined;
  try {
    refuseOdd(from);
    db = new DatabaseSync(from, { readOnly: true, timeout: 10_000 });
    db.exec('PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2000');
    db.prepare('VACUUM INTO ?').run(to);
    makePrivate(to);
  } catch (error) {
    removeFile(to);
    const primary = Number((error as { errcode?: unknown }).errcode ?? 0) & 0xff;
    // FULL, IOERR, CANTOPEN
    const isDisk = [13, 10, 14].includes(primary);
    throw new HardshellError({
      code: isDisk ? 'DISK_FULL' : 'DATABASE_DENIED',
      message: `cannot copy ${from}: ${reasonOf(error)}`,
      fix: isDisk ? 'free some space (df -h shows which disk is full)' : 'openclaw doctor says what is wrong with it',
      ...(isDisk ? { httpStatus: 507 } : {}),
      cause: error,
    });
  } finally {
    db?.close();
  }
  return lookAt(to);
}

/** Of a database that nobody writes; throws when it is none, or not sound. */
export function lookAt(path: string): Copied {
  refuseOdd(path);
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  if (statSync(path).size === 0) throw new Error('it is empty');
  const db = new DatabaseSync(url, { readOnly: true });
  try {
    const found = String(db.prepare('PRAGMA quick_check(1)').get()?.['quick_check']);
    if (found !== 'ok') throw new Error(found);
    const count = (table: string): number => Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'] ?? 0);
    const schema = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
    return { schema, sessions: count('sessions'), records: count('journal') };
  } finally {
    db.close();
  }
}
