// Owns the moment of acceptance: a message is in the inbox, deduplicated and durable, before its channel acknowledges
// it. It decides nothing itself; the gate it is handed does.
import type { Journal } from '../journal/journal.ts';
import { HardshellError } from '../platform/errors.ts';
import type { Inbox, InboxRow } from '../store/inbox.ts';
import type { Store } from '../store/open.ts';
import type { InboundMessage } from './channel.ts';

export type Gate<Admitted> = (
  message: InboundMessage,
) =>
  | { readonly allow: true; readonly message: Admitted }
  | { readonly allow: false; readonly code: string; readonly reason: string; readonly fix: string };

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

export type IntakePorts<Admitted> = {
  readonly store: Store;
  readonly inbox: Inbox;
  readonly journal: Journal;
  readonly gate: Gate<Admitted>;
  readonly submit: (message: Admitted, accepted: Accepted) => void;
  readonly now: () => number;
};

export function createIntake<Admitted>(ports: IntakePorts<Admitted>) {
  const { store, inbox, journal, gate, submit, now } = ports;
  return {
    accept(message: InboundMessage, delivery: Delivery): Acceptance {
      const known = inbox.find(message.channel, message.account, message.messageId);
      if (known) {
        // The same id from another conversation is a mistake of the sender, not a repetition.
        if (known.chat !== message.chat) throw reusedId(message.messageId);
        return { status: 'duplicate', row: known };
      }
      const verdict = gate(message);
      const row = {
        channel: message.channel,
        account: message.account,
        messageId: message.messageId,
        chat: message.chat,
        chatType: message.chatType,
        sender: message.sender.id,
        ...delivery,
        receivedAtMs: message.receivedAtMs,
        label: message.label,
      };
      if (!verdict.allow) {
        // What a stranger wrote is not kept: only that somebody wrote, and why it stopped (S023).
        store.commit(() => {
          inbox.insert({ ...row, body: '' }, 'declined', verdict.code);
          journal.record('message.declined', { channel: row.channel, sender: row.sender, code: verdict.code });
        });
        return { status: 'declined', code: verdict.code, reason: verdict.reason, fix: verdict.fix };
      }
      const inboxId = store.commit(() => {
        journal.record('message.accepted', {
          channel: row.channel,
          sender: row.sender,
          session: delivery.sessionKey,
          run: delivery.runId,
        });
        return inbox.insert({ ...row, body: message.text }, 'queued');
      });
      submit(verdict.message, { inboxId, delivery, attempts: 0, resumed: false });
      return { status: 'accepted' };
    },

    /** After a start: every message that was accepted and has no outcome goes on. Returns how many. */
    resume(): number {
      const rows = inbox.queued();
      for (const row of rows) {
        const verdict = gate(inboundOf(row));
        if (verdict.allow) {
          submit(verdict.message, { inboxId: row.id, delivery: row, attempts: row.attempts, resumed: true });
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

function inboundOf(row: InboxRow): InboundMessage {
  return {
    channel: row.channel,
    account: row.account,
    chat: row.chat,
    messageId: row.messageId,
    chatType: row.chatType === 'group' ? 'group' : 'direct',
    sender: { id: row.sender },
    assurance: row.channel === 'webchat' ? 'operator' : 'platform',
    text: row.body,
    receivedAtMs: row.receivedAtMs,
    label: row.label,
  };
}

function reusedId(id: string): HardshellError {
  return new HardshellError({
    code: 'MESSAGE_ID_REUSED',
    message: `the id ${id.slice(0, 64)} was used for a message in another conversation`,
    fix: 'send it again with a fresh idempotencyKey',
    httpStatus: 409,
  });
}
