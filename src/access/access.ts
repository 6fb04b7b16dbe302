// Owns the perimeter as a whole: for each message the facts that the gate needs, its verdict, and what follows from it. A
// stranger's words are looked at for one thing only, an invitation; they are never kept, logged or shown.
import type { GroupChange, InboundMessage } from '../channels/channel.ts';
import type { Verdict as Decided, Declined } from '../channels/intake.ts';
import type { Config } from '../config/schema.ts';
import type { Journal } from '../journal/journal.ts';
import { setNewest } from '../platform/newest.ts';
import { UNTRUSTED } from '../store/label.ts';
import type { Store } from '../store/open.ts';
import type { Outbox, OutboxRow } from '../store/outbox.ts';
import { openPeople } from '../store/people/people.ts';
import { type AdmittedMessage, admit, admitOperator, isOperator, type Principal, type Speaking } from './admit.ts';
import { invitationIn } from './codes.ts';
import { createCounters } from './counters.ts';
import { factsOf, NOBODY, problemOf, threadOf } from './facts.ts';
import { type Facts, type Judgement, judge, type Known, type Load } from './gate.ts';
import {
  cleanName,
  createOwners,
  groupText,
  heldText,
  pairingText,
  post,
  REDEEMED_TEXT,
  SPENT_TEXT,
} from './letters.ts';
import { createPairing, MAX_HELD_CHARS } from './pairing.ts';
import { type Rules, readRules } from './rules.ts';
import { beforeOf, createHistory, type Said, textOf } from './shown.ts';
import { type Command, commandIn } from './slash.ts';

export type AccessPorts = {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly journal: Journal;
  /** of the codes and of what is held */
  readonly key: () => Buffer;
  readonly now: () => number;
  readonly config: () => Config;
  deliver(rows: readonly OutboxRow[]): void;
  /** rights were given or taken */
  changed(): void;
  /** a conversation of this thread exists, so the assistant has written in it */
  takesPart(message: InboundMessage): boolean;
};

type Verdict = Decided<AdmittedMessage, Command>;
type Effect = NonNullable<Declined['effect']>;

const SAW_EVERY_MS = 60_000;
const JOINED_EVERY_MS = 60 * 60_000;
const DAY_MS = 24 * 60 * 60_000;
const MAX_NOTED = 2_000;

export type Access = ReturnType<typeof createAccess>;

export function createAccess(ports: AccessPorts) {
  const { store, outbox, now } = ports;
  const people = openPeople(store);
  const counters = createCounters();
  const history = createHistory();
  const noted = new Map<string, number>();
  let read: { config: Config; rules: Rules } | null = null;
  const rules = (): Rules => {
    const config = ports.config();
    if (read?.config !== config) read = { config, rules: readRules(config) };
    return read.rules;
  };
  const pairing = createPairing({
    ...ports,
    changed: () => {
      noted.clear();
      ports.changed();
    },
  });

  const knownOf = ({ channel, account, chat, within, isDirect, sender }: Facts): Known => {
    // Whoever approved a server approved what lies in it.
    const groups = isDirect ? [] : [chat, ...within].map((id) => pairing.group(channel, account, id));
    return {
      person: pairing.person(channel, account, sender),
      group: groups.find((one) => one !== null) ?? null,
    };
  };
  const loadOf = (facts: Facts, isAgain: boolean): Load => {
    const nowMs = now();
    const person = `${facts.channel}:${facts.sender}`;
    const idle = { nowMs, lastMinute: 0, isLooping: false, tokensToday: 0, messagesToday: 0, usdToday: 0 };
    // Taken up again after a restart: it was counted when it came.
    if (isAgain) return idle;
    const pair = `${facts.channel}\0${facts.account}\0${facts.chat}\0${facts.sender}`;
    return {
      ...idle,
      isLooping: facts.isBot && counters.botTurn(pair, nowMs),
      lastMinute: counters.lastMinute(person, nowMs),
      get tokensToday() {
        return people.spent(person, nowMs).tokens;
      },
      get usdToday() {
        return people.spent(person, nowMs).microusd / 1e6;
      },
      get messagesToday() {
        return people.spent(person, nowMs).messages;
      },
    };
  };
  const owners = createOwners(people, rules, knownOf);
  const decide = (facts: Facts, isAgain: boolean): Judgement =>
    judge(facts, rules(), knownOf(facts), loadOf(facts, isAgain));

  /** What a quote says, when the one who is quoted may be heard here. */
  const quoteOf = (message: InboundMessage, facts: Facts): string | null => {
    const { quoted, addressed } = message;
    if (!quoted) return null;
    if (addressed?.replyToBot || addressed?.quotesBot || rules().showsAllQuotes) return quoted.text;
    if (quoted.senderId === null) return null;
    if (quoted.senderId === facts.sender) return quoted.text;
    return isHeard(facts, quoted.senderId, []) ? quoted.text : null;
  };

  /** Whether somebody else may be heard in this place, now. */
  const isHeard = (facts: Facts, sender: string, roles: readonly string[]): boolean => {
    const other: Facts = { ...facts, sender, isBot: false, roles, isMentioned: () => true };
    return judge(other, rules(), knownOf(other), loadOf(other, true)).allow;
  };

  const admitted = (
    message: InboundMessage,
    facts: Facts,
    judgement: Extract<Judgement, { allow: true }>,
    again?: readonly Said[],
  ): Verdict => {
    const { code, at, standing } = judgement;
    const said = again ?? (facts.isDirect ? [] : saidBefore(message, facts));
    const shown = { text: textOf(message), before: beforeOf(message, said, quoteOf(message, facts)) };
    const ready = admit(message, judgement, shown, rules().tiers);
    if (!again) saw(message, facts, standing);
    return { allow: true, code, at, message: ready, command: commandIn(message.text, ready, rules()), history: said };
  };

  /** What was said in the group since the last turn, by those who may still be heard. */
  const saidBefore = (message: InboundMessage, facts: Facts): readonly Said[] =>
    history
      .take(threadOf(message))
      .filter(({ sender, roles = [] }) => isHeard(facts, sender.slice(facts.channel.length + 1), roles));

  /** Whether this was noted within that time; from now on it is. */
  const isNoted = (key: string, withinMs: number): boolean => {
    const nowMs = now();
    const isKnown = nowMs - (noted.get(key) ?? 0) < withinMs;
    if (!isKnown) setNewest(noted, key, nowMs, MAX_NOTED);
    return isKnown;
  };

  const saw = (
    message: InboundMessage,
    { channel, account, sender, isDirect, chat }: Facts,
    standing: string,
  ): void => {
    const nowMs = now();
    const person = `${channel}:${sender}`;
    counters.count(person, nowMs);
    const key = `${account}\0${person}\0${isDirect ? chat : ''}\0${standing}`;
    const isKnown = isNoted(key, SAW_EVERY_MS);
    store.defer(() => {
      if (standing !== 'owner') people.spend(person, nowMs, { messages: 1, tokens: 0, microusd: 0 });
      if (isKnown) return;
      const title = cleanName(message.sender.display);
      people.saw({
        channel,
        account,
        person: sender,
        chat: isDirect ? chat : '',
        title,
        standing,
        lastSeenAtMs: nowMs,
      });
    });
  };

  const refused = (message: InboundMessage, facts: Facts, judgement: Extract<Judgement, { allow: false }>): Verdict => {
    const { ask, ...refusal } = judgement;
    if (judgement.code === 'NOT_MENTIONED') {
      const sender = `${facts.channel}:${facts.sender}`;
      history.add(
        threadOf(message),
        { sender, display: message.sender.display ?? '', text: message.text, roles: facts.roles },
        rules().historyLimit,
      );
    }
    const redeemed = redeem(message, facts, judgement);
    if (redeemed) return redeemed;
    const effect =
      ask === 'person'
        ? askIn(message, facts)
        : ask === 'group' && message.addressed?.mention
          ? askGroup(facts, message.chatTitle, null, false)
          : judgement.code === 'SPEND_LIMIT' && facts.isDirect
            ? tellSpent(facts)
            : null;
    return effect ? { ...refusal, effect } : refusal;
  };

  /** Once a day: who may talk is not left to wonder why nobody answers. */
  const tellSpent = ({ channel, account, chat, sender }: Facts): Effect | null => {
    const key = `spent:${channel}:${account}:${sender}:${new Date(now()).toISOString().slice(0, 10)}`;
    if (isNoted(key, DAY_MS)) return null;
    return (inboxId) => [post(outbox, { channel, account, chat, text: SPENT_TEXT, key }, inboxId, now())];
  };

  const redeem = (message: InboundMessage, facts: Facts, { code }: { code: string }): Verdict | null => {
    if (!facts.isDirect || !['DM_NOT_PAIRED', 'DM_NOT_LISTED', 'GUEST_EXPIRED'].includes(code)) return null;
    const invitation = invitationIn(message.text);
    if (invitation === null) return null;
    const { channel, account, chat, sender: subject } = facts;
    const title = cleanName(message.sender.display);
    if (!pairing.redeem(invitation, { channel, account, kind: 'person', subject }, title)) return null;
    const letter = {
      channel,
      account,
      chat,
      text: REDEEMED_TEXT,
      key: `redeemed:${channel}:${account}:${message.messageId}`,
    };
    return {
      allow: false,
      code: 'INVITATION_TAKEN',
      at: 'openclaw pairing approved',
      reason: 'the message was an invitation, and it was taken',
      fix: 'nothing: they may write now',
      effect: (inboxId) => [post(outbox, letter, inboxId, now())],
    };
  };

  const askIn = (message: InboundMessage, facts: Facts): Effect | null => {
    const { channel, account, chat, sender: subject } = facts;
    const { codeTtlMs, holdMessage } = rules();
    const whole = holdMessage ? JSON.stringify(message) : '';
    // What is too long to keep is not kept, and nobody is told that it was.
    const held = whole !== '' && whole.length <= MAX_HELD_CHARS ? whole : null;
    const asker = {
      channel,
      account,
      kind: 'person' as const,
      subject,
      chat,
      title: cleanName(message.sender.display),
    };
    let inbox = 0;
    const write = pairing.ask(asker, codeTtlMs, held, (code) => {
      const text = (held === null ? pairingText : heldText)(code, codeTtlMs / 60_000);
      return post(outbox, { channel, account, chat, text, key: `pairing:${inbox}` }, inbox, now());
    });
    return (
      write &&
      ((inboxId) => {
        inbox = inboxId;
        return write();
      })
    );
  };

  /** Nothing is said in the group itself; the owner is told where they have a direct chat. */
  const askGroup = (
    facts: Pick<Facts, 'channel' | 'account' | 'chat'>,
    title = '',
    by: string | null,
    isPublic: boolean,
  ): Effect | null => {
    const { channel, account, chat } = facts;
    const asker = { channel, account, kind: 'group' as const, subject: chat, chat, title: cleanName(title) };
    const write = pairing.ask(asker, rules().codeTtlMs, null, (code) => {
      const text = groupText({ title: asker.title || chat, channel, chat, by, isPublic }, code);
      const owner = owners.chatOf(channel, account);
      return owner
        ? post(outbox, { ...owner, text, key: `group:${channel}:${account}:${chat}:${now()}` }, 0, now())
        : null;
    });
    return write && (() => write());
  };

  const lapsed = (
    { principal, ...message }: AdmittedMessage,
    used: Pick<Load, 'tokensToday' | 'usdToday'> = { tokensToday: 0, usdToday: 0 },
  ): string | null => {
    if (message.channel === 'webchat') return null;
    const facts: Facts = { ...factsOf(message, rules(), () => true), isMentioned: () => true };
    const judgement = judge(facts, rules(), knownOf(facts), { ...loadOf(facts, true), ...used });
    if (!judgement.allow) return judgement.code === 'SPEND_LIMIT' ? judgement.code : 'REVOKED';
    // Who became an owner meanwhile goes on with the rights of before.
    return judgement.standing === principal.kind || judgement.standing === 'owner' ? null : 'REVOKED';
  };

  return {
    pairing,
    people,
    rules,
    /** `again`: it was accepted before a restart, with this of the group before it. */
    gate(message: InboundMessage, again?: readonly Said[]): Verdict {
      if (isOperator(message)) {
        return {
          allow: true,
          code: 'OPERATOR',
          at: 'gateway.auth',
          message: admitOperator(message),
          command: null,
          history: [],
        };
      }
      const facts = factsOf(message, rules(), () => ports.takesPart(message));
      const judgement = decide(facts, again !== undefined);
      if (!judgement.allow) return again ? judgement : refused(message, facts, judgement);
      const problem = problemOf(message);
      if (problem === null) return admitted(message, facts, judgement, again);
      const { channel, account, chat, thread = '', messageId } = message;
      counters.count(`${channel}:${facts.sender}`, now());
      const letter = {
        channel,
        account,
        chat,
        thread,
        replyTo: messageId,
        text: problem.text,
        key: `refused:${channel}:${chat}:${messageId}`,
      };
      const effect: Effect = (inboxId) => [post(outbox, letter, inboxId, now())];
      return { ...problem.refusal, ...(problem.text === '' ? {} : { effect }) };
    },
    /** Whether somebody whose message waits or runs may still be heard, with the same rights. */
    stillHolds: (message: AdmittedMessage): boolean => lapsed(message) === null,
    /** The same for what was begun for somebody and goes on. What else is known of a member of a server is not kept, so a right
     *  that hangs on it does not hold here. */
    speakerHolds: ({ principal, place, channel, account, chat, sender }: Speaking): boolean =>
      lapsed({
        ...{ principal, place, channel, account, chat, sender: { id: sender }, before: [], messageId: '', text: '' },
        ...{
          assurance: 'platform',
          chatType: place === 'dm' ? 'direct' : 'group',
          receivedAtMs: 0,
          label: UNTRUSTED,
        },
      } as unknown as AdmittedMessage) === null,
    /** Its turn has come: why it may not be worked on any more, since a right or a budget ended while it waited, or null. */
    lapsed(message: AdmittedMessage): string | null {
      if (message.principal.kind === 'owner') return lapsed(message);
      const { tokens, microusd } = people.spent(message.principal.id, now());
      return lapsed(message, { tokensToday: tokens, usdToday: microusd / 1e6 });
    },
    groupChanged({ channel, account, chat, title, change, by, isPublic, within = [] }: GroupChange): void {
      if (change === 'left') {
        pairing.left(channel, account, chat);
        return;
      }
      const facts: Facts = {
        ...NOBODY,
        channel,
        account,
        chat,
        within,
        isDirect: false,
        sender: 'somebody',
        isMentioned: () => true,
      };
      const judgement = judge(facts, rules(), knownOf(facts), loadOf(facts, true));
      // Whoever puts it in and out all day long does not fill the journal by it.
      const key = `joined\0${channel}\0${account}\0${chat}`;
      if (!isNoted(key, JOINED_EVERY_MS))
        ports.journal.record('group.joined', { channel, account, chat, by, isPublic });
      if (judgement.allow || judgement.ask !== 'group') return;
      const effect = askGroup(facts, title, by, isPublic);
      if (effect) ports.deliver(store.commit(() => effect(0)));
    },
    /** the direct chats of those who are owners now */
    ownerChats: owners.chats,
    /** where the owner can be told that this channel is lost */
    ownerElsewhere: (channel: string, account: string) => owners.chatOf(channel, account, true),
    chatMoved(channel: string, account: string, from: string, to: string): void {
      pairing.moved(channel, account, from, to, rules().account(channel, account)?.groups.has(from) ?? false);
    },
    /** Inside a transaction. */
    spent({ kind, id }: Pick<Principal, 'kind' | 'id'>, tokens: number, microusd: number): void {
      if (kind !== 'owner') people.spend(id, now(), { messages: 0, tokens, microusd });
    },
    /** The messages that waited, sealed, for an approval that has come. */
    takeHeld: (): InboundMessage[] =>
      pairing.takeHeld().map((text) => {
        const message = JSON.parse(text) as InboundMessage;
        return { ...message, messageId: `${message.messageId}+held` };
      }),
  };
}
