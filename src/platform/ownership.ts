// Owns giving a folder, with everything in it, to another account. It must never follow a link, and never give away a
// file that has another name elsewhere: what is in the folder may have been put there to trick us.
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
  realpathSync,
} from 'node:fs';
import { errnoOf } from './errors.ts';
import { fileFailure } from './file-errors.ts';
import type { Owner } from './folder-handle.ts';

/** The folder itself, the folders and plain files below it; never another disk, links, pipes, sockets or devices. */
export function giveTree(path: string, owner: Owner): void {
  try {
    const top = openQuietly(realpathSync(path));
    if (top !== null) giveFolder(top, fstatSync(top).dev, owner);
  } catch (error) {
    throw fileFailure('hand over the folder', path, error);
  }
}

/** Takes over the descriptor. What it finds is reached through the open folder, so that a rename changes nothing. */
function giveFolder(fd: number, device: number, owner: Owner): void {
  try {
    const self = `/proc/self/fd/${fd}`;
    const folder = opendirSync(self);
    try {
      for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
        const child = openQuietly(`${self}/${entry.name}`);
        if (child === null) continue;
        const found = fstatSync(child);
        if (found.isDirectory() && found.dev === device) {
          giveFolder(child, device, owner);
          continue;
        }
        if (found.isFile() && found.dev === device && found.nlink === 1) give(child, owner);
        closeSync(child);
      }
    } finally {
      folder.closeSync();
    }
    give(fd, owner);
  } finally {
    closeSync(fd);
  }
}

function give(fd: number, owner: Owner): void {
  const { uid, gid, mode } = fstatSync(fd);
  if (uid === owner.uid && gid === owner.gid) return;
  fchownSync(fd, owner.uid, owner.gid);
  // The kernel takes setuid bits away from files; nothing here needs one in the first place.
  if ((mode & 0o7000) !== 0) fchmodSync(fd, mode & 0o777);
}

function openQuietly(path: string): number | null {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || !(found.isFile() || found.isDirectory())) return null;
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (['ELOOP', 'ENOENT', 'ENXIO'].includes(errnoOf(error) ?? '')) return null;
    throw error;
  }
}
