// Owns what the channel remembers across a restart, kill -9 included: the session that Discord can replay, which servers
// it is in, and the last message of each chat. It may be old (what is replayed twice is known by its id), never ahead.
import { join } from 'node:path';
import * as z from 'zod/mini';
import type { Log } from '../../log/log.ts';
import { ensureFolder, replaceFile, tryReadText } from '../../platform/files.ts';
import { sha256 } from '../../platform/ids.ts';
import { fieldsIn } from '../../platform/json.ts';
import { setNewest } from '../../platform/newest.ts';

/** `seq`: the last event that was dealt with; Discord replays what comes after it. `resumeUrl` '': the usual address */
export type Session = { id: string; resumeUrl: string; seq: number };
export type KnownGuild = { title: string; isPublic: boolean; myRole: string };
export type Memory = {
  session: Session | null;
  /** id of the bot, '' before it was told */
  me: string;
  /** when Discord was last heard; 0: never */
  heardAtMs: number;
  readonly guilds: Map<string, KnownGuild>;
  /** by channel or thread, the one that spoke last at the end */
  readonly lastMessages: Map<string, string>;
  saw(channel: string, message: string): void;
  /** written down soon */
  changed(): void;
  flush(): void;
};

const FILE = 'session.json';
const MAX_CHATS = 200;
const SAVE_AFTER_MS = 5_000;
const text = z.string();
const stored = z.object({
  bot: text,
  session: z.nullable(z.object({ id: text, resumeUrl: text, seq: z.number() })),
  me: text,
  heardAtMs: z.number(),
  guilds: z.array(z.tuple([text, z.object({ title: text, isPublic: z.boolean(), myRole: text })])),
  lastMessages: z.array(z.tuple([text, text])),
});

export function openMemory(folder: string, token: string, log: Log): Memory {
  const file = join(folder, FILE);
  const bot = sha256(token).slice(0, 16);
  const found = read(file, bot);
  let timer: NodeJS.Timeout | undefined;
  const memory: Memory = {
    session: found?.session ?? null,
    me: found?.me ?? '',
    heardAtMs: found?.heardAtMs ?? 0,
    guilds: new Map(found?.guilds),
    lastMessages: new Map(found?.lastMessages),
    saw(channel, message) {
      const isNew = !memory.lastMessages.has(channel);
      setNewest(memory.lastMessages, channel, message, MAX_CHATS);
      // A chat that nobody wrote down cannot be read back: not even kill -9 may come between.
      if (isNew) memory.flush();
    },
    changed() {
      timer ??= setTimeout(memory.flush, SAVE_AFTER_MS).unref();
    },
    flush() {
      clearTimeout(timer);
      timer = undefined;
      const { session, me, heardAtMs, guilds, lastMessages } = memory;
      const state = { bot, session, me, heardAtMs, guilds: [...guilds], lastMessages: [...lastMessages] };
      try {
        ensureFolder(folder);
        replaceFile(file, JSON.stringify(state));
      } catch (error) {
        log.warn('the place in the stream of Discord was not written down', { error });
      }
    },
  };
  return memory;
}

/** Of another bot, or of no shape that we know: as if there were none. */
function read(file: string, bot: string): z.infer<typeof stored> | null {
  const found = stored.safeParse(fieldsIn(tryReadText(file))).data;
  return found?.bot === bot ? found : null;
}
