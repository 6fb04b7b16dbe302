// Owns a look at the database that changes nothing: for a check that may run beside a gateway, or on a disk that nobody
// may write to. It must never repair, migrate or leave a file behind.
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { reasonOf } from '../../platform/errors.ts';
import { refuseOdd } from '../plain.ts';

export type Soundness = { readonly sound: boolean; readonly detail: string; readonly bytes: number };

/** Larger ones take longer than somebody waits; a start after a crash checks them in whole. */
const MAX_BYTES = 96_000_000;
/** This and more means that the last writer did not close it, and that a part of the data is still in there. */
const WAL_HEADER_BYTES = 32;

/** null when there is none. */
export function quickCheck(path: string): Soundness | null {
  const bytes = statSync(path, { throwIfNoEntry: false })?.size;
  if (bytes === undefined) return null;
  const hasWal = (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > WAL_HEADER_BYTES;
  const url = pathToFileURL(path);
  // Nobody writes a file without a log of writes; said so, the library makes no files of its own beside it.
  if (!hasWal) url.searchParams.set('immutable', '1');
  let db: DatabaseSync | undefined;
  try {
    refuseOdd(path);
    db = new DatabaseSync(url, { readOnly: true, timeout: 500 });
    if (bytes > MAX_BYTES) {
      db.prepare('SELECT count(*) FROM sqlite_schema').get();
      return { sound: true, detail: 'it opens; too large to be read in whole here', bytes };
    }
    const found = String(db.prepare('PRAGMA quick_check(1)').get()?.['quick_check']);
    return { sound: found === 'ok', detail: found === 'ok' ? 'every page was read' : found, bytes };
  } catch (error) {
    return { sound: false, detail: reasonOf(error), bytes };
  } finally {
    db?.close();
  }
}
