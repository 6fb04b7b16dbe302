// Holds what leaves to its promises: nobody can be pinged, nothing is doubled, a limit is told and not waited for, files
// come from Discord's hosts only, and the token is in nothing that is said.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import {
  type DiscordFault,
  type DiscordServerOptions,
  DM,
  ROOM,
  startDiscordServer,
  THREAD,
} from '../../../test/doubles/discord-server.ts';
import { connectChannel } from '../../../test/support/discord-channel.ts';
import type { Outbound } from '../channel.ts';
import { DISCORD, gatewayUrl, mediaUrl } from './endpoints.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function open(options: DiscordServerOptions = {}, files: Record<string, string> = {}) {
  const discord = await startDiscordServer(options);
  closers.push(discord.close);
  const stateFolder = mkdtempSync(join(tmpdir(), 'hardshell-discord-'));
  closers.push(() => rmSync(stateFolder, { recursive: true, force: true }));
  const readFile = (path: string): Promise<Uint8Array> =>
    path in files ? Promise.resolve(Buffer.from(files[path] ?? '')) : Promise.reject(new Error(`there is no ${path}`));
  const live = connectChannel(discord, { stateFolder, readFile });
  closers.push(live.stop);
  await live.connected();
  let id = 0;
  const reply = (more: Partial<Outbound> = {}): Outbound => ({
    id: ++id,
    channel: 'discord',
    account: 'default',
    chat: DM,
    thread: '',
    replyTo: '',
    text: `reply ${id}`,
    files: [],
    idempotencyKey: `reply:${id}`,
    ...more,
  });
  const send = (more: Partial<Outbound> = {}, signal = new AbortController().signal) =>
    live.channel.send(reply(more), signal);
  return { discord, live, send };
}
const MESSAGES = /POST .*\/messages$/;

test('a reply can ping nobody, and embeds nothing', async () => {
  const { discord, send } = await open();
  const { id } = discord.write({ channel: ROOM, content: 'question' });
  const receipt = await send({ chat: ROOM, text: '@everyone <@&5> <@7>', replyTo: String(id), idempotencyKey: 'k' });
  expect(receipt).toEqual({ state: 'sent', messageId: discord.sent[0]?.id });
  expect(discord.sent[0]?.payload).toEqual({
    content: '@everyone <@&5> <@7>',
    nonce: expect.stringMatching(/^[\w-]{25}$/),
    enforce_nonce: true,
    allowed_mentions: { parse: [], replied_user: false },
    flags: 4,
    message_reference: { message_id: id, fail_if_not_exists: false },
  });
});

test('the same reply is shown once however often it is sent, and another one with its key is another reply', async () => {
  const { discord, send } = await open();
  const once = { idempotencyKey: 'reply:1:0', text: 'one' };
  const first = await send(once);
  expect(await send(once)).toEqual(first);
  expect(discord.sent).toHaveLength(1);
  await send({ ...once, text: 'of another database' });
  await send({ ...once, chat: ROOM });
  expect(discord.sent).toHaveLength(3);
});

test('an answer to a message that was deleted meanwhile still arrives', async () => {
  const { discord, send } = await open();
  expect(await send({ replyTo: '1' })).toMatchObject({ state: 'sent' });
  expect(discord.sent).toHaveLength(1);
});

test('an answer in a thread goes into the thread', async () => {
  const { discord, send } = await open();
  await send({ chat: ROOM, thread: THREAD });
  expect(discord.sent[0]?.channel).toBe(THREAD);
});

test.each<readonly [string, readonly DiscordFault[]]>([
  ['an answer that was lost', ['after']],
  ['a line that broke', ['drop']],
  ['a failure inside Discord', [{ status: 500, body: 'oops' }, { status: 502 }]],
  ['a lost answer and then a limit', ['after', { status: 429, body: { retry_after: 0.001 } }]],
])('%s: asked again with the same nonce, delivered once', async (_, faults) => {
  const { discord, send } = await open();
  discord.script(MESSAGES, ...faults);
  expect(await send()).toEqual({ state: 'sent', messageId: discord.sent[0]?.id });
  expect(discord.sent).toHaveLength(1);
});

test('when nothing helps, its fate is unknown and is said to be', async () => {
  const { discord, send } = await open();
  discord.script(MESSAGES, ...Array.from({ length: 4 }, () => ({ status: 500 })));
  expect(await send()).toEqual({ state: 'unknown', reason: 'Discord answered with HTTP 500' });
});

test('a limit after a lost answer does not become "certainly not delivered"', async () => {
  const { discord, send } = await open();
  discord.script(MESSAGES, 'after', { status: 429, body: { retry_after: 60 } });
  expect(await send()).toMatchObject({ state: 'unknown' });
  expect(discord.sent).toHaveLength(1);
});

test('the limit of a channel is told with its time, and not run into twice', async () => {
  const { discord, send } = await open({ rate: { limit: 2, windowMs: 60_000 } });
  expect(await send()).toMatchObject({ state: 'sent' });
  expect(await send()).toMatchObject({ state: 'sent' });
  const calls = discord.calls.length;
  const started = performance.now();
  const receipt = await send();
  expect(performance.now() - started).toBeLessThan(1_000);
  expect(receipt).toMatchObject({ state: 'retry', afterMs: expect.any(Number) });
  if (receipt.state === 'retry') expect(receipt.afterMs).toBeGreaterThan(50_000);
  expect(discord.calls).toHaveLength(calls);
  expect(await send({ chat: ROOM })).toMatchObject({ state: 'sent' });
});

test('a limit that holds everywhere stops every call, the cheap ones too', async () => {
  const { discord, live, send } = await open();
  discord.script(MESSAGES, { status: 429, body: { retry_after: 30, global: true } });
  expect(await send()).toMatchObject({ state: 'retry', afterMs: 30_000 });
  const calls = discord.calls.length;
  expect(await send({ chat: ROOM })).toMatchObject({ state: 'retry' });
  await live.channel.typing?.({ chat: DM, thread: '' }, new AbortController().signal);
  expect(discord.calls).toHaveLength(calls);
});

test.each([
  [{ status: 429, body: '<html>', headers: { 'retry-after': '12' } }, 12_000],
  [{ status: 429, body: '<html>' }, 5_000],
])('a limit without the words of the API (%j) is honoured too', async (fault, afterMs) => {
  const { discord, send } = await open();
  discord.script(MESSAGES, fault);
  expect(await send()).toMatchObject({ state: 'retry', afterMs });
});

test.each([
  [
    { status: 403, body: { code: 50_013, message: 'Missing Permissions' } },
    'Discord answered with HTTP 403 (50013 Missing Permissions)',
  ],
  [
    { status: 404, body: { code: 10_003, message: 'Unknown Channel' } },
    'Discord answered with HTTP 404 (10003 Unknown Channel)',
  ],
  [{ status: 413, body: '' }, 'Discord answered with HTTP 413'],
])('%j is final, with the words of Discord', async (fault, reason) => {
  const { discord, send } = await open();
  discord.script(MESSAGES, fault);
  expect(await send()).toEqual({ state: 'failed', reason });
});

test('a token that is refused delivers nothing, and the reply can wait for the next one', async () => {
  const { discord, send } = await open();
  discord.faults.revoked = true;
  expect(await send()).toMatchObject({
    state: 'retry',
    reason: 'Discord answered with HTTP 401 (0 401: Unauthorized)',
  });
});

test('files go along, and their names cannot break the form', async () => {
  const { discord, send } = await open({}, { 'a.txt': 'one', 'b.bin': '\r\n--hardshell\r\n' });
  const files = [
    { path: 'a.txt', name: 'a".txt\r\nX: y', mimeType: 'text/plain\r\nX: y' },
    { path: 'b.bin', name: 'b.bin', mimeType: 'application/octet-stream' },
  ];
  expect(await send({ text: '', files })).toMatchObject({ state: 'sent' });
  const [one, two] = discord.sent[0]?.files ?? [];
  expect(one).toEqual({ name: 'a_.txt__X: y', type: 'text/plainX: y', bytes: Buffer.from('one') });
  expect(two?.bytes.toString()).toBe('\r\n--hardshell\r\n');
});

test('a file that cannot be read fails the reply with its name', async () => {
  const { discord, send } = await open();
  const files = [{ path: 'gone.txt', name: 'gone.txt', mimeType: 'text/plain' }];
  expect(await send({ files })).toEqual({
    state: 'failed',
    reason: 'a file of the reply cannot be read: there is no gone.txt',
  });
  expect(discord.sent).toEqual([]);
});

test('an attachment is fetched without the token, up to the limit and not beyond', async () => {
  const { discord, live } = await open();
  const { signal } = new AbortController();
  const ref = discord.addMedia('a.bin', 'application/octet-stream', Buffer.alloc(1_000, 7));
  expect(Buffer.from((await live.channel.fetchAttachment?.(ref, 1_000, signal)) ?? [])).toEqual(Buffer.alloc(1_000, 7));
  expect(discord.headers.at(-1)).not.toHaveProperty('authorization');
  await expect(live.channel.fetchAttachment?.(ref, 999, signal)).rejects.toThrow('more than 999 bytes');
});

test('a link that ran out is renewed once', async () => {
  const { discord, live } = await open();
  const ref = discord.addMedia('a.bin', 'application/octet-stream', Buffer.from('bytes'), '?ex=old');
  const bytes = await live.channel.fetchAttachment?.(ref, 100, new AbortController().signal);
  expect(Buffer.from(bytes ?? []).toString()).toBe('bytes');
});

test('an attachment that redirects elsewhere is not followed', async () => {
  const { discord, live } = await open();
  const ref = discord.addMedia('a.bin', 'application/octet-stream', Buffer.from('bytes'));
  discord.script(/attachments/, { status: 302, headers: { location: 'http://169.254.169.254/latest' } });
  await expect(live.channel.fetchAttachment?.(ref, 100, new AbortController().signal)).rejects.toThrow('HTTP 302');
});

test.each([
  'https://cdn.discordapp.com.evil.example/attachments/1/2/a',
  'https://evil.example/cdn.discordapp.com/a',
  'https://cdn.discordapp.com@evil.example/a',
  'https://user:pass@cdn.discordapp.com/a',
  'https://user@cdn.discordapp.com/a',
  'http://cdn.discordapp.com/a',
  'https://cdn.discordapp.com:8443/a',
  'file:///etc/passwd',
  'no-such-ref',
])('%s is no host of Discord', async (ref) => {
  expect(mediaUrl(ref, DISCORD)).toBeNull();
  const { discord, live } = await open();
  const calls = discord.calls.length;
  await expect(live.channel.fetchAttachment?.(ref, 100, new AbortController().signal)).rejects.toThrow(
    /host of Discord/,
  );
  expect(discord.calls).toHaveLength(calls);
});

test.each([
  ['wss://gateway.discord.gg', true],
  ['wss://gateway-us-east1-b.discord.gg/?x=1', true],
  ['ws://gateway.discord.gg', false],
  ['wss://discord.gg.evil.example', false],
  ['wss://evildiscord.gg', false],
])('a gateway address %s: %s', (url, isAllowed) => {
  expect(gatewayUrl(url, DISCORD) !== null).toBe(isAllowed);
});

test('typing is shown where the answer will be', async () => {
  const { discord, live } = await open();
  await live.channel.typing?.({ chat: ROOM, thread: THREAD }, new AbortController().signal);
  expect(discord.typed).toEqual([THREAD]);
});

test('whatever goes wrong, the token is in nothing that is said', async () => {
  const { discord, live, send } = await open();
  const said: unknown[] = [];
  const faults: DiscordFault[] = ['drop', 'after', { status: 400, body: 'x' }, { status: 401 }, { status: 429 }];
  for (const fault of faults) {
    discord.script(/./, ...Array.from({ length: 4 }, () => fault));
    said.push(await send().catch(String), await live.channel.probe(new AbortController().signal));
  }
  discord.faults.revoked = true;
  discord.cut(4004);
  const failure = await live.ended();
  said.push(failure?.message, failure?.fix, failure?.stack, await send(), live.lines);
  expect(said.length).toBeGreaterThan(10);
  for (const part of discord.token.split('.')) expect(JSON.stringify(said)).not.toContain(part);
});

test('a stop in the middle of asking again leaves the fate unknown, at once', async () => {
  const { discord, send } = await open();
  const ended = new AbortController();
  discord.script(MESSAGES, { delayMs: 5_000 });
  const sending = send({}, ended.signal);
  await discord.until(() => discord.calls.some((call) => MESSAGES.test(call)));
  ended.abort();
  expect(await sending).toMatchObject({ state: 'unknown' });
});

test('E27 a button is shown below a question; its press arrives as words of whoever has pressed, and the buttons go', async () => {
  const { discord, live, send } = await open();
  const says = '/approve 3f6a2c1e-1111-4222-8333-444455556666';
  await send({ buttons: [{ label: 'Allow once', says }] });
  expect(discord.sent[0]?.payload).toMatchObject({
    components: [{ type: 1, components: [{ type: 2, style: 2, label: 'Allow once', custom_id: says }] }],
  });
  const press = { id: '777', token: 'aW50', type: 3, channel_id: DM, user: { id: '7', username: 'n' } };
  discord.dispatch('INTERACTION_CREATE', { ...press, data: { custom_id: says } });
  await expect.poll(() => live.messages.length).toBe(1);
  expect(live.messages[0]).toMatchObject({ text: says, messageId: 'press:777', sender: { id: '7' }, chat: DM });
  await expect.poll(() => discord.calls.some((call) => call.includes('/interactions/777/aW50/callback'))).toBe(true);
  // What answers it refers to no message.
  await send({ replyTo: 'press:777' });
  expect(discord.sent.at(-1)?.payload).not.toHaveProperty('message_reference');
});
