// Owns where the owner can be told something: the direct chats of those who are owners now, whatever they were when they
// wrote there. It must never lead to a chat that others read.
import type { People, SeenPerson } from '../store/people/people.ts';
import { NOBODY } from './facts.ts';
import { type Facts, isOwner, type Known } from './gate.ts';
import type { Letter } from './letters.ts';
import type { Rules } from './rules.ts';

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
