// Owns reading back what was written while Discord had ended the session: the known chats, by REST, oldest first. What it
// cannot have it names; a message that was seen already is known by its id and does no harm.
import * as z from 'zod/mini';
import { pause } from '../pause.ts';
import { answerFailure } from './failures.ts';
import type { Memory } from './memory.ts';
import type { Places } from './places.ts';
import type { ApiAnswer, ApiCall } from './rest.ts';
import { type DiscordMessage, memberSchema, messageSchema } from './wire.ts';

const PAGE = 100;
const MAX_PAGES = 5;
const MAX_CHATS = 50;
const MAX_WAIT_MS = 10_000;

export type CatchUpPorts = {
  readonly api: ApiCall;
  readonly memory: Memory;
  readonly places: Places;
  take(message: DiscordMessage, signal: AbortSignal): Promise<void>;
  gap(what: string): void;
  readonly now: () => number;
};

/** Rejects when a message could not be stored, or Discord not be asked. */
export async function catchUp(ports: CatchUpPorts, signal: AbortSignal): Promise<void> {
  const { api, memory, places } = ports;
  const chats = [...memory.lastMessages].reverse();
  const missed = [...chats.slice(MAX_CHATS)].map(([channel]) => channel);
  const members = new Map<string, DiscordMessage['member']>();
  let count = 0;

  const ask = async (path: string): Promise<ApiAnswer> => {
    const answer = await api('GET', path, signal);
    if (answer.status !== 429 || answer.retryAfterMs > MAX_WAIT_MS) return answer;
    await pause(answer.retryAfterMs, signal);
    return api('GET', path, signal);
  };
  /** Messages that are read back come without the roles of their author. */
  const memberOf = async (guild: string, user: string): Promise<DiscordMessage['member']> => {
    const key = `${guild}/${user}`;
    if (!members.has(key))
      members.set(key, memberSchema.safeParse((await ask(`/guilds/${guild}/members/${user}`)).body).data);
    return members.get(key);
  };

  /** False when there is more, or nothing could be had. */
  const readBack = async (channel: string, last: string, guild: string | undefined): Promise<boolean> => {
    let after = last;
    for (let page = 0; page < MAX_PAGES; page++) {
      signal.throwIfAborted();
      const answer = await ask(`/channels/${channel}/messages?after=${after}&limit=${PAGE}`);
      // It may be had a moment later, with another connection.
      if (answer.status >= 500) throw answerFailure(answer, `the question for the messages of ${channel}`);
      const found = answer.status === 200 ? z.array(messageSchema).safeParse(answer.body).data : undefined;
      if (!found) return false;
      for (const message of found.sort((a, b) => olderFirst(a.id, b.id))) {
        const member = guild && (await memberOf(guild, message.author.id));
        await ports.take({ ...message, ...(guild && { guild_id: guild }), ...(member && { member }) }, signal);
        after = message.id;
        count += 1;
      }
      if (found.length < PAGE) return true;
    }
    return false;
  };

  for (const [channel, last] of chats.slice(0, MAX_CHATS)) {
    const place = await places.find(channel, undefined, signal);
    const isWhole = place && (await readBack(channel, last, place.kind === 'guild' ? place.guild : undefined));
    if (isWhole === false) missed.push(channel);
  }
  const [from, to] = [memory.heardAtMs, ports.now()].map((ms) => new Date(ms).toISOString().slice(0, 19));
  const incomplete = missed.length === 0 ? '' : `; these chats only in part: ${missed.slice(0, 10).join(', ')}`;
  ports.gap(
    `Discord could not replay ${from}Z to ${to}Z: ${count} messages of ${Math.min(chats.length, MAX_CHATS)} known chats were read back${incomplete}; messages in chats that never wrote before are not known`,
  );
}

/** Ids grow with time, and are too large for a number. */
const olderFirst = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : 1);
