// Owns the type of a message that may start a turn. Only this module makes one, and only from what the gate has let in;
// identity is what the channel vouches for, never what the text says.
import type { InboundMessage } from '../channels/channel.ts';
import { type Label, label } from '../store/label.ts';
import type { GuestLimits, Judgement, Standing } from './gate.ts';
import type { Rules } from './rules.ts';

declare const admitted: unique symbol;

export type Principal = {
  readonly kind: Standing;
  /** `owner`, or the person such as `telegram:123` */
  readonly id: string;
  readonly limits: GuestLimits | null;
};
export type Place = 'dm' | 'group' | 'channel';
/** Shown to the model before the message: earlier words of a group, what the message quotes. */
export type Before = { readonly text: string; readonly label: Label };

/** `text` and `label` are what the model is shown and how far it is trusted. */
export type AdmittedMessage = InboundMessage & {
  readonly [admitted]: true;
  readonly principal: Principal;
  readonly place: Place;
  readonly before: readonly Before[];
};

/** Who it was, and where; `sender` is the platform's own id. */
export type Speaking = Pick<AdmittedMessage, 'principal' | 'place' | 'channel' | 'account' | 'chat'> & {
  readonly sender: string;
};

export const OWNER: Principal = { kind: 'owner', id: 'owner', limits: null };

/** Whoever holds a connection with write scope speaks for the owner (SECURITY.md). */
export const isOperator = ({ channel, assurance, chatType }: InboundMessage): boolean =>
  channel === 'webchat' && assurance === 'operator' && chatType === 'direct';

export function admitOperator(message: InboundMessage): AdmittedMessage {
  return { ...message, principal: OWNER, place: 'dm', before: [] } as unknown as AdmittedMessage;
}

export function admit(
  message: InboundMessage,
  { standing, limits }: Extract<Judgement, { allow: true }>,
  shown: { readonly text: string; readonly before: readonly Before[] },
  { high, low }: Rules['tiers'],
): AdmittedMessage {
  const person = `${message.channel}:${message.sender.id}`;
  const principal: Principal = standing === 'owner' ? OWNER : { kind: standing, id: person, limits };
  const given = labelOf(message, principal);
  return {
    ...message,
    text: shown.text,
    before: shown.before,
    label: { ...given, readers: high.has(person) ? 'secret' : low.has(person) ? 'public' : given.readers },
    principal,
    place: placeOf(message),
  } as unknown as AdmittedMessage;
}

/** A room of a server that people come and go in is a channel; a circle of people is a group. */
const placeOf = ({ chatType, within = [] }: InboundMessage): Place =>
  chatType === 'direct' ? 'dm' : within.length > 0 ? 'channel' : 'group';

/** Who may have written it, and who is there to read it (the owner always may). */
function labelOf({ channel, chat, chatType, assurance }: InboundMessage, { kind, id }: Principal): Label {
  const source = `${channel}:${chatType}:${chat}`;
  const readers = chatType !== 'direct' ? [`${channel}:chat:${chat}`] : kind === 'owner' ? 'owner' : [id];
  if (assurance === 'claimed') return label('untrusted', readers, source);
  return label(kind === 'owner' ? 'owner' : 'peer', readers, source);
}
