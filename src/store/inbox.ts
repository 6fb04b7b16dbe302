// Owns the inbox table: every accepted message, once, with exactly one final state. A row is written before the channel
// acknowledges, and leaves `queued` only in the transaction that stores its outcome.
import { fromColumns, type Label, type LabelColumns, toColumns } from './label.ts';
import type { Store } from './open.ts';
import { dayOf } from './usage.ts';

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
  /** JSON: what a message of a platform has beyond these, and the rule that let it in or kept it out */
  readonly facts: string;
};
export type InboxRow = NewInboxRow & {
  readonly id: number;
  readonly state: InboxState;
  readonly reason: string;
  readonly attempts: number;
};
/** Of one channel; `reasons` says why how many were declined. */
export type ChannelBalance = Balance & { channel: string; reasons: Record<string, number> };
/** Which message is asked about; without any of these, the last one. */
export type InboxQuery = { messageId?: string; sender?: string; chat?: string; channel?: string };
export type Balance = { received: number; answered: number; declined: number; queued: number; failed: number };

export type Inbox = ReturnType<typeof openInbox>;

export function openInbox(store: Store) {
  const columns = `id, channel, account, message_id, chat, chat_type, sender, session_key, run_id, queue_mode, timeout_ms, body,
    state, reason, attempts, received_at, integrity, readers, sources, facts`;
  const find = store.prepare(`SELECT ${columns} FROM inbox WHERE channel = ? AND account = ? AND message_id = ?`);
  const findIn = store.prepare(
    `SELECT ${columns} FROM inbox WHERE channel = ? AND account = ? AND message_id = ? AND chat = ?`,
  );
  const last =
    store.prepare(`SELECT ${columns} FROM inbox WHERE (?1 = '' OR message_id = ?1) AND (?2 = '' OR sender = ?2)
    AND (?3 = '' OR chat = ?3) AND (?4 = '' OR channel = ?4) ORDER BY id DESC LIMIT 1`);
  const insert =
    store.prepare(`INSERT INTO inbox (channel, account, message_id, chat, chat_type, sender, session_key, run_id,
    queue_mode, timeout_ms, body, state, reason, attempts, received_at, finished_at, integrity, readers, sources, facts)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?)`);
  const finish = store.prepare(
    `UPDATE inbox SET state = ?, reason = ?, finished_at = ?, body = '', facts = json_remove(facts, '$.message') WHERE id = ? AND state = 'queued'`,
  );
  const asked = store.prepare(
    `SELECT message_id, coalesce(json_extract(facts, '$.message.thread'), '') AS thread FROM inbox WHERE state = 'queued' AND run_id = ?`,
  );
  const open = store.prepare(`SELECT ${columns} FROM inbox WHERE state = 'queued' ORDER BY id`);
  const count = store.prepare('SELECT state, count(*) AS n FROM inbox GROUP BY state');
  const byChannel =
    store.prepare(`SELECT channel, state, CASE WHEN state = 'declined' THEN reason ELSE '' END AS why, count(*) AS n
    FROM inbox WHERE received_at >= ? GROUP BY channel, state, why`);
  const passed = store.prepare(
    `INSERT INTO declined_counts VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n`,
  );
  const passedAll = store.prepare(
    'SELECT channel, reason, sum(n) AS n FROM declined_counts WHERE day >= ? GROUP BY channel, reason',
  );
  const senders =
    store.prepare(`SELECT channel, sender, max(received_at) AS at FROM (SELECT channel, sender, received_at FROM inbox
    WHERE channel <> 'webchat' ORDER BY id DESC LIMIT 1000) GROUP BY channel, sender ORDER BY at DESC`);
  const attempt = store.prepare('UPDATE inbox SET attempts = attempts + 1 WHERE id = ?');
  const prune = store.prepare(
    `DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE state <> 'queued' AND finished_at < ? LIMIT 5000)`,
  );

  return {
    /** What the platform calls the message that a run answers, while it does. */
    askedIn(runId: string): { messageId: string; thread: string } | null {
      const row = asked.get(runId);
      return row ? { messageId: String(row['message_id']), thread: String(row['thread']) } : null;
    },
    /** The row with this message id, whatever its state: the key of deduplication. */
    find(channel: string, account: string, messageId: string): InboxRow | null {
      const row = find.get(channel, account, messageId);
      return row ? read(row) : null;
    },
    /** Platforms count their messages in each chat anew. */
    findIn(channel: string, account: string, messageId: string, chat: string): InboxRow | null {
      const row = findIn.get(channel, account, messageId, chat);
      return row ? read(row) : null;
    },
    last({ messageId = '', sender = '', chat = '', channel = '' }: InboxQuery): InboxRow | null {
      const row = last.get(messageId, sender, chat, channel);
      return row ? read(row) : null;
    },
    /** Inside a transaction: declined, and so many of them that only their number is kept. */
    countDeclined: (atMs: number, channel: string, reason: string, n: number): void =>
      void passed.run(dayOf(atMs), channel, reason, n),
    /** Inside a transaction. Throws when the message is there already. */
    insert(row: NewInboxRow, state: 'queued' | 'declined', reason = ''): number {
      const l = toColumns(row.label);
      const done = state === 'declined' ? row.receivedAtMs : null;
      const result = insert.run(row.channel, row.account, row.messageId, row.chat, row.chatType, row.sender, row.sessionKey, row.runId,
        row.queueMode, row.timeoutMs, row.body, state, reason, row.receivedAtMs, done, l.integrity, l.readers, l.sources, row.facts); // biome-ignore format: one row a line
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
      for (const row of passedAll.all('')) {
        total.declined += Number(row['n']);
        total.received += Number(row['n']);
      }
      return total;
    },
    /** The same for each channel that anything came by. What was only counted belongs to its whole day. */
    balanceByChannel(sinceMs = 0): ChannelBalance[] {
      const found = new Map<string, ChannelBalance>();
      const add = (channel: string, state: InboxState, why: string, n: number): void => {
        const none = { received: 0, answered: 0, declined: 0, queued: 0, failed: 0 };
        const total: ChannelBalance = found.get(channel) ?? { channel, ...none, reasons: {} };
        found.set(channel, total);
        total[state] += n;
        total.received += n;
        if (state === 'declined') total.reasons[why] = (total.reasons[why] ?? 0) + n;
      };
      for (const row of byChannel.all(sinceMs))
        add(String(row['channel']), row['state'] as InboxState, String(row['why']), Number(row['n']));
      for (const row of passedAll.all(dayOf(sinceMs)))
        add(String(row['channel']), 'declined', String(row['reason']), Number(row['n']));
      return [...found.values()].sort((a, b) => (a.channel < b.channel ? -1 : 1));
    },
    /** Who wrote lately, newest first, by channel: known people and strangers alike. */
    lastSenders(perChannel: number): Map<string, { id: string; atMs: number }[]> {
      const found = new Map<string, { id: string; atMs: number }[]>();
      for (const row of senders.all()) {
        const list = found.get(String(row['channel'])) ?? [];
        if (list.length < perChannel) list.push({ id: String(row['sender']), atMs: Number(row['at']) });
        found.set(String(row['channel']), list);
      }
      return found;
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
    reason: String(row['reason']),
    facts: String(row['facts']),
    attempts: Number(row['attempts']),
    receivedAtMs: Number(row['received_at']),
    label: fromColumns(row as LabelColumns),
  };
}
