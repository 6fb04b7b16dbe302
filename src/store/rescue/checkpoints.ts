// Owns when the log of writes goes over into the database while the gateway runs. Somebody may be copying the folder file by
// file just then, and what they get is torn: there is always a snapshot from well before, for a start to fall back to.
import type { Store } from '../open.ts';

/** about 160 and 320 turns */
const SNAPSHOT_PAGES = 6_000;
const CHECKPOINT_PAGES = 12_000;
/** longer than most copies take */
const APART_MS = 10_000;
/** what such a copy may lack; each snapshot writes the whole database once more */
const FRESH_MS = 10 * 60_000;
const LOOK_EVERY_MS = 500;

export type Snapshots = {
  /** of the newest one in this run, whether it came about or not */
  takenAt(): number;
  take(): Promise<void>;
};

/** From now on, after commits; with many of them SQLite's own limit comes first. */
export function keepCheckpoints(store: Store, snapshots: Snapshots, now: () => number): void {
  let lookedAt = 0;
  /** How long ago; when the clock was set back nobody knows, so the step counts. */
  const since = (atMs: number): number => (Number.isFinite(atMs) ? Math.abs(now() - atMs) : now() - atMs);
  store.afterCommit(() => {
    if (since(lookedAt) < LOOK_EVERY_MS) return;
    lookedAt = now();
    const pages = store.logPages();
    const age = since(snapshots.takenAt());
    if (pages >= SNAPSHOT_PAGES && age > FRESH_MS) void snapshots.take();
    else if (pages >= CHECKPOINT_PAGES && age > APART_MS) tryCheckpoint(store);
  });
}

/** What was committed stands in the log all the same, and must not pass for undone: the next look tries again. */
function tryCheckpoint(store: Store): void {
  try {
    store.checkpoint();
  } catch {
    // A disk that is full or broken refuses the next commit, which says so.
  }
}
