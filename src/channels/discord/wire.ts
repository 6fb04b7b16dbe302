// Owns the shapes of Discord's API v10 that this channel reads, and no more of them: what is not named here is dropped
// at the edge, what has another shape is refused.
import * as z from 'zod/mini';

const id = z.string().check(z.regex(/^\d{1,20}$/));
const list = <T extends z.core.$ZodType>(of: T) => z._default(z.array(of), []);
const user = z.object({
  id,
  username: z.optional(z.string()),
  global_name: z.nullish(z.string()),
  bot: z.optional(z.boolean()),
  system: z.optional(z.boolean()),
});
const attachment = z.object({
  filename: z.string(),
  size: z.optional(z.number()),
  url: z.string(),
  content_type: z.nullish(z.string()),
});

export const memberSchema = z.object({ nick: z.nullish(z.string()), roles: list(id) });

export const messageSchema = z.object({
  id,
  channel_id: id,
  guild_id: z.optional(id),
  type: z.number(),
  content: z._default(z.string(), ''),
  author: user,
  member: z.optional(memberSchema),
  webhook_id: z.optional(id),
  mentions: list(z.object({ id })),
  mention_roles: list(id),
  referenced_message: z.nullish(z.object({ content: z._default(z.string(), ''), author: z.object({ id }) })),
  message_snapshots: list(z.object({ message: z.object({ content: z._default(z.string(), '') }) })),
  attachments: list(attachment),
  sticker_items: list(z.object({ id, name: z.string(), format_type: z.number() })),
});
export type DiscordMessage = z.infer<typeof messageSchema>;

/** A press on a component of ours; `member` in a server, `user` elsewhere. */
export const pressSchema = z.object({
  id,
  /** it becomes part of an address */
  token: z.string().check(z.regex(/^[\w-]{1,600}$/)),
  type: z.literal(3),
  channel_id: id,
  guild_id: z.optional(id),
  user: z.optional(user),
  member: z.optional(z.object({ user, roles: list(id) })),
  data: z.object({ custom_id: z.string() }),
});
export type DiscordPress = z.infer<typeof pressSchema>;

export const channelSchema = z.object({
  id,
  type: z.number(),
  guild_id: z.optional(id),
  parent_id: z.nullish(id),
  name: z.nullish(z.string()),
});
export type DiscordChannel = z.infer<typeof channelSchema>;

const roleSchema = z.object({ id, tags: z.optional(z.object({ bot_id: z.optional(id) })) });
export type DiscordRole = z.infer<typeof roleSchema>;

export const guildSchema = z.object({
  id,
  name: z._default(z.string(), ''),
  unavailable: z.optional(z.boolean()),
  features: list(z.string()),
  channels: list(channelSchema),
  threads: list(channelSchema),
  roles: list(roleSchema),
});
export type DiscordGuild = z.infer<typeof guildSchema>;

export const userSchema = z.object({ id, username: z.string() });
export const readySchema = z.object({
  session_id: z.string(),
  resume_gateway_url: z.string(),
  user: userSchema,
  guilds: list(z.object({ id })),
});
export type DiscordReady = z.infer<typeof readySchema>;

export const roleEventSchema = z.object({ guild_id: id, role: roleSchema });
export const threadListSchema = z.object({ guild_id: id, threads: list(channelSchema) });
export const gatewaySchema = z.object({
  url: z.string(),
  session_start_limit: z.optional(z.object({ remaining: z.number(), reset_after: z.number() })),
});
export const frameSchema = z.object({
  op: z.number(),
  s: z.nullish(z.number()),
  t: z.nullish(z.string()),
  d: z.optional(z.unknown()),
});
export type Frame = z.infer<typeof frameSchema>;
export const helloSchema = z.object({ heartbeat_interval: z.number().check(z.gt(0)) });
export const errorSchema = z.object({
  message: z.optional(z.string()),
  code: z.optional(z.number()),
  retry_after: z.optional(z.number()),
  global: z.optional(z.boolean()),
});
