// Owns what an event of Slack means here: a message of a person, a change of a group, the end of the installation, or
// nothing. Pure. Who sent it is taken from what Slack vouches for; a name or a text proves nothing.
import * as z from 'zod/mini';
import { label } from '../../store/label.ts';
import { type Attachment, type InboundMessage, PRESSED } from '../channel.ts';
import { kindOf } from '../media-type.ts';
import { mentions, plainText } from './text.ts';

/** What auth.test said of our own installation. */
export type Self = {
  readonly userId: string;
  readonly botId: string;
  readonly teamId: string;
  /** of the organisation that the workspace belongs to, where there is one */
  readonly orgId?: string;
  readonly name: string;
};

export type Meaning =
  | { readonly kind: 'message'; readonly place: string; readonly ts: string; readonly message: InboundMessage }
  | { readonly kind: 'group'; readonly chat: string; readonly change: 'joined' | 'left'; readonly by: string | null }
  | { readonly kind: 'moved'; readonly from: string; readonly to: string }
  | { readonly kind: 'uninstalled' }
  | { readonly kind: 'nothing'; readonly why: string };

const ID = z.string().check(z.regex(/^[A-Z0-9]{2,40}$/));
const TS = z.string().check(z.regex(/^\d{1,12}\.\d{1,9}$/));
const maybeLine = z.nullish(z.string());

const CALLBACK = z.object({
  type: z.literal('event_callback'),
  event_id: z.optional(z.string()),
  authorizations: z.nullish(
    z.array(z.object({ team_id: z.nullish(z.string()), is_enterprise_install: z.nullish(z.boolean()) })),
  ),
  event: z.looseObject({ type: z.string() }),
});

const FILE = z.object({
  id: ID,
  name: maybeLine,
  title: maybeLine,
  mimetype: maybeLine,
  size: z.nullish(z.number()),
  mode: maybeLine,
});
const QUOTE = z.object({
  text: maybeLine,
  author_id: z.nullish(ID),
  bot_id: z.nullish(ID),
  is_share: z.nullish(z.boolean()),
  is_msg_unfurl: z.nullish(z.boolean()),
});
const MESSAGE = z.object({
  type: z.string(),
  channel: ID,
  ts: TS,
  user: z.nullish(ID),
  text: maybeLine,
  subtype: maybeLine,
  bot_id: maybeLine,
  thread_ts: z.nullish(TS),
  parent_user_id: maybeLine,
  user_team: z.nullish(ID),
  source_team: z.nullish(ID),
  team: z.nullish(ID),
  edited: z.nullish(z.unknown()),
  channel_type: maybeLine,
  user_profile: z.nullish(z.object({ display_name: maybeLine, real_name: maybeLine })),
  files: z.nullish(z.array(z.unknown())),
  attachments: z.nullish(z.array(z.unknown())),
});
const PRESS = z.object({
  type: z.literal('block_actions'),
  team: z.nullish(z.object({ id: ID })),
  user: z.object({ id: ID, team_id: z.nullish(ID), name: maybeLine }),
  channel: z.object({ id: ID }),
  actions: z.array(z.object({ value: maybeLine, action_ts: TS })),
});
const MOVED = z.object({ old_channel_id: ID, new_channel_id: ID });
const MEMBER = z.object({ channel: ID, user: z.nullish(ID), inviter: z.nullish(ID), actor_id: z.nullish(ID) });

/** What people write comes with these subtypes or none; edits, deletions, joins and all others are no new messages. */
const OF_PEOPLE = new Set(['file_share', 'thread_broadcast', 'me_message']);
/** Slack's own voice: reminders, and answers to commands. */
const SLACKBOT = 'USLACKBOT';
const WE_LEFT = new Set(['channel_left', 'group_left', 'channel_deleted', 'group_deleted']);

export type Context = { readonly account: string; readonly self: Self; readonly nowMs: number };

/** The event of a callback, with its id, or why it is none of ours. */
export function eventOf(
  payload: unknown,
  self: Self,
): { readonly id: string; readonly event: { type: string } } | { readonly why: string } {
  const body = CALLBACK.safeParse(payload);
  if (!body.success) return { why: 'it is no event' };
  const { authorizations, event, event_id: id = '' } = body.data;
  // One app can be installed in several workspaces, and all of them share its sockets.
  const isOurs =
    !authorizations?.length || authorizations.some((one) => one.team_id === self.teamId || one.is_enterprise_install);
  return isOurs ? { id, event } : { why: 'it belongs to another installation of the app' };
}

/** A button of ours was pressed: the words of whoever has pressed it. Null: it is something else, or of somebody else. */
export function pressOf(payload: unknown, { account, self, nowMs }: Context): InboundMessage | null {
  const press = PRESS.safeParse(payload).data;
  const action = press?.actions[0];
  const says = action?.value ?? '';
  if (!press || !action || !PRESSED.test(says)) return null;
  if (press.team && press.team.id !== self.teamId && press.team.id !== self.orgId) return null;
  const { channel, user } = press;
  return {
    ...{ channel: 'slack', account, chat: channel.id, within: [self.teamId] },
    messageId: `press:${user.id}:${action.action_ts}`,
    chatType: channel.id.startsWith('D') ? 'direct' : 'group',
    sender: { id: senderOf(user.id, { team: user.team_id }, self), ...(user.name ? { display: user.name } : {}) },
    ...{ assurance: 'platform', text: says, receivedAtMs: nowMs },
    addressed: { mention: true, replyToBot: true },
    label: label('untrusted', 'owner', `slack:${channel.id}`),
  };
}

export function meaningOf(event: { readonly type: string }, context: Context): Meaning {
  const { self } = context;
  if (event.type === 'message' || event.type === 'app_mention') return messageOf(event, context);
  if (event.type === 'channel_id_changed') {
    const { data } = MOVED.safeParse(event);
    return data
      ? { kind: 'moved', from: data.old_channel_id, to: data.new_channel_id }
      : nothing('the event is malformed');
  }
  if (event.type === 'app_uninstalled') return { kind: 'uninstalled' };
  if (event.type === 'tokens_revoked') {
    const tokens = (event as { tokens?: { bot?: unknown } }).tokens;
    const isOurs = Array.isArray(tokens?.bot) && tokens.bot.includes(self.userId);
    return isOurs ? { kind: 'uninstalled' } : nothing('the revoked tokens are of people');
  }
  const isJoin = event.type === 'member_joined_channel';
  const isKick = event.type === 'member_left_channel';
  if (!isJoin && !isKick && !WE_LEFT.has(event.type))
    return nothing(`events of type ${event.type.slice(0, 40)} are not used`);
  const member = MEMBER.safeParse(event);
  if (!member.success) return nothing('the event is malformed');
  const { channel: chat, user, inviter, actor_id: actor } = member.data;
  if ((isJoin || isKick) && user !== self.userId) return nothing('somebody else came or went');
  return { kind: 'group', chat, change: isJoin ? 'joined' : 'left', by: inviter ?? actor ?? null };
}

function messageOf(event: unknown, { account, self, nowMs }: Context): Meaning {
  const parsed = MESSAGE.safeParse(event);
  if (!parsed.success) return nothing('the message is malformed');
  const { channel: chat, ts, user, subtype, thread_ts: threadTs, text: raw } = parsed.data;
  if (subtype && !OF_PEOPLE.has(subtype))
    return nothing(`a message of subtype ${subtype.slice(0, 40)} is not a new one`);
  if (!user) return nothing('nobody is named as its sender');
  // Slack tells again of a mention when it was written into a message later.
  if (parsed.data.type === 'app_mention' && parsed.data.edited) return nothing('it is an edit');
  if (user === self.userId || parsed.data.bot_id === self.botId) return nothing('it is our own');
  if (parsed.data.bot_id || user === SLACKBOT) return nothing('it was written by a bot');
  const thread = threadTs && threadTs !== ts ? threadTs : undefined;
  const isDirect = parsed.data.channel_type ? parsed.data.channel_type === 'im' : chat.startsWith('D');
  const names = { botUserId: self.userId, botName: self.name };
  const quote = quoteIn(parsed.data.attachments ?? []);
  const display = parsed.data.user_profile?.display_name || parsed.data.user_profile?.real_name;
  const attachments = (parsed.data.files ?? []).flatMap(attachmentOf);
  const sender = senderOf(user, parsed.data, self);
  const message: InboundMessage = {
    channel: 'slack',
    account,
    chat,
    ...(thread === undefined ? {} : { thread }),
    within: [self.teamId],
    messageId: messageIdOf(chat, ts),
    chatType: isDirect ? 'direct' : 'group',
    sender: { id: sender, ...(display ? { display } : {}) },
    assurance: 'platform',
    text: plainText(raw ?? '', names),
    addressed: {
      mention: mentions(raw ?? '', self.userId),
      replyToBot: thread !== undefined && parsed.data.parent_user_id === self.userId,
      quotesBot: quote !== null && (quote.author_id === self.userId || quote.bot_id === self.botId),
    },
    ...(quote ? { quoted: { senderId: quote.author_id ?? null, text: plainText(quote.text ?? '', names) } } : {}),
    ...(attachments.length > 0 ? { attachments } : {}),
    receivedAtMs: nowMs,
    label: label('untrusted', 'owner', `slack:${chat}`),
  };
  return { kind: 'message', place: placeOf(chat, thread), ts, message };
}

/**
 * An id of Slack names a person within a workspace only. In a channel that is shared with another company, theirs say which
 * workspace they are of; without that, one of them could have the id of somebody who is listed here.
 */
function senderOf(
  user: string,
  { user_team, source_team, team }: Partial<Pick<z.infer<typeof MESSAGE>, 'user_team' | 'source_team' | 'team'>>,
  self: Self,
): string {
  const foreign = [user_team, source_team, team].find((one) => one && one !== self.teamId && one !== self.orgId);
  return foreign ? `${user}@${foreign}` : user;
}

/** Both `message` and `app_mention` tell of one message; the channel and its time name it, and nothing else does. */
export const messageIdOf = (chat: string, ts: string): string => `${chat}:${ts}`;
/** A conversation of its own: a chat, or a thread in it. */
export const placeOf = (chat: string, thread = ''): string => `${chat}/${thread}`;

const nothing = (why: string): Meaning => ({ kind: 'nothing', why });

function quoteIn(attachments: readonly unknown[]): z.infer<typeof QUOTE> | null {
  for (const one of attachments) {
    const quote = QUOTE.safeParse(one);
    if (quote.success && (quote.data.is_share || quote.data.is_msg_unfurl)) return quote.data;
  }
  return null;
}

function attachmentOf(one: unknown): Attachment[] {
  const file = FILE.safeParse(one);
  if (!file.success || file.data.mode === 'tombstone' || file.data.mode === 'hidden_by_limit') return [];
  const { id, name, title, mimetype, size } = file.data;
  const mimeType = mimetype || 'application/octet-stream';
  return [{ ref: id, kind: kindOf(mimeType), name: name || title || id, mimeType, sizeBytes: size ?? null }];
}
