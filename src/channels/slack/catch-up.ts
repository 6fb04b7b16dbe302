// Owns the question what was written while we were away: each known conversation, and those that are new since then, is
// asked for what came after its last settled message. What cannot be had again is named.
import type { Log } from '../../log/log.ts';
import { pause } from '../pause.ts';
import { SlackProblem } from './failures.ts';
import { placeOf } from './inbound.ts';
import type { Marks } from './marks.ts';
import type { Reception } from './reception.ts';
import type { Answer } from './web.ts';

export type CatchUpPorts = {
  readonly call: (method: string, args: Record<string, unknown>) => Promise<Answer>;
  readonly reception: Reception;
  readonly marks: Marks;
  readonly gap: (what: string) => void;
  readonly log: Log;
  readonly now: () => number;
  readonly signal: AbortSignal;
};

/** What lay longer than this is not answered any more, as on platforms that keep no longer themselves. */
const MAX_AGE_MS = 24 * 60 * 60_000;
const MAX_CHATS = 100;
const MAX_PAGES = 5;
const PAGE = 200;
/** Slack may ask for patience; after this long the rest is named and left. */
const BUDGET_MS = 120_000;
/** We are not in there, or there is nothing to read: nothing was missed. */
const NOT_OURS = new Set([
  'channel_not_found',
  'not_in_channel',
  'thread_not_found',
  'method_not_supported_for_channel_type',
]);

type Written = Readonly<Record<string, unknown>> & { readonly ts: string };

/** Puts itself before everything that arrives in the known chats from now on; resolves when all were asked. */
export async function catchUp(ports: CatchUpPorts): Promise<void> {
  const { call, reception, marks, gap, log, now, signal } = ports;
  const awaySinceMs = marks.awaySinceMs();
  if (awaySinceMs === null) return;
  const untilMs = now() + BUDGET_MS;
  let asking: Promise<unknown> = Promise.resolve();
  /** what Slack said of conversations that the app may not read back */
  const unreadable = new Set<string>();

  /** One question at a time, and no more of them than Slack takes. */
  const ask = (method: string, args: Record<string, unknown>): Promise<Answer> => {
    const mine = asking.then(async () => {
      for (;;) {
        try {
          return await call(method, args);
        } catch (error) {
          const waits = error instanceof SlackProblem && error.outcome === 'limited' && !signal.aborted;
          if (!waits || now() + error.afterMs > untilMs) throw error;
          await pause(error.afterMs, signal);
        }
      }
    });
    asking = mine.catch(() => {});
    return mine;
  };

  const written = async (method: string, args: Record<string, unknown>, since: string): Promise<Written[]> => {
    const found: Written[] = [];
    let cursor = '';
    for (let page = 0; page < MAX_PAGES; page++) {
      const answer = await ask(method, { ...args, oldest: since, limit: PAGE, ...(cursor === '' ? {} : { cursor }) });
      const messages = Array.isArray(answer['messages']) ? (answer['messages'] as Written[]) : [];
      found.push(...messages.filter((one) => typeof one?.ts === 'string' && one.ts > since));
      cursor = cursorOf(answer);
      if (cursor === '') return found;
    }
    gap(`more than ${MAX_PAGES * PAGE} messages in ${args['channel']} while it was away; the others are not seen`);
    return found;
  };

  const missedIn = async (chat: string, since: string): Promise<Written[]> => {
    const found = await written('conversations.history', { channel: chat }, since);
    const prefix = placeOf(chat);
    const threads = new Map(
      marks
        .all()
        .flatMap(([place, ts]) =>
          place.startsWith(prefix) && place !== prefix ? [[place.slice(prefix.length), ts]] : [],
        ),
    );
    for (const { ts, latest_reply: latest } of found)
      if (typeof latest === 'string' && !threads.has(ts)) threads.set(ts, since);
    for (const [thread, mark] of threads) {
      found.push(...(await written('conversations.replies', { channel: chat, ts: thread }, mark).catch(passOver)));
    }
    return found.sort((a, b) => (a.ts < b.ts ? -1 : 1));
  };

  const chatOf = async (chat: string, since: string): Promise<void> => {
    let tooOld = 0;
    try {
      for (const one of await missedIn(chat, since)) {
        const meaning = reception.meaningOf({ ...one, type: 'message', channel: chat } as { type: string });
        if (meaning.kind !== 'message') continue;
        if (Number(one.ts) * 1_000 >= now() - MAX_AGE_MS) reception.settle(meaning);
        else {
          tooOld += 1;
          marks.settled(meaning.place, one.ts);
        }
      }
    } catch (error) {
      if (signal.aborted || isNotOurs(error)) return;
      if (error instanceof SlackProblem && error.code === 'missing_scope') return void unreadable.add(error.message);
      const why = error instanceof SlackProblem ? error.message : 'a message could not be stored';
      gap(`what was written in ${chat} while it was away: ${why}`);
      log.warn('slack conversation not caught up', { chat, error });
    }
    if (tooOld > 0) gap(`${tooOld} messages in ${chat} are more than a day old and are not taken up`);
  };

  const known = new Map<string, string>();
  for (const [place, ts] of marks.all()) {
    const chat = place.slice(0, place.indexOf('/'));
    // The mark of a thread says nothing of the chat around it, yet nothing older than it was seen for the first time.
    if (place === placeOf(chat) || !known.has(chat)) known.set(chat, ts);
  }
  const since = `${Math.floor(awaySinceMs / 1_000)}.000000`;
  const asked = new Map<string, Promise<void>>();
  const begin = (chat: string): void => {
    if (!asked.has(chat))
      asked.set(
        chat,
        reception.inOrder(chat, () => chatOf(chat, known.get(chat) ?? since)),
      );
  };
  // A new conversation may speak before it was listed.
  const done = reception.askFirst(begin);
  for (const chat of [...known.keys()].slice(0, MAX_CHATS)) begin(chat);
  const chats = await joinedChats(ask).catch((error: unknown) => {
    if (!signal.aborted) gap('conversations that are new since it was away: Slack did not list them');
    log.debug('slack conversations not listed', { error });
    return [];
  });
  for (const chat of chats) if (asked.size < MAX_CHATS) begin(chat);
  const rest = [...known.keys(), ...chats].filter((chat) => !asked.has(chat));
  if (rest.length > 0) gap(`${new Set(rest).size} conversations were not asked for what came while it was away`);
  await Promise.allSettled(asked.values());
  done();
  for (const said of unreadable) gap(`what was written while it was away, where it may not read back: ${said}`);
}

const isNotOurs = (error: unknown): boolean => error instanceof SlackProblem && NOT_OURS.has(error.code);

function passOver(error: unknown): Written[] {
  if (isNotOurs(error)) return [];
  throw error;
}

const cursorOf = (answer: Answer): string =>
  (answer['response_metadata'] as { next_cursor?: string } | undefined)?.next_cursor ?? '';

async function joinedChats(ask: (method: string, args: Record<string, unknown>) => Promise<Answer>): Promise<string[]> {
  const args = { types: 'im,public_channel,private_channel', exclude_archived: true, limit: PAGE };
  const { channels } = await ask('users.conversations', args);
  const ids = (Array.isArray(channels) ? channels : []).map((one: { id?: unknown } | null) => one?.id);
  return ids.filter((id): id is string => typeof id === 'string');
}
