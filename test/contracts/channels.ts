// The promises of the channel contract (src/channels/channel.ts), kept by every platform, each driven through its real client
// library against a protocol double that can misbehave.
//
// How a platform plugs in: write a double in test/doubles/, wrap it as `PlatformDouble` below, and call
// `channelConformance({...})` from test/contracts/channels-<platform>.test.ts. What a platform cannot do at all is said in
// `can`, with the reason in the fixture; everything else is asked of all of them. `start` is called for each test, and
// `stop` must leave nothing behind. Channel-specific promises (formats, webhooks, intents) stand in the platform's own file.
import { afterEach, describe, expect, test } from 'vitest';
import {
  ChannelFailure,
  type ChannelPorts,
  type ConnectedChannel,
  type GroupChange,
  type InboundMessage,
  type Outbound,
  type Receipt,
} from '../../src/channels/channel.ts';
import { cutReply } from '../../src/channels/cut.ts';
import type { Log } from '../../src/log/log.ts';

/** What a person does on the platform. Ids are the platform's own; the double makes what is left out. */
export type Said = {
  readonly text?: string;
  /** a chat that exists: `direct` or `group` */
  readonly in?: 'direct' | 'group';
  readonly thread?: string;
  readonly from?: string;
  readonly isBot?: boolean;
  /** names the assistant in the platform's own way */
  readonly mention?: boolean;
  readonly replyToBot?: boolean;
  readonly file?: { readonly name: string; readonly mimeType: string; readonly bytes: Uint8Array };
  /** shifts the platform's clock for this message */
  readonly skewMs?: number;
};

/** What arrived at the platform, as a person there would see it. */
export type Shown = {
  readonly chat: string;
  readonly thread: string;
  readonly text: string;
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
};

/** How the platform treats the next messages that are sent to it, one entry a message. */
export type SendFault =
  | { readonly kind: 'rate'; readonly retryAfterMs: number }
  | { readonly kind: 'status'; readonly status: number }
  /** nothing is listening, or the connection is refused before anything is read */
  | { readonly kind: 'unreachable' }
  /** the message is shown, and its answer is lost */
  | { readonly kind: 'answer-lost' };

export interface PlatformDouble {
  /** resolves to the platform's id of it */
  say(said: Said): string | Promise<string>;
  /** the same event again */
  again(id: string): void | Promise<void>;
  /** several events at once, and not in their order, where the platform can do that */
  sayOutOfOrder?(all: readonly Said[]): void | Promise<void>;
  edit?(id: string, text: string): void | Promise<void>;
  /** shown so far, in order */
  shown(): readonly Shown[];
  /** resolves when that many are shown */
  shownCount(count: number): Promise<void>;
  /** resolves when the assistant is shown typing */
  typing?(): Promise<{ readonly chat: string }>;
  faultySends(...faults: readonly SendFault[]): void;
  /** every connection is cut; new ones are served */
  cutConnections(): void | Promise<void>;
  /** the token does not count any more, for what is connected too */
  revokeToken(): void | Promise<void>;
  /** a bot that is a member of a group was added to another, or put out of it */
  membership?(change: 'joined' | 'left', isPublic: boolean): void | Promise<void>;
  /** connections of the channel that are open now */
  openConnections(): number | Promise<number>;
  readonly directChat: string;
  readonly groupChat: string;
  /** the id of the person who writes unless told otherwise */
  readonly person: string;
  close(): Promise<void>;
}

export type Started = { readonly double: PlatformDouble; readonly channel: ConnectedChannel };

export type ChannelFixture = {
  readonly name: string;
  start(): Promise<Started>;
  readonly can: {
    /** an event that was not taken is delivered again by the platform, without a reconnect or after one */
    readonly redelivers: boolean;
    /** events that happened while nobody listened are delivered later; else the channel names a gap */
    readonly catchesUp: boolean;
    readonly edits: boolean;
    readonly typing: boolean;
    readonly filesIn: boolean;
    readonly filesOut: boolean;
    readonly groups: boolean;
    readonly threads: boolean;
    readonly membership: boolean;
    /** the platform tells a token that is revoked from one that works */
    readonly revokes: boolean;
  };
  /** where a lost answer is told from a refused connection; a channel that is idempotent may say `retry` for both */
  readonly lostAnswer: Receipt['state'];
};

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, reopen() {}, close() {}, file: '' };
const PATIENCE_MS = 20_000;

/** A channel that runs, with everything it said. */
export async function listen(started: Started, take?: (message: InboundMessage) => void) {
  const { channel, double } = started;
  const arrived: InboundMessage[] = [];
  const groups: GroupChange[] = [];
  const moved: (readonly [string, string])[] = [];
  const gaps: string[] = [];
  const settled = new Set<string>();
  let alive = 0;
  let stopped = false;
  let running: Promise<unknown> = Promise.resolve();
  let ended = new AbortController();
  const waiting = new Set<() => void>();
  const tell = (): void => {
    for (const look of waiting) look();
  };
  const ports: ChannelPorts = {
    emit(message) {
      take?.(message);
      arrived.push(message);
      const key = `${message.chat}\0${message.messageId}`;
      const isNew = !settled.has(key);
      settled.add(key);
      tell();
      return isNew ? 'accepted' : 'duplicate';
    },
    groupChanged(change) {
      groups.push(change);
      tell();
    },
    chatMoved(from, to) {
      moved.push([from, to]);
      tell();
    },
    alive() {
      alive += 1;
      tell();
    },
    gap(what) {
      gaps.push(what);
      tell();
    },
    log: silent,
    now: Date.now,
  };
  const connect = (): Promise<void> => {
    ended = new AbortController();
    return new Promise((resolve, reject) => {
      running = channel.run(ports, ended.signal, resolve).catch((error: unknown) => {
        reject(error);
        return error;
      });
    });
  };
  await within(connect(), 'it did not connect');
  return {
    ...{ arrived, groups, moved, gaps, channel, double, ports },
    alive: () => alive,
    /** each message once, as the inbox would have it */
    accepted: () => [...new Map(arrived.map((one) => [`${one.chat}\0${one.messageId}`, one])).values()],
    until: (what: () => boolean, why: string): Promise<void> =>
      within(
        new Promise((resolve) => {
          const look = (): void => {
            if (!what()) return;
            waiting.delete(look);
            resolve();
          };
          waiting.add(look);
          look();
        }),
        why,
      ),
    send: (text: string, more: Partial<Outbound> = {}) =>
      channel.send(outbound(double, text, more), AbortSignal.timeout(PATIENCE_MS)),
    /** As the supervisor does, without its patience: from now on it is connected again whenever it is lost. */
    keepConnected: async (): Promise<void> => {
      for (let tries = 0; !stopped; tries++) {
        const failure = await running;
        if (stopped) return;
        if (tries > 100 || (failure instanceof ChannelFailure && failure.family === 'refused')) throw failure;
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (!stopped) await connect().catch(() => {});
      }
    },
    ended: () => running,
    stop: async (): Promise<void> => {
      stopped = true;
      ended.abort();
      await within(running, 'it did not end');
    },
  };
}

let nextId = 1;
export function outbound(double: PlatformDouble, text: string, more: Partial<Outbound> = {}): Outbound {
  const id = nextId++;
  const to = { chat: double.directChat, thread: '', replyTo: '', files: [], idempotencyKey: `test:${id}` };
  return { id, channel: 'test', account: 'default', ...to, text, ...more };
}

export async function within<T>(work: Promise<T>, why: string, ms = PATIENCE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(why)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

type Listening = Awaited<ReturnType<typeof listen>>;

export function channelConformance(fixture: ChannelFixture): void {
  const { can } = fixture;
  describe(`${fixture.name} keeps the contract of channels`, () => {
    const open: Started[] = [];
    const listening: Listening[] = [];
    const start = async (take?: (message: InboundMessage) => void): Promise<Listening> => {
      const started = await fixture.start();
      open.push(started);
      const one = await listen(started, take);
      listening.push(one);
      return one;
    };
    afterEach(async () => {
      for (const one of listening.splice(0)) await one.stop();
      for (const { double } of open.splice(0)) await double.close();
    });

    test('a direct message arrives whole: stable ids, direct, vouched for by the platform', async () => {
      const here = await start();
      const id = await here.double.say({ text: 'Grüße 👋 <b>&amp;' });
      await here.until(() => here.arrived.length === 1, 'nothing arrived');
      expect(here.arrived[0]).toMatchObject({
        channel: here.channel.id,
        account: here.channel.account,
        chat: here.double.directChat,
        messageId: expect.stringContaining(id) as string,
        chatType: 'direct',
        sender: { id: here.double.person },
        text: 'Grüße 👋 <b>&amp;',
      });
      expect(['platform', 'claimed']).toContain(here.arrived[0]?.assurance);
      expect(here.arrived[0]?.label.integrity).toBe('untrusted');
    });

    test.skipIf(!can.groups)('in a group it says who was addressed: nobody, by mention, by reply', async () => {
      const here = await start();
      await here.double.say({ in: 'group', text: 'just us' });
      await here.double.say({ in: 'group', text: 'you there', mention: true });
      await here.double.say({ in: 'group', text: 'and this', replyToBot: true });
      await here.until(() => here.arrived.length === 3, 'not all arrived');
      expect(here.arrived.map(({ chat, chatType }) => [chat, chatType])).toEqual(
        Array.from({ length: 3 }, () => [here.double.groupChat, 'group']),
      );
      const { arrived } = here;
      expect(arrived.map(({ addressed }) => addressed?.mention ?? false)).toEqual([false, true, false]);
      expect(arrived.map(({ addressed }) => addressed?.replyToBot ?? false)).toEqual([false, false, true]);
    });

    test('a bot is said to be one', async () => {
      const here = await start();
      await here.double.say({ text: 'beep', isBot: true });
      await here.double.say({ text: 'done' });
      await here.until(() => here.arrived.some(({ text }) => text === 'done'), 'nothing arrived');
      // A channel may drop what bots say, where the platform never delivers it; it may not take one for a person.
      for (const one of here.arrived.filter(({ text }) => text === 'beep')) expect(one.sender.isBot).toBe(true);
    });

    test('messages arrive in their order, each once by its id, also when the platform repeats itself', async () => {
      const here = await start();
      const ids: string[] = [];
      for (let n = 0; n < 30; n++) ids.push(await here.double.say({ text: `m${n}` }));
      await here.double.again(ids[3] as string);
      await here.double.again(ids[29] as string);
      await here.double.say({ text: 'end' });
      await here.until(() => here.arrived.some(({ text }) => text === 'end'), 'the last one did not arrive');
      const texts = here.accepted().map(({ text }) => text);
      expect(texts).toEqual([...Array.from({ length: 30 }, (_, n) => `m${n}`), 'end']);
      expect(new Set(here.accepted().map(({ messageId }) => messageId)).size).toBe(31);
    });

    test('what arrives out of order is lost nowhere', async () => {
      const here = await start();
      const all = Array.from({ length: 8 }, (_, n) => ({ text: `o${n}` }));
      if (here.double.sayOutOfOrder) await here.double.sayOutOfOrder(all);
      else for (const said of all) await here.double.say(said);
      await here.until(() => here.accepted().length === 8, 'not all arrived');
      expect(
        here
          .accepted()
          .map(({ text }) => text)
          .sort(),
      ).toEqual(all.map(({ text }) => text));
    });

    test.skipIf(!can.redelivers)('what could not be stored is not acknowledged: it comes again', async () => {
      let full = true;
      const here = await start((message) => {
        if (full && message.text === 'two') throw new Error('the disk is full');
      });
      await here.double.say({ text: 'one' });
      await here.double.say({ text: 'two' });
      await here.double.say({ text: 'three' });
      void here.keepConnected().catch(() => {});
      setTimeout(() => {
        full = false;
      }, 300);
      await here.until(() => here.accepted().length === 3, 'the message that could not be stored was lost');
      expect(here.accepted().map(({ text }) => text)).toContain('two');
    });

    test.skipIf(!can.edits)('an edited message is no new message and no new command', async () => {
      const here = await start();
      const id = await here.double.say({ text: 'what is on today?' });
      await here.until(() => here.arrived.length === 1, 'nothing arrived');
      await here.double.edit?.(id, 'delete everything');
      await here.double.say({ text: 'end' });
      await here.until(() => here.arrived.some(({ text }) => text === 'end'), 'the last one did not arrive');
      expect(here.accepted().map(({ text }) => text)).toEqual(['what is on today?', 'end']);
    });

    test.skipIf(!can.threads)('a thread is a place of its own, and an answer goes there', async () => {
      const here = await start();
      await here.double.say({ in: 'group', thread: '77', text: 'in here', mention: true });
      await here.until(() => here.arrived.length === 1, 'nothing arrived');
      const thread = here.arrived[0]?.thread ?? '';
      expect(thread).not.toBe('');
      const receipt = await here.send('answer', { chat: here.double.groupChat, thread });
      expect(receipt.state).toBe('sent');
      expect(here.double.shown().at(-1)).toMatchObject({ chat: here.double.groupChat, thread });
    });

    test('a reply arrives as it was written, with code, and its receipt says so', async () => {
      const here = await start();
      const text = 'Hello & <world>, 1 < 2\n\n```ts\nconst a = `x`;\n```\n\n* done_it_now * [x](y';
      const receipt = await here.send(text);
      expect(receipt).toMatchObject({ state: 'sent' });
      const shown = here.double.shown().at(-1)?.text ?? '';
      for (const part of ['Hello & <world>, 1 < 2', 'const a = `x`;', 'done_it_now']) expect(shown).toContain(part);
    });

    test('a reply at the limit is taken whole, and a longer one is cut without breaking its code', async () => {
      const here = await start();
      const max = Math.min(here.channel.maxChars, 40_000);
      const code = Array.from({ length: Math.ceil(max / 8) }, (_, n) => `line(${n});`).join('\n');
      const parts = cutReply(`Here:\n\n\`\`\`js\n${code}\n\`\`\`\n\nThat is all.`, max);
      expect(parts.length).toBeGreaterThan(1);
      const states: string[] = [];
      for (const part of [...parts, 'ü'.repeat(max)]) states.push((await here.send(part)).state);
      expect(new Set(states)).toEqual(new Set(['sent']));
      await here.double.shownCount(parts.length + 1);
      const shown = here.double.shown();
      const lines = shown.flatMap(({ text }) => text.match(/line\(\d+\);/g) ?? []);
      expect(lines).toEqual(code.split('\n'));
      expect(shown.at(-1)?.text).toContain('ü'.repeat(max));
    });

    test.skipIf(!can.typing)('typing is shown while somebody works on an answer', async () => {
      const here = await start();
      const seen = here.double.typing?.();
      const ended = new AbortController();
      await here.channel.typing?.({ chat: here.double.directChat, thread: '' }, ended.signal);
      expect((await within(seen as Promise<{ chat: string }>, 'nobody saw it typing')).chat).toBe(
        here.double.directChat,
      );
      ended.abort();
    });

    test.skipIf(!can.filesIn)(
      'a file arrives as it was sent, also without a word, and never beyond the limit',
      async () => {
        const here = await start();
        const bytes = new Uint8Array(50_000).map((_, n) => n % 251);
        await here.double.say({
          text: '',
          file: { name: '../../etc/pass wd.bin', mimeType: 'application/x-thing', bytes },
        });
        await here.until(() => here.arrived.length === 1, 'nothing arrived');
        const file = here.arrived[0]?.attachments?.[0];
        expect(file).toBeDefined();
        const limit = AbortSignal.timeout(PATIENCE_MS);
        const fetched = await here.channel.fetchAttachment?.(file?.ref ?? '', 60_000, limit);
        expect(Buffer.from(fetched ?? []).equals(Buffer.from(bytes))).toBe(true);
        await expect(here.channel.fetchAttachment?.(file?.ref ?? '', 49_999, limit)).rejects.toThrow();
        await expect(here.channel.fetchAttachment?.('no-such-ref', 60_000, limit)).rejects.toThrow();
      },
    );

    test.skipIf(!can.filesOut)('a file goes out with a reply', async () => {
      const here = await start();
      const files = [{ path: 'report.txt', name: 'report.txt', mimeType: 'text/plain' }];
      expect((await here.send('Here it is.', { files })).state).toBe('sent');
      const shown = here.double.shown();
      expect(shown.some(({ text }) => text.includes('Here it is.'))).toBe(true);
      const sent = shown.flatMap((one) => one.files);
      expect(sent.map(({ name }) => name)).toEqual(['report.txt']);
      expect(Buffer.from(sent[0]?.bytes ?? []).toString()).toBe('from the workspace');
    });

    test('too many messages: certainly not delivered, and tried again after the time that was asked for', async () => {
      const here = await start();
      here.double.faultySends({ kind: 'rate', retryAfterMs: 3_000 });
      const receipt = await here.send('slow down');
      expect(receipt.state).toBe('retry');
      if (receipt.state === 'retry') expect(receipt.afterMs).toBeGreaterThanOrEqual(3_000);
      expect(here.double.shown()).toEqual([]);
      expect((await here.send('slow down')).state).toBe('sent');
      expect(here.double.shown()).toHaveLength(1);
    });

    test('a platform that cannot be reached has certainly not delivered', async () => {
      const here = await start();
      here.double.faultySends({ kind: 'unreachable' });
      expect((await here.send('hello')).state).toBe('retry');
      expect((await here.send('hello')).state).toBe('sent');
    });

    test('a platform that fails inside is never taken for one that delivered', async () => {
      const here = await start();
      here.double.faultySends({ kind: 'status', status: 502 });
      expect(['retry', 'unknown']).toContain((await here.send('hello')).state);
    });

    test('an answer that is lost leaves no guess', async () => {
      const here = await start();
      here.double.faultySends({ kind: 'answer-lost' });
      expect((await here.send('hello')).state).toBe(fixture.lostAnswer);
      expect(here.double.shown()).toHaveLength(1);
    });

    test('a connection that is cut ends the run as a failure of the network, and the next one goes on', async () => {
      const here = await start();
      await here.double.say({ text: 'before' });
      await here.until(() => here.arrived.length === 1, 'nothing arrived');
      await here.double.cutConnections();
      // A library may mend it by itself, without the run ending.
      void here.keepConnected().catch(() => {});
      await here.double.say({ text: 'after' });
      await here.until(
        () => here.accepted().some(({ text }) => text === 'after') || (!can.catchesUp && here.gaps.length > 0),
        'what was said during the cut was neither delivered nor named',
      );
    });

    test('a probe is a real round trip', async () => {
      const here = await start();
      const health = await here.channel.probe(AbortSignal.timeout(PATIENCE_MS));
      expect(health).toMatchObject({ ok: true });
      if (health.ok) {
        expect(health.account).not.toBe('');
        expect(Math.abs(health.atMs - Date.now())).toBeLessThan(PATIENCE_MS);
      }
      await here.stop();
      await here.double.close();
      const dead = await here.channel.probe(AbortSignal.timeout(PATIENCE_MS));
      expect(dead).toMatchObject({ ok: false, family: 'network' });
    });

    test.skipIf(!can.revokes)('a token that was revoked is a refusal with a fix, for run, probe and send', async () => {
      const here = await start();
      await here.double.revokeToken();
      const end = await within(here.ended(), 'it stayed connected with a revoked token');
      expect(end).toMatchObject({ name: 'ChannelFailure', family: 'refused' });
      expect((end as ChannelFailure).fix).not.toBe('');
      const health = await here.channel.probe(AbortSignal.timeout(PATIENCE_MS));
      expect(health).toMatchObject({ ok: false, family: 'refused' });
      expect(['retry', 'failed']).toContain((await here.send('hello')).state);
    });

    test('a clock that is wrong by years loses nothing', async () => {
      const here = await start();
      await here.double.say({ text: 'past', skewMs: -10 * 365 * 86_400_000 });
      await here.double.say({ text: 'future', skewMs: 10 * 365 * 86_400_000 });
      await here.until(() => here.accepted().length === 2, 'a message with an odd time was lost');
      for (const { receivedAtMs } of here.arrived) expect(Math.abs(receivedAtMs - Date.now())).toBeLessThan(60_000);
    });

    test.skipIf(!can.membership)(
      'being put into a group and out of it is told, with whether it is public',
      async () => {
        const here = await start();
        await here.double.membership?.('joined', true);
        await here.double.membership?.('left', true);
        await here.until(() => here.groups.length === 2, 'it was not told');
        expect(here.groups.map(({ change, isPublic }) => [change, isPublic])).toEqual([
          ['joined', true],
          ['left', true],
        ]);
        expect(here.groups[0]).toMatchObject({ channel: here.channel.id, by: here.double.person });
      },
    );

    test('what arrives is a sign of life', async () => {
      const here = await start();
      const before = here.alive();
      await here.double.say({ text: 'hello' });
      await here.until(() => here.arrived.length === 1, 'nothing arrived');
      expect(here.alive()).toBeGreaterThan(before);
    });

    test('a stop closes everything, in time, and says nothing more', async () => {
      const here = await start();
      await here.double.say({ text: 'hello' });
      await here.until(() => here.arrived.length === 1, 'nothing arrived');
      const startedAt = performance.now();
      await here.stop();
      expect(performance.now() - startedAt).toBeLessThan(5_000);
      await expect.poll(() => here.double.openConnections(), { interval: 20 }).toBe(0);
      const count = here.arrived.length;
      await here.double.say({ text: 'too late' });
      expect(here.arrived).toHaveLength(count);
      // And it can be started again.
      const again = await listen({ channel: here.channel, double: here.double });
      await again.stop();
    });
  });
}
