// Owns when a person last looked at each session, in localStorage: times and keys only, no content. From it comes the
// dot of an unread session.
import { numberOf, objectOf } from '../protocol/frames.ts';
import type { SessionRow } from '../protocol/rows.ts';

const STORAGE_KEY = 'hardshell.seen';
const MAX_SESSIONS = 400;
/** What was there before the page was first opened counts as seen. */
const SINCE = '*';

export function loadSeen(): ReadonlyMap<string, number> {
  const seen = new Map<string, number>();
  try {
    for (const [key, value] of Object.entries(objectOf(JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}')))) {
      const atMs = numberOf(value);
      if (atMs !== null) seen.set(key, atMs);
    }
  } catch {
    // Broken storage: everything counts as seen from now on.
  }
  if (!seen.has(SINCE)) seen.set(SINCE, Date.now());
  return seen;
}

export function withSeen(seen: ReadonlyMap<string, number>, key: string, atMs: number): ReadonlyMap<string, number> {
  if ((seen.get(key) ?? 0) >= atMs) return seen;
  const next = new Map(seen);
  next.delete(key);
  next.set(key, atMs);
  // The oldest look is forgotten first; the session then counts from SINCE.
  for (const old of next.keys()) {
    if (next.size <= MAX_SESSIONS) break;
    if (old !== SINCE) next.delete(old);
  }
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(Object.fromEntries(next)));
  } catch {
    // A full or forbidden storage only costs the dots.
  }
  return next;
}

export function isUnread(row: SessionRow, seen: ReadonlyMap<string, number>): boolean {
  return row.updatedAtMs > Math.max(seen.get(row.key) ?? 0, seen.get(SINCE) ?? 0);
}
