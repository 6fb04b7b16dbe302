// Owns a look at who was let in, beside a gateway that may be running on the same database: read only, no lock, no
// migration. It must never write.
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { isThere } from '../../platform/files.ts';
import { readOnlyLocation } from '../read-only.ts';
import { type Grant, readGrant } from './pairing.ts';

/** Null: there is a database, and it could not be read. */
export const readGrants = (databasePath: string): readonly Grant[] | null =>
  readRows(databasePath, 'SELECT * FROM access_grants')?.map(readGrant) ?? null;

/** Invitations that are good and that nobody has used, by their titles. */
export const readOpenInvites = (databasePath: string, nowMs: number): readonly string[] | null =>
  readRows(databasePath, 'SELECT title FROM invites WHERE used_at IS NULL AND expires_at > ?', nowMs)?.map(
    ({ title }) => String(title),
  ) ?? null;

function readRows(
  databasePath: string,
  sql: string,
  ...given: number[]
): readonly Record<string, SQLOutputValue>[] | null {
  let db: DatabaseSync | undefined;
  try {
    if (!isThere(databasePath)) return [];
    db = new DatabaseSync(readOnlyLocation(databasePath), { readOnly: true, timeout: 1_000 });
    return db.prepare(sql).all(...given);
  } catch {
    return null;
  } finally {
    db?.close();
  }
}
