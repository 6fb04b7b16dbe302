// Holds the connection of Discord to what it promises, with the real sockets of the double: nothing lost when a line
// breaks or a store is full, nothing beyond the four intents, and a refusal that says which switch to turn.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import {
  type DiscordServer,
  type DiscordServerOptions,
  DM,
  GUILD,
  OWNER,
  ROOM,
  startDiscordServer,
  THREAD,
  TOKEN,
} from '../../../test/doubles/discord-server.ts';
import { connectChannel, type LiveDiscord } from '../../../test/support/discord-channel.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function server(options: DiscordServerOptions = {}): Promise<DiscordServer> {
  const one = await startDiscordServer(options);
  closers.push(one.close);
  return one;
}
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'hardshell-discord-'));
  closers.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
function connect(discord: DiscordServer, stateFolder = folder()): LiveDiscord {
  const live = connectChannel(discord, { stateFolder });
  closers.push(live.stop);
  return live;
}
const texts = (live: LiveDiscord): string[] => live.messages.map((one) => one.text);

test('S229 asks for the four intents that answering needs, and for nothing else', async () => {
  const discord = await server();
  await connect(discord).connected();
  expect(discord.identified).toHaveLength(1);
  expect(discord.identified[0]?.['intents']).toBe(37_377);
});

test('a direct message, a channel and a thread arrive as what they are', async () => {
  const discord = await server();
  discord.setMember(GUILD, OWNER.id, ['77', '78'], { nick: 'Nads' });
  const live = connect(discord);
  await live.connected();
  discord.write({ channel: DM, content: 'hello' });
  discord.write({ channel: ROOM, content: 'in the room' });
  discord.write({ channel: THREAD, content: 'in the thread' });
  await live.until(() => live.messages.length === 3);
  const [direct, room, thread] = live.messages;
  expect(direct).toMatchObject({ chat: DM, chatType: 'direct', text: 'hello', assurance: 'platform' });
  expect(direct?.sender).toEqual({ id: OWNER.id, display: 'Nadia' });
  expect(direct).not.toHaveProperty('within');
  expect(room).toMatchObject({ chat: ROOM, chatType: 'group', within: [GUILD, ROOM], chatTitle: 'Garden #general' });
  expect(room?.sender).toEqual({ id: OWNER.id, display: 'Nads', roles: ['77', '78'] });
  expect(room).not.toHaveProperty('thread');
  expect(thread).toMatchObject({ chat: ROOM, thread: THREAD, within: [GUILD, ROOM] });
});

test('a dropped line is resumed, and what was said meanwhile arrives once and in order', async () => {
  const discord = await server();
  const live = connect(discord);
  await live.connected();
  discord.write({ channel: DM, content: 'one' });
  await live.until(() => live.messages.length === 1);
  discord.cut();
  await live.ended();
  for (const content of ['two', 'three']) discord.write({ channel: DM, content });
  live.start();
  await live.connected();
  discord.write({ channel: DM, content: 'four' });
  await live.until(() => live.messages.length === 4);
  expect(texts(live)).toEqual(['one', 'two', 'three', 'four']);
  expect(discord.identified).toHaveLength(1);
  expect(discord.resumed).toHaveLength(1);
  expect(live.gaps).toEqual([]);
});

test('a message that could not be stored is not acknowledged, and comes again', async () => {
  const discord = await server();
  const live = connect(discord);
  await live.connected();
  discord.write({ channel: DM, content: 'before' });
  await live.until(() => live.messages.length === 1);
  live.refuseNext('the disk is full');
  discord.write({ channel: DM, content: 'while it is full' });
  discord.write({ channel: DM, content: 'right after' });
  expect(await live.ended()).toMatchObject({ family: 'bug', message: expect.stringContaining('the disk is full') });
  live.start();
  await live.until(() => live.messages.length === 3);
  expect(texts(live)).toEqual(['before', 'while it is full', 'right after']);
});

test('another process goes on where the last one was killed', async () => {
  const discord = await server();
  const stateFolder = folder();
  const first = connect(discord, stateFolder);
  await first.connected();
  discord.write({ channel: DM, content: 'one' });
  await first.until(() => first.messages.length === 1);
  await first.stop();
  expect(readFileSync(join(stateFolder, 'session.json'), 'utf8')).not.toContain(TOKEN);
  discord.write({ channel: ROOM, content: 'two' });
  const second = connect(discord, stateFolder);
  await second.until(() => second.messages.length === 1);
  expect(second.messages[0]).toMatchObject({ text: 'two', within: [GUILD, ROOM] });
  expect(second.changes).toEqual([]);
  expect(discord.identified).toHaveLength(1);
});

const changeSession = (stateFolder: string, change: object): void => {
  const file = join(stateFolder, 'session.json');
  const state = JSON.parse(readFileSync(file, 'utf8')) as { session: object };
  writeFileSync(file, JSON.stringify({ ...state, session: { ...state.session, ...change } }));
};

test('what is remembered stands on disk as soon as there is a session, for its owner only', async () => {
  const discord = await server();
  const stateFolder = folder();
  await connect(discord, stateFolder).connected();
  const file = join(stateFolder, 'session.json');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ session: { id: expect.any(String) } });
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('an address for resuming that is not of Discord is not dialled; the usual one is', async () => {
  const discord = await server();
  const stateFolder = folder();
  const first = connect(discord, stateFolder);
  await first.connected();
  await first.stop();
  changeSession(stateFolder, { resumeUrl: 'wss://gateway.evil.example' });
  await connect(discord, stateFolder).connected();
  expect(discord.resumed).toHaveLength(1);
});

test('an address for resuming where nobody listens any more costs one try and not the session', async () => {
  const discord = await server();
  const stateFolder = folder();
  const first = connect(discord, stateFolder);
  await first.connected();
  await first.stop();
  changeSession(stateFolder, { resumeUrl: 'ws://127.0.0.1:1' });
  discord.write({ channel: DM, content: 'meanwhile' });
  const gatewayHosts = [...discord.endpoints.gatewayHosts, '127.0.0.1:1'];
  const second = connect({ ...discord, endpoints: { ...discord.endpoints, gatewayHosts } }, stateFolder);
  expect(await second.ended()).toMatchObject({ family: 'network', message: expect.stringContaining('ECONNREFUSED') });
  second.start();
  await second.until(() => second.messages.length === 1);
  expect(discord.resumed).toHaveLength(1);
  expect(discord.identified).toHaveLength(1);
});

test.each(['', 'not json', '{"bot":1}', '[]'])('a memory that is broken (%j) is none', async (text) => {
  const discord = await server();
  const stateFolder = folder();
  writeFileSync(join(stateFolder, 'session.json'), text);
  await connect(discord, stateFolder).connected();
  expect(discord.identified).toHaveLength(1);
});

test('another token does not go on with the session of the last one', async () => {
  const stateFolder = folder();
  const first = await server();
  const one = connect(first, stateFolder);
  await one.connected();
  await one.stop();
  const second = await server({ token: `${TOKEN}x` });
  await connect(second, stateFolder).connected();
  expect(second.resumed).toEqual([]);
  expect(second.identified).toHaveLength(1);
});

test('when Discord has ended the session, known chats are read back, and the gap is named', async () => {
  const discord = await server();
  discord.setMember(GUILD, OWNER.id, ['77']);
  const live = connect(discord);
  await live.connected();
  discord.write({ channel: DM, content: 'one' });
  discord.write({ channel: ROOM, content: 'in the room' });
  await live.until(() => live.messages.length === 2);
  discord.cut();
  await live.ended();
  discord.forgetSessions();
  for (const content of ['two', 'three']) discord.write({ channel: DM, content });
  discord.write({ channel: ROOM, content: 'back in the room' });
  live.start();
  await live.until(() => live.messages.length === 5);
  expect(texts(live).filter((text) => /^(one|two|three)$/.test(text))).toEqual(['one', 'two', 'three']);
  const room = live.messages.find((one) => one.text === 'back in the room');
  expect(room).toMatchObject({ within: [GUILD, ROOM], sender: { id: OWNER.id, roles: ['77'] } });
  await live.until(() => live.gaps.length === 1);
  expect(live.gaps[0]).toMatch(/could not replay .*Z to .*Z: 3 messages of 2 known chats were read back/);
  expect(live.gaps[0]).not.toContain('in part');
});

test('a gap that is too large to be read back in full says so', async () => {
  const discord = await server();
  const live = connect(discord);
  await live.connected();
  discord.write({ channel: DM, content: 'first' });
  await live.until(() => live.messages.length === 1);
  discord.cut();
  await live.ended();
  discord.forgetSessions();
  for (let n = 0; n < 520; n++) discord.write({ channel: DM, content: `${n}` });
  live.start();
  await live.until(() => live.gaps.length === 1);
  expect(live.gaps[0]).toContain(`only in part: ${DM}`);
  expect(texts(live).slice(1)).toEqual(Array.from({ length: 500 }, (_, n) => `${n}`));
});

test('a message that cannot be stored while reading back is read back again', async () => {
  const discord = await server();
  const live = connect(discord);
  await live.connected();
  discord.write({ channel: DM, content: 'one' });
  await live.until(() => live.messages.length === 1);
  discord.cut();
  await live.ended();
  discord.forgetSessions();
  discord.write({ channel: DM, content: 'two' });
  live.refuseNext('the disk is full');
  live.start();
  await live.ended();
  live.start();
  await live.until(() => live.messages.length === 2);
  expect(texts(live)).toEqual(['one', 'two']);
});

test('a failure of Discord while reading back puts nothing aside', async () => {
  const discord = await server();
  const live = connect(discord);
  await live.connected();
  discord.write({ channel: DM, content: 'one' });
  await live.until(() => live.messages.length === 1);
  discord.cut();
  await live.ended();
  discord.forgetSessions();
  discord.write({ channel: DM, content: 'two' });
  discord.script(/GET .*messages/, { status: 500, body: 'oops' }, { status: 429, body: { retry_after: 0.01 } });
  live.start();
  expect(await live.ended()).toMatchObject({ family: 'network' });
  live.start();
  await live.until(() => live.messages.length === 2);
  expect(texts(live)).toEqual(['one', 'two']);
});

test('a chat that may not be read any more is named', async () => {
  const discord = await server();
  const live = connect(discord);
  await live.connected();
  discord.write({ channel: DM, content: 'one' });
  await live.until(() => live.messages.length === 1);
  discord.cut();
  await live.ended();
  discord.forgetSessions();
  discord.script(/GET .*messages/, { status: 403, body: { code: 50_001, message: 'Missing Access' } });
  live.start();
  await live.until(() => live.gaps.length === 1);
  expect(live.gaps[0]).toContain(`only in part: ${DM}`);
});

test('an invalid session that may be resumed is resumed on the same line', async () => {
  const discord = await server();
  const live = connect(discord);
  await live.connected();
  discord.invalidate(true);
  await discord.until(() => discord.resumed.length === 1);
  discord.write({ channel: DM, content: 'still here' });
  await live.until(() => live.messages.length === 1);
  expect(live.isRunning()).toBe(true);
});

test('when Discord asks for a new connection there is one at once, and nothing is lost', async () => {
  const discord = await server();
  const live = connect(discord);
  await live.connected();
  discord.askReconnect();
  await discord.until(() => discord.resumed.length === 1);
  discord.write({ channel: DM, content: 'after the move' });
  await live.until(() => live.messages.length === 1);
  expect(live.isRunning()).toBe(true);
  expect(discord.identified).toHaveLength(1);
});

test('a Discord that asks again and again is left alone for a while', async () => {
  const discord = await server();
  const live = connect(discord);
  await live.connected();
  discord.askReconnect();
  await live.connected();
  discord.askReconnect();
  expect(await live.ended()).toMatchObject({
    family: 'network',
    message: expect.stringContaining('twice within a minute'),
  });
});

test.each([1000, 1001, 4003, 4005, 4007, 4009])('after a close with %i there is nothing to resume', async (code) => {
  const discord = await server();
  const live = connect(discord);
  await live.connected();
  discord.cut(code);
  expect(await live.ended()).toMatchObject({ family: 'network' });
  live.start();
  await live.connected();
  expect(discord.resumed).toEqual([]);
  await live.until(() => live.gaps.length === 1);
});

test('a gateway on a host that is not of Discord is not dialled', async () => {
  const discord = await server();
  discord.script(/gateway\/bot/, { status: 200, body: { url: 'ws://gateway.evil.example' } });
  expect((await connect(discord).ended())?.message).toBe('Discord named a gateway that is not on one of its hosts');
});

test('a line that is open and dead is noticed by its silence', async () => {
  const discord = await server({ heartbeatMs: 40 });
  const live = connect(discord);
  await live.connected();
  discord.faults.mutesHeartbeats = true;
  expect(await live.ended()).toMatchObject({ family: 'network', message: 'Discord stopped answering heartbeats' });
  discord.faults.mutesHeartbeats = false;
  live.start();
  await live.connected();
  expect(discord.resumed).toHaveLength(1);
});

test('heartbeats count as life, so that a quiet bot is not taken for dead', async () => {
  const discord = await server({ heartbeatMs: 20 });
  const live = connect(discord);
  await live.connected();
  const before = live.signs();
  await live.until(() => live.signs() >= before + 3);
});

test.each([
  { what: 'a wrong token', options: {}, token: 'another.token.entirely', says: /token/, fix: /Reset Token/ },
  {
    what: 'the switch for message content',
    options: { messageContent: false },
    token: TOKEN,
    says: /Message Content Intent is off \(4014\)/,
    fix: /Bot > Privileged Gateway Intents > Message Content Intent/,
  },
])('$what is a refusal with the page and the switch that mend it', async ({ options, token, says, fix }) => {
  const discord = await server(options);
  const live = connectChannel(discord, { stateFolder: folder(), token });
  closers.push(live.stop);
  const failure = await live.ended();
  expect(failure).toMatchObject({ family: 'refused' });
  expect(failure?.message).toMatch(says);
  expect(failure?.fix).toMatch(fix);
});

test('a token that is revoked while connected is a refusal', async () => {
  const discord = await server();
  const live = connect(discord);
  await live.connected();
  discord.faults.revoked = true;
  discord.cut(4004);
  expect(await live.ended()).toMatchObject({ family: 'refused' });
  expect(await live.channel.probe(new AbortController().signal)).toMatchObject({ ok: false, family: 'refused' });
});

test.each([
  ['123456789:AAabcdefghijklmnopqrstuvwxyz0123456', 'Telegram'],
  ['xoxb-1-2-abc', 'Slack'],
  ['', 'no bot token'],
  ['with spaces in it', 'spaces'],
])('a token for another platform (%s) is named and shown to nobody', async (token, says) => {
  const discord = await server();
  const live = connectChannel(discord, { stateFolder: folder(), token });
  closers.push(live.stop);
  const failure = await live.ended();
  expect(failure).toMatchObject({ family: 'refused', message: expect.stringContaining(says) });
  if (token) expect(failure?.message).not.toContain(token);
  expect(await live.channel.probe(new AbortController().signal)).toMatchObject({ ok: false, family: 'refused' });
  expect(discord.calls).toEqual([]);
});

test('too many starts today is a wait, not a storm', async () => {
  const discord = await server();
  discord.faults.startsLeft = 0;
  expect(await connect(discord).ended()).toMatchObject({ family: 'network', retryAfterMs: 60_000 });
  expect(discord.identified).toEqual([]);
});

test.each([
  [{ status: 500, body: 'oops' }, 'network', null],
  [{ status: 429, body: { retry_after: 7.5, global: true } }, 'network', 7_500],
  ['drop', 'network', null],
] as const)('%j at the start is told as what it is', async (fault, family, retryAfterMs) => {
  const discord = await server();
  discord.script(/gateway\/bot/, fault);
  expect(await connect(discord).ended()).toMatchObject({ family, retryAfterMs });
  expect(discord.identified).toEqual([]);
});

test('frames of no sense end the connection and nothing else', async () => {
  const discord = await server();
  const live = connect(discord);
  await live.connected();
  discord.send('{"op": not json');
  expect(await live.ended()).toMatchObject({ family: 'network' });
});

test('a message of an unknown form is passed over by name, and the next one arrives', async () => {
  const discord = await server();
  const live = connect(discord);
  await live.connected();
  discord.dispatch('MESSAGE_CREATE', { id: 'not a number', channel_id: DM, type: 0, author: null });
  discord.write({ channel: DM, content: 'next' });
  await live.until(() => live.messages.length === 1);
  expect(live.gaps).toEqual(['a message had a form that this version does not know, and was passed over']);
});

test('S114 joining a server is announced once, those it was in are no news, an outage is no goodbye', async () => {
  const discord = await server();
  const live = connect(discord);
  await live.connected();
  discord.joinGuild('31', 'Club', { features: ['COMMUNITY', 'DISCOVERABLE'] });
  discord.leaveGuild('31', true);
  discord.joinGuild('31', 'Club');
  discord.leaveGuild('31');
  await live.until(() => live.changes.length === 2);
  discord.write({ channel: DM, content: 'end' });
  await live.until(() => live.messages.length === 1);
  expect(live.changes).toEqual([
    { channel: 'discord', account: 'default', chat: '31', title: 'Club', change: 'joined', by: null, isPublic: true },
    { channel: 'discord', account: 'default', chat: '31', title: 'Club', change: 'left', by: null, isPublic: false },
  ]);
});

test('a server that it was put into, or out of, while it was away is announced', async () => {
  const discord = await server();
  const live = connect(discord);
  await live.connected();
  await live.stop();
  discord.forgetSessions();
  discord.joinGuild('32', 'New');
  discord.leaveGuild(GUILD);
  live.start();
  await live.until(() => live.changes.length === 2);
  expect(live.changes.map(({ chat, change }) => `${chat} ${change}`)).toEqual([`${GUILD} left`, '32 joined']);
});

test('what a channel is, is asked when it is not known; without an answer the message waits', async () => {
  const discord = await server();
  const live = connect(discord);
  await live.connected();
  discord.addChannel({ id: '41', type: 12, guild_id: GUILD, parent_id: ROOM, name: 'private thread' });
  discord.script(/GET \/channels\/41$/, { status: 503 });
  discord.write({ channel: '41', content: 'who am I' });
  expect(await live.ended()).toMatchObject({ family: 'network' });
  live.start();
  await live.until(() => live.messages.length === 1);
  expect(live.messages[0]).toMatchObject({ text: 'who am I', chat: ROOM, thread: '41' });
});

test('a group conversation is ignored, and so is one that Discord does not show', async () => {
  const discord = await server();
  const live = connect(discord);
  await live.connected();
  discord.addChannel({ id: '51', type: 3, recipients: [OWNER] });
  discord.write({ channel: '51', content: 'in a group conversation' });
  discord.write({ channel: '52', content: 'from nowhere' });
  discord.write({ channel: DM, content: 'direct' });
  await live.until(() => live.messages.length > 0);
  expect(texts(live)).toEqual(['direct']);
});

test('an edit is no new message, and one that comes twice is handed on under one id', async () => {
  const discord = await server();
  const live = connect(discord);
  await live.connected();
  const written = discord.write({ channel: DM, content: 'once' });
  discord.repeat(String(written['id']));
  discord.dispatch('MESSAGE_UPDATE', { ...written, content: 'changed', edited_timestamp: new Date().toISOString() });
  discord.write({ channel: DM, content: 'end' });
  await live.until(() => live.messages.some((one) => one.text === 'end'));
  expect(new Set(live.messages.map((one) => one.messageId)).size).toBe(2);
  expect(texts(live)).not.toContain('changed');
});

test('stopping ends everything that was opened, and what is said meanwhile is there later', async () => {
  const discord = await server();
  const live = connect(discord);
  await live.connected();
  await live.stop();
  expect(live.failure()).toBeNull();
  await discord.until(() => discord.sockets().length === 0);
  discord.write({ channel: DM, content: 'meanwhile' });
  live.start();
  await live.until(() => live.messages.length === 1);
});
