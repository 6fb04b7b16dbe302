// Owns who may ask to be let in, and how often that is answered. Few may wait at once; a number that is used once cannot
// push out somebody who waits, and however many strangers write, only so many are answered.
import { setNewest } from '../platform/newest.ts';
import type { Kind, PairingRequest } from '../store/people/pairing.ts';

export type Asker = {
  readonly channel: string;
  readonly account: string;
  readonly kind: Kind;
  readonly subject: string;
};

export type Chance =
  /** nothing changes, nothing is said */
  | { readonly kind: 'silent' }
  /** they wait already, and wrote again */
  | { readonly kind: 'again'; readonly request: PairingRequest; readonly returned: boolean }
  | { readonly kind: 'new'; readonly displaces: PairingRequest | null; readonly returned: boolean };

export const MAX_PENDING = 3;
const HOUR_MS = 60 * 60_000;
/** How many answers an account gives to strangers in an hour, and how many more to those who come back. */
export const REPLIES_PER_HOUR = 10;
export const MORE_FOR_RETURNING = 5;
/** Somebody who writes again after this long waits for an answer. */
const RETURN_AFTER_MS = 60_000;
/** For this long nobody is pushed out, so that the owner has time to approve. */
const PROTECTED_MS = 10 * 60_000;
const MAX_REMEMBERED = 5_000;

/** `recent`: when somebody was answered within the last hour, from before a restart. */
export function createRequests(now: () => number, recent: readonly (Asker & { readonly createdAtMs: number })[]) {
  const firstSeen = new Map<string, number>();
  const answered = new Map<string, number>();
  const perAccount = new Map<string, number[]>();

  const note = (asker: Asker, atMs: number): void => {
    setNewest(answered, keyOf(asker), atMs, MAX_REMEMBERED);
    const account = accountOf(asker);
    perAccount.set(account, [...(perAccount.get(account) ?? []).filter((at) => at > atMs - HOUR_MS), atMs]);
  };
  for (const asker of recent) note(asker, asker.createdAtMs);

  return {
    /** What may come of it; the caller writes it down and calls answered(). */
    chance(asker: Asker, pending: readonly PairingRequest[]): Chance {
      const nowMs = now();
      const key = keyOf(asker);
      const waiting = pending.filter(
        (r) =>
          r.channel === asker.channel && r.account === asker.account && r.kind === asker.kind && r.expiresAtMs > nowMs,
      );
      const mine = waiting.find((r) => r.subject === asker.subject);
      if (mine) {
        if (nowMs - mine.lastSeenAtMs < RETURN_AFTER_MS) return { kind: 'silent' };
        return { kind: 'again', request: mine, returned: true };
      }
      const returned = nowMs - (firstSeen.get(key) ?? nowMs) >= RETURN_AFTER_MS;
      if (!firstSeen.has(key)) setNewest(firstSeen, key, nowMs, MAX_REMEMBERED);
      const last = answered.get(key);
      if (last !== undefined && nowMs - last < HOUR_MS) return { kind: 'silent' };
      const said = (perAccount.get(accountOf(asker)) ?? []).filter((at) => at > nowMs - HOUR_MS).length;
      if (said >= REPLIES_PER_HOUR + (returned ? MORE_FOR_RETURNING : 0)) return { kind: 'silent' };
      // Who had a place and was not let in leaves one for those who never had any: three numbers must not hold the door for ever.
      const places = last === undefined ? MAX_PENDING : MAX_PENDING - 1;
      if (waiting.length < places) return { kind: 'new', displaces: null, returned };
      const oldest = waiting.find((r) => !r.returned && nowMs - r.createdAtMs >= PROTECTED_MS);
      return returned && oldest ? { kind: 'new', displaces: oldest, returned } : { kind: 'silent' };
    },
    answered: (asker: Asker): void => note(asker, now()),
    remembered: (): number => firstSeen.size + answered.size,
  };
}

const accountOf = ({ channel, account }: Asker): string => `${channel}\0${account}`;
const keyOf = ({ kind, subject, ...rest }: Asker): string =>
  `${accountOf({ kind, subject, ...rest })}\0${kind}\0${subject}`;
