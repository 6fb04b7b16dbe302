// Owns what a message of Discord is to us: who says it, where, whom it names. It trusts only what Discord vouches for
// (ids, roles, resolved mentions), and drops what no person wrote. Pure.
import { label } from '../../store/label.ts';
import { type Attachment, type InboundMessage, PRESSED } from '../channel.ts';
import { kindOf } from '../media-type.ts';
import type { Place } from './places.ts';
import type { DiscordMessage, DiscordPress } from './wire.ts';

export const DISCORD_ID = 'discord';
/** Everything else is a notice of the platform: somebody joined, pinned, boosted, … */
const DEFAULT = 0;
const REPLY = 19;
const WRITTEN = [DEFAULT, REPLY];
const STICKERS: Readonly<Record<number, readonly [ending: string, mimeType: string]>> = {
  1: ['png', 'image/png'],
  2: ['png', 'image/apng'],
  3: ['json', 'application/json'],
  4: ['gif', 'image/gif'],
};

export type Reader = {
  readonly account: string;
  /** id of the bot */
  readonly me: string;
  readonly isMyRole: (guild: string, role: string) => boolean;
  readonly nowMs: number;
};

/** Written by a person or a bot, and not by ourselves, a webhook or Discord. */
export const isWritten = (message: DiscordMessage, me: string): boolean =>
  message.author.id !== me &&
  message.webhook_id === undefined &&
  message.author.system !== true &&
  WRITTEN.includes(message.type);

export function inboundOf(message: DiscordMessage, place: Place, reader: Reader): InboundMessage | null {
  if (place.kind === 'group-direct' || !isWritten(message, reader.me)) return null;
  const { author, member } = message;
  const chat = place.kind === 'guild' ? place.room : message.channel_id;
  const display = member?.nick ?? author.global_name ?? author.username;
  const attachments = attachmentsOf(message);
  const quoted = quotedOf(message);
  return {
    channel: DISCORD_ID,
    account: reader.account,
    chat,
    ...(place.kind === 'guild' ? inGuild(message, place, reader) : { chatType: 'direct' }),
    messageId: message.id,
    sender: {
      id: author.id,
      ...(display === undefined ? {} : { display }),
      ...(author.bot === true ? { isBot: true } : {}),
      ...(member === undefined ? {} : { roles: member.roles }),
    },
    assurance: 'platform',
    text: withoutName(message.content, reader.me),
    ...(quoted === undefined ? {} : { quoted }),
    ...(attachments.length === 0 ? {} : { attachments }),
    receivedAtMs: reader.nowMs,
    label: label('untrusted', 'owner', `${DISCORD_ID}:${chat}`),
  };
}

/** A button of ours was pressed: the words of whoever has pressed it, in the chat where it stands. Null: it was not ours. */
export function pressOf(press: DiscordPress, reader: Pick<Reader, 'account' | 'nowMs'>): InboundMessage | null {
  const { id, channel_id: chat, guild_id: guild, member, data } = press;
  const by = member?.user ?? press.user;
  if (by === undefined || !PRESSED.test(data.custom_id)) return null;
  const display = by.global_name ?? by.username;
  return {
    ...{ channel: DISCORD_ID, account: reader.account, chat, messageId: `press:${id}` },
    ...(guild === undefined
      ? { chatType: 'direct' as const }
      : { chatType: 'group' as const, within: [guild, chat], addressed: { mention: true, replyToBot: true } }),
    sender: {
      id: by.id,
      ...(display === undefined ? {} : { display }),
      ...(by.bot === true ? { isBot: true } : {}),
      ...(member === undefined ? {} : { roles: member.roles }),
    },
    ...{ assurance: 'platform', text: data.custom_id, receivedAtMs: reader.nowMs },
    label: label('untrusted', 'owner', `${DISCORD_ID}:${chat}`),
  };
}

function inGuild(message: DiscordMessage, place: Place & { readonly kind: 'guild' }, reader: Reader) {
  return {
    chatType: 'group',
    within: [place.guild, place.room],
    ...(place.thread === '' ? {} : { thread: place.thread }),
    ...(place.title === '' ? {} : { chatTitle: place.title }),
    addressed: addressedOf(message, place.guild, reader),
  } as const;
}

/** Discord lists the author of the answered message among the mentions, whether its name was written or not. */
function addressedOf(message: DiscordMessage, guild: string, { me, isMyRole }: Reader) {
  const replyToBot = message.referenced_message?.author.id === me;
  const isListed = message.mentions.some((one) => one.id === me);
  const isNamed = isListed && (!replyToBot || new RegExp(`<@!?${me}>`).test(message.content));
  return { mention: isNamed || message.mention_roles.some((role) => isMyRole(guild, role)), replyToBot };
}

/** What is forwarded comes without its author. */
function quotedOf(message: DiscordMessage): { senderId: string | null; text: string } | undefined {
  const answered = message.referenced_message;
  if (answered) return { senderId: answered.author.id, text: answered.content };
  const [forwarded] = message.message_snapshots;
  return forwarded && { senderId: null, text: forwarded.message.content };
}

/** `<@me> /status` is `/status`. Other names stay ids: a display name is its owner's text inside another's message. */
const withoutName = (content: string, me: string): string =>
  content.replace(new RegExp(`^(?:\\s*<@!?${me}>)+\\s*`), '');

function attachmentsOf(message: DiscordMessage): Attachment[] {
  const files = message.attachments.map((one): Attachment => {
    const mimeType = one.content_type ?? 'application/octet-stream';
    return { ref: one.url, kind: kindOf(mimeType), name: one.filename, mimeType, sizeBytes: one.size ?? null };
  });
  const stickers = message.sticker_items.map((one): Attachment => {
    const [ending, mimeType] = STICKERS[one.format_type] ?? ['png', 'image/png'];
    const host = one.format_type === 4 ? 'media.discordapp.net' : 'cdn.discordapp.com';
    const ref = `https://${host}/stickers/${one.id}.${ending}`;
    return { ref, kind: 'sticker', name: one.name, mimeType, sizeBytes: null };
  });
  return [...files, ...stickers];
}
