// What delivery promises for channels that misbehave: order in a chat, no chat blocks another, nothing twice.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Log } from '../log/log.ts';
import { label } from '../store/label.ts';
import { openStore } from '../store/open.ts';
import { openOutbox } from '../store/outbox.ts';
import type { Channel, Outbound, Receipt } from './channel.ts';
import { createDelivery, type Pace } from './delivery.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, reopen() {}, close() {}, file: '' };
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

type Send = (outbound: Outbound, signal: AbortSignal, tries: number) => Promise<Receipt> | Receipt;

function start(send: Send, options: { pace?: Partial<Pace>; idempotent?: boolean; folder?: string } = {}) {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'hardshell-delivery-'));
  const store = openStore(join(folder, 'state.sqlite'));
  const outbox = openOutbox(store);
  const tried = new Map<number, number>();
  const sent: Outbound[] = [];
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  let wanted = Number.POSITIVE_INFINITY;
  const channel: Channel = {
    id: 'test',
    account: 'default',
    idempotent: options.idempotent ?? false,
    maxChars: 100,
    async send(outbound, signal) {
      const tries = (tried.get(outbound.id) ?? 0) + 1;
      tried.set(outbound.id, tries);
      const receipt = await send(outbound, signal, tries);
      if (receipt.state === 'sent') sent.push(outbound);
      if (sent.length >= wanted) reach();
      return receipt;
    },
  };
  const delivery = createDelivery({
    ...{ store, outbox, log: silent, now: Date.now },
    channelOf: (id) => (id === 'test' ? channel : undefined),
    pace: { firstWaitMs: 1, maxWaitMs: 5, ...options.pace },
  });
  const queue = (chat: string, text: string, more: { channel?: string; atMs?: number } = {}) => {
    const atMs = more.atMs ?? Date.now();
    const to = { channel: more.channel ?? 'test', account: 'default', chat, thread: '', replyTo: '' };
    const row = { ...to, text, files: [], idempotencyKey: `${chat}:${text}`, atMs };
    const id = store.commit(() => outbox.insert({ ...row, inboxId: 1, label: label('owner', 'owner') }));
    return { ...row, id, state: 'queued' as const };
  };
  ends.push(() => {
    if (store.db.isOpen) store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const stateOf = (id: number) => store.prepare('SELECT state, reason FROM outbox WHERE id = ?').get(id);
  return {
    ...{ store, outbox, delivery, queue, sent, tried, folder, stateOf },
    say: (chat: string, text: string) => {
      const row = queue(chat, text);
      delivery.enqueue(row);
      return row;
    },
    /** resolves when this many were sent */
    until: (count: number): Promise<void> => {
      wanted = count;
      return sent.length >= count ? Promise.resolve() : reached;
    },
  };
}

const FAULTS: readonly Receipt[] = [
  { state: 'retry', reason: '429', afterMs: 2 },
  { state: 'retry', reason: 'HTTP 502', afterMs: 0 },
];

test('under random faults every reply leaves once, in the order of its chat', async () => {
  let turn = 7;
  const dice = (): number => {
    turn = (turn * 1_103_515_245 + 12_345) % 2_147_483_648;
    return turn;
  };
  const house = start(async (_outbound, _signal, tries) => {
    if (dice() % 3 === 0) await new Promise((resolve) => setTimeout(resolve, dice() % 3));
    return tries < 4 && dice() % 2 === 0 ? (FAULTS[dice() % 2] as Receipt) : { state: 'sent' };
  });
  const chats = Array.from({ length: 10 }, (_, i) => `chat${i}`);
  for (let n = 0; n < 20; n++) for (const chat of chats) house.say(chat, String(n));
  await house.until(200);
  for (const chat of chats) {
    const texts = house.sent.filter((one) => one.chat === chat).map((one) => Number(one.text));
    expect(texts).toEqual(Array.from({ length: 20 }, (_, n) => n));
  }
  expect(new Set(house.sent.map((one) => one.id)).size).toBe(200);
});

test('a chat that is stuck does not hold up another', async () => {
  const house = start((outbound) =>
    outbound.chat === 'stuck' ? { state: 'retry', reason: '429', afterMs: 60_000 } : { state: 'sent' },
  );
  const stuck = house.say('stuck', 'a');
  house.say('stuck', 'b');
  for (let n = 0; n < 50; n++) house.say('free', String(n));
  await house.until(50);
  expect(house.stateOf(stuck.id)).toEqual({ state: 'queued', reason: '429' });
  await new Promise((resolve) => setImmediate(resolve));
  expect(house.delivery.waiting()).toEqual({ replies: 2, chats: 1 });
  await house.delivery.stop(100);
});

test('what the platform asks for is waited for, and never undercut by our own pace', async () => {
  const times: number[] = [];
  const house = start((_outbound, _signal, tries) => {
    times.push(performance.now());
    return tries === 1 ? { state: 'retry', reason: '429', afterMs: 150 } : { state: 'sent' };
  });
  house.say('a', 'x');
  await house.until(1);
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(145);
});

test('a reply that stays undeliverable fails visibly after its time, and the next one is not held up for ever', async () => {
  const house = start((outbound) =>
    outbound.text === 'old' ? { state: 'retry', reason: 'HTTP 502', afterMs: 0 } : { state: 'sent' },
  );
  const old = house.queue('a', 'old', { atMs: Date.now() - 6 * 3_600_000 });
  house.delivery.enqueue(old);
  house.say('a', 'next');
  await house.until(1);
  expect(house.stateOf(old.id)).toEqual({ state: 'failed', reason: 'HTTP 502; given up' });
});

test('a lost answer is unknown, is shown, and is never sent again, not even after a restart', async () => {
  const house = start((outbound) => {
    if (outbound.text === 'lost') throw new Error('socket hang up');
    return { state: 'sent' };
  });
  const lost = house.say('a', 'lost');
  house.say('a', 'next');
  await house.until(1);
  expect(house.stateOf(lost.id)).toEqual({ state: 'unknown', reason: 'socket hang up' });
  house.delivery.resume();
  await house.delivery.stop(1_000);
  expect(house.tried.get(lost.id)).toBe(1);
  expect(house.outbox.countByChannel().get('test')).toEqual({ queued: 0, sent: 1, unknown: 1, failed: 0 });
});

test('sending is durable before the channel is asked; a crash in between is unknown at the next start', async () => {
  let seen: unknown;
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const house = start((outbound) => {
    seen = house.stateOf(outbound.id)?.['state'];
    ask();
    return new Promise<Receipt>(() => {});
  });
  const row = house.say('a', 'x');
  const behind = house.say('a', 'y');
  await asked;
  expect(seen).toBe('sending');
  house.store.db.close();
  const next = start(() => ({ state: 'sent' }), { folder: house.folder });
  next.delivery.resume();
  await next.until(1);
  expect(next.stateOf(row.id)?.['state']).toBe('unknown');
  expect(next.sent.map(({ id }) => id)).toEqual([behind.id]);
});

test('a stop lets finish what is under way, leaves the rest queued, and cuts off what hangs', async () => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const house = start(async (outbound, signal) => {
    if (outbound.chat === 'hangs') {
      ask();
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('cut off'))));
    }
    return { state: 'sent' };
  });
  const hangs = house.say('hangs', 'a');
  const behind = house.say('hangs', 'b');
  await asked;
  await house.delivery.stop(20);
  expect(house.stateOf(hangs.id)).toEqual({ state: 'unknown', reason: 'cut off' });
  expect(house.stateOf(behind.id)?.['state']).toBe('queued');
});

test('a channel that is not configured fails its replies at once', async () => {
  const house = start(() => ({ state: 'sent' }));
  const row = house.queue('a', 'x', { channel: 'gone' });
  house.delivery.enqueue(row);
  await house.delivery.stop(100);
  expect(house.stateOf(row.id)).toMatchObject({ state: 'failed' });
});

test('at most so many replies of a channel are under way at once', async () => {
  let busy = 0;
  let most = 0;
  const house = start(
    async () => {
      most = Math.max(most, ++busy);
      await new Promise((resolve) => setTimeout(resolve, 1));
      busy -= 1;
      return { state: 'sent' };
    },
    { pace: { atOnce: 4 } },
  );
  for (let n = 0; n < 60; n++) house.say(`chat${n}`, 'x');
  await house.until(60);
  expect(most).toBe(4);
});

test('a letter that is queued while the gateway still starts leaves once, after what was owed before it', async () => {
  const { delivery, queue, say, sent, until } = start(() => ({ state: 'sent' }));
  delivery.hold();
  queue('a', 'owed');
  say('a', 'new');
  delivery.resume();
  say('a', 'last');
  await until(3);
  expect(sent.map(({ text }) => text)).toEqual(['owed', 'new', 'last']);
});
