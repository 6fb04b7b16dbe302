// A message of ours can be changed, taken away and reacted to, on the platforms that have it: the real clients against the
// doubles. What the platform refuses is said in words.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Channel, ChannelSetup, Sent } from '../../src/channels/channel.ts';
import { openDiscord } from '../../src/channels/discord/discord.ts';
import { openSlack } from '../../src/channels/slack/slack.ts';
import { openTelegram } from '../../src/channels/telegram/telegram.ts';
import type { Log } from '../../src/log/log.ts';
import { DM, startDiscordServer } from '../doubles/discord-server.ts';
import { APP_TOKEN, BOT, startSlackServer } from '../doubles/slack-server.ts';
import { DIRECT, startTelegramServer } from '../doubles/telegram-server.ts';

type Shown = { readonly text: string; readonly reaction: string } | null;
type Opened = {
  readonly channel: Channel;
  readonly chat: string;
  readonly emoji: string;
  shown(id: string): Shown;
  previews(): unknown;
  close(): Promise<void>;
};

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, reopen() {}, close() {}, file: '' };
let opened: Opened | null = null;
const folder = mkdtempSync(join(tmpdir(), 'changes-'));
afterEach(async () => {
  await opened?.close();
  opened = null;
  rmSync(folder, { recursive: true, force: true });
});
const setup = (settings: ChannelSetup['settings'], secrets: ChannelSetup['secrets']): ChannelSetup => ({
  ...{ account: 'default', settings, secrets, stateFolder: folder, log: silent, now: Date.now },
  readFile: () => Promise.reject(new Error('no files here')),
});

const PLATFORMS: Readonly<Record<string, () => Promise<Opened>>> = {
  async telegram() {
    const server = await startTelegramServer();
    const of = (id: string) => server.sent.find((one) => String(one.id) === id);
    return {
      channel: await openTelegram(setup({ apiRoot: server.url }, { botToken: server.token })),
      ...{ chat: String(DIRECT.id), emoji: '👍', close: server.close },
      shown(id) {
        const found = of(id);
        const reaction = server.reactions.find((one) => String(one.id) === id)?.emoji ?? '';
        return found ? { text: found.text, reaction } : null;
      },
      previews: () => server.calls.at(-1)?.params['link_preview_options'],
    };
  },
  async discord() {
    const server = await startDiscordServer();
    const chat = DM;
    const of = (id: string) => server.history(chat).find((one) => one['id'] === id);
    return {
      channel: openDiscord(setup({}, { token: server.token }), server.endpoints),
      ...{ chat, emoji: '👍', close: server.close },
      shown(id) {
        const found = of(id);
        return found ? { text: String(found['content']), reaction: String(found['reactions'] ?? '') } : null;
      },
      previews: () => server.sent[0]?.payload['flags'],
    };
  },
  async slack() {
    const server = await startSlackServer();
    const chat = 'D00000001';
    return {
      channel: await openSlack(setup({}, { botToken: BOT.token, appToken: APP_TOKEN }), server.endpoints()),
      ...{ chat, emoji: 'thumbsup', close: server.close },
      shown(id) {
        const found = server.posted.find(({ channel, ts }) => id === `${channel}:${ts}`);
        return found ? { text: String(found.text), reaction: String(found['reaction'] ?? '') } : null;
      },
      previews: () => server.posted[0]?.args['unfurl_links'],
    };
  },
};
const NO_PREVIEW: Readonly<Record<string, unknown>> = { telegram: { is_disabled: true }, discord: 4, slack: 'false' };

describe.each(Object.keys(PLATFORMS))('%s', (name) => {
  test('edits, reacts and takes away, shows no preview, and says what the platform refuses', async () => {
    const here = (await PLATFORMS[name]?.()) as Opened;
    opened = here;
    const { channel, chat, emoji } = here;
    const signal = AbortSignal.timeout(10_000);
    const reply = { id: 1, channel: name, account: 'default', chat, thread: '', replyTo: '', files: [] };
    const receipt = await channel.send({ ...reply, text: 'https://evil.example/?q=1', idempotencyKey: 'k' }, signal);
    expect(receipt).toMatchObject({ state: 'sent', messageId: expect.any(String) });
    const messageId = receipt.state === 'sent' ? (receipt.messageId ?? '') : '';
    expect(here.previews()).toEqual(NO_PREVIEW[name]);
    const sent: Sent = { chat, thread: '', messageId };
    await channel.edit?.(sent, 'better words', signal);
    await channel.react?.(sent, emoji, signal);
    expect(here.shown(messageId)).toEqual({ text: 'better words', reaction: emoji });
    await channel.remove?.(sent, signal);
    expect(here.shown(messageId)).toBeNull();
    await expect(channel.remove?.(sent, signal)).rejects.toThrow(/message|not_found/i);
  });
});
