// The rows of the guides about Discord, from end to end: its double, the real channel, the real gate and database, and a
// model that is a script. What counts is what appears on Discord, and what the model was asked.
import { afterEach, describe, expect, test } from 'vitest';
import type { ModelRequest } from '../../src/models/provider.ts';
import {
  BOT,
  BOT_ROLE,
  type DiscordServer,
  DM,
  GUILD,
  OWNER,
  ROOM,
  startDiscordServer,
  THREAD,
  type WrittenMessage,
} from '../doubles/discord-server.ts';
import { say, startCore } from '../support/core.ts';
import { connectChannel } from '../support/discord-channel.ts';
import { readConfig } from '../support/platform.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const OTHER_ROOM = '4000000000000000009';
const EVE = { id: '2000000000000000666', username: 'eve' };
const EVES_DM = '5000000000000000666';
const ADDRESSED = `<@${BOT.id}>`;
const OWNED = `commands: { ownerAllowFrom: ['discord:${OWNER.id}'] }`;

async function open(settings: string, more = '') {
  const discord: DiscordServer = await startDiscordServer();
  closers.push(discord.close);
  discord.addChannel({ id: OTHER_ROOM, type: 0, guild_id: GUILD, name: 'other' });
  discord.addChannel({ id: EVES_DM, type: 1, recipients: [EVE] });
  const requests: ModelRequest[] = [];
  const channels: ReturnType<typeof connectChannel>['channel'][] = [];
  const core = startCore({
    model: (request) => {
      requests.push(request);
      return say(`answer ${requests.length}`);
    },
    config: (() => {
      const config = readConfig(`{ channels: { discord: { token: '${discord.token}', ${settings} } }, ${more} }`);
      return () => config;
    })(),
    get channels() {
      return channels;
    },
  });
  closers.push(core.end);
  const live = connectChannel(discord, {
    stateFolder: `${core.folder}/discord`,
    emit: core.receive,
    groupChanged: core.groupChanged,
  });
  closers.push(live.stop);
  channels.push(live.channel);
  await live.connected();
  const write = async (written: WrittenMessage): Promise<void> => {
    const before = live.messages.length;
    discord.write(written);
    await live.until(() => live.messages.length > before);
  };
  const shown = (channel: string): unknown[] =>
    discord.sent.filter((one) => one.channel === channel).map((one) => one.payload['content']);
  const answered = (count: number): Promise<void> => discord.until(() => discord.sent.length >= count);
  const why = (): unknown => core.inbox.last({})?.reason;
  return { discord, live, core, requests, write, shown, answered, why };
}

describe('direct messages', () => {
  test('S033 whoever is listed by id is answered, as a reply to what they wrote', async () => {
    const h = await open(`allowFrom: ['${OWNER.id}']`);
    await h.write({ channel: DM, content: 'hello' });
    await h.answered(1);
    expect(h.shown(DM)).toEqual(['answer 1']);
    expect(h.discord.sent[0]?.payload['message_reference']).toMatchObject({
      message_id: h.live.messages[0]?.messageId,
    });
  });

  test('S020 a stranger gets a code, and the model nothing', async () => {
    const h = await open(`allowFrom: ['${OWNER.id}']`);
    await h.write({ channel: EVES_DM, author: EVE, content: 'obey me' });
    await h.answered(1);
    expect(String(h.shown(EVES_DM)[0])).toMatch(/\b[A-HJ-NP-Z2-9]{8}\b/);
    expect(h.requests).toEqual([]);
    expect(h.why()).toBe('DM_NOT_PAIRED');
  });

  test('S031 whoever takes the name of somebody listed stays who they are', async () => {
    const h = await open(`allowFrom: ['${OWNER.id}'], dmPolicy: 'allowlist'`);
    await h.write({
      channel: EVES_DM,
      author: { ...EVE, username: OWNER.username, global_name: 'Nadia' },
      content: 'it is me',
    });
    expect(h.why()).toBe('DM_NOT_LISTED');
  });
});

describe('S228 servers and channels', () => {
  const ONE_ROOM = `guilds: { '${GUILD}': { channels: ['${ROOM}'], users: ['${OWNER.id}'] } }`;

  test('a listed channel and its threads are answered, each as a conversation of its own; other channels are not', async () => {
    const h = await open(ONE_ROOM);
    await h.write({ channel: ROOM, content: `${ADDRESSED} in the room` });
    await h.answered(1);
    await h.write({ channel: THREAD, content: `${ADDRESSED} in the thread` });
    await h.answered(2);
    expect([h.shown(ROOM), h.shown(THREAD)]).toEqual([['answer 1'], ['answer 2']]);
    expect(JSON.stringify(h.requests[1]?.messages)).not.toContain('in the room');
    await h.write({ channel: OTHER_ROOM, content: `${ADDRESSED} over here` });
    expect(h.why()).toBe('GROUP_NOT_APPROVED');
    expect(h.shown(OTHER_ROOM)).toEqual([]);
  });

  test('another server gets nothing, whoever writes there', async () => {
    const h = await open(ONE_ROOM);
    h.discord.joinGuild('31', 'Trap');
    h.discord.addChannel({ id: '310', type: 0, guild_id: '31', name: 'general' });
    await h.write({ channel: '310', content: `${ADDRESSED} hello` });
    expect(h.why()).toBe('GROUP_NOT_APPROVED');
    expect(h.shown('310')).toEqual([]);
  });

  test('in a listed channel only listed people, and only when it is named or answered', async () => {
    const h = await open(ONE_ROOM);
    await h.write({ channel: ROOM, author: EVE, content: `${ADDRESSED} hello` });
    expect(h.why()).toBe('GROUP_SENDER_NOT_LISTED');
    await h.write({ channel: ROOM, content: 'just us' });
    expect(h.why()).toBe('NOT_MENTIONED');
    await h.write({ channel: ROOM, content: '@everyone look', more: { mention_everyone: true } });
    expect(h.why()).toBe('NOT_MENTIONED');
    await h.write({ channel: ROOM, content: `<@&${BOT_ROLE}> you` });
    const answered = { content: 'before', author: BOT };
    await h.write({
      channel: ROOM,
      content: 'and this',
      more: { type: 19, mentions: [BOT], referenced_message: answered },
    });
    await h.answered(2);
    expect(h.shown(ROOM)).toEqual(['answer 1', 'answer 2']);
  });

  test('a webhook that calls itself by a listed name is nobody', async () => {
    const h = await open(ONE_ROOM);
    h.discord.write({ channel: ROOM, author: OWNER, content: `${ADDRESSED} obey`, more: { webhook_id: '99' } });
    await h.write({ channel: ROOM, content: 'end' });
    expect(h.core.inbox.balance()).toMatchObject({ received: 1 });
  });
});

describe('S230 roles', () => {
  const BY_ROLE = `guilds: { '${GUILD}': { channels: ['${ROOM}'], roles: ['77'] } }`;

  test('whoever has the role is answered, and stops being answered when it is taken away', async () => {
    const h = await open(BY_ROLE);
    await h.write({ channel: ROOM, content: `${ADDRESSED} hello` });
    expect(h.why()).toBe('GROUP_SENDER_NOT_LISTED');
    h.discord.setMember(GUILD, OWNER.id, ['77']);
    await h.write({ channel: ROOM, content: `${ADDRESSED} hello` });
    await h.answered(1);
    h.discord.setMember(GUILD, OWNER.id, ['78']);
    await h.write({ channel: ROOM, content: `${ADDRESSED} hello` });
    expect(h.why()).toBe('GROUP_SENDER_NOT_LISTED');
    expect(h.shown(ROOM)).toEqual(['answer 1']);
  });

  test('a role of that number in another server opens nothing', async () => {
    const h = await open(BY_ROLE);
    h.discord.joinGuild('31', 'Trap');
    h.discord.addChannel({ id: '310', type: 0, guild_id: '31', name: 'general' });
    h.discord.setMember('31', EVE.id, ['77']);
    await h.write({ channel: '310', author: EVE, content: `${ADDRESSED} hello` });
    expect(h.why()).toBe('GROUP_NOT_APPROVED');
  });
});

test('S114 added to a server: silent there, one word to the owner, and talking in it once approved', async () => {
  const h = await open('', OWNED);
  await h.write({ channel: DM, content: 'hello' });
  await h.answered(1);
  h.discord.addChannel({ id: '310', type: 0, guild_id: '31', name: 'general' });
  h.discord.joinGuild('31', 'Club');
  await h.answered(2);
  const [, letter] = h.shown(DM).map(String);
  expect(letter).toMatch(/Club.*discord:31/);
  await h.write({ channel: '310', content: `${ADDRESSED} hello` });
  expect(h.why()).toBe('GROUP_NOT_APPROVED');
  const code = /\b[A-HJ-NP-Z2-9]{8}\b/.exec(letter ?? '')?.[0] ?? '';
  h.core.access.pairing.approve(code, { by: {} });
  await h.write({ channel: '310', content: `${ADDRESSED} hello again` });
  await h.discord.until(() => h.shown('310').length === 1);
  expect(h.shown('310')).toEqual(['answer 2']);
  await h.write({ channel: ROOM, content: `${ADDRESSED} and here` });
  expect(h.why()).toBe('GROUP_NOT_APPROVED');
});
