// Owns the table of what the owner allowed once and for all: one pattern of one kind, for one agent, until a day. A grant
// is never changed and never deleted before its time, only revoked; what it covers is compared elsewhere.
import type { Store } from '../open.ts';

export type GrantRow = {
  readonly id: string;
  readonly agentId: string;
  readonly kind: string;
  readonly pattern: string;
  readonly shown: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly createdBy: string;
  readonly uses: number;
  readonly lastUsedAtMs: number | null;
};

export type GrantTable = ReturnType<typeof openGrantTable>;

export function openGrantTable(store: Store) {
  const columns = 'id, agent, kind, pattern, shown, created_at, expires_at, created_by, uses, last_used_at';
  const insert = store.prepare(`INSERT INTO grants (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, NULL)`);
  const live = store.prepare(
    `SELECT ${columns} FROM grants WHERE revoked_at IS NULL AND expires_at > ? ORDER BY created_at, id LIMIT 1000`,
  );
  const ofAgent = store.prepare(
    `SELECT ${columns} FROM grants WHERE revoked_at IS NULL AND expires_at > ? AND agent = ? AND kind = ?`,
  );
  const use = store.prepare('UPDATE grants SET uses = uses + 1, last_used_at = ? WHERE id = ?');
  const revoke = store.prepare(
    'UPDATE grants SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL AND expires_at > ?',
  );
  const endTask = store.prepare('UPDATE grants SET revoked_at = ? WHERE kind = ? AND revoked_at IS NULL');
  const endTasks = store.prepare(
    `UPDATE grants SET revoked_at = ? WHERE kind LIKE 'task:%' AND revoked_at IS NULL
      AND substr(kind, 6) NOT IN (SELECT run_id FROM inbox WHERE state = 'queued')`,
  );
  return {
    insert: (row: Omit<GrantRow, 'uses' | 'lastUsedAtMs'>): void =>
      void insert.run(row.id, row.agentId, row.kind, row.pattern, row.shown, row.createdAtMs, row.expiresAtMs, row.createdBy), // biome-ignore format: one row
    live: (atMs: number): GrantRow[] => live.all(atMs).map(read),
    of: (agentId: string, kind: string, atMs: number): GrantRow[] => ofAgent.all(atMs, agentId, kind).map(read),
    endTask: (kind: string, atMs: number): void => void endTask.run(atMs, kind),
    /** Of runs that nobody will take up again. */
    endTasks: (atMs: number): void => void endTasks.run(atMs),
    use: (id: string, atMs: number): void => void use.run(atMs, id),
    /** False when there is none that holds. */
    revoke: (id: string, atMs: number): boolean => revoke.run(atMs, id, atMs).changes === 1,
  };
}

function read(row: Record<string, unknown>): GrantRow {
  return {
    id: String(row['id']),
    agentId: String(row['agent']),
    kind: String(row['kind']),
    pattern: String(row['pattern']),
    shown: String(row['shown']),
    createdAtMs: Number(row['created_at']),
    expiresAtMs: Number(row['expires_at']),
    createdBy: String(row['created_by']),
    uses: Number(row['uses']),
    lastUsedAtMs: row['last_used_at'] === null ? null : Number(row['last_used_at']),
  };
}
