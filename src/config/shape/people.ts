// Owns what counts as a person on each channel: the id that its owner cannot change. Names, groups and rooms are told
// apart from people, and never taken for them.
import type { ChannelName } from '../schema/channels.ts';

export type Person =
  | { readonly id: string }
  | { readonly kind: 'name' | 'group'; readonly why: string; readonly where: string };

const NAME_WHY = 'is a name, which can be changed or taken over';
const GROUP_WHY = 'is a group, and this list is for senders';

/** The id in the form that the channel reports it, or why this is none. `*` is everybody. */
export function personOf(channel: ChannelName, written: string): Person {
  const entry = written.replace(new RegExp(`^(${channel}|tg|user):`, 'i'), '').trim();
  if (entry === '*') return { id: '*' };
  if (entry.startsWith('accessGroup:')) return name('is not offered here', 'list the people themselves');
  return READERS[channel](entry);
}

const READERS: Readonly<Record<ChannelName, (entry: string) => Person>> = {
  telegram: (entry) => {
    if (/^\d{1,20}$/.test(entry)) return { id: entry };
    if (/^-\d+$/.test(entry)) return group('list it as channels.telegram.groups."<id>"');
    return name(NAME_WHY, 'use the numeric id (openclaw status --deep shows ids that have written)');
  },
  whatsapp: (entry) => {
    if (/@g\.us$/.test(entry)) return group('list it as channels.whatsapp.groups."<id>"');
    const number = entry
      .replace(/(:\d+)?@(s\.whatsapp\.net|c\.us)$/, '')
      .replace(/[\s().-]/g, '')
      .replace(/^00/, '+');
    if (/^\+?[1-9]\d{5,14}$/.test(number)) return { id: number.startsWith('+') ? number : `+${number}` };
    return name('is no phone number', 'write it in full, such as +15555550123');
  },
  discord: (entry) => {
    const id = /^<@!?(\d+)>$/.exec(entry)?.[1] ?? entry;
    if (/^\d{15,22}$/.test(id)) return { id };
    return name(NAME_WHY, 'use the user id (developer mode, then "Copy User ID"), in quotes');
  },
  slack: (entry) => {
    const id = /^<@([A-Z0-9]+)(\|.*)?>$/.exec(entry)?.[1] ?? entry;
    // Of a person from another workspace, in a channel that is shared with it, the workspace is a part of the id.
    if (/^[UW][A-Z0-9]{5,}(@[TE][A-Z0-9]{2,})?$/.test(id)) return { id };
    if (/^[CG][A-Z0-9]{5,}$/.test(id)) return group('list it as channels.slack.groups."<id>"');
    return name(NAME_WHY, 'use the member id (profile, then "Copy member ID")');
  },
  mail: (entry) => {
    const address = entry.toLowerCase();
    if (/^(\*|[^\s@<>,;*]+)@[^\s@<>,;*]+\.[^\s@<>,;*]+$/.test(address)) return { id: address };
    return name('is no mail address', 'write it like someone@example.net or *@example.net');
  },
};

const name = (why: string, where: string): Person => ({ kind: 'name', why, where });
const group = (where: string): Person => ({ kind: 'group', why: GROUP_WHY, where });
