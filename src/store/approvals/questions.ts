// Owns the table of questions to the owner: what was asked, once, and the one answer that it got. It never knows what is
// asked; each change of state names the state it comes from, so that an answer counts once.
import type { Store } from '../open.ts';

export type ApprovalRow = {
  readonly id: string;
  readonly code: string;
  readonly runId: string;
  readonly callId: string;
  readonly sessionKey: string;
  readonly state: string;
  /** JSON; as it was asked */
  readonly body: string;
  /** JSON; what the call was then */
  readonly binding: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** JSON; '' while it waits */
  readonly answer: string;
};

export type ApprovalTable = ReturnType<typeof openApprovalTable>;

export function openApprovalTable(store: Store) {
  const columns = 'id, code, run_id, call_id, session_key, state, body, binding, created_at, expires_at, answer';
  const insert = store.prepare(`INSERT INTO approvals (${columns}) VALUES (?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, '')`);
  const get = store.prepare(`SELECT ${columns} FROM approvals WHERE id = ?`);
  const ofCall = store.prepare(`SELECT ${columns} FROM approvals WHERE run_id = ? AND call_id = ?`);
  const ofCode = store.prepare(
    `SELECT ${columns} FROM approvals WHERE code = ? ORDER BY state = 'pending' DESC, created_at DESC LIMIT 1`,
  );
  const pending = store.prepare(
    `SELECT ${columns} FROM approvals WHERE state = 'pending' ORDER BY created_at, id LIMIT ?`,
  );
  const recent = store.prepare(
    `SELECT ${columns} FROM approvals WHERE state NOT IN ('pending', 'allowed') ORDER BY created_at DESC LIMIT ?`,
  );
  const open = store.prepare(`SELECT ${columns} FROM approvals WHERE state IN ('pending', 'allowed')`);
  const cards = store.prepare('SELECT count(DISTINCT code) AS n FROM approvals WHERE run_id = ?');
  const ofCard = store.prepare(`SELECT ${columns} FROM approvals WHERE run_id = ? AND code = ?`);
  const openOf = store.prepare(`SELECT ${columns} FROM approvals WHERE run_id = ? AND state IN ('pending', 'allowed')`);
  const waiting = store.prepare(
    `SELECT count(*) AS total, coalesce(sum(session_key = ?), 0) AS mine FROM approvals WHERE state = 'pending'`,
  );
  const lately = store.prepare('SELECT count(*) AS n FROM approvals WHERE session_key = ? AND created_at > ?');
  const codes = store.prepare(`SELECT code FROM approvals WHERE created_at > ? OR state = 'pending'`);
  const move = store.prepare('UPDATE approvals SET state = ?, answer = ? WHERE id = ? AND state = ?');
  const use = store.prepare(`UPDATE approvals SET state = 'used' WHERE id = ? AND state = 'allowed'`);
  const innocent = store.prepare(
    `UPDATE inbox SET attempts = 0 WHERE state = 'queued' AND run_id = ? AND attempts > 0`,
  );
  const orphans = store.prepare(`SELECT ${columns} FROM approvals WHERE state IN ('pending', 'allowed')
    AND (expires_at <= ? OR run_id NOT IN (SELECT run_id FROM inbox WHERE state = 'queued'))`);
  const prune = store.prepare(`DELETE FROM approvals WHERE id IN
    (SELECT id FROM approvals WHERE state NOT IN ('pending', 'allowed') AND created_at < ? LIMIT 5000)`);
  return {
    /** Inside the transaction that makes the call itself durable. */
    insert: (row: Omit<ApprovalRow, 'state' | 'answer'>): void =>
      void insert.run(row.id, row.code, row.runId, row.callId, row.sessionKey, row.body, row.binding, row.createdAtMs, row.expiresAtMs), // biome-ignore format: one row
    get: (id: string): ApprovalRow | null => one(get.get(id)),
    ofCall: (runId: string, callId: string): ApprovalRow | null => one(ofCall.get(runId, callId)),
    /** The one that waits by this code, or the last one that did. */
    ofCode: (code: string): ApprovalRow | null => one(ofCode.get(code)),
    /** Oldest first. */
    pending: (limit: number): ApprovalRow[] => pending.all(limit).map(read),
    /** Newest first. */
    recent: (limit: number): ApprovalRow[] => recent.all(limit).map(read),
    open: (): ApprovalRow[] => open.all().map(read),
    /** Past their time, or of a turn that nobody will take up again. */
    orphans: (atMs: number): ApprovalRow[] => orphans.all(atMs).map(read),
    cardsOf: (runId: string): number => Number(cards.get(runId)?.['n']),
    ofCard: (runId: string, code: string): ApprovalRow[] => ofCard.all(runId, code).map(read),
    openOf: (runId: string): ApprovalRow[] => openOf.all(runId).map(read),
    waiting(sessionKey: string): { readonly total: number; readonly mine: number } {
      const row = waiting.get(sessionKey);
      return { total: Number(row?.['total']), mine: Number(row?.['mine']) };
    },
    askedSince: (sessionKey: string, atMs: number): number => Number(lately.get(sessionKey, atMs)?.['n']),
    codesSince: (atMs: number): Set<string> => new Set(codes.all(atMs).map((row) => String(row['code']))),
    /** False when it was in another state by then. */
    answer: (id: string, from: 'pending' | 'allowed', to: 'allowed' | 'denied' | 'expired', answer: string): boolean =>
      move.run(to, answer, id, from).changes === 1,
    /** False unless it was allowed and has not been used. */
    use: (id: string): boolean => use.run(id).changes === 1,
    /** A turn that sleeps is not one that kills the gateway. */
    innocent: (runId: string): void => void innocent.run(runId),
    pruneBefore: (atMs: number): number => Number(prune.run(atMs).changes),
  };
}

const one = (row: Record<string, unknown> | undefined): ApprovalRow | null => (row ? read(row) : null);

function read(row: Record<string, unknown>): ApprovalRow {
  return {
    id: String(row['id']),
    code: String(row['code']),
    runId: String(row['run_id']),
    callId: String(row['call_id']),
    sessionKey: String(row['session_key']),
    state: String(row['state']),
    body: String(row['body']),
    binding: String(row['binding']),
    createdAtMs: Number(row['created_at']),
    expiresAtMs: Number(row['expires_at']),
    answer: String(row['answer']),
  };
}
