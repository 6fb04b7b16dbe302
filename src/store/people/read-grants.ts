// Owns a look at who was let in, beside a gateway that may be running on the same database: read only, no lock, no
// migration. It must never write.
import { existsSync } from 'node:fs';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
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
  if (!existsSync(databasePath)) return [];
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(readOnlyLocation(databasePath), { readOnly: true, timeout: 1_000 });
    return db.prepare(sql).all(...given);
  } catch {
    return null;
  } finally {
    db?.close();
  }
}
