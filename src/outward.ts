// Owns what tools send to people: into the outbox with a moment to take it back, and the owner's hand on it meanwhile. Part
// of the composition; whether it may be sent at all was decided before, and delivery does the sending.
import type { createDelivery } from './channels/delivery.ts';
import type { HeldMessage } from './gateway/backend.ts';
import type { Journal } from './journal/journal.ts';
import { HardshellError } from './platform/errors.ts';
import type { PermittedCall } from './policy/decide.ts';
import type { Store } from './store/open.ts';
import type { Outbox, OutboxRow } from './store/outbox.ts';

export type OutwardPorts = {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly journal: Journal;
  readonly delivery: ReturnType<typeof createDelivery>;
  readonly now: () => number;
  readonly undoMs: () => number;
  cut(to: { readonly channel: string; readonly account: string }, text: string): readonly string[];
  hasChannel(channel: string, account: string): boolean;
  changed(): void;
};

export function createOutward(ports: OutwardPorts) {
  const { store, outbox, journal, delivery, now } = ports;
  const settled = (id: number, kind: 'outbox.taken-back' | 'outbox.released', by: object): void => {
    journal.record(kind, { id, by });
    ports.changed();
  };
  return {
    /** Durable when it returns. `to` is channel:account:chat, or '' for the chat of the call, which nothing holds back. */
    send(call: PermittedCall, to: string, text: string): { ids: readonly number[]; leavesAtMs: number } {
      const { speaker } = call;
      const [channel = '', account = '', ...rest] = to === '' ? [] : to.split(':');
      const isOwn = to === '' || to === `${speaker.channel}:${speaker.account}:${speaker.chat}`;
      const place = isOwn ? speaker : { channel, account, chat: rest.join(':') };
      if (!ports.hasChannel(place.channel, place.account)) throw noChannel(place.channel, place.account);
      const atMs = now();
      const leavesAtMs = isOwn ? 0 : atMs + ports.undoMs();
      let ids: readonly number[] = [];
      const rows = store.commit(() => {
        const sent = ports.cut(place, text).map((part, n): OutboxRow => {
          const row = {
            ...{ channel: place.channel, account: place.account, chat: place.chat, thread: '', replyTo: '' },
            ...{ text: part, files: [], idempotencyKey: `tool:${call.turnId}:${call.callId}:${n}`, leavesAtMs },
          };
          const id = outbox.insert({ ...row, inboxId: 0, atMs, label: call.context });
          return { ...row, id, state: 'queued', atMs };
        });
        ids = sent.map(({ id }) => id);
        journal.record('outbox.queued', { run: call.turnId, call: call.callId, ids, to: to || 'own chat', leavesAtMs });
        return sent;
      });
      for (const row of rows) delivery.enqueue(row);
      if (leavesAtMs > atMs) ports.changed();
      return { ids, leavesAtMs: leavesAtMs > atMs ? leavesAtMs : 0 };
    },
    held: (): HeldMessage[] =>
      delivery.held.list().map(({ id, channel, account, chat, text, atMs, leavesAtMs = 0 }) => ({
        ...{ id, to: `${channel}:${account}:${chat}`, text, atMs, leavesAtMs },
      })),
    /** False when it has left already, or there is no such message. */
    takeBack(id: number, by: object): boolean {
      const done = delivery.withdraw(id, 'taken back by the owner');
      if (done) settled(id, 'outbox.taken-back', by);
      return done;
    },
    release(id: number, by: object): boolean {
      const done = delivery.held.release(id);
      if (done) settled(id, 'outbox.released', by);
      return done;
    },
  };
}

function noChannel(channel: string, account: string): HardshellError {
  return new HardshellError({
    code: 'NO_SUCH_CHANNEL',
    message: `no channel ${channel}${account === 'default' ? '' : `, account ${account},`} can send anything`,
    fix: 'openclaw channels list',
  });
}
