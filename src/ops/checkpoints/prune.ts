// Owns forgetting checkpoints: those that are old, and the oldest when together they take too much room. The newest are
// always kept, and so is everything that a kept one needs.
import type { Objects } from '../../platform/tree/objects.ts';
import type { Manifest } from './manifest.ts';
import type { Records, TurnRecord } from './records.ts';

export type PruneInput = {
  readonly records: Records;
  readonly objects: Objects;
  load(hash: string): Promise<Manifest | null>;
  readonly nowMs: number;
  readonly maxBytes: number;
  keep(id: string): boolean;
};

const KEEP_MS = 7 * 24 * 60 * 60_000;
const KEEP_NEWEST = 20;
const MAX_TURNS = 500;

/** Returns how many bytes are left. */
export async function pruneRecords({ records, objects, load, nowMs, maxBytes, keep }: PruneInput): Promise<number> {
  const all = records.list();
  const newest = new Set(all.slice(-KEEP_NEWEST));
  const isOld = (one: TurnRecord, index: number): boolean =>
    !newest.has(one) && !keep(one.id) && (one.startedAtMs < nowMs - KEEP_MS || all.length - index > MAX_TURNS);
  for (const [index, one] of all.entries()) if (isOld(one, index)) records.remove(one);
  for (;;) {
    const left = records.list();
    const used = await sweep(left);
    const oldest = left.find(({ id }) => !keep(id));
    // One is kept whatever its size: it was within the bound when it was made.
    if (used <= maxBytes * 0.9 || left.length <= 1 || oldest === undefined) return used;
    for (const one of left.slice(0, Math.ceil(left.length / 4))) {
      if (!keep(one.id) && one !== left.at(-1)) records.remove(one);
    }
  }

  async function sweep(left: readonly TurnRecord[]): Promise<number> {
    const needed = new Set<string>();
    for (const hash of new Set([records.latest().hash, ...left.flatMap(({ before, after }) => [before, after])])) {
      if (hash === '') continue;
      needed.add(hash);
      const manifest = await load(hash);
      for (const entry of manifest?.entries.values() ?? []) if (entry.hash !== '') needed.add(entry.hash);
    }
    return objects.sweep((hash) => needed.has(hash));
  }
}
