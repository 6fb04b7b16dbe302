// Owns taking and keeping copies of the database, which a start falls back to (restore.ts). It must never leave half a
// copy under a name that counts.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { backup } from 'node:sqlite';
import { ensureFolder, moveFile, removeFile } from '../../platform/files.ts';
import type { Store } from '../open.ts';

const KEEP = 3;
const NAME = /^state-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z\.sqlite$/;
const timeOf = (name: string): number => Date.parse(name.replace(NAME, '$1-$2-$3T$4:$5:$6.$7Z')) || 0;

/** Copies the live database in small steps (the event loop stays free) and keeps the newest three. */
export async function takeSnapshot(store: Store, snapshotsDir: string, now: Date): Promise<string> {
  ensureFolder(snapshotsDir);
  // A clock that was set back must not make the newest pass for the oldest; nor two at once have one name.
  const newestMs = timeOf(snapshotsIn(snapshotsDir).at(-1) ?? '');
  const isLater = now.getTime() >= newestMs;
  const at = isLater ? now : new Date(newestMs + 1 + (now.getTime() % 60_000));
  const final = join(snapshotsDir, `state-${stamp(at)}.sqlite`);
  const partial = `${final}.partial`;
  try {
    await backup(store.db, partial, { rate: 200 });
    moveFile(partial, final);
  } catch (error) {
    // On a full disk what is left of it would keep the disk full.
    removeFile(partial);
    throw error;
  }
  for (const old of snapshotsIn(snapshotsDir).slice(0, -KEEP)) removeFile(join(snapshotsDir, old));
  return final;
}

/** Names, oldest first. */
export const snapshotsIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((n) => NAME.test(n))
        .sort()
    : [];

export const stamp = (now: Date): string => now.toISOString().replace(/[-:.]/g, '');
