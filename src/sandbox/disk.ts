// Owns what must stay free on the disk of the workspace, since the gateway's own state is mostly on the same one: a
// command that filled it would end every conversation. No quota is needed, and nothing is deleted.
import { type StatsFs, statfsSync } from 'node:fs';
import { HardshellError } from '../platform/errors.ts';

/** Enough for what a fast disk takes between two looks of the watch, and for a long time of talking after that. */
const RESERVE_BYTES = 512 * 1024 ** 2;
const RESERVE_OF_SMALL = 0.25;
const RESERVE_OF_FILES = 0.01;

type Room = Pick<StatsFs, 'bsize' | 'blocks' | 'bavail' | 'files' | 'ffree'>;

/** True when commands have to stop writing there. A disk that cannot be asked does not stop anybody. */
export function isNearlyFull(folder: string, roomOf: (folder: string) => Room = statfsSync): boolean {
  try {
    const { bsize, blocks, bavail, files, ffree } = roomOf(folder);
    const reserve = Math.min(RESERVE_BYTES, bsize * blocks * RESERVE_OF_SMALL);
    // Some file systems count no files.
    return bsize * bavail < reserve || (files > 0 && ffree < files * RESERVE_OF_FILES);
  } catch {
    return false;
  }
}

export function nearlyFull(folder: string): HardshellError {
  const message = `the disk of the workspace ${folder} is nearly full, so no command runs there`;
  const fix = `free some space (df -h ${folder})`;
  return new HardshellError({ code: 'DISK_NEARLY_FULL', message, fix, httpStatus: 507 });
}
