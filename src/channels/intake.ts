// Owns the moment of acceptance: a message is in the inbox, deduplicated and durable, before its channel acknowledges
// it. It decides nothing itself; the gate it is handed does. What a stranger wrote is never stored (S023).
import type { Journal } from '../journal/journal.ts';
import { HardshellError } from '../platform/errors.ts';
import type { Inbox, InboxRow } from '../store/inbox.ts';
import { UNTRUSTED } from '../store/label.ts';
import type { Store } from '../store/open.ts';
import type { OutboxRow } from '../store/outbox.ts';
import type { InboundMessage, Settled } from './channel.ts';

export type Refusal = {
  readonly allow: false;
  readonly code: string;
  /** the setting that decided */
  readonly at: string;
  readonly reason: string;
  /** the one command that would open it, or what does so by itself */
  readonly fix: string;
};
export type Declined = Refusal & {
  /** what follows from it, inside the transaction that stores the refusal; it returns the letters */
  readonly effect?: (inboxId: number) => readonly OutboxRow[];
};
export type Verdict<Admitted, Command> =
  | {
      readonly allow: true;
      readonly code: string;
      readonly at: string;
      readonly message: Admitted;
      /** it is done at once, without a turn */
      readonly command: Command | null;
      /** what was said before in the group, in a form that is stored with the message */
      readonly history: readonly unknown[];
    }
  | Declined;
/** `again`: the history of a message that was accepted before a restart. */
export type Gate<Admitted, Command> = (message: InboundMessage, again?: readonly never[]) => Verdict<Admitted, Command>;

export type Delivery = {
  readonly sessionKey: string;
  readonly runId: string;
  readonly queueMode: string;
  readonly timeoutMs: number;
};
export type Accepted = {
  readonly inboxId: number;
  readonly delivery: Delivery;
  readonly attempts: number;
  readonly resumed: boolean;
};
export type Acceptance =
  | { readonly status: 'accepted' }
  | { readonly status: 'duplicate'; readonly row: InboxRow }
  | { readonly status: 'declined'; readonly code: string; readonly reason: string; readonly fix: string };

export type IntakePorts<Admitted, Command> = {
  readonly store: Store;
  readonly inbox: Inbox;
  readonly journal: Journal;
  readonly gate: Gate<Admitted, Command>;
  readonly submit: (message: Admitted, accepted: Accepted) => void;
  /** the conversation that a message of a platform belongs to; `runId` is that of a run before a restart */
  readonly place: (message: Admitted, runId?: string) => Delivery;
  /** carries out a command, after it is durable that there was one; what it answers is a letter of its own */
  readonly obey: (command: Command, message: Admitted, delivery: Delivery, inboxId: number) => void;
  readonly deliver: (letters: readonly OutboxRow[]) => void;
  readonly now: () => number;
};

/** Of more refusals only the number is kept: a flood must not fill the disk, however long it lasts. */
const MAX_DECLINED_ROWS_PER_MINUTE = 300;
const MAX_DECLINED_ROWS_PER_HOUR = 1_500;
/** The journal is never thinned out, so of refusals it has a sample; the inbox has the rest for as long as it keeps them. */
const MAX_DECLINED_ENTRIES_PER_HOUR = 60;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export function createIntake<Admitted, Command>(ports: IntakePorts<Admitted, Command>) {
  const { store, inbox, journal, gate, submit, now } = ports;
  const isOverMinute = overA(MINUTE_MS, MAX_DECLINED_ROWS_PER_MINUTE, now);
  const isOverHour = overA(HOUR_MS, MAX_DECLINED_ROWS_PER_HOUR, now);
  const isOverJournal = overA(HOUR_MS, MAX_DECLINED_ENTRIES_PER_HOUR, now);

  /** A platform numbers its messages in each chat; the id that our own clients choose is theirs alone. */
  const findKnown = (message: InboundMessage, ownClient: boolean): InboxRow | null => {
    const { channel, account, messageId, chat } = message;
    if (!ownClient) return inbox.findIn(channel, account, messageId, chat);
    const known = inbox.find(channel, account, messageId);
    // The same id from another conversation is a mistake of the sender, not a repetition.
    if (known && known.chat !== chat) throw reusedId(messageId);
    return known;
  };

  const decline = (message: InboundMessage, delivery: Delivery | null, refusal: Declined): void => {
    const { code, at, fix, reason, effect } = refusal;
    const facts = { rule: { code, at, reason, fix } };
    // Both count, whatever the other one says.
    const isOver = [isOverMinute(), isOverHour()].includes(true);
    if (!effect && isOver) {
      store.defer(() => inbox.countDeclined(now(), message.channel, code, 1));
      return;
    }
    let letters: readonly OutboxRow[] = [];
    store.commit(() => {
      const row = { ...rowOf(message, delivery ?? NOWHERE, facts), body: '', label: UNTRUSTED };
      const inboxId = inbox.insert(row, 'declined', code);
      if (effect || !isOverJournal())
        journal.record('message.declined', { channel: row.channel, sender: row.sender, code });
      letters = effect?.(inboxId) ?? [];
    });
    ports.deliver(letters);
  };

  const accept = (message: InboundMessage, given: Delivery | null): Acceptance => {
    const known = findKnown(message, given !== null);
    if (known) return { status: 'duplicate', row: known };
    const verdict = gate(message);
    if (!verdict.allow) {
      decline(message, given, verdict);
      const { code, reason, fix } = verdict;
      return { status: 'declined', code, reason, fix };
    }
    const { code, at, command, history } = verdict;
    const delivery = given ?? ports.place(verdict.message);
    const { channel, sender } = message;
    const facts = { rule: { code, at }, message: { ...beyond(message), ...(history.length > 0 ? { history } : {}) } };
    const inboxId = store.commit(() => {
      const session = { session: delivery.sessionKey, run: delivery.runId };
      journal.record('message.accepted', { channel, sender: sender.id, ...session });
      const id = inbox.insert(rowOf(message, delivery, facts), 'queued');
      if (command !== null) inbox.finish(id, 'answered', 'command', now());
      return id;
    });
    if (command !== null) ports.obey(command, verdict.message, delivery, inboxId);
    else submit(verdict.message, { inboxId, delivery, attempts: 0, resumed: false });
    return { status: 'accepted' };
  };

  return {
    /** Of our own clients, which name the conversation. */
    accept: (message: InboundMessage, delivery: Delivery): Acceptance => accept(message, delivery),
    /** Of a platform. Throws when it could not be stored; then it must not be acknowledged. */
    receive: (message: InboundMessage): Settled => accept(message, null).status,

    /** After a start: every message that was accepted and has no outcome goes on. Returns how many. */
    resume(): number {
      const rows = inbox.queued();
      for (const row of rows) {
        const { message, history } = inboundOf(row);
        const verdict = gate(message, history as readonly never[]);
        if (verdict.allow) {
          // Whoever it is now has their own conversation, whatever they were before.
          const delivery = message.assurance === 'operator' ? row : ports.place(verdict.message, row.runId);
          submit(verdict.message, { inboxId: row.id, delivery, attempts: row.attempts, resumed: true });
          continue;
        }
        // The gate may have closed since: revoked means revoked.
        store.commit(() => {
          inbox.finish(row.id, 'declined', verdict.code, now());
          journal.record('message.declined', { channel: row.channel, sender: row.sender, code: verdict.code });
        });
      }
      return rows.length;
    },
  };
}

/** Counts with each call, and says whether there were too many within the time that runs; a clock put back begins anew. */
function overA(spanMs: number, most: number, now: () => number): () => boolean {
  let startedMs = 0;
  let count = 0;
  return () => {
    if (Math.abs(now() - startedMs) >= spanMs) [startedMs, count] = [now(), 0];
    count += 1;
    return count > most;
  };
}

const NOWHERE: Delivery = { sessionKey: '', runId: '', queueMode: '', timeoutMs: 0 };

function rowOf(message: InboundMessage, delivery: Delivery, facts: object) {
  const { channel, account, messageId, chat, chatType, sender, text, receivedAtMs, label } = message;
  const { sessionKey, runId, queueMode, timeoutMs } = delivery;
  return {
    ...{ channel, account, messageId, chat, chatType, sender: sender.id, receivedAtMs, label },
    ...{ sessionKey, runId, queueMode, timeoutMs },
    body: text,
    facts: JSON.stringify(facts),
  };
}

/** What has no column of its own. */
function beyond({ thread, within, chatTitle, sender, assurance, addressed, quoted, attachments }: InboundMessage) {
  const { id: _, ...more } = sender;
  return { thread, within, chatTitle, sender: more, assurance, addressed, quoted, attachments };
}

type Facts = { message?: Partial<ReturnType<typeof beyond>> & { history?: readonly unknown[] } };

function inboundOf(row: InboxRow): { message: InboundMessage; history: readonly unknown[] } {
  const { history = [], sender = {}, assurance, ...more } = (JSON.parse(row.facts) as Facts).message ?? {};
  const present = Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined));
  const message: InboundMessage = {
    ...present,
    channel: row.channel,
    account: row.account,
    chat: row.chat,
    messageId: row.messageId,
    chatType: row.chatType === 'group' ? 'group' : 'direct',
    sender: { ...sender, id: row.sender },
    // Rows from before platforms: only our own clients wrote then.
    assurance: assurance ?? (row.channel === 'webchat' ? 'operator' : 'claimed'),
    text: row.body,
    receivedAtMs: row.receivedAtMs,
    label: row.label,
  };
  return { message, history };
}

function reusedId(id: string): HardshellError {
  return new HardshellError({
    code: 'MESSAGE_ID_REUSED',
    message: `the id ${id.slice(0, 64)} was used for a message in another conversation`,
    fix: 'send it again with a fresh idempotencyKey',
    httpStatus: 409,
  });
}
