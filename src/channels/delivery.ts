// Owns the way out: it drains the outbox, one reply after another per channel. A reply whose fate is not known is marked
// `unknown` and shown; it must never be sent a second time on a guess.
import type { Log } from '../log/log.ts';
import { reasonOf } from '../platform/errors.ts';
import type { Store } from '../store/open.ts';
import type { Outbox, OutboxRow } from '../store/outbox.ts';
import type { Channel, Receipt } from './channel.ts';

export type DeliveryPorts = {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly channels: ReadonlyMap<string, Channel>;
  readonly log: Log;
};

export function createDelivery({ store, outbox, channels, log }: DeliveryPorts) {
  const ended = new AbortController();
  const tails = new Map<string, Promise<void>>();

  const deliver = async (reply: OutboxRow): Promise<void> => {
    const channel = channels.get(reply.channel);
    if (!channel) {
      store.commit(() => outbox.move(reply.id, 'failed', `the channel ${reply.channel} is not configured`));
      return;
    }
    if (!channel.idempotent) store.commit(() => outbox.move(reply.id, 'sending'));
    const receipt = await channel
      .send(reply, ended.signal)
      .catch((error: unknown) => ({ state: 'unknown' as const, reason: reasonOf(error) }));
    const reason = 'reason' in receipt ? receipt.reason : '';
    if (receipt.state !== 'sent')
      log.warn('reply not delivered', { channel: reply.channel, id: reply.id, state: receipt.state, reason });
    // Derivable again for a channel that may repeat; for the others it must not wait.
    if (channel.idempotent) store.defer(() => outbox.move(reply.id, stateOf(receipt), reason));
    else store.commit(() => outbox.move(reply.id, stateOf(receipt), reason));
  };
  const enqueue = (reply: OutboxRow): void => {
    const tail = (tails.get(reply.channel) ?? Promise.resolve())
      .then(() => deliver(reply))
      .catch((error: unknown) => log.error('delivery failed', { error }));
    tails.set(reply.channel, tail);
  };
  return {
    enqueue,
    /** After a start: what was queued goes out; what was being sent has an unknown fate. */
    resume(): void {
      for (const reply of outbox.open()) {
        if (reply.state === 'sending')
          store.commit(() => outbox.move(reply.id, 'unknown', 'the gateway stopped while it was being sent'));
        else enqueue(reply);
      }
    },
    /** Resolves when everything handed over so far has left or failed. */
    settled: async (): Promise<void> => void (await Promise.all(tails.values())),
  };
}

/** Until replies are tried again, one that could not leave has failed, and is shown as that. */
const stateOf = (receipt: Receipt) => (receipt.state === 'retry' ? 'failed' : receipt.state);
