// The double of Slack is itself looked at by others: Slack's own client of socket mode must be able to live with it, and the
// Web API part of the channel must do the same against another author's emulator.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SocketModeClient } from '@slack/socket-mode';
import { createEmulator, type Emulator } from 'emulate';
import { afterEach, expect, test } from 'vitest';
import type { SlackEndpoints } from '../../src/channels/slack/endpoints.ts';
import { openSlack } from '../../src/channels/slack/slack.ts';
import { slackWeb } from '../../src/channels/slack/web.ts';
import { APP_TOKEN, startSlackServer } from '../doubles/slack-server.ts';
import { outbound } from './channels.ts';

const opened: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});
const soon = () => AbortSignal.timeout(20_000);
const none = (): void => {};
const logger = {
  debug: none,
  info: none,
  warn: none,
  error: none,
  setLevel: none,
  setName: none,
  getLevel: () => 'error' as never,
};

test("Slack's own client connects to the double, takes its events, acknowledges and comes back", async () => {
  const server = await startSlackServer({ ackWithinMs: 150 });
  opened.push(() => server.close());
  const client = new SocketModeClient({
    ...{ appToken: APP_TOKEN, logger, clientPingTimeout: 300 },
    clientOptions: { slackApiUrl: server.url },
  });
  opened.push(() => client.disconnect());
  const seen: { text: string; retry: number }[] = [];
  client.on(
    'message',
    ({ event, ack, retry_num }: { event: { text: string }; ack: () => Promise<void>; retry_num?: number }) => {
      seen.push({ text: event.text, retry: retry_num ?? 0 });
      // The first time it says nothing, so that the double must repeat itself.
      if ((retry_num ?? 0) > 0 || event.text !== 'again') void ack();
    },
  );
  await client.start();
  server.say({ text: 'one' });
  server.say({ text: 'again' });
  await server.until(() => server.acks.length === 2, 'acks');
  expect(seen).toEqual([
    { text: 'one', retry: 0 },
    { text: 'again', retry: 0 },
    { text: 'again', retry: 1 },
  ]);
  server.disconnect('refresh_requested');
  await server.until(() => server.opened() === 2, 'another socket');
  server.say({ text: 'two' });
  await server.until(() => server.acks.length === 3, 'ack');
  expect(seen.at(-1)?.text).toBe('two');
});

async function emulated() {
  const scopes = [
    'chat:write',
    'channels:read',
    'channels:history',
    'groups:read',
    'groups:history',
    'im:read',
    'im:history',
  ];
  const bot = { bot_id: 'BEMULATED', bot_user_id: 'UEMULATED', bot_name: 'claw' };
  const emulator: Emulator = await createEmulator({
    service: 'slack',
    port: 0,
    seed: {
      slack: {
        strict_scopes: true,
        users: [{ name: 'ann' }],
        channels: [{ name: 'lab' }],
        oauth_apps: [{ client_id: '1', client_secret: 'x', name: 'claw', redirect_uris: [], scopes, ...bot }],
        tokens: [
          {
            token: 'xoxb-emulated',
            user_id: bot.bot_user_id,
            ...bot,
            scopes: [...scopes, 'files:read', 'files:write'],
          },
          { token: 'xoxb-mute', user_id: bot.bot_user_id, ...bot, scopes: ['channels:read'] },
        ],
      },
    },
  } as never);
  opened.push(() => emulator.close());
  const { host } = new URL(emulator.url);
  const at: SlackEndpoints = { api: `http://${host}/api/`, socketHost: host, fileHost: host, deafAfterMs: 15_000 };
  const folder = mkdtempSync(join(tmpdir(), 'slack-'));
  opened.push(() => rmSync(folder, { recursive: true }));
  const open = (botToken: string) =>
    openSlack(
      {
        ...{
          account: 'default',
          settings: {},
          secrets: { botToken, appToken: 'xapp-1' },
          stateFolder: folder,
          now: Date.now,
        },
        readFile: () => Promise.resolve(Buffer.from('from the workspace')),
        log: { ...logger, reopen: none, close: none, file: '' },
      },
      at,
    );
  const web = slackWeb(at);
  const call = (method: string, args = {}) => web.call('xoxb-emulated', method, args, soon());
  const { channels } = (await call('conversations.list')) as unknown as { channels: { id: string; name: string }[] };
  const chat = channels.find(({ name }) => name === 'lab')?.id ?? '';
  return { open, call, chat, web };
}

test("another author's Slack takes the channel's replies, threads, files and questions as the double does", async () => {
  const { open, call, chat, web } = await emulated();
  const channel = await open('xoxb-emulated');
  expect(await channel.probe(soon())).toMatchObject({
    ok: true,
    account: expect.stringContaining('UEMULATED') as string,
  });

  const send = (text: string, more = {}) => channel.send(outbound({ directChat: chat } as never, text, more), soon());
  const first = await send('**hi** <!channel>');
  expect(first).toMatchObject({ state: 'sent', messageId: expect.stringMatching(/^C\w+:\d+\.\d+$/) as string });
  const ts = 'messageId' in first ? (first.messageId ?? '').split(':')[1] : '';
  expect(await send('in thread', { thread: ts })).toMatchObject({ state: 'sent' });
  const files = [{ path: 'r.txt', name: 'r.txt', mimeType: 'text/plain' }];
  expect(await send('a file', { files, thread: ts })).toEqual({ state: 'sent' });

  const { messages } = (await call('conversations.replies', { channel: chat, ts })) as unknown as {
    messages: { text: string; thread_ts?: string; files?: { id: string; name: string }[] }[];
  };
  expect(messages.map(({ text }) => text)).toEqual(['*hi* &lt;!channel&gt;', 'in thread', 'a file']);
  const file = messages[2]?.files?.[0];
  expect(file?.name).toBe('r.txt');
  expect(Buffer.from(await web.download('xoxb-emulated', file?.id ?? '', 100, soon())).toString()).toBe(
    'from the workspace',
  );
  await expect(web.download('xoxb-emulated', file?.id ?? '', 5, soon())).rejects.toThrow(/more than 5 bytes/);

  const history = await call('conversations.history', { channel: chat, oldest: '0', limit: 200 });
  expect(history['messages']).toHaveLength(1);
  expect(await call('conversations.info', { channel: chat })).toMatchObject({
    channel: { name: 'lab', is_private: false },
  });
});

test("another author's Slack refuses what the double refuses", async () => {
  const { open, chat } = await emulated();
  const send = async (token: string, to: string, text: string) =>
    (await open(token)).send(outbound({ directChat: to } as never, text), soon());
  const failed = (code: string) => ({ state: 'failed', reason: expect.stringContaining(code) as string });
  expect(await send('xoxb-emulated', 'CNONE', 'x')).toEqual(failed('channel_not_found'));
  expect(await send('xoxb-emulated', chat, '')).toEqual(failed('no_text'));
  // It lets every token in as somebody, so that only what a token may do can be compared.
  expect(await send('xoxb-mute', chat, 'x')).toEqual(failed('missing_scope'));
});
