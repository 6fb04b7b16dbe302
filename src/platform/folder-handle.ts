// Owns the way down from a trusted folder: one name at a time, each held open before the next is looked up, so that a
// swap in between changes nothing. On Linux it must never look up two names in one call.
import { constants, readFileSync, type Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, HardshellError } from './errors.ts';
import { fileFailure } from './file-errors.ts';

/** Not in node:fs: names a place without opening what is there. */
const O_PATH = 0o10000000;
const FOLDER_ONLY = constants.O_DIRECTORY | constants.O_NOFOLLOW;

export type Owner = { readonly uid: number; readonly gid: number };

/** An open folder. `at(name)` is a path that names the entry in exactly this folder, wherever the folder is by now. */
export type Folder = {
  readonly path: string;
  readonly device: number;
  /** of this folder and of those above it, up to the trusted one */
  readonly identities: readonly string[];
  /** which mount it is part of; '' where that cannot be told */
  readonly mount: string;
  at(name: string): string;
  /** where it is by now */
  real(): Promise<string>;
  close(): Promise<void>;
};

/** The same for everything that is the same folder or file, whatever its name; numbers of removed files come back, birthdays do not. */
export const identityOf = ({ dev, ino, birthtimeMs }: Pick<Stats, 'dev' | 'ino' | 'birthtimeMs'>): string =>
  [dev, ino, birthtimeMs].join(' ');

/** The trusted folder itself: a real path, whose parents only its owner can change. */
async function openTop(path: string): Promise<Folder> {
  return openFolder(path, '', []).catch((error: unknown) => {
    throw fileFailure('open the folder', path, error);
  });
}

async function openFolder(path: string, shown: string, above: readonly string[]): Promise<Folder> {
  if (process.platform !== 'linux') return openByPath(path, shown, above);
  const handle = await open(path, O_PATH | FOLDER_ONLY);
  try {
    const found = await handle.stat();
    const self = `/proc/self/fd/${handle.fd}`;
    return {
      path: shown,
      device: found.dev,
      identities: [...above, identityOf(found)],
      mount: mountOf(handle),
      at: (name) => `${self}/${name}`,
      real: () => readlink(self),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Best effort where no path can name an open folder: a swap between two calls is possible there. */
async function openByPath(path: string, shown: string, above: readonly string[]): Promise<Folder> {
  const stat = await lstat(path);
  if (!stat.isDirectory()) throw Object.assign(new Error(`${shown} is not a folder`), { code: 'ENOTDIR' });
  return {
    path: shown,
    device: stat.dev,
    identities: [...above, identityOf(stat)],
    mount: '',
    at: (name) => join(path, name),
    real: () => realpath(path),
    close: async () => {},
  };
}

/** A folder of the same disk can be mounted below the trusted one, and its device number does not tell. */
export function mountOf({ fd }: FileHandle): string {
  if (process.platform !== 'linux') return '';
  return /^mnt_id:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '';
}

/** What to do about folders that are missing on the way. */
export type Missing =
  | { readonly make: false }
  | {
      readonly make: true;
      readonly owner: Owner | undefined;
      /** asked before each folder is made; throws to refuse */
      allow(parent: Folder, name: string): Promise<void>;
    };

/**
 * Opens the folder that `names` lead to, hands it to `use`, and closes every folder that was opened on the way. `anyDisk`:
 * the way may lead over mounts.
 */
export async function withFolder<T>(
  top: string,
  names: readonly string[],
  missing: Missing & { readonly anyDisk?: boolean | undefined },
  use: (folder: Folder) => Promise<T>,
): Promise<T> {
  let here = await openTop(top);
  try {
    const { device, mount } = here;
    for (const name of names) {
      const next = await openChild(here, name, missing);
      await here.close();
      here = next;
      if (!missing.anyDisk && (here.device !== device || here.mount !== mount)) throw onOtherDisk(here.path);
    }
    return await use(here);
  } finally {
    await here.close();
  }
}

async function openChild(parent: Folder, name: string, missing: Missing): Promise<Folder> {
  const shown = parent.path === '' ? name : `${parent.path}/${name}`;
  const actual = await spellingOf(parent, name);
  try {
    return await openFolder(parent.at(actual), shown, parent.identities);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' && missing.make) return makeChild(parent, actual, shown, missing);
    throw await whyNotFolder(parent, actual, shown, error);
  }
}

async function makeChild(
  parent: Folder,
  name: string,
  shown: string,
  { owner, allow }: Extract<Missing, { make: true }>,
): Promise<Folder> {
  await allow(parent, name);
  const path = parent.at(name);
  try {
    await mkdir(path, 0o700);
    if (owner !== undefined) {
      const made = await open(path, constants.O_RDONLY | FOLDER_ONLY);
      await made.chown(owner.uid, owner.gid).finally(() => made.close());
    }
  } catch (error) {
    // Somebody else made it meanwhile; opening it decides whether it is a folder.
    if (errnoOf(error) !== 'EEXIST') throw fileFailure('make the folder', shown, error);
  }
  return openFolder(path, shown, parent.identities).catch((error: unknown) => {
    throw fileFailure('open the folder', shown, error);
  });
}

/**
 * Names are looked up composed (NFC), so that one name is one file however it was typed; a file that exists only under
 * another spelling is still found under that one.
 */
export async function spellingOf(folder: Folder, name: string): Promise<string> {
  const composed = name.normalize('NFC');
  if (composed === name) return name;
  if (await exists(folder.at(composed))) return composed;
  return (await exists(folder.at(name))) ? name : composed;
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function whyNotFolder(parent: Folder, name: string, shown: string, error: unknown): Promise<HardshellError> {
  const found = await lstat(parent.at(name)).catch(() => null);
  return found?.isSymbolicLink() === true ? isLink(shown) : fileFailure('open the folder', shown, error);
}

/** A real descriptor on the folder itself, to read its names or to make a rename in it durable. */
export async function openForNames(folder: Folder): Promise<FileHandle> {
  return open(folder.at('.'), constants.O_RDONLY | constants.O_DIRECTORY);
}

export function isLink(shown: string): HardshellError {
  const message = `${shown} is a symbolic link, and links are not followed`;
  return new HardshellError({ code: 'PATH_LINK', message, fix: 'name the real file inside the workspace' });
}

export function onOtherDisk(shown: string): HardshellError {
  const message = `${shown} is on another disk than the workspace`;
  return new HardshellError({ code: 'PATH_OUTSIDE', message, fix: 'copy it into the workspace' });
}
