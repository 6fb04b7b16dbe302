// The channel of Slack against a Slack that misbehaves: what is acknowledged is durable, a socket that is replaced loses
// nothing, an absence is caught up or named, and no reply is sent twice.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { listen, outbound, within } from '../../../test/contracts/channels.ts';
import {
  APP_TOKEN,
  BOT,
  SIGNING_SECRET,
  type SlackServer,
  type SlackServerOptions,
  startSlackServer,
  TEAM,
} from '../../../test/doubles/slack-server.ts';
import type { ChannelFailure, InboundMessage } from '../channel.ts';
import { openSlack } from './slack.ts';

const DM = 'D00000001';
const opened: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

type Given = SlackServerOptions & {
  readonly settings?: Record<string, unknown>;
  readonly secrets?: Record<string, string>;
  readonly deafAfterMs?: number;
  readonly now?: () => number;
};

async function setUp({ settings = {}, secrets, deafAfterMs, now = Date.now, ...options }: Given = {}) {
  const server = await startSlackServer({ ackWithinMs: 200, ...options });
  opened.push(() => server.close());
  const folder = mkdtempSync(join(tmpdir(), 'slack-'));
  opened.push(() => rmSync(folder, { recursive: true, force: true }));
  const said: string[] = [];
  const write = (text: string, fields: unknown): void => void said.push(`${text} ${JSON.stringify(fields, errorsToo)}`);
  const log = { debug: write, info: write, warn: write, error: write, reopen() {}, close() {}, file: '' };
  /** A new process with the same folder. */
  const openChannel = () =>
    openSlack(
      {
        ...{ account: 'default', settings, stateFolder: join(folder, 'slack'), log, now },
        secrets: secrets ?? { botToken: BOT.token, appToken: APP_TOKEN, signingSecret: SIGNING_SECRET },
        readFile: (path) =>
          path === 'gone'
            ? Promise.reject(new Error('no such file'))
            : Promise.resolve(Buffer.from(`bytes of ${path}`)),
      },
      server.endpoints(deafAfterMs),
    );
  return { server, folder, said, log, openChannel };
}

const errorsToo = (_key: string, value: unknown): unknown =>
  value instanceof Error ? `${value.name} ${value.message} ${value.stack}` : value;

async function connected(given: Given = {}, take?: (message: InboundMessage) => void) {
  const here = await setUp(given);
  const channel = await here.openChannel();
  const heard = await start(here.server, channel, take);
  return { ...here, channel, heard };
}

async function start(
  server: SlackServer,
  channel: Awaited<ReturnType<typeof openSlack>>,
  take?: (message: InboundMessage) => void,
) {
  const heard = await listen({ channel, double: server as never }, take);
  opened.push(() => heard.stop());
  return heard;
}

const texts = (heard: { accepted(): InboundMessage[] }): string[] => heard.accepted().map(({ text }) => text);
const reply = (text: string, more = {}) => outbound({ directChat: DM } as never, text, more);
const soon = () => AbortSignal.timeout(20_000);

describe('acknowledgement', () => {
  test('an envelope is acknowledged after the message is stored, never before', async () => {
    const acksAtEmit: number[] = [];
    const { server, heard } = await connected({}, () => void acksAtEmit.push(server.acks.length));
    for (let n = 0; n < 5; n++) server.say({ text: `m${n}` });
    await server.until(() => server.acks.length === 5, 'acks');
    expect(texts(heard)).toEqual(['m0', 'm1', 'm2', 'm3', 'm4']);
    // Each emit saw only what had been settled before it.
    expect(acksAtEmit.every((acks, n) => acks <= n)).toBe(true);
  });

  test('what cannot be stored is never acknowledged, and what follows is', async () => {
    const { server, heard } = await connected({ maxTries: 2, ackWithinMs: 500 }, ({ text }) => {
      if (text === 'bad') throw new Error('the disk is full');
    });
    server.say({ text: 'bad' });
    server.say({ text: 'good' });
    await server.until(() => server.acks.length === 1, 'ack');
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(server.unsettled()).toBe(1);
    expect(texts(heard)).toEqual(['good']);
  });

  test('what is no message is acknowledged and passed over, and junk hurts nobody', async () => {
    const { server, heard } = await connected();
    server.say({ subtype: 'message_deleted' });
    server.say({ bot_id: 'BOTHER' });
    server.deliver({ type: 'event_callback', event: { type: 'reaction_added' } });
    server.deliver({ nothing: true });
    for (const junk of ['', '{', 'null', '[]', '7', '{"type":"events_api"}', '{"envelope_id":7}', '\u0000'])
      server.sendFrame(junk);
    server.say({ text: 'still here' });
    await server.until(() => server.acks.length === 5, 'acks');
    expect(texts(heard)).toEqual(['still here']);
  });

  test('a mention arrives as two events and is one message', async () => {
    const { server, heard } = await connected();
    const message = server.say({ channel: 'C1', text: `<@${BOT.userId}> hi` });
    const { channel_type: _, ...rest } = message;
    server.deliver(server.callbackOf({ ...rest, type: 'app_mention' }));
    await server.until(() => server.acks.length === 2, 'acks');
    expect(heard.arrived).toHaveLength(2);
    expect(heard.arrived[1]).toEqual({ ...heard.arrived[0], receivedAtMs: heard.arrived[1]?.receivedAtMs });
    expect(heard.accepted()).toHaveLength(1);
  });

  test('a change of a group is told once, also when Slack repeats it', async () => {
    const { server, heard } = await connected();
    const payload = server.callbackOf({
      type: 'member_joined_channel',
      user: BOT.userId,
      channel: 'C7',
      inviter: 'U1',
    });
    server.deliver(payload);
    server.deliver(payload);
    await server.until(() => server.acks.length === 2, 'acks');
    expect(heard.groups).toMatchObject([{ chat: 'C7', title: '#c7', change: 'joined', by: 'U1', isPublic: true }]);
  });
});

describe('sockets', () => {
  test('a socket that Slack wants to replace goes when the next one is there, and nothing is lost', async () => {
    const { server, heard } = await connected();
    for (let n = 0; n < 10; n++) {
      server.say({ text: `a${n}` });
      if (n === 4) server.disconnect('refresh_requested');
    }
    await server.until(() => server.opened() === 2 && server.clients() === 1, 'another socket');
    for (let n = 0; n < 5; n++) server.say({ text: `b${n}` });
    await server.until(() => server.unsettled() === 0, 'acks');
    expect(texts(heard).sort()).toEqual([
      ...Array.from({ length: 10 }, (_, n) => `a${n}`),
      'b0',
      'b1',
      'b2',
      'b3',
      'b4',
    ]);
    expect(server.calls.filter(({ method }) => method === 'conversations.history')).toEqual([]);
  });

  test('what is worked on when a socket is replaced is acknowledged on it, so that Slack need not repeat it', async () => {
    const { server } = await connected({ ackWithinMs: 60_000 });
    server.fault('conversations.info', { slowMs: 200 });
    server.deliver(server.callbackOf({ type: 'member_joined_channel', user: BOT.userId, channel: 'C7' }));
    server.disconnect('refresh_requested');
    await server.until(() => server.acks.length === 1, 'ack');
    await server.until(() => server.clients() === 1, 'one socket');
  });

  test('when the old one closes before the next is there, what was said between is asked for', async () => {
    const { server, heard } = await connected();
    server.say({ text: 'one' });
    await server.until(() => server.acks.length === 1, 'ack');
    server.fault('apps.connections.open', { slowMs: 300 });
    server.disconnect('warning', 20);
    await server.until(() => server.clients() === 0, 'the close');
    server.sayUnheard({ text: 'two' });
    await heard.until(() => texts(heard).includes('two'), 'it was not asked for');
    expect(server.opened()).toBe(2);
  });

  test('while the old one lives, a failure to open the next is no loss', async () => {
    const { server, heard } = await connected();
    server.fault('apps.connections.open', { status: 500 });
    server.disconnect('refresh_requested');
    await server.until(() => server.opened() === 2, 'another socket');
    server.say({ text: 'after' });
    await heard.until(() => texts(heard).includes('after'), 'it was lost');
  });

  test.each([
    ['link_disabled', 'refused', null],
    ['too_many_websockets', 'network', 30_000],
  ])('%s ends the run as %s', async (reason, family, retryAfterMs) => {
    const { server, heard } = await connected();
    server.disconnect(reason);
    expect(await within(heard.ended() as Promise<unknown>, 'it went on')).toMatchObject({ family, retryAfterMs });
    await expect.poll(() => server.clients()).toBe(0);
  });

  test('an eleventh socket is refused by Slack, and said to be that', async () => {
    const { server, openChannel } = await setUp({ maxSockets: 0 });
    await expect(start(server, await openChannel())).rejects.toMatchObject({ message: /ten connections/ });
  });

  test('a peer that answers no ping is dead, and one that does may be silent', async () => {
    const { server, heard } = await connected({ deafAfterMs: 1_000 });
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(server.clients()).toBe(1);
    server.mute(true);
    expect(await within(heard.ended() as Promise<unknown>, 'it went on')).toMatchObject({
      family: 'network',
      message: expect.stringContaining('no answer to pings') as string,
    });
  });

  test('what Slack asks to wait for a socket is handed on', async () => {
    const { server, openChannel } = await setUp();
    server.fault('apps.connections.open', { status: 429, retryAfter: '17' });
    await expect(start(server, await openChannel())).rejects.toMatchObject({ family: 'network', retryAfterMs: 17_000 });
  });

  test('an address of a socket outside Slack is not called', async () => {
    const { server, log, folder } = await setUp();
    const at = { ...server.endpoints(), socketHost: '.slack.com' };
    const secrets = { botToken: BOT.token, appToken: APP_TOKEN };
    const setup = { account: 'a', settings: {}, secrets, stateFolder: folder, log, now: Date.now };
    const channel = await openSlack({ ...setup, readFile: () => Promise.reject(new Error()) }, at);
    await expect(start(server, channel)).rejects.toMatchObject({ family: 'network' });
    expect(server.opened()).toBe(0);
  });

  test.each([
    [BOT.token, 'invalid_auth', 'botToken'],
    [APP_TOKEN, 'invalid_auth', 'appToken'],
    [BOT.token, 'account_inactive', 'botToken'],
  ])('the token %s answered with %s is a refusal that names %s', async (token, error, key) => {
    const { server, openChannel } = await setUp();
    server.revoke(token, error);
    const failure = await start(server, await openChannel()).then(
      () => null,
      (error: unknown) => error as ChannelFailure,
    );
    expect(failure).toMatchObject({ family: 'refused' });
    expect(failure?.fix).toContain(`channels.slack.${key}`);
  });

  test('a reply that finds the token revoked ends the connection, which says why', async () => {
    const { server, channel, heard } = await connected();
    server.revoke(BOT.token);
    expect(await channel.send(reply('hello'), soon())).toMatchObject({ state: 'retry' });
    expect(await within(heard.ended() as Promise<unknown>, 'it went on')).toMatchObject({ family: 'refused' });
  });
});

describe('after an absence', () => {
  const away = async (given: Given = {}) => {
    const here = await connected(given);
    here.server.say({ text: 'known', channel: DM });
    here.server.say({ text: 'in thread', channel: 'C1', thread_ts: '1600000000.000001' });
    await here.server.until(() => here.server.acks.length === 2, 'acks');
    await here.heard.stop();
    return here;
  };

  test('what was written in known and in new conversations and their threads arrives in order, then what is live', async () => {
    const { server, openChannel } = await away();
    const top = server.sayUnheard({ channel: 'C1', text: 'top' });
    server.sayUnheard({ channel: 'C1', text: 'reply in thread', thread_ts: '1600000000.000001' });
    server.sayUnheard({ channel: 'C1', text: 'reply to top', thread_ts: top.ts });
    for (let n = 0; n < 450; n++) server.sayUnheard({ channel: DM, text: `d${n}` });
    server.sayUnheard({ channel: DM, text: 'gone', subtype: 'bot_message' });
    server.sayUnheard({ channel: 'D00000002', text: 'from somebody new' });
    const heard = await start(server, await openChannel());
    server.say({ channel: DM, text: 'live' });
    const fresh = () => heard.accepted().filter(({ text }) => !['known', 'in thread'].includes(text));
    await heard.until(() => fresh().length >= 455, 'something was lost');
    const inDm = fresh().filter(({ chat }) => chat === DM);
    expect(inDm.map(({ text }) => text)).toEqual([...Array.from({ length: 450 }, (_, n) => `d${n}`), 'live']);
    expect(
      fresh()
        .filter(({ chat }) => chat === 'C1')
        .map(({ text, thread }) => [text, thread]),
    ).toEqual([
      ['top', undefined],
      ['reply in thread', '1600000000.000001'],
      ['reply to top', top.ts],
    ]);
    expect(heard.gaps).toEqual([]);
  });

  test('what is more than a day old is named once, and not answered', async () => {
    let nowMs = Date.now();
    const { server, openChannel } = await away({ now: () => nowMs });
    server.sayUnheard({ channel: DM, text: 'old' });
    nowMs += 25 * 60 * 60_000;
    const channel = await openChannel();
    const heard = await start(server, channel);
    await heard.until(() => heard.gaps.length === 1, 'it was passed over');
    await heard.stop();
    expect(texts(heard)).not.toContain('old');
    expect(heard.gaps).toEqual([expect.stringContaining(`1 messages in ${DM}`)]);
    server.setTime(Math.floor(nowMs / 1_000));
    server.sayUnheard({ channel: DM, text: 'new' });
    const again = await start(server, channel);
    await again.until(() => texts(again).includes('new'), 'it was lost');
    expect(again.gaps).toEqual([]);
  });

  test('what cannot be had is named: a conversation that Slack does not show', async () => {
    const { server, openChannel } = await away();
    server.roomOf('C2');
    server.roomOf('C3');
    server.fault('conversations.history', { status: 500 }, { error: 'missing_scope' }, { error: 'missing_scope' });
    const heard = await start(server, await openChannel());
    await heard.until(() => heard.gaps.length === 2, 'it was passed over');
    // One line for all that lack the same permission, one for each that failed.
    await server.until(
      () => server.calls.filter(({ method }) => method === 'conversations.history').length === 4,
      'calls',
    );
    expect(heard.gaps).toEqual([
      expect.stringMatching(/ in (D00000001|C1) while .*HTTP 500/),
      expect.stringContaining('missing_scope'),
    ]);
  });

  test('Slack may ask for patience', async () => {
    const { server, openChannel } = await away();
    server.sayUnheard({ channel: DM, text: 'patient' });
    server.fault('conversations.history', { status: 429, retryAfter: '0.05' }, { status: 429, retryAfter: '0.05' });
    const heard = await start(server, await openChannel());
    await heard.until(() => texts(heard).includes('patient'), 'it was lost');
    expect(heard.gaps).toEqual([]);
  });

  test('a message that could not be stored is asked for again, though later ones were', async () => {
    let isFull = true;
    const take = ({ text }: InboundMessage): void => {
      if (isFull && text === 'two') throw new Error('the disk is full');
    };
    const { server, heard, openChannel } = await connected({ maxTries: 1 }, take);
    for (const text of ['one', 'two', 'three']) server.say({ text, channel: DM });
    await server.until(() => server.acks.length === 2, 'acks');
    await heard.stop();
    isFull = false;
    const again = await start(server, await openChannel(), take);
    await again.until(() => texts(again).includes('two'), 'it was lost');
  });

  test('the first connection ever asks for nothing', async () => {
    const { server, openChannel } = await setUp();
    server.sayUnheard({ channel: DM, text: 'from before we were here' });
    const heard = await start(server, await openChannel());
    server.say({ text: 'hello', channel: DM });
    await server.until(() => server.acks.length === 1, 'ack');
    expect(texts(heard)).toEqual(['hello']);
  });

  test('what it remembers is for nobody else to read', async () => {
    const { folder } = await away();
    expect(readdirSync(join(folder, 'slack'))).toEqual(['settled.json']);
    expect(JSON.parse(readFileSync(join(folder, 'slack', 'settled.json'), 'utf8'))).toHaveProperty('places');
  });
});

test.each([1, 2, 36])(
  'a bad day (%i): sockets drop or are replaced, Slack fails and repeats itself; each message comes once, in its order',
  async (seed) => {
    let state = seed * 7_919;
    const dice = (sides: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((state / 2_147_483_648) * sides);
    };
    const { server, heard } = await connected({ ackWithinMs: 60 });
    void heard.keepConnected().catch(() => {});
    const chats = ['D1', 'D2', 'C3'];
    const said: { chat: string; text: string }[] = [];
    for (let n = 0; n < 300; n++) {
      const where = { channel: chats[dice(chats.length)] ?? '', text: `m${n}` };
      said.push({ chat: where.channel, text: where.text });
      // With nobody there, some are delivered later and some never.
      const message = server.clients() === 0 && dice(2) === 0 ? server.sayUnheard(where) : server.say(where);
      const what = dice(30);
      if (what === 0) server.dropSockets();
      else if (what === 1) server.disconnect('refresh_requested', dice(30));
      else if (what === 2) server.deliver(server.callbackOf(message));
      else if (what === 3) server.fault('apps.connections.open', { status: 500 });
      else if (what === 4) server.fault('conversations.history', { status: 429, retryAfter: '0.02' });
      if (dice(5) === 0) await new Promise((resolve) => setTimeout(resolve, dice(30)));
    }
    await heard.until(() => heard.accepted().length === 300, 'something was lost');
    const of = (all: readonly { chat: string; text: string }[], chat: string) =>
      all.filter((one) => one.chat === chat).map(({ text }) => text);
    for (const chat of chats) expect(of(heard.accepted(), chat)).toEqual(of(said, chat));
    expect(heard.gaps).toEqual([]);
    expect(server.opened()).toBeGreaterThan(3);
  },
);

describe('replies', () => {
  test('they ping nobody, show no previews and stay in their thread', async () => {
    const { server, channel } = await connected();
    const sent = await channel.send(
      reply('**hi** <!channel> <@U1>', { chat: 'C1', thread: '1600000000.000001' }),
      soon(),
    );
    expect(server.posted[0]?.args).toMatchObject({
      ...{ channel: 'C1', thread_ts: '1600000000.000001', text: '*hi* &lt;!channel&gt; &lt;@U1&gt;' },
      ...{ unfurl_links: 'false', unfurl_media: 'false', link_names: 'false', reply_broadcast: 'false' },
    });
    expect(sent).toEqual({ state: 'sent', messageId: `C1:${server.posted[0]?.ts}` });
  });

  test.each([
    [{ error: 'not_in_channel' }, 'failed'],
    [{ error: 'is_archived' }, 'failed'],
    [{ error: 'msg_too_long' }, 'failed'],
    [{ error: 'fatal_error' }, 'unknown'],
    [{ status: 503 }, 'unknown'],
    ['drop', 'unknown'],
    ['lost', 'unknown'],
    ['garbage', 'unknown'],
    [{ status: 429, retryAfter: '7' }, 'retry'],
    [{ status: 429 }, 'retry'],
    [{ status: 404 }, 'failed'],
  ] as const)('%o makes it %s, after one call', async (fault, state) => {
    const { server, openChannel } = await setUp();
    const channel = await openChannel();
    server.fault('chat.postMessage', fault);
    const receipt = await channel.send(reply('hello'), soon());
    expect(receipt).toMatchObject({ state, reason: expect.stringMatching(/\S/) as string });
    if (typeof fault === 'object' && 'retryAfter' in fault) expect(receipt).toMatchObject({ afterMs: 7_000 });
    expect(server.calls).toHaveLength(1);
  });

  test('a stop during a call leaves its fate open, at once', async () => {
    const { server, openChannel } = await setUp();
    const channel = await openChannel();
    server.fault('chat.postMessage', { slowMs: 3_000 });
    const stop = new AbortController();
    const receipt = channel.send(reply('hello'), stop.signal);
    await server.until(() => server.calls.length === 1, 'the call');
    const startedAtMs = performance.now();
    stop.abort();
    expect(await receipt).toMatchObject({ state: 'unknown' });
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
  });

  const file = { path: 'a.txt', name: 'a.txt', mimeType: 'text/plain' };

  test('C05 words beside a file show no preview either: an address in them is code', async () => {
    const { server, openChannel } = await setUp();
    const channel = await openChannel();
    const text =
      'see https://evil.example/?q=1, [this](https://evil.example/a) and `https://b.example/` or c.example/x';
    await channel.send(reply(text, { files: [file] }), soon());
    expect(server.posted[0]?.text).toBe(
      'see `https://evil.example/?q=1`, this `https://evil.example/a` and `https://b.example/` or `c.example/x`',
    );
  });

  test('files go up as one message, and no token goes along with them', async () => {
    const { server, openChannel } = await setUp();
    const channel = await openChannel();
    const files = [file, { ...file, path: 'b.txt', name: 'b.txt' }];
    expect(await channel.send(reply('two files', { files }), soon())).toEqual({ state: 'sent' });
    expect(server.posted).toHaveLength(1);
    expect([...server.files.values()].map(({ bytes }) => bytes.toString())).toEqual([
      'bytes of a.txt',
      'bytes of b.txt',
    ]);
    expect(server.calls.filter(({ method }) => method === 'upload').map(({ token }) => token)).toEqual(['', '']);
  });

  test.each([
    ['files.getUploadURLExternal', { status: 500 }, 'retry'],
    ['upload', { status: 500 }, 'retry'],
    ['files.completeUploadExternal', { status: 500 }, 'unknown'],
    ['files.completeUploadExternal', 'lost', 'unknown'],
    ['files.completeUploadExternal', { error: 'not_in_channel' }, 'failed'],
  ] as const)('a file whose %s goes wrong with %o is %s', async (method, fault, state) => {
    const { server, openChannel } = await setUp();
    const channel = await openChannel();
    server.fault(method, fault);
    expect(await channel.send(reply('', { files: [file] }), soon())).toMatchObject({ state });
  });

  test('a file that is gone fails the reply before Slack hears of it', async () => {
    const { server, openChannel } = await setUp();
    const channel = await openChannel();
    const receipt = await channel.send(reply('', { files: [{ ...file, path: 'gone' }] }), soon());
    expect(receipt).toMatchObject({ state: 'failed', reason: expect.stringContaining('a.txt') as string });
    expect(server.calls).toEqual([]);
  });
});

test('a file is fetched from the host of files only, and the token goes nowhere else', async () => {
  const { server, openChannel } = await setUp();
  const other = await setUp();
  const channel = await openChannel();
  server.files.set('F1', { name: 'x', mimetype: 'text/plain', bytes: Buffer.from('x'), url: `${other.server.url}x` });
  await expect(channel.fetchAttachment?.('F1', 100, soon())).rejects.toThrow(/outside Slack/);
  expect(other.server.calls).toEqual([]);
});

describe('mode http', () => {
  const listening = async (take?: (message: InboundMessage) => void) => {
    const here = await connected({ settings: { mode: 'http', port: 0 } }, take);
    const port = /"port":(\d+)/.exec(here.said.join('\n'))?.[1];
    return { ...here, to: `http://127.0.0.1:${port}/slack/events` };
  };

  test('Slack proves the address, events are signed, and a repetition is known by its id', async () => {
    const { server, heard, to } = await listening();
    const challenge = { type: 'url_verification', challenge: 'abc' };
    expect(await server.postEvent(to, challenge)).toEqual({ status: 200, text: 'abc' });
    const event = server.callbackOf(server.messageOf({ text: 'hi' }));
    expect((await server.postEvent(to, event)).status).toBe(200);
    expect((await server.postEvent(to, event)).status).toBe(200);
    expect(texts(heard)).toEqual(['hi']);
    expect(server.opened()).toBe(0);
  });

  test.each([
    [{ secret: 'f'.repeat(32) }],
    [{ signature: 'v0=' }],
    [{ signature: `v0=${'0'.repeat(64)}` }],
    [{ stampOffsetS: -302 }],
    [{ stampOffsetS: 302 }],
  ])('%o is refused without a word', async (how) => {
    const { server, heard, to } = await listening();
    const before = heard.alive();
    expect(await server.postEvent(to, server.callbackOf(server.messageOf({})), how)).toEqual({ status: 401, text: '' });
    expect(await server.postEvent(to, { type: 'url_verification', challenge: 'abc' }, how)).toMatchObject({
      status: 401,
    });
    expect(heard.arrived).toEqual([]);
    expect(heard.alive()).toBe(before);
  });

  test('what could not be stored is answered with an error, so that Slack sends it again', async () => {
    let isFull = true;
    const { server, heard, to } = await listening(() => {
      if (isFull) throw new Error('the disk is full');
    });
    const event = server.callbackOf(server.messageOf({ text: 'hi' }));
    expect(await server.postEvent(to, event)).toEqual({ status: 500, text: '' });
    isFull = false;
    expect((await server.postEvent(to, event)).status).toBe(200);
    expect(texts(heard)).toEqual(['hi']);
  });

  test('other paths, methods and sizes are refused', async () => {
    const { server, to } = await listening();
    expect((await fetch(to)).status).toBe(405);
    expect((await fetch(to.replace('/slack/events', '/'))).status).toBe(404);
    expect((await server.postEvent(to, 'x'.repeat(5_000_000))).status).toBe(413);
    expect((await server.postEvent(to, 'not json')).status).toBe(200);
  });

  test('a port that is taken is said in one line', async () => {
    const { to, server } = await listening();
    const other = await setUp({ settings: { mode: 'http', port: Number(new URL(to).port) } });
    await expect(start(server, await other.openChannel())).rejects.toMatchObject({
      family: 'network',
      message: expect.stringContaining('EADDRINUSE') as string,
    });
  });
});

test('no token is ever in a log, an error or a health', async () => {
  const all: unknown[] = [];
  const { server, openChannel, said, heard, channel } = await connected();
  const faults = [
    'drop',
    'garbage',
    { status: 500 },
    { status: 429, retryAfter: '1' },
    { error: 'invalid_auth' },
  ] as const;
  server.fault('chat.postMessage', ...faults);
  for (const _ of faults) all.push(await channel.send(reply('hello'), soon()));
  all.push(await heard.ended());
  server.fault('auth.test', ...faults);
  for (const _ of faults) all.push(await channel.probe(soon()));
  server.fault('apps.connections.open', ...faults);
  for (const _ of faults) all.push(await start(server, await openChannel()).catch((error: unknown) => error));
  await server.close();
  all.push(await channel.probe(soon()));
  const swapped = await setUp({ secrets: { botToken: APP_TOKEN, appToken: BOT.token } });
  const bad = await swapped.openChannel();
  all.push(await start(server, bad).catch((error: unknown) => error), await bad.probe(soon()));
  const text = `${JSON.stringify(all, errorsToo)} ${said.join(' ')} ${swapped.said.join(' ')}`;
  expect(all).toHaveLength(19);
  expect(text).not.toMatch(/xoxb-1|xapp-1|double/);
  expect(swapped.server.calls).toEqual([]);
});

describe('E27 buttons', () => {
  const says = '/approve 3f6a2c1e-1111-4222-8333-444455556666';
  const press = (more = {}) => ({
    ...{ type: 'block_actions', team: { id: TEAM }, user: { id: 'UALICE001', name: 'alice' }, channel: { id: DM } },
    actions: [{ action_id: 'press-0', value: says, action_ts: '1700000000.000200' }],
    ...more,
  });

  test('stand below a question, and a press arrives as words of whoever has pressed', async () => {
    const { server, heard, channel } = await connected();
    await channel.send(reply('Question K7', { buttons: [{ label: 'Allow once', says }] }), soon());
    expect(JSON.parse(server.posted[0]?.args['blocks'] ?? '')).toMatchObject([
      { type: 'section', text: { text: 'Question K7' } },
      { type: 'actions', elements: [{ type: 'button', value: says, text: { text: 'Allow once' } }] },
    ]);
    server.deliver(press());
    await server.until(() => server.acks.length === 1, 'ack');
    expect(heard.accepted()[0]).toMatchObject({
      text: says,
      chatType: 'direct',
      sender: { id: 'UALICE001' },
      chat: DM,
    });
  });

  test('another installation and other words are no press, another company is named as such', async () => {
    const { server, heard } = await connected();
    server.deliver(press({ team: { id: 'TOTHER' } }));
    server.deliver(press({ actions: [{ value: 'yes K7', action_ts: '1700000000.000201' }] }));
    server.deliver(press({ channel: { id: 'C1' }, user: { id: 'UALICE001', team_id: 'TOTHER' } }));
    await server.until(() => server.acks.length === 3, 'acks');
    expect(heard.accepted().map(({ sender, chatType }) => [sender.id, chatType])).toEqual([
      ['UALICE001@TOTHER', 'group'],
    ]);
  });
});
