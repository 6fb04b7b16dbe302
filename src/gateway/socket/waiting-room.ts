// Owns the sockets that have not shown the token yet: at most so many per address and in all. The oldest gives way to
// the newest, so that a flood of idle sockets from one page or program never keeps the owner out (attack N01).
import type { Limits } from '../limits.ts';

export type Guest = { readonly ip: string; readonly evict: () => void };
export type WaitingRoom = {
  enter(guest: Guest): void;
  leave(guest: Guest): void;
  evictAll(): void;
  readonly size: number;
};

export function createWaitingRoom(limits: Limits): WaitingRoom {
  // Both keep the order of arrival.
  const all = new Set<Guest>();
  const byIp = new Map<string, Set<Guest>>();

  const leave = (guest: Guest): void => {
    all.delete(guest);
    const sameIp = byIp.get(guest.ip);
    sameIp?.delete(guest);
    if (sameIp?.size === 0) byIp.delete(guest.ip);
  };
  const evictOldest = (guests: Iterable<Guest>): void => {
    for (const oldest of guests) {
      leave(oldest);
      oldest.evict();
      return;
    }
  };

  return {
    enter(guest) {
      const sameIp = byIp.get(guest.ip) ?? new Set();
      if (sameIp.size >= limits.preAuthSocketsPerIp) evictOldest(sameIp);
      else if (all.size >= limits.preAuthSockets) evictOldest(all);
      all.add(guest);
      // After an eviction the set of this address may have been dropped from the map.
      byIp.set(guest.ip, sameIp.add(guest));
    },
    leave,
    evictAll() {
      for (const guest of [...all]) evictOldest([guest]);
    },
    get size() {
      return all.size;
    },
  };
}
