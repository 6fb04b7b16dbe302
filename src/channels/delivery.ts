// Owns the way out: it drains the outbox, one reply after another in each chat, chats beside each other. What certainly was
// not delivered is tried again; a reply whose fate is not known is marked `unknown` and shown, never sent again on a guess.
import type { Log } from '../log/log.ts';
import { reasonOf } from '../platform/errors.ts';
import type { Store } from '../store/open.ts';
import { DRAFT, type Outbox, type OutboxRow } from '../store/outbox.ts';
import type { Channel, Receipt } from './channel.ts';
import { pause, waitMsFor } from './pause.ts';

export type DeliveryPorts = {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly log: Log;
  readonly now: () => number;
  /** undefined: no such channel is configured, so nothing can ever leave by it */
  channelOf(id: string, account: string): Channel | undefined;
  readonly pace?: Partial<Pace>;
};

export type Pace = {
  /** the first wait before a second try; it doubles up to `maxWaitMs`, and what the platform asks for is never undercut */
  readonly firstWaitMs: number;
  readonly maxWaitMs: number;
  /** a reply this old has failed */
  readonly giveUpMs: number;
  /** one that the channel neither sent nor refused for this long has an unknown fate */
  readonly sendMs: number;
  /** how many replies of one channel may be under way at once */
  readonly atOnce: number;
};
const PACE: Pace = {
  firstWaitMs: 1_000,
  maxWaitMs: 5 * 60_000,
  giveUpMs: 6 * 60 * 60_000,
  sendMs: 90_000,
  atOnce: 16,
};

type Lane = { readonly waiting: OutboxRow[]; tries: number };

export function createDelivery(ports: DeliveryPorts) {
  const { store, outbox, channelOf, log, now } = ports;
  const pace = { ...PACE, ...ports.pace };
  const lanes = new Map<string, Lane>();
  const running = new Set<Promise<void>>();
  const slots = new Map<string, { busy: number; readonly waiting: (() => void)[] }>();
  const stopping = new AbortController();
  const underWay = new Set<AbortController>();
  let isHeld = false;

  /** Null when the reply is done with, else how long to wait before it is tried again. */
  const attempt = async (reply: OutboxRow, tries: number): Promise<number | null> => {
    const channel = channelOf(reply.channel, reply.account);
    if (!channel) {
      const reason = `the channel ${reply.channel} is not configured`;
      store.commit(() => outbox.move(reply.id, 'failed', reason));
      log.warn('reply not delivered', { channel: reply.channel, id: reply.id, state: 'failed', reason });
      return null;
    }
    if (!channel.idempotent) store.commit(() => outbox.move(reply.id, 'sending'));
    const receipt = await send(channel, reply);
    const reason = 'reason' in receipt ? (receipt.reason ?? '') : '';
    if (receipt.state === 'retry') {
      const waitMs = waitMsFor(pace, tries, receipt.afterMs);
      const late = now() + waitMs - reply.atMs > pace.giveUpMs;
      log.warn('reply not delivered', { channel: reply.channel, id: reply.id, reason, again: !late, waitMs });
      store.commit(() => outbox.move(reply.id, late ? 'failed' : 'queued', late ? `${reason}; given up` : reason));
      return late ? null : waitMs;
    }
    if (receipt.state !== 'sent')
      log.warn('reply not delivered', { channel: reply.channel, id: reply.id, state: receipt.state, reason });
    const platformId = receipt.state === 'sent' ? receipt.messageId : undefined;
    // Derivable again for a channel that may repeat; for the others it must not wait.
    const write = channel.idempotent ? store.defer : store.commit;
    write(() => outbox.move(reply.id, receipt.state, reason, platformId));
    return null;
  };

  const send = async (channel: Channel, reply: OutboxRow): Promise<Receipt> => {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(new Error('no answer in time')), pace.sendMs).unref();
    underWay.add(limit);
    try {
      return await channel.send(reply, limit.signal);
    } catch (error) {
      return { state: 'unknown', reason: reasonOf(error) };
    } finally {
      clearTimeout(timer);
      underWay.delete(limit);
    }
  };

  const drain = async (key: string, lane: Lane, channelKey: string): Promise<void> => {
    for (;;) {
      const reply = lane.waiting[0];
      if (!reply || stopping.signal.aborted) break;
      const free = takeSlot(channelKey);
      if (free) await free;
      let waitMs: number | null = null;
      try {
        if (stopping.signal.aborted) break;
        waitMs = await attempt(reply, lane.tries);
      } catch (error) {
        // The outcome could not be stored. What was being sent is found as that at the next start.
        log.error('delivery failed', { id: reply.id, error });
      } finally {
        freeSlot(channelKey);
      }
      if (waitMs === null) {
        lane.waiting.shift();
        lane.tries = 0;
      } else {
        lane.tries += 1;
        await pause(waitMs, stopping.signal);
      }
    }
    if (lane.waiting.length === 0) lanes.delete(key);
  };

  const takeSlot = (key: string): Promise<void> | undefined => {
    const slot = slots.get(key) ?? { busy: 0, waiting: [] };
    slots.set(key, slot);
    if (slot.busy < pace.atOnce) {
      slot.busy += 1;
      return undefined;
    }
    return new Promise((resolve) => slot.waiting.push(resolve));
  };
  const freeSlot = (key: string): void => {
    const slot = slots.get(key);
    const next = slot?.waiting.shift();
    if (next) next();
    else if (slot) slot.busy -= 1;
  };

  const enqueue = (reply: OutboxRow): void => {
    // It is in the outbox, where `resume` finds it in its order.
    if (isHeld) return;
    if ((reply.leavesAtMs ?? 0) > now()) {
      held.add(reply);
      return;
    }
    const channelKey = `${reply.channel}\0${reply.account}`;
    const key = `${channelKey}\0${reply.chat}\0${reply.thread}`;
    const known = lanes.get(key);
    const lane = known ?? { waiting: [], tries: 0 };
    lane.waiting.push(reply);
    if (known) return;
    lanes.set(key, lane);
    const drained = drain(key, lane, channelKey).finally(() => running.delete(drained));
    running.add(drained);
  };

  const held = createHeld(now, enqueue, (id) => store.commit(() => outbox.release(id, now())));

  return {
    enqueue,
    /** Messages that can still be taken back. */
    held: { list: held.list, release: held.release },
    /** The message never leaves; false when it has left already, or there is no such message. */
    withdraw(id: number, why: string): boolean {
      if (!held.list().some((row) => row.id === id)) return false;
      store.commit(() => outbox.move(id, 'failed', why));
      return held.take(id) !== null;
    },
    /** Nothing leaves until `resume`: a reply of before must not be overtaken, nor be found there and in a lane. */
    hold(): void {
      isHeld = true;
    },
    /** After a start: what was queued goes out; what was being sent has an unknown fate. */
    resume(): void {
      isHeld = false;
      for (const reply of outbox.open()) {
        if (reply.state === 'sending')
          store.commit(() => outbox.move(reply.id, 'unknown', 'the gateway stopped while it was being sent'));
        else enqueue(reply);
      }
    },
    /** Replies that wait for their turn or for another try, and in how many chats. */
    waiting: () => ({ replies: lanes.values().reduce((sum, lane) => sum + lane.waiting.length, 0), chats: lanes.size }),
    /** What is under way may finish; the rest stays queued for the next start. */
    async stop(graceMs: number): Promise<void> {
      stopping.abort();
      for (const { waiting } of slots.values()) for (const go of waiting.splice(0)) go();
      const timer = setTimeout(() => {
        for (const limit of underWay) limit.abort(new Error('the gateway stops'));
      }, graceMs);
      await Promise.all(running);
      clearTimeout(timer);
    },
  };
}

/** Messages that leave by themselves in a few seconds, unless somebody says no, and drafts, which leave by a word alone. A
 *  restart finds them in the outbox. */
function createHeld(now: () => number, due: (row: OutboxRow) => void, released: (id: number) => void) {
  const waiting = new Map<number, { readonly row: OutboxRow; readonly timer: NodeJS.Timeout | null }>();
  const take = (id: number): OutboxRow | null => {
    const found = waiting.get(id);
    if (!found) return null;
    if (found.timer) clearTimeout(found.timer);
    waiting.delete(id);
    return found.row;
  };
  const release = (id: number): boolean => {
    const row = take(id);
    if (!row) return false;
    const isDraft = row.leavesAtMs === DRAFT;
    if (isDraft) released(row.id);
    due({ ...row, leavesAtMs: 0, ...(isDraft ? { atMs: now() } : {}) });
    return true;
  };
  return {
    add(row: OutboxRow): void {
      // No timer reaches as far as a draft would need; it has none.
      const waitMs = Math.max(0, (row.leavesAtMs ?? 0) - now());
      const timer = row.leavesAtMs === DRAFT ? null : setTimeout(() => release(row.id), waitMs).unref();
      waiting.set(row.id, { row, timer });
    },
    list: (): OutboxRow[] => [...waiting.values()].map(({ row }) => row),
    /** The message, which now never leaves; null when it is not held: gone already, or never was. */
    take,
    /** At once. False when it is not held. */
    release,
  };
}
