// Owns how questions reach the owner and how a chat answers them: who is told where, the letters, the codes that are typed
// back. Part of the composition; what is asked and what an answer does is policy's, who is the owner is access's.
import type { AdmittedMessage } from '../access/admit.ts';
import { post } from '../access/letters.ts';
import type { ChatAnswer } from '../access/slash.ts';
import type { Backend, BackendEvent } from '../gateway/backend.ts';
import type { Journal } from '../journal/journal.ts';
import { setNewest } from '../platform/newest.ts';
import { type Approval, type Asker, nameOf } from '../policy/approvals/approval.ts';
import type { Approvals } from '../policy/approvals/approvals.ts';
import type { Grants } from '../policy/approvals/grants.ts';
import type { Notes } from '../store/notes.ts';
import type { Store } from '../store/open.ts';
import type { Outbox, OutboxRow } from '../store/outbox.ts';
import { alreadyText, buttonsOf, cardClosedText, closedText, fitsChat, letterOf, noticeText } from './words.ts';

type Chat = { readonly channel: string; readonly account: string; readonly chat: string };

export type AskingPorts = {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly journal: Journal;
  readonly notes: Notes;
  readonly now: () => number;
  readonly approvals: () => Approvals;
  /** direct chats of those who are owners now */
  ownerChats(): readonly Chat[];
  hasChannel(channel: string, account: string): boolean;
  deliver(row: OutboxRow): void;
  publish(event: BackendEvent): void;
};

const DAY_MS = 24 * 60 * 60_000;
const HOUR_MS = 60 * 60_000;
const NOTICE_EVERY_MS = 10 * 60_000;
const GUESS_WINDOW_MS = 10 * 60_000;
const MAX_GUESSES = 10;
const MAX_CHATS = 5;
const MAX_KNOWN = 2_000;
const SEEN = 'approver-seen';
const NONE: ReturnType<typeof buttonsOf> = [];

export function createAsking(ports: AskingPorts) {
  const { store, outbox, journal, notes, now } = ports;
  const noticed = new Map<string, number>();
  const guesses = new Map<string, { sinceMs: number; count: number }>();
  let connected = 0;
  let seenAtMs = Number(notes.load(SEEN) ?? 0);
  let savedAtMs = seenAtMs;

  /** Newest first, each once, and only where a channel runs. */
  const chatsFor = (asker: Asker | null): Chat[] => {
    const own = asker?.kind === 'owner' && asker.place === 'dm' ? [asker] : [];
    const all = [...own, ...ports.ownerChats()].filter(
      ({ channel, account }) => channel !== 'webchat' && ports.hasChannel(channel, account),
    );
    return [...new Map(all.map((one) => [keyOf(one), one])).values()].slice(0, MAX_CHATS);
  };
  const write = (approval: Approval, kind: string, text: string, { except = '', buttons = NONE } = {}): OutboxRow[] =>
    chatsFor(approval.asker).flatMap((to) => {
      if (keyOf(to) === except) return [];
      const { channel, account, chat } = to;
      const key = `approval:${approval.id}:${kind}:${keyOf(to)}`;
      return [post(outbox, { channel, account, chat, text, key, buttons }, 0, now())];
    });
  const send = (rows: readonly OutboxRow[]): void => rows.forEach(ports.deliver);

  /** Whoever guesses codes in the owner's chat is not the owner for long. */
  const isGuessing = (chat: string, isWrong: boolean): boolean => {
    const known = guesses.get(chat);
    const isOld = !known || now() - known.sinceMs > GUESS_WINDOW_MS;
    const entry = isOld ? { sinceMs: now(), count: 0 } : known;
    if (isWrong) entry.count += 1;
    setNewest(guesses, chat, entry, MAX_KNOWN);
    return entry.count > MAX_GUESSES;
  };
  let answering = '';

  return {
    /** Why nobody could answer, or null. A person of a platform cannot say yes to what they asked for. */
    nobody(asker: Asker): { why: string; fix: string } | null {
      const isOwnClient = asker.kind === 'owner' && asker.channel === 'webchat';
      if (isOwnClient || connected > 0 || now() - seenAtMs < DAY_MS || chatsFor(asker).length > 0) return null;
      return {
        why: 'nobody can answer the question: the owner has no direct chat here, and no page or terminal was open for a day',
        fix: 'the owner opens the page (openclaw dashboard), or writes to me in a direct chat once',
      };
    },
    /** Clients that may answer come and go. */
    present(by: 1 | -1): void {
      connected += by;
      seenAtMs = now();
      if (seenAtMs - savedAtMs < HOUR_MS) return;
      savedAtMs = seenAtMs;
      notes.save(SEEN, String(seenAtMs));
    },
    /** Something that nobody asked about, in the owner's own chats; each `key` once. */
    tell(key: string, text: string): void {
      const rows = chatsFor(null).map((to) => ({ ...to, text, key: `told:${key}:${keyOf(to)}` }));
      if (rows.length > 0) send(store.commit(() => rows.map((letter) => post(outbox, letter, 0, now()))));
    },
    asked(card: readonly Approval[]): () => void {
      const [first] = card;
      const rows = first ? write(first, 'asked', letterOf(card), { buttons: buttonsOf(card) }) : [];
      return () => {
        send(rows);
        for (const approval of card) ports.publish({ type: 'approval.requested', approval });
      };
    },
    /** Closed everywhere: every chat that was told hears it, but the one that has just answered; of a card, once it is all closed. */
    closed(approval: Approval, card: readonly Approval[]): () => void {
      const isOver = card.every(({ state }) => state !== 'pending');
      const text = approval.state === 'expired' ? closedText(approval) : cardClosedText(card);
      const rows = isOver ? write(approval, `closed:${approval.state}`, text, { except: answering }) : [];
      return () => {
        send(rows);
        ports.publish({ type: 'approval.resolved', approval });
      };
    },
    /** What the chat is told that has typed or pressed an answer. */
    answer(given: ChatAnswer, message: AdmittedMessage): string {
      const { channel, account, chat, sender } = message;
      const by = `${channel}:${sender.id}`;
      const refuse = (code: string, text: string): string => {
        journal.record('approval.refused', { code, by, which: given.which });
        return text;
      };
      if (given.refused !== null) return refuse('WRONG_PLACE', given.refused);
      const from = keyOf({ channel, account, chat });
      if (isGuessing(from, false))
        return refuse('GUESSING', 'Too many wrong codes. Answer on the page or in the terminal.');
      const approval = ports.approvals().find(given.which);
      if (!approval) {
        isGuessing(from, true);
        return refuse('UNKNOWN', `No question waits by that code. openclaw approvals   (shows what waits)`);
      }
      const { code, id } = approval;
      const name = nameOf(approval);
      const card = ports.approvals().cardOf(approval);
      const isCard = card.length > 1 && given.isCard;
      if (given.decision !== 'deny' && approval.state === 'pending' && !fitsChat(card))
        return refuse('TOO_LONG', `${code} is too long to be shown here whole, so it cannot be allowed here: openclaw approvals show ${code}`); // biome-ignore format: one refusal
      answering = from;
      try {
        const facts = { channel, account, chat, sender: sender.id };
        const who = { name: `${by} (direct chat)`, facts };
        if (isCard && given.decision !== 'allow-once' && given.decision !== 'deny')
          return `${code} asks about ${card.length} calls: name one, such as /approve ${name} ${given.decision === 'allow-task' ? 'task' : 'always'}`;
        const outcome = isCard
          ? ports.approvals().resolveCard(id, given.decision as 'allow-once' | 'deny', who)
          : ports.approvals().resolve(id, given.decision, who);
        if (outcome.ok)
          return isCard ? cardClosedText(ports.approvals().cardOf(approval)) : closedText(outcome.approval);
        if (outcome.problem === 'NOT_ALWAYS' || outcome.problem === 'NOT_TASK')
          return `${name} can only be allowed once: yes ${name}`;
        return alreadyText(outcome.approval ?? approval);
      } finally {
        answering = '';
      }
    },
    /** What a chat hears that asks how it stands; null: nothing waits there. */
    standing(message: AdmittedMessage, sessionKey: string): string | null {
      const [approval] = ports.approvals().pendingIn(sessionKey);
      return approval ? noticeText(approval, mayAnswer(message)) : null;
    },
    /** Somebody writes while their turn sleeps: they are not met by silence. */
    notice(message: AdmittedMessage, sessionKey: string, inboxId: number): void {
      if (message.channel === 'webchat') return;
      const [approval] = ports.approvals().pendingIn(sessionKey);
      if (!approval || now() - (noticed.get(approval.id) ?? -NOTICE_EVERY_MS) < NOTICE_EVERY_MS) return;
      setNewest(noticed, approval.id, now(), MAX_KNOWN);
      const { channel, account, chat, thread = '', messageId } = message;
      const letter = { channel, account, chat, thread, replyTo: messageId, key: `sleeps:${inboxId}` };
      send([
        store.commit(() => post(outbox, { ...letter, text: noticeText(approval, mayAnswer(message)) }, inboxId, now())),
      ]);
    },
  };
}

/** What the gateway is offered: its connections are the owner's, and are named by what they run in. */
export function createApprovalDesk({
  approvals,
  grants,
  asking,
}: {
  readonly approvals: Approvals;
  readonly grants: Grants;
  readonly asking: ReturnType<typeof createAsking>;
}): Backend['approvals'] {
  return {
    ...{ list: approvals.list, recent: approvals.recent, get: approvals.find },
    resolve: (id, decision, actor) =>
      approvals.resolve(id, decision, { name: CLIENTS[actor.clientId] ?? actor.clientId, facts: actor }),
    resolveCard: (id, decision, actor) =>
      approvals.resolveCard(id, decision, { name: CLIENTS[actor.clientId] ?? actor.clientId, facts: actor }),
    ...{ grants: grants.list, revoke: grants.revoke, present: asking.present },
  };
}
const CLIENTS: Readonly<Record<string, string>> = { 'openclaw-control-ui': 'the page', cli: 'the terminal' };

const mayAnswer = ({ principal, place }: AdmittedMessage): boolean => principal.kind === 'owner' && place === 'dm';
const keyOf = ({ channel, account, chat }: Chat): string => `${channel}:${account}:${chat}`;
