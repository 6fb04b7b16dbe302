// Owns the messages of every conversation, in order, each with its label. Append-only but for the deletion of a whole
// conversation.
import { fromColumns, type Label, type LabelColumns, toColumns } from './label.ts';
import type { Store } from './open.ts';
import type { TokenCount } from './usage.ts';

export type Block =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'toolCall'; readonly id: string; readonly name: string; readonly arguments: unknown }
  | {
      readonly type: 'toolResult';
      readonly toolCallId: string;
      readonly name: string;
      readonly text: string;
      readonly isError: boolean;
    };

export type MessageMeta = {
  readonly model?: string;
  readonly stopReason?: string;
  readonly usage?: TokenCount;
};

export type StoredMessage = {
  /** place in the session, from 1, without gaps */
  readonly seq: number;
  readonly role: 'user' | 'assistant' | 'tool' | 'notice';
  readonly blocks: readonly Block[];
  readonly runId: string;
  readonly atMs: number;
  readonly meta: MessageMeta;
  readonly label: Label;
};

export type Transcripts = ReturnType<typeof openTranscripts>;

export function openTranscripts(store: Store) {
  const create = store.prepare('INSERT INTO transcripts (uuid, session_key, created_at) VALUES (?, ?, ?)');
  const uuid = store.prepare('SELECT uuid FROM transcripts WHERE id = ?');
  const append = store.prepare(
    'INSERT INTO messages (transcript, seq, role, blocks, run_id, at, meta, integrity, readers, sources) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const columns = 'seq, role, blocks, run_id, at, meta, integrity, readers, sources';
  const page = store.prepare(
    `SELECT ${columns} FROM messages WHERE transcript = ? AND seq > ? AND seq < ? ORDER BY seq DESC LIMIT ?`,
  );
  const last = store.prepare('SELECT max(seq) AS seq FROM messages WHERE transcript = ?');
  const drop = store.prepare(
    'DELETE FROM messages WHERE transcript IN (SELECT id FROM transcripts WHERE session_key = ?)',
  );
  const forget = store.prepare('DELETE FROM transcripts WHERE session_key = ?');
  return {
    create: (sessionUuid: string, sessionKey: string, atMs: number): number =>
      Number(create.run(sessionUuid, sessionKey, atMs).lastInsertRowid),
    uuid: (transcript: number): string => String(uuid.get(transcript)?.['uuid'] ?? ''),
    lastSeq: (transcript: number): number => Number(last.get(transcript)?.['seq'] ?? 0),
    append(transcript: number, message: StoredMessage): void {
      const l = toColumns(message.label);
      append.run(
        transcript,
        message.seq,
        message.role,
        JSON.stringify(message.blocks),
        message.runId,
        message.atMs,
        JSON.stringify(message.meta),
        l.integrity,
        l.readers,
        l.sources,
      );
    },
    /** The newest `limit` messages between the two (exclusive), oldest first. */
    page(transcript: number, limit: number, afterSeq = 0, beforeSeq = Number.MAX_SAFE_INTEGER): StoredMessage[] {
      return page.all(transcript, afterSeq, beforeSeq, limit).map(read).reverse();
    },
    deleteAll(sessionKey: string): void {
      drop.run(sessionKey);
      forget.run(sessionKey);
    },
  };
}

function read(row: Record<string, unknown>): StoredMessage {
  return {
    seq: Number(row['seq']),
    role: row['role'] as StoredMessage['role'],
    blocks: JSON.parse(String(row['blocks'])) as Block[],
    runId: String(row['run_id']),
    atMs: Number(row['at']),
    meta: JSON.parse(String(row['meta'] ?? '{}')) as MessageMeta,
    label: fromColumns(row as LabelColumns),
  };
}
