// Owns the inbox table: every accepted message, once, with exactly one final state. A row is written before the channel
// acknowledges, and leaves `queued` only in the transaction that stores its outcome.

import { fromColumns, type Label, type LabelColumns, toColumns } from './label.ts';
import type { Store } from './open.ts';

export type InboxState = 'queued' | 'answered' | 'declined' | 'failed';

export type NewInboxRow = {
  readonly channel: string;
  readonly account: string;
  readonly messageId: string;
  readonly chat: string;
  readonly chatType: string;
  readonly sender: string;
  readonly sessionKey: string;
  readonly runId: string;
  readonly queueMode: string;
  readonly timeoutMs: number;
  readonly body: string;
  readonly receivedAtMs: number;
  readonly label: Label;
};
export type InboxRow = NewInboxRow & {
  readonly id: number;
  readonly state: InboxState;
  readonly attempts: number;
};
export type Balance = { received: number; answered: number; declined: number; queued: number; failed: number };

export type Inbox = ReturnType<typeof openInbox>;

export function openInbox(store: Store) {
  const columns = `id, channel, account, message_id, chat, chat_type, sender, session_key, run_id, queue_mode, timeout_ms, body,
    state, attempts, received_at, integrity, readers, sources`;
  const find = store.prepare(`SELECT ${columns} FROM inbox WHERE channel = ? AND account = ? AND message_id = ?`);
  const insert =
    store.prepare(`INSERT INTO inbox (channel, account, message_id, chat, chat_type, sender, session_key, run_id,
    queue_mode, timeout_ms, body, state, reason, attempts, received_at, finished_at, integrity, readers, sources)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?)`);
  const finish = store.prepare(
    `UPDATE inbox SET state = ?, reason = ?, finished_at = ?, body = '' WHERE id = ? AND state = 'queued'`,
  );
  const open = store.prepare(`SELECT ${columns} FROM inbox WHERE state = 'queued' ORDER BY id`);
  const count = store.prepare('SELECT state, count(*) AS n FROM inbox GROUP BY state');
  const attempt = store.prepare('UPDATE inbox SET attempts = attempts + 1 WHERE id = ?');
  const prune = store.prepare(
    `DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE state <> 'queued' AND finished_at < ? LIMIT 5000)`,
  );

  return {
    /** The row with this message id, whatever its state: the key of deduplication. */
    find(channel: string, account: string, messageId: string): InboxRow | null {
      const row = find.get(channel, account, messageId);
      return row ? read(row) : null;
    },
    /** Inside a transaction. Throws when the message is there already. */
    insert(row: NewInboxRow, state: 'queued' | 'declined', reason = ''): number {
      const l = toColumns(row.label);
      const done = state === 'declined' ? row.receivedAtMs : null;
      const result = insert.run(row.channel, row.account, row.messageId, row.chat, row.chatType, row.sender, row.sessionKey, row.runId,
        row.queueMode, row.timeoutMs, row.body, state, reason, row.receivedAtMs, done, l.integrity, l.readers, l.sources); // biome-ignore format: one row a line
      return Number(result.lastInsertRowid);
    },
    /** Inside the transaction that stores the outcome. False when the row was final already: then nothing may be sent. */
    finish: (id: number, state: 'answered' | 'failed' | 'declined', reason: string, atMs: number): boolean =>
      finish.run(state, reason, atMs, id).changes === 1,
    queued: (): InboxRow[] => open.all().map(read),
    countAttempt: (id: number): void => void attempt.run(id),
    /** received = answered + declined + queued + failed, counted in the table itself. */
    balance(): Balance {
      const total: Balance = { received: 0, answered: 0, declined: 0, queued: 0, failed: 0 };
      for (const row of count.all()) {
        total[row['state'] as InboxState] = Number(row['n']);
        total.received += Number(row['n']);
      }
      return total;
    },
    pruneBefore: (atMs: number): number => Number(prune.run(atMs).changes),
  };
}

function read(row: Record<string, unknown>): InboxRow {
  return {
    id: Number(row['id']),
    channel: String(row['channel']),
    account: String(row['account']),
    messageId: String(row['message_id']),
    chat: String(row['chat']),
    chatType: String(row['chat_type']),
    sender: String(row['sender']),
    sessionKey: String(row['session_key']),
    runId: String(row['run_id']),
    queueMode: String(row['queue_mode']),
    timeoutMs: Number(row['timeout_ms']),
    body: String(row['body']),
    state: row['state'] as InboxState,
    attempts: Number(row['attempts']),
    receivedAtMs: Number(row['received_at']),
    label: fromColumns(row as LabelColumns),
  };
}
