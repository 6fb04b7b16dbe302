// Owns taking whole tables of another database of this program over into this one, such as for a rehearsal on a copy. The
// other one is only read, beside whoever is using it; it must never be written, locked or migrated.
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { reasonOf } from '../platform/errors.ts';
import type { Store } from './open.ts';
import { MIGRATIONS } from './schema.ts';

/** Why they could not be had, or null; a database that is not there has nothing in it. */
export function copyTables(store: Store, from: string, tables: readonly string[]): string | null {
  if (!existsSync(from)) return null;
  let other: DatabaseSync | undefined;
  try {
    other = new DatabaseSync(from, { readOnly: true, timeout: 1_000 });
    if (Number(other.prepare('PRAGMA user_version').get()?.['user_version']) !== MIGRATIONS.length)
      return 'its database is of another version; start the gateway once';
    const found = tables.map((table) => ({ table, rows: other?.prepare(`SELECT * FROM ${table}`).all() ?? [] }));
    store.commit(() => {
      for (const { table, rows } of found)
        for (const row of rows) {
          const names = Object.keys(row);
          store
            .prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`)
            .run(...Object.values(row));
        }
    });
    return null;
  } catch (error) {
    return reasonOf(error);
  } finally {
    other?.close();
  }
}
