// Owns the few sentences that access sends by itself, to a stranger, to a guest, to the owner, and where the owner can be
// told something. They go out like any other reply, durable first; nothing that a stranger wrote is ever in them.
import { FORMAT } from '../platform/disguise.ts';
import { label } from '../store/label.ts';
import type { Outbox, OutboxRow } from '../store/outbox.ts';
import type { People, SeenPerson } from '../store/people/people.ts';
import { NOBODY } from './facts.ts';
import { type Facts, isOwner, type Known } from './gate.ts';
import type { Rules } from './rules.ts';

export type Letter = {
  readonly channel: string;
  readonly account: string;
  readonly chat: string;
  readonly thread?: string;
  readonly replyTo?: string;
  readonly text: string;
  readonly buttons?: NonNullable<OutboxRow['buttons']>;
  /** makes it the same letter when it is written twice */
  readonly key: string;
};

/** Inside a transaction; what it returns is handed to delivery after the commit. */
export function post(outbox: Outbox, letter: Letter, inboxId: number, atMs: number): OutboxRow {
  const { channel, account, chat, thread = '', replyTo = '', text, key, buttons = [] } = letter;
  const row = { channel, account, chat, thread, replyTo, text, files: [], idempotencyKey: key, buttons };
  const id = outbox.insert({ ...row, inboxId, atMs, label: label('tool-local', 'public', 'access') });
  return { ...row, id, atMs, state: 'queued' };
}

export const pairingText = (code: string, minutes: number): string =>
  `Hello! I only talk to people my owner has approved. Your code is ${code}; it is good for ${span(minutes)}. ` +
  'Give it to my owner, who can let you in. What you wrote was not read.';

export const heldText = (code: string, minutes: number): string =>
  `Hello! I only talk to people my owner has approved. Your code is ${code}; it is good for ${span(minutes)}. ` +
  'Give it to my owner. Your message is kept, locked, and I read it once you are let in.';

const span = (minutes: number): string =>
  minutes % 60 === 0 ? (minutes === 60 ? 'one hour' : `${minutes / 60} hours`) : `${minutes} minutes`;

export const APPROVED_TEXT = 'You are in: my owner has approved you. Write me whenever you like.';
export const REDEEMED_TEXT = 'Welcome! Your invitation is accepted. Write me whenever you like.';

export const SPENT_TEXT =
  'That was all for today: what my owner gave you for a day is used up. Write me again after midnight UTC; what you ' +
  'wrote just now was not read.';

export function groupText(
  group: { title: string; channel: string; chat: string; by: string | null; isPublic: boolean },
  code: string,
): string {
  const { title, channel, chat, by, isPublic } = group;
  const who = by === null ? '' : ` by ${by}`;
  const open = isPublic ? ' The group is public: anybody can find it and join.' : '';
  return (
    `I was added to the group “${title}” (${channel}:${chat})${who}. I stay silent there until you approve it.${open}\n` +
    `openclaw pairing approve ${code}`
  );
}

export const lostText = (channel: string, reason: string, fix: string): string =>
  `I have lost ${channel}: ${reason}. I cannot hear or answer anybody there until you mend it.${fix === '' ? '' : `\n${fix}`}`;

const NOT_SEEN = new RegExp(String.raw`[\p{C}${FORMAT}]`, 'gu');
/** A name as it may be shown: one line, nothing invisible, nothing that turns the text around, not long. */
export function cleanName(name: string | undefined): string {
  const plain = (name ?? '')
    .slice(0, 400)
    .normalize('NFC')
    .replace(NOT_SEEN, '')
    .replace(/\u034f|\u17b4|\u17b5/gu, '')
    .replace(/[\s[\]()<>{}“”"`:,]+/gu, ' ')
    .trim();
  const chars = [...plain];
  return chars.length > 40 ? `${chars.slice(0, 39).join('')}…` : plain;
}

export type OwnerChat = Pick<Letter, 'channel' | 'account' | 'chat'>;

export function createOwners(people: People, rules: () => Rules, knownOf: (facts: Facts) => Known) {
  const isStill = ({ channel, account, person, chat }: SeenPerson): boolean => {
    const facts: Facts = { ...NOBODY, channel, account, chat, sender: person };
    return isOwner(facts, rules(), knownOf(facts));
  };
  /** The one in which they wrote last comes first. */
  const chats = (): OwnerChat[] =>
    people
      .all()
      .filter((person) => person.standing === 'owner' && person.chat !== '' && isStill(person))
      .map(({ channel, account, chat }) => ({ channel, account, chat }));
  return {
    chats,
    /** On the same channel when they write there, else wherever they wrote last. */
    chatOf(channel: string, account: string, elsewhere = false): OwnerChat | null {
      const all = chats();
      const isHere = (one: OwnerChat): boolean => one.channel === channel && one.account === account;
      return (elsewhere ? all.find((one) => !isHere(one)) : (all.find(isHere) ?? all[0])) ?? null;
    },
  };
}
