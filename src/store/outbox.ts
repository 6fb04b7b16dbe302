// Owns the outbox table: every reply before it is sent. `sending` is durable before a channel that cannot repeat safely
// is called, so that a crash in between is shown as `unknown` and never resent.
import { type Label, toColumns } from './label.ts';
import type { Store } from './open.ts';

export type OutboxState = 'queued' | 'sending' | 'sent' | 'unknown' | 'failed';
type Reply = {
  channel: string;
  account: string;
  chat: string;
  thread: string;
  replyTo: string;
  text: string;
  files: readonly { path: string; name: string; mimeType: string }[];
  idempotencyKey: string;
  /** it stays until then, and can be taken back; 0: at once */
  leavesAtMs?: number;
  /** of a mail that begins a conversation; '' or left out: it answers */
  subject?: string;
  /** what a press of each says, as if it had been typed */
  buttons?: readonly { label: string; says: string }[];
};
/** For a row that leaves only when somebody says so. */
export const DRAFT = Number.MAX_SAFE_INTEGER;
/** Where a row went, and what the platform calls it there; '' when it does not say. */
export type SentRow = Pick<OutboxRow, 'channel' | 'account' | 'chat' | 'thread' | 'state' | 'idempotencyKey'> & {
  platformId: string;
};
export type NewReply = Reply & { inboxId: number; atMs: number; label: Label };
export type OutboxRow = Reply & { id: number; state: OutboxState; atMs: number };
export type OutboxCount = { queued: number; sent: number; unknown: number; failed: number };

export type Outbox = ReturnType<typeof openOutbox>;

export function openOutbox(store: Store) {
  const insert =
    store.prepare(`INSERT INTO outbox (inbox_id, channel, account, chat, thread, reply_to, body, files, idempotency_key, state, reason, attempts, at, leaves_at, buttons,
    subject, integrity, readers, sources) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', '', 0, ?, ?, ?, ?, ?, ?, ?)`);
  const open =
    store.prepare(`SELECT id, channel, account, chat, thread, reply_to, body, files, idempotency_key, state, at, leaves_at, buttons, subject FROM outbox
    WHERE state IN ('queued', 'sending') ORDER BY id`);
  const move = store.prepare(
    `UPDATE outbox SET state = ?, reason = ?, attempts = attempts + ?, body = CASE WHEN ? THEN '' ELSE body END,
    platform_id = CASE WHEN ? <> '' THEN ? ELSE platform_id END WHERE id = ?`,
  );
  const release = store.prepare('UPDATE outbox SET leaves_at = 0, at = ? WHERE id = ?');
  const find = store.prepare(
    'SELECT channel, account, chat, thread, state, idempotency_key, platform_id FROM outbox WHERE id = ?',
  );
  const count = store.prepare('SELECT state, count(*) AS n FROM outbox GROUP BY state');
  const countOf = store.prepare('SELECT channel, state, count(*) AS n FROM outbox GROUP BY channel, state');
  const prune = store.prepare(
    `DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE state NOT IN ('queued', 'sending') AND at < ? LIMIT 5000)`,
  );
  return {
    /** Inside the transaction that ends the turn. */
    insert(reply: NewReply): number {
      const l = toColumns(reply.label);
      const { files, leavesAtMs = 0, buttons = [], subject = '' } = reply;
      const result = insert.run(reply.inboxId, reply.channel, reply.account, reply.chat, reply.thread, reply.replyTo, reply.text,
        JSON.stringify(files), reply.idempotencyKey, reply.atMs, leavesAtMs, JSON.stringify(buttons), subject, l.integrity, l.readers, l.sources); // biome-ignore format: one row a line
      return Number(result.lastInsertRowid);
    },
    /** It leaves as if it had been queued at that moment. */
    release: (id: number, atMs: number): void => void release.run(atMs, id),
    find(id: number): SentRow | null {
      const row = find.get(id);
      if (!row) return null;
      const text = (key: string): string => String(row[key] ?? '');
      return {
        ...{ channel: text('channel'), account: text('account'), chat: text('chat'), thread: text('thread') },
        ...{
          state: text('state') as OutboxState,
          idempotencyKey: text('idempotency_key'),
          platformId: text('platform_id'),
        },
      };
    },
    open: (): OutboxRow[] => open.all().map(read),
    /** A sent reply's text lives on in the transcript; the row keeps only the fact, and what the platform calls it. */
    move: (id: number, state: OutboxState, reason = '', platformId = ''): void =>
      void move.run(state, reason, state === 'sending' ? 1 : 0, state === 'sent' ? 1 : 0, platformId, platformId, id),
    count(): OutboxCount {
      const total = noReplies();
      for (const row of count.all()) total[columnOf(row)] += Number(row['n']);
      return total;
    },
    countByChannel(): Map<string, OutboxCount> {
      const totals = new Map<string, OutboxCount>();
      for (const row of countOf.all()) {
        const channel = String(row['channel']);
        const total = totals.get(channel) ?? noReplies();
        total[columnOf(row)] += Number(row['n']);
        totals.set(channel, total);
      }
      return totals;
    },
    pruneBefore: (atMs: number): number => Number(prune.run(atMs).changes),
  };
}

const noReplies = (): OutboxCount => ({ queued: 0, sent: 0, unknown: 0, failed: 0 });
const columnOf = (row: Record<string, unknown>): keyof OutboxCount =>
  row['state'] === 'sending' ? 'queued' : (row['state'] as keyof OutboxCount);

function read(row: Record<string, unknown>): OutboxRow {
  return {
    id: Number(row['id']),
    channel: String(row['channel']),
    account: String(row['account']),
    chat: String(row['chat']),
    thread: String(row['thread']),
    replyTo: String(row['reply_to']),
    text: String(row['body']),
    files: JSON.parse(String(row['files'])) as OutboxRow['files'],
    idempotencyKey: String(row['idempotency_key']),
    state: row['state'] as OutboxState,
    atMs: Number(row['at']),
    leavesAtMs: Number(row['leaves_at']),
    subject: String(row['subject']),
    buttons: JSON.parse(String(row['buttons'])) as NonNullable<OutboxRow['buttons']>,
  };
}
