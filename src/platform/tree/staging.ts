// Owns large writes that must appear whole or not at all: a spool without a name, a new file made from a stream, and a
// folder that is filled beside its place and then takes it. It must never leave a part where somebody takes it for the whole.
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs';
import { chmod, type FileHandle, link, mkdir, open, rename, symlink, unlink, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EXIT, errnoOf, HardshellError } from '../errors.ts';
import { fileFailure } from '../file-errors.ts';
import { newToken } from '../ids.ts';
import { TEMPORARY } from './walk.ts';

type Chunks = AsyncIterable<Uint8Array>;

const MAKE_FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const CHUNK_BYTES = 256 * 1024;
const SYNCED_AT_ONCE = 16;
const STALE_MS = 10 * 60_000;

/** A name that every walk over a tree passes by. */
export const temporaryIn = (folder: string): string => join(folder, `.hardshell-${newToken(8)}.tmp`);

/** What a write that was killed left behind; one that goes on has a young file. */
export function dropTemporaries(folder: string): void {
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const path = join(folder, name);
    const found = TEMPORARY.test(name) ? lstatSync(path, { throwIfNoEntry: false }) : undefined;
    if (found?.isFile() && Date.now() - found.mtimeMs > STALE_MS) unlinkSync(path);
  }
}

/** A file that is gone with its last reader, however that one ends. */
export type Spool = {
  readonly bytes: () => number;
  write(chunk: Uint8Array): Promise<void>;
  read(): Chunks;
  close(): Promise<void>;
};

export async function openSpool(folder: string): Promise<Spool> {
  const path = temporaryIn(folder);
  try {
    const handle = await open(path, MAKE_FLAGS, 0o600);
    await unlink(path);
    return spoolOver(handle, folder, 0);
  } catch (error) {
    throw fileFailure('write in', folder, error);
  }
}

/** Takes a file of ours over; its name is gone at once. */
export async function takeSpool(path: string): Promise<Spool> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  await unlink(path);
  return spoolOver(handle, path, (await handle.stat()).size);
}

function spoolOver(handle: FileHandle, shown: string, size: number): Spool {
  let bytes = size;
  return {
    bytes: () => bytes,
    async write(chunk) {
      for (let done = 0; done < chunk.length; ) {
        const { bytesWritten } = await handle
          .write(chunk, done, chunk.length - done, bytes)
          .catch((error: unknown) => Promise.reject(fileFailure('write in', shown, error)));
        [done, bytes] = [done + bytesWritten, bytes + bytesWritten];
      }
    },
    read: () => readHandle(handle, bytes),
    close: () => handle.close(),
  };
}

/** A plain file of a hostile tree, held open: never a link, a pipe or a device. Null when it cannot be had. */
export async function openPlain(at: string): Promise<{ handle: FileHandle; stats: Stats } | null> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
  const handle = await open(at, flags).catch(() => null);
  const stats = await handle?.stat();
  if (handle && stats?.isFile()) return { handle, stats };
  await handle?.close();
  return null;
}

/** Exactly `bytes` of it, fewer only when there are fewer. */
export async function* readHandle(handle: FileHandle, bytes: number): Chunks {
  for (let at = 0; at < bytes; ) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, bytes - at));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

/** A private file of that name, complete and durable, or none; never in place of another. Returns its size. */
export async function writeNewFile(path: string, chunks: Chunks): Promise<number> {
  const temporary = temporaryIn(dirname(path));
  try {
    const bytes = await fill(temporary, chunks, 0o600, true);
    await link(temporary, path).catch((error: unknown) => {
      if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(errnoOf(error) ?? '') || existsSync(path)) throw error;
      // A disk without hard links.
      return rename(temporary, path);
    });
    syncFolder(dirname(path));
    return bytes;
  } catch (error) {
    if (error instanceof HardshellError) throw error;
    throw fileFailure('write', path, error);
  } finally {
    await unlink(temporary).catch(() => {});
  }
}

async function fill(path: string, chunks: Chunks, mode: number, sync: boolean): Promise<number> {
  const handle = await open(path, MAKE_FLAGS, 0o600);
  let bytes = 0;
  try {
    for await (const chunk of chunks) {
      for (let done = 0; done < chunk.length; )
        done += (await handle.write(chunk, done, chunk.length - done)).bytesWritten;
      bytes += chunk.length;
    }
    if (mode !== 0o600) await handle.chmod(mode);
    if (sync) await handle.sync();
  } finally {
    await handle.close();
  }
  return bytes;
}

export type Staging = Awaited<ReturnType<typeof openStaging>>;

const RESTORING = '.restoring-';
const RESTORED = '.restored-';
const ASIDE = '.before-restore-';

/** A new private folder beside `target`, on the same disk. Names in it must have been judged by the caller. */
export async function openStaging(target: string, stamp: string) {
  const path = `${target}${RESTORING}${stamp}`;
  const made: string[] = [];
  const failed = (what: string, name: string, error: unknown): Error =>
    error instanceof HardshellError ? error : fileFailure(what, join(path, name), error);
  await mkdir(path, 0o700).catch((error: unknown) => Promise.reject(fileFailure('make the folder', path, error)));
  return {
    path,
    async makeFolder(name: string): Promise<void> {
      await mkdir(join(path, name), 0o700).catch((error: unknown) => Promise.reject(failed('make', name, error)));
      made.push(join(path, name));
    },
    async putFile(name: string, mode: number, mtimeMs: number, chunks: Chunks): Promise<void> {
      const at = join(path, name);
      try {
        await fill(at, chunks, mode, false);
        await utimes(at, new Date(), new Date(mtimeMs));
      } catch (error) {
        throw failed('write', name, error);
      }
      made.push(at);
    },
    putLink: (name: string, to: string): Promise<void> =>
      symlink(to, join(path, name)).catch((error: unknown) => Promise.reject(failed('make the link', name, error))),
    setMode: (name: string, mode: number): Promise<void> => chmod(join(path, name), mode),
    has: (name: string): boolean => lstatSync(join(path, name), { throwIfNoEntry: false }) !== undefined,
    /** Makes all of it outlive a power cut, and says by its name that it is whole. */
    async finish(): Promise<string> {
      const paths = [path, ...made];
      const next = async (): Promise<void> => {
        for (let one = paths.shift(); one !== undefined; one = paths.shift()) {
          const handle = await open(one, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => null);
          await handle?.sync().finally(() => handle.close());
        }
      };
      await Promise.all(Array.from({ length: SYNCED_AT_ONCE }, next));
      const whole = `${target}${RESTORED}${stamp}`;
      await rename(path, whole);
      syncFolder(dirname(path));
      return whole;
    },
    discard: (): void => rmSync(path, { recursive: true, force: true }),
  };
}

/**
 * The whole staging folder takes the place of `target`, and what was there is kept beside it; returns where, or null. A
 * kill leaves the old one in place, or the new one, or between two renames none, and then `finishSwap` does the second.
 */
export function swapIn(target: string, stamp: string): string | null {
  const whole = `${target}${RESTORED}${stamp}`;
  const aside = `${target}${ASIDE}${stamp}`;
  try {
    const hasOld = existsSync(target) && readdirSync(target).length > 0;
    if (hasOld) renameSync(target, aside);
    try {
      renameSync(whole, target);
    } catch (error) {
      // A start that came in between has done it.
      if (errnoOf(error) !== 'ENOENT' || !existsSync(target)) throw error;
    }
    syncFolder(dirname(target));
    return hasOld ? aside : null;
  } catch (error) {
    if (['EBUSY', 'EXDEV'].includes(errnoOf(error) ?? ''))
      throw new HardshellError({
        code: 'RESTORE_MOUNT',
        message: `${target} is a mount point, and nothing can take its place`,
        fix: `restore into a folder of its own (--to FOLDER), and set OPENCLAW_STATE_DIR to it`,
        exitCode: EXIT.couldNotRun,
      });
    throw fileFailure('put in place', target, error);
  }
}

/** Whoever needs `target` asks first: true when a restore had been killed between its two renames and is now through. */
export function finishSwap(target: string): boolean {
  if (existsSync(target)) return false;
  const start = basename(target) + ASIDE;
  const folder = dirname(target);
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    if (!name.startsWith(start)) continue;
    const whole = `${target}${RESTORED}${name.slice(start.length)}`;
    if (!existsSync(whole)) continue;
    renameSync(whole, target);
    return true;
  }
  return false;
}

/** Removes what restores that were killed have left beside `target`; never what one of them has put aside. */
export function dropStagings(target: string): void {
  if (!existsSync(dirname(target))) return;
  for (const name of readdirSync(dirname(target)))
    if (name.startsWith(basename(target) + RESTORING) || name.startsWith(basename(target) + RESTORED))
      rmSync(join(dirname(target), name), { recursive: true, force: true });
}

/** A file of ours that is no longer wanted; how much it took, or null when it is gone already. */
export function dropFile(path: string): number | null {
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? null;
  if (bytes !== null) unlinkSync(path);
  return bytes;
}

function syncFolder(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    if (fstatSync(fd).isDirectory()) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** A private folder that is empty whatever an earlier one left, and gone with what it returns. */
export function makeScratchAt(path: string): () => void {
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  try {
    remove();
    mkdirSync(path, 0o700);
  } catch (error) {
    throw fileFailure('make the folder', path, error);
  }
  return remove;
}
