// Owns what an update of Telegram means here: a message of somebody, a change of membership, a chat that moved, or nothing.
// Pure. Who wrote it is the number that Telegram vouches for; names, captions and forwards prove nothing.
import type { CallbackQuery, Chat, Message, Update, User } from 'grammy/types';
import { label } from '../../store/label.ts';
import { type Attachment, type GroupChange, type InboundMessage, PRESSED } from '../channel.ts';

export type Self = { readonly id: number; readonly username: string };
export type Context = { readonly account: string; readonly self: Self; readonly nowMs: number };

export type Meaning =
  | { readonly kind: 'message'; readonly message: InboundMessage; readonly album: string | null }
  | { readonly kind: 'press'; readonly message: InboundMessage; readonly id: string; readonly on: number }
  | { readonly kind: 'group'; readonly change: GroupChange }
  | { readonly kind: 'moved'; readonly from: string; readonly to: string }
  | { readonly kind: 'nothing' };

const NOTHING: Meaning = { kind: 'nothing' };
export const ID = 'telegram';
/** Everything else is not asked for: edits are no new commands, and channels are not conversations. */
export const ALLOWED_UPDATES = ['message', 'my_chat_member', 'callback_query'] as const;

export function meaningOf(update: Update, context: Context): Meaning {
  if (update.my_chat_member) return membership(update.my_chat_member, context);
  if (update.callback_query) return pressed(update.callback_query, context);
  const { message } = update;
  if (!message) return NOTHING;
  if (message.migrate_to_chat_id !== undefined)
    return { kind: 'moved', from: String(message.chat.id), to: String(message.migrate_to_chat_id) };
  const attachments = attachmentsOf(message);
  const sender = senderOf(message);
  if (!sender || sender.id === String(context.self.id)) return NOTHING;
  const { text, quoted } = wordsOf(message, sender.id);
  if (text === '' && attachments.length === 0) return NOTHING;
  const { chat, message_thread_id: topic, is_topic_message: inTopic } = message;
  const isGroup = chat.type !== 'private';
  const chatId = String(chat.id);
  return {
    kind: 'message',
    album: message.media_group_id === undefined ? null : `${chatId}/${message.media_group_id}`,
    message: {
      channel: ID,
      account: context.account,
      chat: chatId,
      ...(inTopic && topic !== undefined ? { thread: String(topic) } : {}),
      ...(isGroup ? { chatTitle: titleOf(chat), addressed: addressedIn(message, context.self) } : {}),
      messageId: String(message.message_id),
      chatType: isGroup ? 'group' : 'direct',
      sender,
      assurance: 'platform',
      text,
      ...(quoted ? { quoted } : {}),
      ...(attachments.length > 0 ? { attachments } : {}),
      // The clock of whoever sent it is not ours.
      receivedAtMs: context.nowMs,
      label: label('untrusted', 'owner', `${ID}:${chatId}`),
    },
  };
}

/** A button of ours was pressed: the words of whoever has pressed it, in the chat where it stands. */
function pressed({ id, from, data = '', message }: CallbackQuery, { account, nowMs }: Context): Meaning {
  if (!message || !PRESSED.test(data)) return NOTHING;
  const { chat, message_id: on } = message;
  return {
    ...{ kind: 'press', id, on },
    message: {
      ...{ channel: ID, account, chat: String(chat.id), messageId: `press:${id}` },
      chatType: chat.type === 'private' ? 'direct' : 'group',
      sender: { id: String(from.id), display: nameOf(from), ...(from.is_bot ? { isBot: true } : {}) },
      // In a group it is addressed to us, whatever it says.
      ...(chat.type === 'private' ? {} : { addressed: { mention: true, replyToBot: true } }),
      ...{ assurance: 'platform', text: data, receivedAtMs: nowMs },
      label: label('untrusted', 'owner', `${ID}:${chat.id}`),
    },
  };
}

/** Who speaks for a chat (an anonymous admin, a linked channel) is that chat, never the account that stands in for it. */
function senderOf({ from, sender_chat: chat }: Message): InboundMessage['sender'] | null {
  if (chat) return { id: String(chat.id), display: titleOf(chat) };
  if (!from) return null;
  return { id: String(from.id), display: nameOf(from), ...(from.is_bot ? { isBot: true } : {}) };
}

/**
 * What is passed on was written by somebody else: it is shown because its sender shows it, and it is neither the sender's
 * own word nor a command.
 */
function wordsOf(message: Message, sender: string): Pick<InboundMessage, 'text' | 'quoted'> {
  const text = setApart(message) ?? sharedIn(message);
  const quoted = quotedIn(message);
  const written = passedOn(message);
  if (written === null) return { text, ...(quoted ? { quoted } : {}) };
  return text === '' ? { text: '' } : { text: written, quoted: { senderId: sender, text } };
}

const PASTED: ReadonlySet<string> = new Set(['blockquote', 'expandable_blockquote', 'pre']);
/** What is set as a quote or as a block of code has no mark in the text itself; each of its lines is given one. */
function setApart(message: Message): string | undefined {
  let text = message.text ?? message.caption;
  const blocks = (message.entities ?? message.caption_entities ?? []).filter(({ type }) => PASTED.has(type));
  let before = Number.POSITIVE_INFINITY;
  // From the end on, so that what is put in moves nothing that is still to come; what lies in another is part of it.
  for (const { offset, length } of blocks.sort(
    (a, b) => b.offset + b.length - (a.offset + a.length) || b.length - a.length,
  )) {
    if (text === undefined || offset + length > before) continue;
    before = offset;
    const [head, block, rest] = [
      text.slice(0, offset),
      text.slice(offset, offset + length),
      text.slice(offset + length),
    ];
    const [above, below] = [/(^|\n)$/.test(head) ? '' : '\n', /^($|\n)/.test(rest) ? '' : '\n'];
    text = `${head}${above}${block.replace(/^/gm, '> ')}${below}${rest}`;
  }
  return text;
}

/** Whose words they are, when not the sender's own; null when they are. Of an inline bot the sender chose one answer. */
function passedOn({ forward_origin: origin, via_bot: bot }: Message): string | null {
  if (origin) return `[forwarded, written by ${originOf(origin)}]`;
  return bot ? `[written by the bot ${originOf({ type: 'user', sender_user: bot, date: 0 })}]` : null;
}

function originOf(origin: NonNullable<Message['forward_origin']>): string {
  const name =
    origin.type === 'user'
      ? nameOf(origin.sender_user)
      : origin.type === 'hidden_user'
        ? origin.sender_user_name
        : titleOf(origin.type === 'chat' ? origin.sender_chat : origin.chat);
  return name.replace(/[\p{C}\n[\]]/gu, '').slice(0, 60) || 'somebody';
}

/** What is neither text nor a file, in words. */
function sharedIn({ location, contact, poll, dice }: Message): string {
  if (location) return `[a place: ${location.latitude}, ${location.longitude}]`;
  if (contact) return `[a contact: ${contact.first_name} ${contact.phone_number}]`;
  if (poll) return `[a poll: ${poll.question}: ${poll.options.map(({ text }) => text).join(' / ')}]`;
  return dice ? `[${dice.emoji} ${dice.value}]` : '';
}

function addressedIn(message: Message, self: Self): NonNullable<InboundMessage['addressed']> {
  const text = message.text ?? message.caption ?? '';
  const name = `@${self.username.toLowerCase()}`;
  // Somebody who passes on a message that names us has not named us.
  const isOwn = passedOn(message) === null;
  const mention = (isOwn ? (message.entities ?? message.caption_entities ?? []) : []).some((entity) => {
    if (entity.type === 'text_mention') return entity.user.id === self.id;
    const part = text.slice(entity.offset, entity.offset + entity.length).toLowerCase();
    if (entity.type === 'mention') return part === name;
    return entity.type === 'bot_command' && part.endsWith(name);
  });
  return { mention, replyToBot: repliedTo(message)?.from?.id === self.id };
}

/** In a topic, what answers nothing answers the message that made the topic. */
function repliedTo({ reply_to_message: reply }: Message) {
  return reply && !('forum_topic_created' in reply && reply.forum_topic_created) ? reply : undefined;
}

function quotedIn(message: Message): InboundMessage['quoted'] {
  const reply = repliedTo(message);
  const text = message.quote?.text ?? reply?.text ?? reply?.caption ?? '';
  if (text === '') return undefined;
  return { senderId: reply ? (senderOf(reply as Message)?.id ?? null) : null, text };
}

function attachmentsOf(message: Message): Attachment[] {
  const { message_id: id } = message;
  const of = (
    kind: Attachment['kind'],
    file: { file_id: string; file_size?: number; file_name?: string; mime_type?: string } | undefined,
    name: string,
    mimeType: string,
  ): Attachment[] =>
    file
      ? [
          {
            ...{ ref: file.file_id, kind, name: file.file_name ?? name, mimeType: file.mime_type ?? mimeType },
            sizeBytes: file.file_size ?? null,
          },
        ]
      : [];
  const { sticker } = message;
  return [
    ...of('image', message.photo?.at(-1), `photo-${id}.jpg`, 'image/jpeg'),
    ...of('audio', message.voice, `voice-${id}.ogg`, 'audio/ogg'),
    ...of('audio', message.audio, `audio-${id}`, 'audio/mpeg'),
    ...of('video', message.video, `video-${id}.mp4`, 'video/mp4'),
    ...of('video', message.video_note, `video-${id}.mp4`, 'video/mp4'),
    ...of('sticker', sticker, `sticker ${sticker?.emoji ?? id}`, 'image/webp'),
    // An animation comes along as a document too.
    ...of('file', message.document, `document-${id}`, 'application/octet-stream'),
  ];
}

function membership(
  { chat, from, old_chat_member: before, new_chat_member: after }: NonNullable<Update['my_chat_member']>,
  context: Context,
): Meaning {
  if (chat.type === 'private') return NOTHING;
  const isIn = (member: typeof after): boolean =>
    ['creator', 'administrator', 'member'].includes(member.status) ||
    (member.status === 'restricted' && member.is_member);
  if (isIn(before) === isIn(after)) return NOTHING;
  return {
    kind: 'group',
    change: {
      ...{ channel: ID, account: context.account, chat: String(chat.id), title: titleOf(chat) },
      change: isIn(after) ? 'joined' : 'left',
      by: String(from.id),
      isPublic: 'username' in chat && chat.username !== undefined,
    },
  };
}

const nameOf = ({ first_name: first, last_name: last }: User): string => (last ? `${first} ${last}` : first);
const titleOf = (chat: Chat): string => chat.title ?? chat.first_name ?? chat.username ?? String(chat.id);

/** The parts of an album as one message: the files of all, the words of the one that has them. */
export function joinAlbum(parts: readonly InboundMessage[]): InboundMessage | null {
  const first = parts[0];
  if (!first) return null;
  const { addressed } = first;
  const quoted = parts.find((part) => part.quoted)?.quoted;
  return {
    ...first,
    text: parts.find(({ text }) => text !== '')?.text ?? '',
    ...(addressed
      ? { addressed: { ...addressed, mention: parts.some((part) => part.addressed?.mention === true) } }
      : {}),
    ...(quoted ? { quoted } : {}),
    attachments: parts.flatMap(({ attachments = [] }) => attachments),
  };
}
