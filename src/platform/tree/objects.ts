// Owns the store of file contents under the hash of what they hold: private, written once, never changed. What it reads in
// the workspace is hostile; it must never follow a link there, open a device, or keep a file in part.
import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  type Stats,
  statfsSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../errors.ts';
import { fileFailure } from '../file-errors.ts';
import { ensureFolder } from '../files.ts';
import { newToken } from '../ids.ts';
import { createSlices } from './walk.ts';

export type Kept = { readonly hash: string; readonly stats: Stats; readonly newBytes: number };
export type NotKept = 'big' | 'room' | 'moving' | 'unreadable';

export type Objects = ReturnType<typeof openObjects>;

const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const MAKE_FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const CHUNK_BYTES = 256 * 1024;
const SYNCED_AT_ONCE = 16;
const HASH = /^[0-9a-f]{64}$/;

export function openObjects(folder: string) {
  ensureFolder(folder);
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES + 1);
  let unsynced: string[] = [];

  const pathOf = (hash: string): string => {
    if (!HASH.test(hash)) throw new Error('not a hash');
    return join(folder, hash.slice(0, 2), hash.slice(2));
  };
  const has = (hash: string): boolean => existsSync(pathOf(hash));

  /** From the temporary file, which is gone afterwards. */
  const place = (temporary: string, hash: string): void => {
    const path = pathOf(hash);
    try {
      renameSync(temporary, path);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      mkdirSync(join(folder, hash.slice(0, 2)), { mode: 0o700 });
      renameSync(temporary, path);
    }
    unsynced.push(path);
  };
  const temporaryPath = (): string => join(folder, `.${newToken(8)}.tmp`);

  /** Whole, under its hash; what was there already is not written again. */
  const putBytes = (data: Uint8Array): { hash: string; newBytes: number } => {
    const hash = createHash('sha256').update(data).digest('hex');
    if (has(hash)) return { hash, newBytes: 0 };
    const temporary = temporaryPath();
    const fd = openSync(temporary, MAKE_FLAGS, 0o600);
    try {
      for (let done = 0; done < data.length; ) done += writeSync(fd, data, done, data.length - done);
    } catch (error) {
      unlinkSync(temporary);
      throw fileFailure('write', temporary, error);
    } finally {
      closeSync(fd);
    }
    place(temporary, hash);
    return { hash, newBytes: data.length };
  };

  const putLarge = async (source: number, roomBytes: number, maxBytes: number) => {
    const temporary = temporaryPath();
    const hash = createHash('sha256');
    const slice = createSlices();
    let target: FileHandle | undefined;
    let total = 0;
    try {
      target = await open(temporary, MAKE_FLAGS, 0o600);
      for (let count = readSync(source, chunk); count > 0; count = readSync(source, chunk)) {
        total += count;
        if (total > maxBytes || total > roomBytes) return total > maxBytes ? ('big' as const) : ('room' as const);
        hash.update(chunk.subarray(0, count));
        await target.write(chunk, 0, count);
        await slice();
      }
      const name = hash.digest('hex');
      if (has(name)) return { hash: name, newBytes: 0 };
      place(temporary, name);
      return { hash: name, newBytes: total };
    } catch (error) {
      throw fileFailure('write', temporary, error);
    } finally {
      await target?.close();
      if (existsSync(temporary)) unlinkSync(temporary);
    }
  };

  return {
    has,
    putBytes,
    /** A plain file of the workspace, in the state in which it was read; one that will not hold still is not kept. */
    async putFile(at: string, limits: { maxBytes: number; roomBytes: number }): Promise<Kept | NotKept> {
      for (let attempt = 0; attempt < 2; attempt++) {
        let fd: number;
        try {
          fd = openSync(at, READ_FLAGS);
        } catch {
          return 'unreadable';
        }
        try {
          const before = fstatSync(fd);
          if (!before.isFile()) return 'unreadable';
          if (before.size > limits.maxBytes) return 'big';
          if (before.size > limits.roomBytes) return 'room';
          const count = before.size <= CHUNK_BYTES ? readSync(fd, chunk, 0, CHUNK_BYTES + 1, 0) : -1;
          const put =
            count >= 0 && count <= CHUNK_BYTES
              ? putBytes(chunk.subarray(0, count))
              : await putLarge(fd, limits.roomBytes, limits.maxBytes);
          if (typeof put === 'string') return put;
          const stats = fstatSync(fd);
          if (stats.mtimeMs === before.mtimeMs && stats.size === before.size) return { ...put, stats };
        } finally {
          closeSync(fd);
        }
      }
      return 'moving';
    },
    /** Null when it is not there, or not what its name says any more. */
    async read(hash: string): Promise<Buffer | null> {
      const data = await readFile(pathOf(hash)).catch(() => null);
      return data !== null && createHash('sha256').update(data).digest('hex') === hash ? data : null;
    },
    /** Makes all that was put since the last time outlive a power cut. */
    async sync(): Promise<void> {
      const [files, folders] = [unsynced, new Set(unsynced.map((path) => join(path, '..')))];
      unsynced = [];
      const paths = [...files, ...folders, ...(files.length > 0 ? [folder] : [])];
      const next = async (): Promise<void> => {
        for (let path = paths.shift(); path !== undefined; path = paths.shift()) {
          const handle = await open(path, constants.O_RDONLY);
          await handle.sync().finally(() => handle.close());
        }
      };
      await Promise.all(Array.from({ length: SYNCED_AT_ONCE }, next));
    },
    /** Removes what `keep` does not name, and what a crash left; returns what is left, in bytes. */
    async sweep(keep: (hash: string) => boolean): Promise<number> {
      const slice = createSlices();
      let total = 0;
      for (const prefix of readdirSync(folder)) {
        if (prefix.endsWith('.tmp')) unlinkSync(join(folder, prefix));
        if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
        for (const rest of readdirSync(join(folder, prefix))) {
          const path = join(folder, prefix, rest);
          if (keep(prefix + rest)) total += statSync(path).size;
          else unlinkSync(path);
          await slice();
        }
      }
      return total;
    },
    freeBytes(): number {
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize;
    },
  };
}
