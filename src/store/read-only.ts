// Owns a look at the database beside whoever may be writing it: read only, no lock, no migration. It must never write.
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { EXIT, HardshellError, reasonOf } from '../platform/errors.ts';
import type { Store } from './open.ts';
import { refuseOdd } from './plain.ts';

/** Nobody writes a file without a log of writes; said so, the library makes no files of its own beside it. */
export function readOnlyLocation(path: string): URL {
  refuseOdd(path);
  const url = pathToFileURL(path);
  if (!existsSync(`${path}-wal`)) url.searchParams.set('immutable', '1');
  return url;
}

export function readStore<T>(path: string, use: (rows: Pick<Store, 'prepare'>) => Promise<T>): Promise<T> {
  return opened(path).then(async (db) => {
    try {
      return await use({ prepare: (sql) => db.prepare(sql) });
    } finally {
      db.close();
    }
  });
}

async function opened(path: string): Promise<DatabaseSync> {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(readOnlyLocation(path), { readOnly: true, timeout: 2_000 });
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return db;
  } catch (error) {
    db?.close();
    throw new HardshellError({
      code: 'DATABASE_DENIED',
      message: `cannot read ${path}: ${reasonOf(error)}`,
      fix: `openclaw doctor says what is wrong with it; ls -ld ${path}* shows whose it is`,
      exitCode: EXIT.couldNotRun,
    });
  }
}
