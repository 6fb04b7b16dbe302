// Owns a look at who was let in, beside a gateway that may be running on the same database: read only, no lock, no
// migration. It must never write.
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { type Grant, readGrant } from './pairing.ts';

/** Null: there is a database, and it could not be read. */
export function readGrants(databasePath: string): readonly Grant[] | null {
  if (!existsSync(databasePath)) return [];
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(databasePath, { readOnly: true, timeout: 1_000 });
    return db.prepare('SELECT * FROM access_grants').all().map(readGrant);
  } catch {
    return null;
  } finally {
    db?.close();
  }
}
