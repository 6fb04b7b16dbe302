// Owns changing single entries of a hostile tree back: a file, a link, a folder, a mode, or nothing in its place. Each is
// reached through folders held open, so nothing outside is ever written; it gives no setuid bit and follows no link.
import {
  chmodSync,
  closeSync,
  constants,
  fchownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { errnoOf } from '../errors.ts';
import type { Owner } from '../folder-handle.ts';
import { newToken } from '../ids.ts';
import { inPlace, openPlace, type Place } from './handle.ts';
import { TEMPORARY } from './walk.ts';

export type Tree = { readonly top: string; readonly owner?: Owner };

const MAKE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const FOLDER_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

const inParent = <T>({ top }: Tree, path: string, use: (place: Place, name: string) => T | Promise<T>): Promise<T> => {
  const names = path.split('/');
  const name = names.pop() ?? '';
  if ([...names, name].some((one) => one === '' || one === '.' || one === '..')) throw new Error('not a path');
  return inPlace(top, names, (place) => use(place, name));
};

const temporaryName = (): string => `.hardshell-${newToken(8)}.tmp`;

/** Atomically: temporary file, fsync, rename in one folder. Its name is durable after `settleFolders`. */
export function putFile(tree: Tree, path: string, data: Uint8Array, mode: number, mtimeMs: number): Promise<void> {
  return inParent(tree, path, async (place, name) => {
    const temporary = place.at(temporaryName());
    const handle = await open(temporary, MAKE_FLAGS, 0o600);
    try {
      try {
        await handle.writeFile(data);
        if (tree.owner) await handle.chown(tree.owner.uid, tree.owner.gid);
        await handle.chmod(mode & 0o777);
        await handle.utimes(new Date(), mtimeMs / 1000);
        await handle.sync();
      } finally {
        await handle.close();
      }
      renameSync(temporary, place.at(name));
    } catch (error) {
      unlinkQuietly(temporary);
      throw error;
    }
  });
}

export function putLink(tree: Tree, path: string, target: string): Promise<void> {
  return inParent(tree, path, (place, name) => {
    const temporary = place.at(temporaryName());
    symlinkSync(target, temporary);
    try {
      if (tree.owner) lchownSync(temporary, tree.owner.uid, tree.owner.gid);
      renameSync(temporary, place.at(name));
    } catch (error) {
      unlinkQuietly(temporary);
      throw error;
    }
  });
}

/** With a mode in which things can be put into it; `setMode` comes last. One that is there already is fine. */
export function putFolder(tree: Tree, path: string): Promise<void> {
  return inParent(tree, path, (place, name) => {
    try {
      mkdirSync(place.at(name), 0o700);
      const fd = openSync(place.at(name), FOLDER_FLAGS);
      try {
        if (tree.owner) fchownSync(fd, tree.owner.uid, tree.owner.gid);
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST' || !lstatSync(place.at(name)).isDirectory()) throw error;
    }
  });
}

/** Of a folder: a file gets its mode with its content. */
export function setMode(tree: Tree, path: string, mode: number): Promise<void> {
  return inParent(tree, path, (place, name) => {
    const folder = openPlace(place.at(name));
    try {
      chmodSync(folder.at(), mode & 0o777);
    } finally {
      folder.close();
    }
  });
}

/** False: a folder that holds something, which stays. What is gone already is fine. */
export function remove(tree: Tree, path: string, kind: 'folder' | 'file'): Promise<boolean> {
  return inParent(tree, path, (place, name) => {
    try {
      if (kind === 'folder') rmdirSync(place.at(name));
      else unlinkSync(place.at(name));
    } catch (error) {
      if (errnoOf(error) === 'ENOTEMPTY') return false;
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    return true;
  });
}

/** Makes the names in these folders outlive a power cut, and removes what an atomic write that was killed left there. */
export async function settleFolders({ top }: Tree, folders: Iterable<string>): Promise<void> {
  for (const folder of folders) {
    await inPlace(top, folder === '' ? [] : folder.split('/'), async (place) => {
      for (const name of readdirSync(place.at())) if (TEMPORARY.test(name)) unlinkQuietly(place.at(name));
      const handle = await open(place.at(), constants.O_RDONLY | constants.O_DIRECTORY);
      await handle.sync().finally(() => handle.close());
    }).catch(() => {});
  }
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The first failure is the one worth reporting.
  }
}
