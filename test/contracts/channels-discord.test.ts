// The Discord channel, with its own gateway and REST clients, against the double of Discord, held to what every channel
// promises.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectedChannel } from '../../src/channels/channel.ts';
import { openDiscord } from '../../src/channels/discord/discord.ts';
import type { Log } from '../../src/log/log.ts';
import { BOT, DM, GUILD, OWNER, ROOM, startDiscordServer } from '../doubles/discord-server.ts';
import { channelConformance, type PlatformDouble, type Said, type Started } from './channels.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, reopen() {}, close() {}, file: '' };

channelConformance({
  name: 'discord',
  can: {
    redelivers: true,
    catchesUp: true,
    edits: true,
    typing: true,
    filesIn: true,
    filesOut: true,
    groups: true,
    threads: true,
    // Joining and leaving a server is told (gateway.test.ts); Discord does not say by whom.
    membership: false,
    revokes: true,
  },
  // The nonce makes asking again harmless, so an answer that is lost is asked for again.
  lostAnswer: 'sent',
  start,
});

async function start(): Promise<Started> {
  const discord = await startDiscordServer();
  const stateFolder = mkdtempSync(join(tmpdir(), 'hardshell-discord-'));
  const real = openDiscord(
    {
      account: 'default',
      secrets: { token: discord.token },
      stateFolder,
      readFile: () => Promise.resolve(Buffer.from('from the workspace')),
      log: silent,
      now: Date.now,
    },
    discord.endpoints,
  );
  let isUnreachable = false;
  const channel: ConnectedChannel = {
    ...real,
    // A connection that was refused is not seen by who refused it, so the outage is timed here.
    async send(outbound, signal) {
      if (!isUnreachable) return real.send(outbound, signal);
      isUnreachable = false;
      await discord.listens(false);
      return real.send(outbound, signal).finally(() => discord.listens(true));
    },
  };
  const written = (said: Said) => {
    const { text = '', thread, isBot = false, mention = false, replyToBot = false, file, skewMs = 0 } = said;
    const room = said.in === 'group' ? ROOM : DM;
    if (thread !== undefined) discord.addChannel({ id: thread, type: 11, guild_id: GUILD, parent_id: ROOM, name: 't' });
    const url = file && discord.addMedia(file.name, file.mimeType, Buffer.from(file.bytes));
    const attachment = file && {
      id: discord.snowflake(),
      filename: file.name,
      size: file.bytes.byteLength,
      content_type: file.mimeType,
      url,
    };
    return {
      channel: thread ?? room,
      author: { ...OWNER, id: said.from ?? OWNER.id, bot: isBot },
      content: mention ? `<@${BOT.id}> ${text}` : text,
      more: {
        timestamp: new Date(Date.now() + skewMs).toISOString(),
        ...(attachment && { attachments: [attachment] }),
        ...(replyToBot && { type: 19, mentions: [BOT], referenced_message: { id: '1', content: 'hi', author: BOT } }),
      },
    };
  };
  const double: PlatformDouble = {
    say: (said) => String(discord.write(written(said))['id']),
    again: (id) => discord.repeat(id),
    sayOutOfOrder: (all) => discord.writeBackwards(all.map(written)),
    edit(id, text) {
      const message = discord.history(DM).find((one) => one['id'] === id);
      discord.dispatch('MESSAGE_UPDATE', { ...message, content: text, edited_timestamp: new Date().toISOString() });
    },
    shown: () =>
      discord.sent.map(({ channel: id, payload, files }) => {
        const parent = discord.channel(id)?.['parent_id'];
        const where = typeof parent === 'string' ? { chat: parent, thread: id } : { chat: id, thread: '' };
        return { ...where, text: String(payload['content'] ?? ''), files };
      }),
    shownCount: (count) => discord.until(() => discord.sent.length >= count),
    async typing() {
      await discord.until(() => discord.typed.length > 0);
      return { chat: discord.typed[0] ?? '' };
    },
    faultySends(...faults) {
      for (const fault of faults) {
        const messages = /POST .*\/messages$/;
        if (fault.kind === 'unreachable') isUnreachable = true;
        else if (fault.kind === 'answer-lost') discord.script(messages, 'after');
        else if (fault.kind === 'rate')
          discord.script(messages, { status: 429, body: { retry_after: fault.retryAfterMs / 1_000, global: false } });
        // However often this message is tried.
        else discord.script(messages, ...Array.from({ length: 4 }, () => ({ status: fault.status, body: 'oops' })));
      }
    },
    cutConnections: () => discord.cut(),
    revokeToken() {
      discord.faults.revoked = true;
      discord.cut(4004);
    },
    openConnections: () => discord.sockets().length,
    directChat: DM,
    groupChat: ROOM,
    person: OWNER.id,
    async close() {
      await discord.close();
      rmSync(stateFolder, { recursive: true, force: true });
    },
  };
  return { channel, double };
}
