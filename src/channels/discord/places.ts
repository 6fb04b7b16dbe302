// Owns what is known of servers, channels, threads and direct conversations: what a message lies in. It is asked before a
// message is believed to be direct, and what it does not know it asks Discord; it never guesses.
import { setNewest } from '../../platform/newest.ts';
import type { GroupChange } from '../channel.ts';
import { answerFailure } from './failures.ts';
import type { KnownGuild } from './memory.ts';
import type { ApiCall } from './rest.ts';
import { channelSchema, type DiscordChannel, type DiscordGuild, type DiscordRole } from './wire.ts';

export type Place =
  | { readonly kind: 'direct' | 'group-direct' }
  /** `room` is the channel, also of a thread; `thread` is '' outside of one */
  | {
      readonly kind: 'guild';
      readonly guild: string;
      readonly room: string;
      readonly thread: string;
      readonly title: string;
    };

export type Joined = Pick<GroupChange, 'chat' | 'title' | 'isPublic'>;
export type Places = ReturnType<typeof createPlaces>;

const DIRECT = 1;
const GROUP_DIRECT = 3;
const THREADS = [10, 11, 12];
/** What is forgotten is asked for again. */
const MAX_CHANNELS = 20_000;
const MAX_DIRECT = 5_000;

type Known = { readonly type: number; readonly guild: string; readonly parent: string; readonly name: string };

/** `guilds` is kept by who remembers them across a restart. */
export function createPlaces(api: ApiCall, guilds: Map<string, KnownGuild>) {
  const channels = new Map<string, Known>();
  const direct = new Map<string, 'direct' | 'group-direct'>();

  const learn = (channel: DiscordChannel, guild = channel.guild_id): Known | null => {
    if (guild === undefined) return null;
    const known = { type: channel.type, guild, parent: channel.parent_id ?? '', name: channel.name ?? '' };
    setNewest(channels, channel.id, known, MAX_CHANNELS);
    return known;
  };
  const forget = (id: string): void => {
    for (const [channel, { guild }] of channels) if (guild === id) channels.delete(channel);
    guilds.delete(id);
  };
  const placeOf = (id: string, { type, guild, parent, name }: Known): Place => {
    const isThread = THREADS.includes(type) && parent !== '';
    const room = isThread ? parent : id;
    const roomName = isThread ? (channels.get(parent)?.name ?? '') : name;
    const title = [guilds.get(guild)?.title ?? '', roomName === '' ? '' : `#${roomName}`].filter(Boolean).join(' ');
    return { kind: 'guild', guild, room, thread: isThread ? id : '', title };
  };

  return {
    learn,
    drop: (id: string): void => void channels.delete(id),
    /** It will be described soon, and is no news then. */
    expect(id: string): void {
      if (!guilds.has(id)) guilds.set(id, { title: '', isPublic: false, myRole: '' });
    },
    /** what is new about the server, or null when it was known */
    enter(guild: DiscordGuild, me: string): Joined | null {
      const wasKnown = guilds.has(guild.id);
      forget(guild.id);
      const isPublic = guild.features.includes('DISCOVERABLE');
      guilds.set(guild.id, { title: guild.name, isPublic, myRole: '' });
      for (const channel of [...guild.channels, ...guild.threads]) learn(channel, guild.id);
      for (const role of guild.roles) this.learnRole(guild.id, role, me);
      return wasKnown ? null : { chat: guild.id, title: guild.name, isPublic };
    },
    leave(id: string): Joined {
      const { title = '', isPublic = false } = guilds.get(id) ?? {};
      forget(id);
      return { chat: id, title, isPublic };
    },
    learnRole(guildId: string, role: DiscordRole, me: string): void {
      const guild = guilds.get(guildId);
      if (guild && role.tags?.bot_id === me) guild.myRole = role.id;
    },
    /** the role that Discord made for the bot itself; nobody else can have it */
    isMyRole: (guildId: string, roleId: string): boolean => guilds.get(guildId)?.myRole === roleId,
    guildIds: (): string[] => [...guilds.keys()],

    /** `guild` as the message says it. Null: Discord does not let us see what this is. Rejects when it cannot be asked. */
    async find(id: string, guild: string | undefined, signal: AbortSignal): Promise<Place | null> {
      const known = channels.get(id);
      if (known) return placeOf(id, known);
      const kind = direct.get(id);
      if (kind) return { kind };
      const answer = await api('GET', `/channels/${id}`, signal);
      if (answer.status === 403 || answer.status === 404) {
        return guild === undefined ? null : { kind: 'guild', guild, room: id, thread: '', title: '' };
      }
      const channel = answer.status === 200 ? channelSchema.safeParse(answer.body).data : undefined;
      if (!channel) throw answerFailure(answer, `the question for channel ${id}`);
      const learned = learn(channel, channel.guild_id ?? guild);
      if (learned) return placeOf(id, learned);
      if (channel.type !== DIRECT && channel.type !== GROUP_DIRECT) return null;
      const found = channel.type === DIRECT ? 'direct' : 'group-direct';
      setNewest(direct, id, found, MAX_DIRECT);
      return { kind: found };
    },
  };
}
