// Owns access to files below one trusted folder. A path that reaches outside (by `..`, symlink, hard link, device or a
// rename in between) is refused; it must never fall back to plain path checks on Linux.
import type { Stats } from 'node:fs';
import { constants, lstatSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { link, lstat, open, opendir, readlink, realpath, rename, stat, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { errnoOf, HardshellError } from './errors.ts';
import { fileFailure } from './file-errors.ts';
import type { Folder, Owner } from './folder-handle.ts';
import { identityOf, isLink, mountOf, onOtherDisk, openForNames, spellingOf, withFolder } from './folder-handle.ts';
import { newToken } from './ids.ts';
import { fileNamesOf, namesOf } from './workspace-path.ts';

export type Entry = {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'other';
  readonly bytes: number;
  readonly modifiedAtMs: number;
};

/** A trusted folder. Every `path` is relative to it; failures are HardshellErrors with a code and a fix. */
export interface Root {
  /** absolute path, for people to read; never pass it on to open a file */
  readonly path: string;
  /** Refuses links, devices, files with more than one name, and files over `maxBytes`. */
  read(path: string, maxBytes: number): Promise<Buffer>;
  tryRead(path: string, maxBytes: number): Promise<Buffer | null>;
  /** Fails if it exists. Makes parent folders (0700). */
  create(path: string, data: Buffer | string, mode?: number): Promise<void>;
  /** Makes (0600) or replaces (a script stays executable), atomically: temporary file, fsync, rename in one folder. */
  replace(path: string, data: Buffer | string, mode?: number): Promise<void>;
  /** Sorted by name; at most `limit` entries. */
  list(path: string, limit: number): Promise<{ readonly entries: readonly Entry[]; readonly truncated: boolean }>;
  /** Changes whenever the file does; empty when there is no such file. Cheap: nothing is opened, nothing is promised. */
  stamp(path: string): string;
  close(): Promise<void>;
}

/** What was really opened: where it is, by the kernel's word, and what it and the folders on the way are. */
export type Opened = {
  readonly path: string;
  readonly access: 'read' | 'write';
  readonly identities: readonly string[];
};

export type RootOptions = {
  /** who owns the files and folders made here, when the gateway itself runs as root */
  readonly owner?: Owner;
  /** Asked about everything once it is held open, before a byte of it is read or changed; throws to refuse. */
  readonly inspect?: ((opened: Opened) => void) | undefined;
  /** what is mounted below counts as part of it */
  readonly anyDisk?: boolean;
};

const PRIVATE_FILE = 0o600;
/** A folder with more names than this is listed in part: sorting needs them all in memory. */
const MAX_NAMES = 20_000;
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const MAKE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export async function openRoot(dir: string, options: RootOptions = {}): Promise<Root> {
  const path = await realpath(dir).catch((error: unknown) => {
    throw fileFailure('open the folder', dir, error);
  });
  await proveHandles(path);
  const spellings = [path, resolve(dir)];
  const { owner, inspect, anyDisk } = options;
  let isOpen = true;

  function refuseClosed(): void {
    if (!isOpen) throw new HardshellError({ code: 'ROOT_CLOSED', message: `the workspace ${path} is closed already` });
  }

  /** Walks to the folder of `names` and hands it over with the last name, spelled as on the disk. */
  function atFile<T>(names: readonly string[], make: boolean, use: (folder: Folder, name: string) => Promise<T>) {
    refuseClosed();
    const allow = (folder: Folder, name: string): Promise<void> => inspectTarget(folder, name, null, inspect);
    const missing = make ? ({ make, owner, anyDisk, allow } as const) : ({ make: false, anyDisk } as const);
    const last = names.at(-1) ?? '.';
    return withFolder(path, names.slice(0, -1), missing, async (folder) => use(folder, await spellingOf(folder, last)));
  }

  async function read(shown: string, maxBytes: number): Promise<Buffer> {
    return atFile(fileNamesOf(shown, spellings), false, (folder, name) =>
      readFile(folder, name, shown, { maxBytes, inspect, anyDisk }),
    );
  }

  return {
    path,
    read,
    async tryRead(shown, maxBytes) {
      try {
        return await read(shown, maxBytes);
      } catch (error) {
        if (error instanceof HardshellError && error.code === 'FILE_MISSING') return null;
        throw error;
      }
    },
    async create(shown, data, mode = PRIVATE_FILE) {
      await atFile(fileNamesOf(shown, spellings), true, async (folder, name) => {
        await inspectTarget(folder, name, null, inspect);
        await placeFile(folder, data, mode, owner, shown, async (temporary) => {
          // Unlike a rename, a link never replaces what is there.
          await link(temporary, folder.at(name));
          await unlink(temporary);
        });
      });
    },
    async replace(shown, data, mode) {
      await atFile(fileNamesOf(shown, spellings), true, async (folder, name) => {
        const before = await refuseOddTarget(folder, name, shown);
        await inspectTarget(folder, name, before, inspect);
        const kept = mode ?? (before === null ? PRIVATE_FILE : (before.mode & 0o700) | PRIVATE_FILE);
        await placeFile(folder, data, kept, owner, shown, (temporary) => rename(temporary, folder.at(name)));
      });
    },
    async list(shown, limit) {
      refuseClosed();
      const names = namesOf(shown, spellings);
      return withFolder(path, names, { make: false, anyDisk }, async (folder) => {
        inspect?.({ path: await folder.real(), access: 'read', identities: folder.identities });
        return listNames(folder, shown, limit);
      });
    },
    stamp(shown) {
      const found = lstatSync(join(path, ...namesOf(shown, spellings)), { bigint: true, throwIfNoEntry: false });
      return found ? [found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ') : '';
    },
    async close() {
      isOpen = false;
    },
  };
}

/** Without /proc the lookups below would not be what they claim to be, so nothing is opened at all. */
async function proveHandles(path: string): Promise<void> {
  const same = await withFolder(path, [], { make: false }, async (folder) => {
    const [there, here] = await Promise.all([stat(path), stat(folder.at('.')).catch(() => null)]);
    return here !== null && here.dev === there.dev && here.ino === there.ino;
  });
  if (same) return;
  const message = `cannot open ${path} safely: /proc is not mounted or shows another machine`;
  throw new HardshellError({ code: 'PROC_MISSING', message, fix: 'mount -t proc proc /proc' });
}

type Reading = Pick<RootOptions, 'inspect'> & { readonly maxBytes: number; readonly anyDisk: boolean | undefined };

async function readFile(folder: Folder, name: string, shown: string, reading: Reading): Promise<Buffer> {
  const { maxBytes, inspect } = reading;
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder.at(name), READ_FLAGS);
    const found = await refuseOddFile(handle, folder, shown, reading);
    const identities = [...folder.identities, identityOf(found)];
    inspect?.({ path: await whereIs(handle, folder, name), access: 'read', identities });
    return await readAtMost(handle, shown, maxBytes);
  } catch (error) {
    throw errnoOf(error) === 'ELOOP'
      ? isLink(shown)
      : errnoOf(error) === 'ENXIO'
        ? notAFile(shown)
        : fileFailure('read', shown, error);
  } finally {
    await handle?.close();
  }
}

/** The kernel's word on an open file; elsewhere than on Linux the name that it was opened by. */
async function whereIs({ fd }: FileHandle, folder: Folder, name: string): Promise<string> {
  return process.platform === 'linux' ? readlink(`/proc/self/fd/${fd}`) : join(await folder.real(), name);
}

/** The name that is about to be made or replaced, and what stands there now. */
async function inspectTarget(
  folder: Folder,
  name: string,
  before: Stats | null,
  inspect: RootOptions['inspect'],
): Promise<void> {
  const identities = before === null ? folder.identities : [...folder.identities, identityOf(before)];
  inspect?.({ path: join(await folder.real(), name), access: 'write', identities });
}

async function refuseOddFile(
  handle: FileHandle,
  folder: Folder,
  shown: string,
  { maxBytes, anyDisk }: Reading,
): Promise<Stats> {
  const found = await handle.stat();
  if (found.isDirectory()) throw fileFailure('read', shown, { code: 'EISDIR' });
  if (!found.isFile()) throw notAFile(shown);
  if (!anyDisk && (found.dev !== folder.device || mountOf(handle) !== folder.mount)) throw onOtherDisk(shown);
  if (found.nlink !== 1) throw hasOtherNames(shown);
  if (found.size > maxBytes) throw tooBig(shown, maxBytes);
  return found;
}

/** Reads one byte more than allowed at most, since the file may grow while it is read. */
async function readAtMost(handle: FileHandle, shown: string, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let total = 0; ; ) {
    const chunk = Buffer.allocUnsafe(Math.min(64 * 1024, maxBytes + 1 - total));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, null);
    if (bytesRead === 0) return Buffer.concat(parts);
    total += bytesRead;
    if (total > maxBytes) throw tooBig(shown, maxBytes);
    parts.push(chunk.subarray(0, bytesRead));
  }
}

/** A rename would replace any of these without harm to what they point at, but the caller meant a plain file. */
async function refuseOddTarget(folder: Folder, name: string, shown: string): Promise<Stats | null> {
  const found = await lstat(folder.at(name)).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return null;
    throw fileFailure('write', shown, error);
  });
  if (found === null) return null;
  if (found.isSymbolicLink()) throw isLink(shown);
  if (found.isDirectory()) throw fileFailure('write', shown, { code: 'EISDIR' });
  if (!found.isFile()) throw notAFile(shown);
  if (found.nlink !== 1) throw hasOtherNames(shown);
  return found;
}

/** Writes a temporary file in the folder, makes it durable, and lets `place` give it its name. */
async function placeFile(
  folder: Folder,
  data: Buffer | string,
  mode: number,
  owner: Owner | undefined,
  shown: string,
  place: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = folder.at(`.hardshell-${newToken(8)}.tmp`);
  let names: FileHandle | undefined;
  let made = false;
  try {
    names = await openForNames(folder);
    const handle = await open(temporary, MAKE_FLAGS, mode);
    made = true;
    try {
      await handle.writeFile(data);
      await handle.chmod(mode);
      if (owner !== undefined) await handle.chown(owner.uid, owner.gid);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await place(temporary);
    made = false;
    await names.sync();
  } catch (error) {
    if (made) await unlink(temporary).catch(() => {});
    throw fileFailure('write', shown, error);
  } finally {
    await names?.close();
  }
}

async function listNames(
  folder: Folder,
  shown: string,
  limit: number,
): Promise<{ entries: Entry[]; truncated: boolean }> {
  const names: string[] = [];
  try {
    for await (const { name } of await opendir(folder.at('.'))) {
      names.push(name);
      if (names.length >= MAX_NAMES) break;
    }
  } catch (error) {
    throw fileFailure('list', shown, error);
  }
  names.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const entries = await Promise.all(names.slice(0, limit).map((name) => describe(folder, name)));
  return { entries, truncated: names.length > limit || names.length >= MAX_NAMES };
}

async function describe(folder: Folder, name: string): Promise<Entry> {
  const found = await lstat(folder.at(name)).catch(() => null);
  if (found === null) return { name, kind: 'other', bytes: 0, modifiedAtMs: 0 };
  const kind = found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
  return { name, kind, bytes: kind === 'file' ? found.size : 0, modifiedAtMs: Math.round(found.mtimeMs) };
}

function notAFile(shown: string): HardshellError {
  const message = `${shown} is a device, pipe or socket, not a plain file`;
  return new HardshellError({ code: 'NOT_A_FILE', message, fix: 'name a plain file' });
}

function hasOtherNames(shown: string): HardshellError {
  const message = `${shown} has more than one name (hard links), so it may be a file from outside the workspace`;
  return new HardshellError({ code: 'PATH_HARD_LINK', message, fix: 'copy it to a new name first' });
}

function tooBig(shown: string, maxBytes: number): HardshellError {
  const message = `${shown} is larger than ${maxBytes} bytes`;
  return new HardshellError({
    code: 'FILE_TOO_BIG',
    message,
    fix: 'read a part of it with a command (head, tail, sed)',
  });
}
