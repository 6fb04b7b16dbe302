// Owns the channel of Slack: who we are there, replies on their way out, and the connection as a whole. Everything that it
// calls is Slack's; what becomes of a message is decided elsewhere.
import type { Log } from '../../log/log.ts';
import { reasonOf } from '../../platform/errors.ts';
import type { ChannelFailure, ChannelPorts, ChannelSetup, ConnectedChannel, Outbound, Receipt } from '../channel.ts';
import { askHealth } from '../round-trip.ts';
import { catchUp } from './catch-up.ts';
import { SLACK, type SlackEndpoints, socketUrl } from './endpoints.ts';
import { runEventsApi } from './events-api.ts';
import { failureOf, isDeadToken, networkFailure, receiptOf, SlackProblem, tokenProblem } from './failures.ts';
import { messageIdOf, type Self } from './inbound.ts';
import { openMarks } from './marks.ts';
import { createReception } from './reception.ts';
import { runSocketMode } from './socket-mode.ts';
import { slackText, withoutPreviews } from './text.ts';
import { type Answer, slackWeb } from './web.ts';

/** Slack advises 4,000 and cuts at 40,000; escapes come on top of what is counted here. */
const MAX_CHARS = 3_900;
const MAX_FILE_BYTES = 200 * 1024 * 1024;
/** Without these it is deaf or mute. */
const NEEDED_SCOPES = ['chat:write', 'app_mentions:read', 'im:history'];

export async function openSlack(setup: ChannelSetup, at: SlackEndpoints = SLACK): Promise<ConnectedChannel> {
  const { account, secrets, log, now } = setup;
  const mode = setup.settings['mode'] === 'http' ? 'http' : 'socket';
  const { botToken = '', appToken = '', signingSecret = '' } = secrets;
  const web = slackWeb(at);
  const marks = openMarks(setup.stateFolder, log, now);
  const seenChanges = new Set<string>();
  let giveUp: (failure: ChannelFailure) => void = () => {};

  const bot = (method: string, args: Record<string, unknown>, signal: AbortSignal): Promise<Answer> =>
    web.call(botToken, method, args, signal);

  const openUrl = async (signal: AbortSignal): Promise<URL> => {
    const answer = await web.call(appToken, 'apps.connections.open', {}, signal);
    const url = socketUrl(answer['url'], at);
    if (!url) throw networkFailure('Slack named no address of its own for the socket');
    return url;
  };

  const titleIn = async (chat: string, signal: AbortSignal): Promise<{ title: string; isPublic: boolean }> => {
    const about = await bot('conversations.info', { channel: chat }, signal).catch(() => null);
    const { name, is_private: isPrivate } = (about?.['channel'] ?? {}) as { name?: unknown; is_private?: unknown };
    return { title: typeof name === 'string' && name !== '' ? `#${name}` : chat, isPublic: isPrivate === false };
  };

  const live = async (given: ChannelPorts, inside: AbortController, connected: () => void): Promise<void> => {
    const { signal } = inside;
    const ports = { ...given, log, now };
    const who = await bot('auth.test', {}, signal);
    const self = selfIn(who);
    const lacking = NEEDED_SCOPES.filter((scope) => scopesIn(who)?.includes(scope) === false);
    if (lacking.length > 0)
      log.warn('the Slack app lacks permissions; add them and install it again', { scopes: lacking.join(', ') });
    const titleOf = (chat: string) => titleIn(chat, signal);
    const reception = createReception({ ...ports, account, self, marks, titleOf, giveUp, signal }, seenChanges);
    const take = (payload: unknown) => reception.take(payload);
    const call = (method: string, args: Record<string, unknown>) => bot(method, args, signal);
    let catching: Promise<unknown> = Promise.resolve();
    let isFirst = true;
    const joined = (overlapping: boolean): void => {
      // Before anything else, so that what is older comes first.
      const missed = overlapping ? null : catchUp({ ...ports, call, reception, marks, signal }).catch(passOver(log));
      catching = Promise.all([catching, missed]);
      marks.join();
      if (isFirst) connected();
      isFirst = false;
    };
    try {
      if (mode === 'socket') {
        await runSocketMode({ ...ports, openUrl, take, joined, deafAfterMs: at.deafAfterMs }, signal);
      } else {
        const listening = (port: number): void => {
          log.info('slack events are received', { port });
          joined(false);
        };
        const port = Number(setup.settings['port'] ?? 0);
        await runEventsApi({ ...ports, port, signingSecret, take, joined: listening }, signal);
      }
    } finally {
      inside.abort();
      await Promise.all([catching, reception.idle()]);
      marks.leave();
    }
  };

  return {
    id: 'slack',
    account,
    // chat.postMessage knows no key by which it would recognise a repetition.
    idempotent: false,
    maxChars: MAX_CHARS,
    maxFileBytes: MAX_FILE_BYTES,
    // A workspace may be silent for days; pings find a dead socket.
    silenceMs: null,

    async run(ports, signal, connected) {
      const problem = tokenProblem(mode, secrets);
      if (problem) throw problem;
      const inside = new AbortController();
      const end = (): void => inside.abort();
      let failure: ChannelFailure | null = null;
      giveUp = (why) => {
        failure ??= why;
        end();
      };
      signal.addEventListener('abort', end);
      if (signal.aborted) end();
      try {
        await live(ports, inside, connected);
      } catch (error) {
        failure ??= failureOf(error, 'botToken');
      } finally {
        giveUp = () => {};
        signal.removeEventListener('abort', end);
      }
      if (failure && !signal.aborted) throw failure;
    },

    probe: (signal) =>
      askHealth({
        now,
        failureOf: (error) => failureOf(error, 'botToken'),
        async who() {
          const problem = tokenProblem(mode, secrets);
          if (problem) throw problem;
          const { name, teamId, userId, teamName } = selfIn(await bot('auth.test', {}, signal));
          return `@${name} (${userId}) in ${teamName} (${teamId})`;
        },
      }),

    async send(outbound, signal): Promise<Receipt> {
      try {
        return await deliver(outbound, signal);
      } catch (error) {
        if (isDeadToken(error)) giveUp(failureOf(error, 'botToken'));
        return receiptOf(error);
      }
    },

    async react({ chat, messageId }, emoji, signal) {
      // Slack knows emoji by their names alone.
      const name = emoji.replace(/^:|:$/g, '');
      if (!/^[a-z0-9_+'-]{1,60}$/.test(name)) throw new Error('Slack takes the name of an emoji, such as thumbsup');
      await bot('reactions.add', { channel: chat, timestamp: tsIn(messageId), name }, signal);
    },
    async edit({ chat, messageId }, text, signal) {
      await bot(
        'chat.update',
        { channel: chat, ts: tsIn(messageId), text: slackText(text), link_names: false },
        signal,
      );
    },
    async remove({ chat, messageId }, signal) {
      await bot('chat.delete', { channel: chat, ts: tsIn(messageId) }, signal);
    },

    fetchAttachment: (ref, maxBytes, signal) => web.download(botToken, ref, maxBytes, signal),
  };

  async function deliver({ chat, thread, text, files, buttons = [] }: Outbound, signal: AbortSignal): Promise<Receipt> {
    const inThread = thread === '' ? {} : { thread_ts: thread };
    if (files.length === 0) {
      const args = {
        ...{ channel: chat, ...inThread, text: slackText(text), mrkdwn: true, link_names: false },
        // Slack would fetch what the model links to, and show it to the whole thread's channel.
        ...{ unfurl_links: false, unfurl_media: false, reply_broadcast: false },
        // Over HTTP a press would go to an address that the app may not have.
        ...(mode === 'socket' ? blocksOf(slackText(text), buttons) : {}),
      };
      const { channel, ts } = await bot('chat.postMessage', args, signal);
      return {
        state: 'sent',
        ...(typeof ts === 'string' ? { messageId: messageIdOf(String(channel ?? chat), ts) } : {}),
      };
    }
    const uploads: { name: string; bytes: Uint8Array }[] = [];
    for (const { path, name } of files) {
      try {
        uploads.push({ name, bytes: await setup.readFile(path, MAX_FILE_BYTES) });
      } catch (error) {
        return { state: 'failed', reason: `the file ${name} could not be read: ${reasonOf(error)}` };
      }
    }
    const comment = text.trim() === '' ? {} : { initial_comment: withoutPreviews(slackText(text)) };
    await web.upload(botToken, uploads, { channel_id: chat, ...inThread, ...comment }, signal);
    return { state: 'sent' };
  }
}

const tsIn = (messageId: string): string => messageId.slice(messageId.lastIndexOf(':') + 1);

/** A section takes no more; then the words alone have to do. */
const MAX_SECTION_CHARS = 3_000;

function blocksOf(text: string, buttons: NonNullable<Outbound['buttons']>) {
  if (buttons.length === 0 || text.length > MAX_SECTION_CHARS) return {};
  const elements = buttons.map(({ label, says }, at) => ({
    ...{ type: 'button', action_id: `press-${at}`, value: says },
    text: { type: 'plain_text', text: label },
  }));
  return {
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text } },
      { type: 'actions', elements },
    ],
  };
}

function selfIn(who: Answer): Self & { readonly teamName: string } {
  const { user_id: userId, bot_id: botId, team_id: teamId, enterprise_id: orgId, user: name, team } = who;
  if (typeof userId !== 'string' || typeof teamId !== 'string')
    throw new SlackProblem('lost', 'unreadable', 'Slack did not say whom the bot token belongs to');
  // A token without a bot would answer itself: its own messages could not be told from those of people.
  if (typeof botId !== 'string')
    throw new SlackProblem('refused', 'not_a_bot', 'the Slack token belongs to a person, not to a bot');
  return {
    userId,
    botId,
    teamId,
    ...(typeof orgId === 'string' ? { orgId } : {}),
    name: typeof name === 'string' ? name : userId,
    teamName: typeof team === 'string' ? team : teamId,
  };
}

const scopesIn = (who: Answer): readonly string[] | undefined =>
  (who['response_metadata'] as { scopes?: readonly string[] } | undefined)?.scopes;

const passOver =
  (log: Log) =>
  (error: unknown): void =>
    log.warn('slack was not asked for what came while it was away', { error });
