// Owns keeping the index in step with the files: by their stamps, when somebody asks, a small piece at a time, so that
// nothing else waits for it. A change that no tool made is noted as one from outside.
import { setImmediate as breathe } from 'node:timers/promises';
import type { Root } from '../platform/root.ts';
import { UNTRUSTED } from '../store/label.ts';
import type { Store } from '../store/open.ts';
import type { MemoryRows } from '../store/provenance/memory-rows.ts';
import { ABOUT_OWNER, chunksOf, isMemoryFile, LONG_TERM, MAX_MEMORY_BYTES, NOTES, wordsOf } from './files.ts';

const MAX_FILES = 5_000;
/** Of one transaction: a few milliseconds. */
const CHUNKS_AT_ONCE = 40;
const DAY = /^memory\/(\d{4}-\d{2}-\d{2})/;

export type UpkeepPorts = {
  readonly root: Root;
  readonly store: Store;
  readonly rows: MemoryRows;
  readonly now: () => number;
};

export function createUpkeep({ root, store, rows, now }: UpkeepPorts) {
  /** What lies there now, with its time. */
  async function present(): Promise<Map<string, number>> {
    const notes = await root.list(NOTES, MAX_FILES).catch(() => ({ entries: [] }));
    const found = new Map<string, number>([
      [LONG_TERM, 0],
      [ABOUT_OWNER, 0],
    ]);
    for (const { name, kind, modifiedAtMs } of notes.entries) {
      const path = `${NOTES}/${name}`;
      if (kind === 'file' && isMemoryFile(path)) found.set(path, timeOf(path, modifiedAtMs));
    }
    return found;
  }

  async function drop(path: string): Promise<void> {
    while (store.commit(() => rows.dropChunks(path, CHUNKS_AT_ONCE)) === CHUNKS_AT_ONCE) await breathe();
  }

  async function take(path: string, stamp: string, atMs: number, isFirst: boolean): Promise<void> {
    // What cannot be read as a text is no memory; it is looked at again when it changes.
    const data = await root.tryRead(path, MAX_MEMORY_BYTES).catch(() => null);
    const text = data?.toString('utf8').toWellFormed() ?? '';
    const before = rows.contentOf(path);
    if (before === text) {
      store.commit(() => rows.putFile(path, stamp, text));
      return;
    }
    await drop(path);
    const chunks = chunksOf(text);
    for (let from = 0; from < chunks.length; from += CHUNKS_AT_ONCE) {
      store.commit(() => {
        for (const chunk of chunks.slice(from, from + CHUNKS_AT_ONCE))
          rows.addChunk({ path, atMs, ...chunk }, wordsOf(chunk.text));
      });
      await breathe();
    }
    store.commit(() => {
      rows.putFile(path, stamp, text);
      if (!isFirst) outside(path, before, text);
    });
  }

  function outside(path: string, before: string | null, after: string | null): void {
    if (rows.lastChange(path)?.after === after) return;
    rows.addChange({ atMs: now(), path, before, after, who: 'outside', sessionKey: '', label: UNTRUSTED });
  }

  async function refresh(): Promise<void> {
    const known = new Map(rows.files().map(({ path, stamp }) => [path, stamp]));
    const isFirst = known.size === 0;
    const there = await present();
    for (const path of known.keys()) {
      if (there.has(path) && root.stamp(path) !== '') continue;
      const before = rows.contentOf(path);
      await drop(path);
      store.commit(() => {
        rows.dropFile(path);
        outside(path, before, null);
      });
    }
    for (const [path, atMs] of there) {
      const stamp = root.stamp(path);
      if (stamp !== '' && stamp !== known.get(path)) await take(path, stamp, atMs, isFirst);
    }
  }

  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  return {
    /** The files as they are when this is called are in the index when it returns. */
    refresh(): Promise<void> {
      if (running === null) {
        running = refresh().finally(() => {
          running = null;
        });
        return running;
      }
      // The one that runs may have passed the file already.
      next ??= running
        .catch(() => {})
        .then(() => {
          next = null;
          return this.refresh();
        });
      return next;
    },
  };
}

/** The day in the name, else when it was changed; 0: what does not age. */
function timeOf(path: string, modifiedAtMs: number): number {
  const day = Date.parse(DAY.exec(path)?.[1] ?? '');
  return Number.isNaN(day) ? modifiedAtMs : day;
}
