// Slack keeps the contract of channels: the real client library for the Web API and our own client of socket mode, against
// the double in test/doubles/slack-server.ts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSlack } from '../../src/channels/slack/slack.ts';
import type { Log } from '../../src/log/log.ts';
import { APP_TOKEN, BOT, type SlackMessage, startSlackServer } from '../doubles/slack-server.ts';
import { channelConformance, type PlatformDouble, type Said, type Started } from './channels.ts';

const DIRECT = 'D00000001';
const GROUP = 'C00000001';
const PERSON = 'UALICE001';
const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, reopen() {}, close() {}, file: '' };

channelConformance({
  name: 'slack',
  start,
  can: {
    redelivers: true,
    catchesUp: true,
    edits: true,
    // Slack shows no typing of bots.
    typing: false,
    filesIn: true,
    filesOut: true,
    groups: true,
    threads: true,
    membership: true,
    revokes: true,
  },
  lostAnswer: 'unknown',
});

async function start(): Promise<Started> {
  const server = await startSlackServer({ ackWithinMs: 250, maxTries: 40 });
  const folder = mkdtempSync(join(tmpdir(), 'slack-'));
  const channel = await openSlack(
    {
      account: 'default',
      settings: {},
      secrets: { botToken: BOT.token, appToken: APP_TOKEN },
      stateFolder: join(folder, 'slack'),
      readFile: () => Promise.resolve(Buffer.from('from the workspace')),
      log: silent,
      now: Date.now,
    },
    server.endpoints(),
  );
  const said = new Map<string, SlackMessage>();
  let unreachable = 0;

  const messageOf = (what: Said): SlackMessage => {
    const channel = what.in === 'group' ? GROUP : DIRECT;
    const files = what.file ? [fileOf(what.file)] : [];
    const ts = what.skewMs === undefined ? server.nextTs() : `${Math.floor((Date.now() + what.skewMs) / 1_000)}.000001`;
    const parent = what.thread === undefined ? undefined : `16000000${what.thread}.000001`;
    const text = (what.text ?? '').replace(/[&<>]/g, (one) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[one] ?? one);
    return server.messageOf({
      ...{ channel, ts, user: what.from ?? PERSON, text: what.mention ? `<@${BOT.userId}> ${text}` : text },
      ...(what.isBot ? { bot_id: 'BOTHERBOT' } : {}),
      ...(parent === undefined ? {} : { thread_ts: parent }),
      ...(what.replyToBot ? { thread_ts: '1600000001.000001', parent_user_id: BOT.userId } : {}),
      ...(files.length > 0 ? { files, subtype: 'file_share' } : {}),
    });
  };
  const fileOf = ({ name, mimeType, bytes }: NonNullable<Said['file']>) => {
    const id = `F${String(server.files.size + 1).padStart(8, '0')}`;
    server.files.set(id, { name, bytes: Buffer.from(bytes), mimetype: mimeType });
    return { id, name, mimetype: mimeType, size: bytes.length, url_private: `http://elsewhere.invalid/${id}` };
  };
  const say = (what: Said): string => {
    const message = server.say(messageOf(what));
    said.set(message.ts, message);
    return message.ts;
  };
  const seenBy = (text: string): string =>
    text.replace(/&(amp|lt|gt);/g, (_whole, name: string) => ({ amp: '&', lt: '<', gt: '>' })[name] ?? '');

  const double: PlatformDouble = {
    say,
    again: (id) => void server.deliver(server.callbackOf(said.get(id) as SlackMessage)),
    sayOutOfOrder(all) {
      for (const message of all.map(messageOf).reverse()) server.say(message);
    },
    edit(id, text) {
      const before = said.get(id) as SlackMessage;
      const message = { ...before, text, edited: { user: PERSON, ts: server.nextTs() } };
      server.say({
        channel: before.channel,
        subtype: 'message_changed',
        hidden: true,
        message,
        previous_message: before,
      });
    },
    shown: () =>
      server.posted.map(({ channel: chat, thread_ts, text = '', files = [] }) => ({
        ...{ chat, thread: thread_ts ?? '', text: seenBy(text) },
        files: (files as { id: string }[]).map(
          ({ id }) => server.files.get(id) ?? { name: '', bytes: Buffer.alloc(0) },
        ),
      })),
    shownCount: (count) => server.until(() => server.posted.length >= count, `${count} messages`),
    faultySends(...faults) {
      for (const fault of faults) {
        if (fault.kind === 'unreachable') unreachable += 1;
        else if (fault.kind === 'answer-lost') server.fault('chat.postMessage', 'lost');
        else if (fault.kind === 'status') server.fault('chat.postMessage', { status: fault.status });
        else server.fault('chat.postMessage', { status: 429, retryAfter: String(fault.retryAfterMs / 1_000) });
      }
    },
    cutConnections: () => server.dropSockets(),
    revokeToken() {
      server.revoke(BOT.token);
      server.deliver(server.callbackOf({ type: 'tokens_revoked', tokens: { oauth: [], bot: [BOT.userId] } }));
    },
    membership(change, isPublic) {
      server.roomOf('CNEW00001').isPrivate = !isPublic;
      const joined = {
        type: 'member_joined_channel',
        user: BOT.userId,
        channel: 'CNEW00001',
        team: 'T',
        inviter: PERSON,
      };
      const left = { type: 'channel_left', channel: 'CNEW00001', actor_id: PERSON };
      server.deliver(server.callbackOf(change === 'joined' ? joined : left));
    },
    openConnections: () => server.clients(),
    directChat: DIRECT,
    groupChat: GROUP,
    person: PERSON,
    async close() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return {
    double,
    channel: {
      ...channel,
      async send(reply, signal) {
        if (unreachable === 0) return channel.send(reply, signal);
        unreachable -= 1;
        const show = await server.hide();
        return channel.send(reply, signal).finally(show);
      },
    },
  };
}
