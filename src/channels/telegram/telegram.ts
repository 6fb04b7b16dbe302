// Owns the channel of Telegram: long polling, or a webhook behind HTTPS, one bot an account. An update is acknowledged only
// after everything in it was stored; a token never leaves this process but to the Bot API.
import { timingSafeEqual } from 'node:crypto';
import type { Update } from 'grammy/types';
import { listenForHooks } from '../../net/hook-listener.ts';
import { reasonOf } from '../../platform/errors.ts';
import { fieldsIn } from '../../platform/json.ts';
import {
  ChannelFailure,
  type ChannelPorts,
  type ChannelSetup,
  type ConnectedChannel,
  type InboundMessage,
} from '../channel.ts';
import { pause, untilAborted } from '../pause.ts';
import { askHealth } from '../round-trip.ts';
import { type Bot, DEFAULT_ROOT, failureOf, openBot, problemOf } from './api.ts';
import { ALLOWED_UPDATES, ID, joinAlbum, type Meaning, meaningOf, type Self } from './inbound.ts';
import { changesOf, sendReply } from './send.ts';

export type TelegramOptions = {
  readonly pollSeconds: number;
  /** the other parts of an album may be a moment behind */
  readonly albumMs: number;
  readonly webhookPort: number;
};
const OPTIONS: TelegramOptions = { pollSeconds: 50, albumMs: 700, webhookPort: 8787 };

export const WEBHOOK_PATH = '/telegram-webhook';
const SILENCE_MS = 120_000;
const MAX_CHARS = 4_000;
const MAX_FILE_BYTES = 50_000_000;
const MAX_HOOK_BYTES = 1_000_000;
/** How long ago a failed delivery may be and still mean that none arrives. */
const RECENT_S = 600;
const LEAST_POLL_MS = 200;
const BREATH_MS = 1_000;
const QUIET_MS = 6 * 86_400_000;

/** What a chat understands (access/slash.ts), as its menu shows it. */
const COMMANDS = [
  { command: 'whoami', description: 'who you are to me, and what you may do' },
  { command: 'status', description: 'whether I am working on something of yours' },
  { command: 'stop', description: 'stop what I am doing for you' },
  { command: 'new', description: 'a new conversation' },
  { command: 'help', description: 'what I understand' },
];

type Settings = { readonly apiRoot?: string; readonly webhookUrl?: string };

export async function openTelegram(
  setup: ChannelSetup,
  given: Partial<TelegramOptions> = {},
): Promise<ConnectedChannel> {
  const { account, secrets, log, now } = setup;
  const { apiRoot = DEFAULT_ROOT, webhookUrl } = setup.settings as Settings;
  const options = { ...OPTIONS, ...given };
  const secret = secrets['webhookSecret'] ?? '';
  if (webhookUrl !== undefined && (!webhookUrl.startsWith('https://') || secret === ''))
    throw new ChannelFailure(
      'refused',
      'a webhook needs an https address and a secret, or anybody could speak as Telegram',
      'set channels.telegram.webhookSecret to the output of `openssl rand -hex 32`',
    );
  const bot = await openBot(secrets['botToken'] ?? '', apiRoot);
  /** Kept over a reconnect; after a restart what was stored already comes again, and is known. */
  let offset = 0;
  let lastUpdateMs = now();
  let moved: ChannelPorts['chatMoved'] | null = null;

  /** One update that nobody understands must not keep all that come after it. */
  const read: typeof meaningOf = (update, context) => {
    try {
      return meaningOf(update, context);
    } catch (error) {
      log.error('an update could not be read, and is passed over', { id: update.update_id, error });
      return { kind: 'nothing' };
    }
  };
  /** The wait on the button ends, and so do the buttons; what came of it is told by a message. */
  const unpress = ({ id, on, message }: Extract<Meaning, { kind: 'press' }>): void => {
    const quietly = (call: Promise<unknown>): void => void call.catch(() => {});
    quietly(bot.raw.answerCallbackQuery({ callback_query_id: id }));
    quietly(bot.raw.editMessageReplyMarkup({ chat_id: message.chat, message_id: on }));
  };
  const take = (ports: ChannelPorts, self: Self, updates: readonly Update[]): void => {
    const albums = new Map<string, InboundMessage[]>();
    const context = { account, self, nowMs: now() };
    if (updates.length > 0) lastUpdateMs = now();
    const meanings = updates.map((update) => ({ id: update.update_id, meaning: read(update, context) }));
    for (const { meaning } of meanings) {
      if (meaning.kind !== 'message' || meaning.album === null) continue;
      albums.set(meaning.album, [...(albums.get(meaning.album) ?? []), meaning.message]);
    }
    for (const { id, meaning } of meanings) {
      ports.alive();
      if (meaning.kind === 'group') {
        if (meaning.change.change === 'joined' && meaning.change.isPublic)
          log.warn('the bot was added to a public group: anybody can find it there', { chat: meaning.change.chat });
        ports.groupChanged(meaning.change);
      } else if (meaning.kind === 'moved') ports.chatMoved(meaning.from, meaning.to);
      else if (meaning.kind === 'press') {
        ports.emit(meaning.message);
        unpress(meaning);
      } else if (meaning.kind === 'message') {
        const parts = meaning.album === null ? [meaning.message] : (albums.get(meaning.album) ?? []);
        if (meaning.album !== null) albums.set(meaning.album, []);
        const message = meaning.album === null ? meaning.message : joinAlbum(parts);
        if (message) ports.emit(message);
      }
      offset = Math.max(offset, id + 1);
    }
  };

  const poll = async (ports: ChannelPorts, self: Self, signal: AbortSignal, connected: () => void): Promise<void> => {
    await bot.raw.deleteWebhook({}, signal as never);
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      // After a week without updates Telegram counts anew, possibly below what we would acknowledge.
      if (now() - lastUpdateMs > QUIET_MS) offset = 0;
      const ask = (timeout: number): Promise<Update[]> =>
        bot.raw.getUpdates({ timeout, offset, limit: 100, allowed_updates: ALLOWED_UPDATES }, signal as never);
      // The first answer comes at once: only then it is known that nobody else polls.
      const askedAt = performance.now();
      let updates = await ask(isFirst ? 0 : options.pollSeconds);
      if (isFirst) connected();
      ports.alive();
      // A server that does not wait must not be asked without a breath.
      if (!isFirst && updates.length === 0 && performance.now() - askedAt < LEAST_POLL_MS)
        await pause(BREATH_MS, signal);
      if (updates.at(-1)?.message?.media_group_id !== undefined) {
        await pause(options.albumMs, signal);
        updates = await ask(0);
      }
      try {
        take(ports, self, updates);
      } catch (error) {
        throw notStored(error);
      }
    }
  };

  const hooks = async (ports: ChannelPorts, self: Self, signal: AbortSignal, connected: () => void): Promise<void> => {
    const listener = await listenForHooks({
      ...{ port: options.webhookPort, path: WEBHOOK_PATH, maxBytes: MAX_HOOK_BYTES },
      admits: (headers) => isSame(String(headers['x-telegram-bot-api-secret-token'] ?? ''), secret),
      async answer({ body }) {
        const update = updateIn(body);
        if (!update) return { status: 400 };
        take(ports, self, [update]);
        return { status: 200 };
      },
    }).catch((error: unknown) => {
      throw new ChannelFailure(
        'network',
        `the webhook cannot listen: ${reasonOf(error)}`,
        `free port ${options.webhookPort}`,
      );
    });
    try {
      const address = { url: webhookUrl ?? '', secret_token: secret, allowed_updates: ALLOWED_UPDATES };
      // One at a time, so that they come in their order.
      await bot.raw.setWebhook({ ...address, max_connections: 1 }, signal as never);
      connected();
      await untilAborted(signal);
    } finally {
      await listener.close();
    }
  };

  return {
    id: ID,
    account,
    idempotent: false,
    maxChars: MAX_CHARS,
    maxFileBytes: MAX_FILE_BYTES,
    silenceMs: webhookUrl === undefined ? SILENCE_MS : null,

    async run(ports, signal, connected) {
      moved = ports.chatMoved;
      try {
        const me = await bot.raw.getMe(signal as never);
        if (me.can_read_all_group_messages)
          log.warn('the bot reads every message of its groups: privacy mode is off at @BotFather', { account });
        void bot.raw.setMyCommands({ commands: COMMANDS }, signal as never).catch((error: unknown) => {
          if (!signal.aborted) log.info('commands not registered', { reason: problemOf(error).reason });
        });
        const self = { id: me.id, username: me.username };
        await (webhookUrl === undefined ? poll : hooks)(ports, self, signal, connected);
      } catch (error) {
        if (!signal.aborted) throw failureOf(error);
      }
    },

    send: (reply, signal) =>
      sendReply(
        {
          bot,
          moved: (from, to) => moved?.(from, to),
          file: async (path, name) => bot.upload(await setup.readFile(path, MAX_FILE_BYTES), name),
        },
        reply,
        signal,
      ),

    ...changesOf(bot),

    probe: (signal) =>
      askHealth({
        ...{ now, failureOf },
        who: async () => `@${(await bot.raw.getMe(signal as never)).username}`,
        async also() {
          const trouble = webhookUrl === undefined ? null : await hookTrouble(bot, now(), signal);
          if (trouble) throw trouble;
        },
      }),

    async typing({ chat, thread }, signal) {
      const topic = thread === '' ? {} : { message_thread_id: Number(thread) };
      await bot.raw.sendChatAction({ chat_id: chat, action: 'typing', ...topic }, signal as never);
    },

    async fetchAttachment(ref, maxBytes, signal) {
      try {
        const { file_path: path, file_size: size = 0 } = await bot.raw.getFile({ file_id: ref }, signal as never);
        if (size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
        if (path === undefined || path.startsWith('/')) throw new Error('the server does not hand it out');
        return await bot.download(path, maxBytes, signal);
      } catch (error) {
        throw new Error(problemOf(error).reason);
      }
    },
  };
}

async function hookTrouble(bot: Bot, nowMs: number, signal: AbortSignal): Promise<ChannelFailure | null> {
  const info = await bot.raw.getWebhookInfo(signal as never);
  const failedS = info.last_error_date ?? 0;
  if (info.pending_update_count === 0 || nowMs / 1_000 - failedS > RECENT_S) return null;
  const why = (info.last_error_message ?? 'no reason given').slice(0, 120);
  const fix = `let the address lead to http://127.0.0.1:${OPTIONS.webhookPort}${WEBHOOK_PATH}`;
  return new ChannelFailure('network', `Telegram cannot deliver to the webhook: ${why}`, fix);
}

function updateIn(body: Buffer): Update | null {
  const update = fieldsIn(body.toString('utf8'));
  return Number.isSafeInteger(update['update_id']) ? (update as unknown as Update) : null;
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

const notStored = (error: unknown): ChannelFailure =>
  new ChannelFailure(
    'bug',
    `a message could not be stored, so it was not acknowledged: ${reasonOf(error)}`,
    'df -h   (is the disk full?)',
  );
