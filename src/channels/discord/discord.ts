// Owns the channel of Discord: it puts gateway, REST and memory together and turns events into messages. Its own clients
// stand in for @discordjs/core, which takes 15 MB more and counts an event as received before anybody has stored it.
import { reasonOf } from '../../platform/errors.ts';
import { ChannelFailure, type ChannelPorts, type ChannelSetup, type ConnectedChannel } from '../channel.ts';
import { askHealth } from '../round-trip.ts';
import { catchUp } from './catch-up.ts';
import { DISCORD, type DiscordEndpoints, gatewayUrl } from './endpoints.ts';
import { answerFailure, failureOf, networkFailure, tokenProblem } from './failures.ts';
import { followGateway } from './gateway.ts';
import { DISCORD_ID, inboundOf, isWritten, pressOf } from './inbound.ts';
import { fetchMedia } from './media.ts';
import { openMemory } from './memory.ts';
import { changesOf, MAX_FILE_BYTES, sendReply } from './outbound.ts';
import { createPlaces, type Joined } from './places.ts';
import { createApi, jsonBody } from './rest.ts';
import * as wire from './wire.ts';

const MAX_CHARS = 2_000;
/** A heartbeat is answered every 41 seconds. */
const SILENCE_MS = 120_000;
/** Answers to a press. */
const DO_NOTHING = 6;
const UPDATE_MESSAGE = 7;
/** Discord asks for a new connection every few hours; more often, something is wrong. */
const ASKED_AGAIN_MS = 60_000;

/** `endpoints` is for tests alone: no setting reaches it. */
export function openDiscord(
  setup: Omit<ChannelSetup, 'settings'>,
  endpoints: DiscordEndpoints = DISCORD,
): ConnectedChannel {
  const { account, log, now } = setup;
  const token = (setup.secrets['token'] ?? '').trim().replace(/^Bot\s+/i, '');
  const problem = tokenProblem(token);
  const api = createApi(endpoints.api, token, problem);
  const memory = openMemory(setup.stateFolder, token, log);
  const places = createPlaces(api, memory.guilds);
  let isFirstEver = memory.heardAtMs === 0;

  const addressOf = async (signal: AbortSignal): Promise<string> => {
    const known = gatewayUrl(memory.session?.resumeUrl, endpoints);
    if (known) return withVersion(known);
    const answer = await api('GET', '/gateway/bot', signal);
    const found = answer.status === 200 ? wire.gatewaySchema.safeParse(answer.body).data : undefined;
    if (!found) throw answerFailure(answer, 'the question for its gateway');
    const limit = found.session_start_limit;
    if (limit && limit.remaining <= 0 && !memory.session)
      throw networkFailure('the bot has connected too often today, and Discord asks it to wait', limit.reset_after);
    const url = gatewayUrl(found.url, endpoints);
    if (!url) throw networkFailure('Discord named a gateway that is not on one of its hosts');
    return withVersion(url);
  };

  const follow = (ports: ChannelPorts, connected: () => void) => {
    const joined = (one: Joined, change: 'joined' | 'left'): void =>
      ports.groupChanged({ channel: DISCORD_ID, account, ...one, change, by: null });

    const take = async (message: wire.DiscordMessage, signal: AbortSignal): Promise<void> => {
      if (isWritten(message, memory.me)) {
        const place = await places.find(message.channel_id, message.guild_id, signal);
        const reader = { account, me: memory.me, isMyRole: places.isMyRole, nowMs: now() };
        const inbound = place && inboundOf(message, place, reader);
        if (inbound) emit(ports, inbound);
      }
      memory.saw(message.channel_id, message.id);
    };

    /** Discord wants an answer within three seconds: the buttons go, and what came of it is told by a message. */
    const press = (found: wire.DiscordPress, signal: AbortSignal): void => {
      const inbound = pressOf(found, { account, nowMs: now() });
      if (inbound) emit(ports, inbound);
      const body = jsonBody(inbound ? { type: UPDATE_MESSAGE, data: { components: [] } } : { type: DO_NOTHING });
      void api('POST', `/interactions/${found.id}/${found.token}/callback`, signal, body).catch((error: unknown) =>
        log.info('a press was not answered', { reason: reasonOf(error) }),
      );
    };

    const ready = async ({ user, guilds }: wire.DiscordReady, signal: AbortSignal): Promise<void> => {
      memory.me = user.id;
      const ids = guilds.map((one) => one.id);
      for (const id of places.guildIds()) if (!ids.includes(id)) joined(places.leave(id), 'left');
      // Those it was in when it came for the first time are no news.
      if (isFirstEver) for (const id of ids) places.expect(id);
      connected();
      if (!isFirstEver) await catchUp({ api, memory, places, take, gap: ports.gap, now }, signal);
      isFirstEver = false;
      memory.flush();
    };

    return async (type: string, data: unknown, signal: AbortSignal): Promise<void> => {
      const read = <T>(schema: { safeParse(data: unknown): { data?: T } }, then: (found: T) => unknown): unknown => {
        const found = schema.safeParse(data).data;
        if (found !== undefined) return then(found);
        if (type === 'MESSAGE_CREATE')
          ports.gap('a message had a form that this version does not know, and was passed over');
        return log.warn('event of Discord not understood', { account, type });
      };
      switch (type) {
        case 'READY':
          return void (await read(wire.readySchema, (found) => ready(found, signal)));
        case 'RESUMED':
          return connected();
        case 'MESSAGE_CREATE':
          return void (await read(wire.messageSchema, (found) => take(found, signal)));
        case 'INTERACTION_CREATE':
          return void read(wire.pressSchema, (found) => press(found, signal));
        case 'GUILD_CREATE':
          return void read(wire.guildSchema, (guild) => {
            const news = guild.unavailable === true ? null : places.enter(guild, memory.me);
            if (news) joined(news, 'joined');
          });
        case 'GUILD_DELETE':
          // Unavailable is an outage of Discord; the bot is still in it.
          return void read(wire.guildSchema, (guild) => {
            if (guild.unavailable !== true) joined(places.leave(guild.id), 'left');
          });
        case 'CHANNEL_CREATE':
        case 'CHANNEL_UPDATE':
        case 'THREAD_CREATE':
        case 'THREAD_UPDATE':
          return void read(wire.channelSchema, (channel) => places.learn(channel));
        case 'CHANNEL_DELETE':
        case 'THREAD_DELETE':
          return void read(wire.channelSchema, (channel) => places.drop(channel.id));
        case 'THREAD_LIST_SYNC':
          return void read(wire.threadListSchema, ({ guild_id, threads }) => {
            for (const thread of threads) places.learn(thread, guild_id);
          });
        case 'GUILD_ROLE_CREATE':
        case 'GUILD_ROLE_UPDATE':
          return void read(wire.roleEventSchema, ({ guild_id, role }) => places.learnRole(guild_id, role, memory.me));
      }
    };
  };

  return {
    id: DISCORD_ID,
    account,
    // The nonce is known for minutes only, so what was being sent at a crash stays unknown.
    idempotent: false,
    maxChars: MAX_CHARS,
    maxFileBytes: MAX_FILE_BYTES,
    silenceMs: SILENCE_MS,
    send: (outbound, signal) => sendReply(api, outbound, setup.readFile, endpoints.askAgainMs, signal),
    ...changesOf(api),
    fetchAttachment: (ref, maxBytes, signal) => fetchMedia(ref, maxBytes, api, endpoints, signal),
    async typing({ chat, thread }, signal) {
      await api('POST', `/channels/${thread || chat}/typing`, signal);
    },
    async run(ports, signal, connected) {
      if (problem) throw problem;
      const event = follow(ports, connected);
      let askedAtMs = Number.NEGATIVE_INFINITY;
      try {
        for (;;) {
          const url = await addressOf(signal);
          const { alive } = ports;
          const { identifyWaitMs } = endpoints;
          const end = await followGateway({ url, token, memory, identifyWaitMs, now, alive, event }, signal);
          if (end === 'stopped') return;
          if (performance.now() - askedAtMs < ASKED_AGAIN_MS)
            throw networkFailure('Discord asked for a new connection twice within a minute');
          askedAtMs = performance.now();
        }
      } catch (error) {
        if (!signal.aborted) throw failureOf(error);
      } finally {
        memory.flush();
      }
    },
    probe: (signal) =>
      askHealth({
        ...{ now, failureOf },
        async who() {
          const answer = await api('GET', '/users/@me', signal);
          const user = answer.status === 200 ? wire.userSchema.safeParse(answer.body).data : undefined;
          if (!user) throw answerFailure(answer, 'the question who the bot is');
          return `${user.username} (${user.id})`;
        },
      }),
  };
}

function emit(ports: ChannelPorts, message: Parameters<ChannelPorts['emit']>[0]): void {
  try {
    ports.emit(message);
  } catch (error) {
    throw new ChannelFailure('bug', `a message could not be stored: ${reasonOf(error)}`, 'openclaw doctor');
  }
}

function withVersion(url: URL): string {
  url.searchParams.set('v', '10');
  url.searchParams.set('encoding', 'json');
  return url.href;
}
