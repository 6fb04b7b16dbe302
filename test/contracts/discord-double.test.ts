// The double of Discord, held against a client that knows nothing of us: @discordjs/core. What our own clients are tested
// with must also be a Discord to the library that thousands of bots use.
import { Client, GatewayDispatchEvents, GatewayIntentBits } from '@discordjs/core';
import { REST } from '@discordjs/rest';
import { WebSocketManager, WebSocketShardEvents } from '@discordjs/ws';
import { afterEach, expect, test } from 'vitest';
import {
  type DiscordServer,
  type DiscordServerOptions,
  DM,
  OWNER,
  ROOM,
  startDiscordServer,
  TOKEN,
} from '../doubles/discord-server.ts';

const closers: (() => Promise<unknown> | undefined)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const INTENTS =
  GatewayIntentBits.Guilds |
  GatewayIntentBits.GuildMessages |
  GatewayIntentBits.DirectMessages |
  GatewayIntentBits.MessageContent;

async function connect(options: DiscordServerOptions = {}, intents = INTENTS) {
  const discord: DiscordServer = await startDiscordServer(options);
  closers.push(discord.close);
  const rest = new REST({ version: '10', api: discord.endpoints.api }).setToken(TOKEN);
  const gateway = new WebSocketManager({ token: TOKEN, intents, rest });
  const client = new Client({ rest, gateway });
  closers.push(async () => gateway.destroy());
  const seen: string[] = [];
  const told = new EventTarget();
  client.on(GatewayDispatchEvents.MessageCreate, ({ data }) => {
    seen.push(data.content);
    told.dispatchEvent(new Event('message'));
  });
  const until = async (count: number): Promise<void> => {
    while (seen.length < count) await new Promise((done) => told.addEventListener('message', done, { once: true }));
  };
  const ready = new Promise<string>((done) =>
    client.once(GatewayDispatchEvents.Ready, ({ data }) => done(data.user.username)),
  );
  return { discord, client, gateway, seen, until, ready };
}

test('the intents of the channel are these four', () => {
  expect(INTENTS).toBe(37_377);
});

test('it identifies, hears, answers and is resumed after a cut, with nothing lost', async () => {
  const { discord, client, gateway, seen, until, ready } = await connect();
  await gateway.connect();
  expect(await ready).toBe('shell');
  expect(discord.identified[0]).toMatchObject({ token: TOKEN, intents: INTENTS });
  discord.write({ channel: DM, content: 'one' });
  await until(1);
  const answer = await client.api.channels.createMessage(ROOM, { content: 'two', nonce: 'n', enforce_nonce: true });
  const again = await client.api.channels.createMessage(ROOM, { content: 'two', nonce: 'n', enforce_nonce: true });
  expect(again.id).toBe(answer.id);
  expect(discord.sent).toHaveLength(1);
  await client.api.channels.showTyping(ROOM);
  expect(discord.typed).toEqual([ROOM]);
  await until(2);
  const resumed = new Promise((done) => gateway.once(WebSocketShardEvents.Resumed, done));
  discord.cut(4000);
  discord.write({ channel: DM, content: 'three' });
  await resumed;
  await until(3);
  expect(seen).toEqual(['one', 'two', 'three']);
  expect(discord.resumed[0]).toMatchObject({ token: TOKEN });
});

test('its limits are read from its headers and its 429, and waited for', async () => {
  const { discord, client } = await connect({ rate: { limit: 1, windowMs: 150 } });
  const send = (content: string) => client.api.channels.createMessage(DM, { content });
  await Promise.all([send('one'), send('two')]);
  discord.script(/messages$/, { status: 429, body: { retry_after: 0.05, global: false, message: 'slow' } });
  await send('three');
  expect(discord.sent.map(({ payload }) => payload['content'])).toEqual(['one', 'two', 'three']);
});

test('files, history, channels and members are what it expects', async () => {
  const { discord, client } = await connect();
  const files = [{ name: 'a.txt', data: Buffer.from('one'), contentType: 'text/plain' }];
  await client.api.channels.createMessage(DM, { content: 'with a file', files });
  expect(discord.sent[0]?.files).toEqual([{ name: 'a.txt', type: 'text/plain', bytes: Buffer.from('one') }]);
  const { id } = discord.write({ channel: DM, content: 'later' });
  const found = await client.api.channels.getMessages(DM, { after: discord.sent[0]?.id ?? '' });
  expect(found.map((one) => one.id)).toEqual([id]);
  expect(await client.api.channels.get(DM)).toMatchObject({ type: 1, recipients: [{ id: OWNER.id }] });
  await expect(client.api.channels.get('99')).rejects.toMatchObject({ code: 10_003, status: 404 });
  await expect(client.api.channels.createMessage(DM, { content: 'x'.repeat(2_001) })).rejects.toMatchObject({
    status: 400,
  });
});

test.each([
  ['the switch for message content', { messageContent: false }, /Disallowed|disallowed/],
  ['a wrong token', { token: 'another' }, /token|Unauthorized|401/i],
] as const)('%s is refused to it too', async (_, options, says) => {
  const { gateway } = await connect(options);
  const failed = new Promise<unknown>((done) => gateway.on(WebSocketShardEvents.Error, done));
  const outcome = await Promise.race([failed, gateway.connect().then(() => failed)]).catch((error: unknown) => error);
  expect(String((outcome as Error).message ?? outcome)).toMatch(says);
});
