// Owns one session's transcript while a turn runs: what is stored, what is not stored yet, and the next sequence number.
// Messages become durable only through persist(); a crash before it loses nothing, since the inbox still has the message.
import { isDeepStrictEqual } from 'node:util';
import { join, type Label, label } from '../store/label.ts';
import type { Store } from '../store/open.ts';
import type { SessionRecord, Sessions } from '../store/sessions.ts';
import type { Block, StoredMessage, Transcripts } from '../store/transcripts.ts';
import type { Conversation } from './turn.ts';

/** How far back a turn looks; older messages stay in the transcript. */
const MAX_MESSAGES = 2_000;

export interface OpenConversation extends Conversation {
  readonly record: SessionRecord;
  /** written with the next persist() */
  update(change: Partial<SessionRecord>): void;
  unstored(): readonly StoredMessage[];
  /** the same conversation for another run (a message that steers this one) */
  as(runId: string): Pick<Conversation, 'append'>;
}

export type ConversationPorts = {
  readonly store: Store;
  readonly sessions: Sessions;
  readonly transcripts: Transcripts;
  readonly now: () => number;
  /** what becomes a part of the conversation passes through this: the one way into transcript, model and clients */
  readonly hide: (blocks: readonly Block[]) => readonly Block[];
  readonly onMessage: (sessionKey: string, message: StoredMessage) => void;
};

export function openConversation(ports: ConversationPorts, initial: SessionRecord, runId: string): OpenConversation {
  const { store, sessions, transcripts, now, hide, onMessage } = ports;
  const all = transcripts.page(initial.transcript, MAX_MESSAGES);
  let record = initial;
  let changed = false;
  let stored = all.length;
  let context: Label = all.reduce((sum, m) => join(sum, m.label), record.context);
  let seq = all.at(-1)?.seq ?? transcripts.lastSeq(initial.transcript);

  const appendFor =
    (run: string): Conversation['append'] =>
    ({ role, blocks: said, meta, label: given }) => {
      seq += 1;
      const blocks = hide(said);
      const message: StoredMessage = { seq, role, blocks, runId: run, atMs: now(), meta: meta ?? {}, label: given };
      all.push(message);
      context = join(context, given);
      onMessage(record.key, message);
      return message;
    };

  return {
    get record() {
      return record;
    },
    update(change) {
      record = { ...record, ...change };
      changed = true;
    },
    messages: () => all,
    context: () => context,
    observe(given) {
      const next = join(context, given);
      if (isDeepStrictEqual(next, context)) return;
      context = next;
      changed = true;
    },
    unstored: () => all.slice(stored),
    append: appendFor(runId),
    as: (run) => ({ append: appendFor(run) }),
    persist(also) {
      const fresh = all.slice(stored);
      store.commit(() => {
        for (const message of fresh) transcripts.append(record.transcript, message);
        if (fresh.length > 0 || changed) {
          record = { ...record, messageCount: seq, updatedAtMs: now(), context };
          sessions.put(record);
        }
        also?.();
      });
      stored += fresh.length;
      changed = false;
    },
  };
}

/** The label of a session in which nothing has been read. */
export const CLEAN: Label = label('owner', 'owner');
