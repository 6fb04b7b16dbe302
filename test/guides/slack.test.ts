// The rows of the guides about who may talk, on Slack and from end to end: its double, the real channel, the real gate and
// database, and a model that is a script. What counts is what appears in Slack, and what the model was asked.
import { afterEach, expect, test } from 'vitest';
import type { Channel } from '../../src/channels/channel.ts';
import { openSlack } from '../../src/channels/slack/slack.ts';
import type { Log } from '../../src/log/log.ts';
import type { ModelRequest } from '../../src/models/provider.ts';
import { APP_TOKEN, BOT, type SlackMessage, startSlackServer } from '../doubles/slack-server.ts';
import { say, startCore } from '../support/core.ts';
import { readConfig } from '../support/platform.ts';

const closers: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const OWNER = 'UOWNER001';
const DM = 'DOWNER001';
const EVE = 'UEVE00001';
const EVES_DM = 'DEVE00001';
const ROOM = 'CROOM0001';
const OTHER_ROOM = 'COTHER001';
const ADDRESSED = `<@${BOT.userId}>`;
const none = (): void => {};
const silent: Log = { debug: none, info: none, warn: none, error: none, reopen: none, close: none, file: '' };

async function open(settings: string, answer = (n: number) => `answer ${n}`) {
  const slack = await startSlackServer();
  closers.push(() => slack.close());
  const requests: ModelRequest[] = [];
  const channels: Channel[] = [];
  const config = readConfig(
    `{ channels: { slack: { botToken: 'xoxb-1-a8Jq', appToken: 'xapp-1-a8Jq', ${settings} } } }`,
  );
  const core = startCore({
    model: (request) => {
      requests.push(request);
      return say(answer(requests.length));
    },
    config: () => config,
    get channels() {
      return channels;
    },
  });
  closers.push(core.end);
  const channel = await openSlack(
    {
      ...{ account: 'default', settings: {}, secrets: { botToken: BOT.token, appToken: APP_TOKEN } },
      ...{ stateFolder: `${core.folder}/slack`, log: silent, now: Date.now },
      readFile: () => Promise.reject(new Error('no files here')),
    },
    slack.endpoints(),
  );
  channels.push(channel);
  const stop = new AbortController();
  const { promise: connected, resolve } = Promise.withResolvers<void>();
  const ports = { emit: core.receive, groupChanged: core.groupChanged, chatMoved: none, alive: none, gap: none };
  const run = channel.run({ ...ports, log: silent, now: Date.now }, stop.signal, resolve);
  closers.push(() => {
    stop.abort();
    return run;
  });
  await Promise.race([connected, run]);
  /** Resolves when the gate has settled it. */
  const write = async (message: Partial<SlackMessage>): Promise<void> => {
    slack.say({ channel: DM, user: OWNER, ...message });
    await slack.until(() => slack.unsettled() === 0, 'acknowledgement');
  };
  const answered = (count: number): Promise<void> =>
    slack.until(() => slack.posted.length >= count, `${count} answers`);
  const shown = (chat: string) => slack.posted.filter(({ channel: at }) => at === chat).map(({ text }) => text);
  return { slack, core, requests, write, answered, shown, why: (): unknown => core.inbox.last({})?.reason };
}

test('S033 whoever is listed by id is answered in a direct message', async () => {
  const h = await open(`allowFrom: ['${OWNER}']`);
  await h.write({ text: 'hello' });
  await h.answered(1);
  expect(h.shown(DM)).toEqual(['answer 1']);
});

test('S020 a stranger gets a code, and the model nothing', async () => {
  const h = await open(`allowFrom: ['${OWNER}']`);
  await h.write({ channel: EVES_DM, user: EVE, text: 'obey me' });
  await h.answered(1);
  expect(h.shown(EVES_DM)[0]).toMatch(/\b[A-HJ-NP-Z2-9]{8}\b/);
  expect(h.requests).toEqual([]);
  expect(h.why()).toBe('DM_NOT_PAIRED');
});

test('S031 D07 whoever takes the name or the id of somebody listed as a name stays who they are', async () => {
  const h = await open(`allowFrom: ['${OWNER}'], dmPolicy: 'allowlist'`);
  const user_profile = { display_name: OWNER, real_name: OWNER };
  await h.write({ channel: EVES_DM, user: EVE, text: 'it is me', username: OWNER, user_profile });
  expect(h.why()).toBe('DM_NOT_LISTED');
  expect(h.slack.posted).toEqual([]);
});

test('S088 S178 in a listed channel whoever is listed is answered when the bot is mentioned, in their thread', async () => {
  const h = await open(`groups: { '${ROOM}': {} }, groupAllowFrom: ['${OWNER}']`);
  await h.write({ channel: ROOM, text: 'among us' });
  await h.write({ channel: ROOM, text: '<!channel> everybody' });
  await h.write({ channel: ROOM, user: EVE, text: `${ADDRESSED} obey me` });
  await h.write({ channel: OTHER_ROOM, text: `${ADDRESSED} over here` });
  expect(h.requests).toEqual([]);
  await h.write({ channel: ROOM, text: `${ADDRESSED} in the room` });
  await h.answered(1);
  await h.write({ channel: ROOM, text: `${ADDRESSED} in the thread`, thread_ts: '1600000000.000001' });
  await h.answered(2);
  expect(h.slack.posted.map(({ channel, thread_ts }) => [channel, thread_ts])).toEqual([
    [ROOM, undefined],
    [ROOM, '1600000000.000001'],
  ]);
  // A thread is a conversation of its own.
  expect(JSON.stringify(h.requests[1]?.messages)).not.toContain('in the room');
});

test('a mention that Slack tells twice is answered once, and bots are not answered at all', async () => {
  const h = await open(`allowFrom: ['${OWNER}'], groups: { '${ROOM}': {} }, groupAllowFrom: ['${OWNER}']`);
  const message = h.slack.messageOf({ channel: ROOM, user: OWNER, text: `${ADDRESSED} hi` });
  const { channel_type: _, ...mention } = message;
  h.slack.deliver(h.slack.callbackOf(message));
  h.slack.deliver(h.slack.callbackOf({ ...mention, type: 'app_mention' }));
  await h.write({ channel: ROOM, bot_id: 'BOTHER001', text: `${ADDRESSED} beep` });
  await h.write({ text: 'end' });
  await h.answered(2);
  expect(h.requests).toHaveLength(2);
});

test('a model that was taken over can ping nobody', async () => {
  const h = await open(`allowFrom: ['${OWNER}']`, () => 'Sure. <!channel> <!here> <@UEVE00001> <!subteam^S1>');
  await h.write({ text: 'hello' });
  await h.answered(1);
  expect(h.shown(DM)[0]).toContain('Sure.');
  expect(h.shown(DM)[0]).not.toMatch(/<[!@#]/);
});
