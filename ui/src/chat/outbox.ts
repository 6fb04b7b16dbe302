// Owns messages on their way out: each keeps one idempotency key from the first attempt on, so that a resend is never a
// second message. Survives a reload of the page (sessionStorage); a message leaves once the gateway's transcript has it.
import type { GatewayError } from '../protocol/frames.ts';
import { listOf, numberOf, objectOf, textOf } from '../protocol/frames.ts';
import type { Message } from '../protocol/messages.ts';

export type Outgoing = {
  /** idempotency key and run id */
  readonly id: string;
  readonly sessionKey: string;
  readonly text: string;
  readonly createdAtMs: number;
  /** `waiting`: for the connection. `accepted`: durable at the gateway, not in the transcript yet. */
  readonly state: 'waiting' | 'sending' | 'accepted' | 'failed';
  readonly error: Pick<GatewayError, 'message' | 'fix'> | null;
};

const STORAGE_KEY = 'hardshell.outbox';

export function loadOutbox(): Outgoing[] {
  try {
    return listOf(JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? '[]')).flatMap((value): Outgoing[] => {
      const row = objectOf(value);
      const [id, sessionKey, text] = [textOf(row['id']), textOf(row['sessionKey']), textOf(row['text'])];
      if (id === '' || sessionKey === '' || text === '') return [];
      return [{ id, sessionKey, text, createdAtMs: numberOf(row['createdAtMs']) ?? 0, state: 'waiting', error: null }];
    });
  } catch {
    return [];
  }
}

export function saveOutbox(outbox: readonly Outgoing[]): void {
  const kept = outbox
    .filter((o) => o.state !== 'failed')
    .map(({ id, sessionKey, text, createdAtMs }) => ({ id, sessionKey, text, createdAtMs }));
  if (kept.length === 0) sessionStorage.removeItem(STORAGE_KEY);
  else sessionStorage.setItem(STORAGE_KEY, JSON.stringify(kept));
}

/** Drops what the transcript has by now. */
export function withoutDelivered(
  outbox: readonly Outgoing[],
  sessionKey: string,
  messages: readonly Message[],
): readonly Outgoing[] {
  const delivered = new Set(messages.flatMap((m) => (m.role === 'user' ? [m.runId] : [])));
  const kept = outbox.filter((o) => o.sessionKey !== sessionKey || !delivered.has(o.id));
  return kept.length === outbox.length ? outbox : kept;
}

/** What may be sent now: in a session strictly one after the other, so that order is kept. */
export function nextToSend(outbox: readonly Outgoing[]): Outgoing[] {
  const busy = new Set(outbox.flatMap((o) => (o.state === 'sending' ? [o.sessionKey] : [])));
  return outbox.filter((o) => {
    if (o.state !== 'waiting' || busy.has(o.sessionKey)) return false;
    busy.add(o.sessionKey);
    return true;
  });
}

/** After a lost connection nobody knows what arrived: everything not refused is asked about again, with the same key. */
export function afterReconnect(outbox: readonly Outgoing[]): readonly Outgoing[] {
  return outbox.map((o) => (o.state === 'sending' ? { ...o, state: 'waiting' as const } : o));
}
