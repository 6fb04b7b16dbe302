// Owns durable access to the gateway's own state files: private modes, atomic replacement, fsync. It must never be used
// on the workspace, whose content is hostile (that is root.ts), and it must never leave a half-written file behind.
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { EXIT, errnoOf, HardshellError } from './errors.ts';
import { fileFailure } from './file-errors.ts';
import { newToken } from './ids.ts';

const PRIVATE_FILE = 0o600;
const READABLE_FILE = 0o444;
const PRIVATE_FOLDER = 0o700;
const COPY_CHUNK_BYTES = 1024 * 1024;
const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;

/** Makes the folder and its parents (0700), narrows it when it is wider, and fails unless it can be written. */
export function ensureFolder(path: string): void {
  try {
    makeFolders(path);
    const stat = statSync(path);
    if (!stat.isDirectory()) throw notAFolder(path);
    if ((stat.mode & 0o777) !== PRIVATE_FOLDER) chmodSync(path, PRIVATE_FOLDER);
    probeWritable(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') throw notAFolder(path, error);
    if (errnoOf(error) === 'ENOENT') throw noPlaceForFolder(path, error);
    throw fileFailure('use the folder', path, error);
  }
}

/** Not `mkdirSync` with `recursive`: that spins for ever, deaf to signals, where the system makes no folder (/proc). */
function makeFolders(path: string): void {
  try {
    mkdirSync(path, PRIVATE_FOLDER);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return;
    if (errnoOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    makeFolders(dirname(path));
    try {
      mkdirSync(path, PRIVATE_FOLDER);
    } catch (again) {
      if (errnoOf(again) !== 'EEXIST') throw again;
    }
  }
}

/** Really writes: access(2) says yes on a full disk and to root on some read-only mounts. */
function probeWritable(folder: string): void {
  const probe = join(folder, `.probe-${newToken(6)}`);
  closeSync(
    openSync(probe, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, PRIVATE_FILE),
  );
  unlinkSync(probe);
}

/** Narrows a file that another library made (0600). */
export function makePrivate(path: string): void {
  try {
    chmodSync(path, PRIVATE_FILE);
  } catch (error) {
    throw fileFailure('make private', path, error);
  }
}

/** Gives exactly this file or folder another mode, if it still has the one that was seen; never through a link. */
export function changeMode(path: string, from: number, to: number): 'changed' | 'other' {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      if ((fstatSync(fd).mode & 0o7777) !== from) return 'other';
      fchmodSync(fd, to);
      return 'changed';
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw fileFailure('change the mode of', path, error);
  }
}

/** Makes or replaces a file so that a reader or a crash sees either the old or the new content, never a part. */
export function replaceFile(path: string, data: string | Uint8Array, mode = PRIVATE_FILE): void {
  try {
    writeBeside(path, mode, (fd) => writeAll(fd, typeof data === 'string' ? Buffer.from(data) : data));
  } catch (error) {
    throw fileFailure('write', path, error);
  }
}

/** Copies a file atomically and durably; the copy has the mode of the source. */
export function copyFileDurable(from: string, to: string): void {
  try {
    const source = openSync(from, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(source);
      if (!stat.isFile()) throw notAFile(from);
      const chunk = Buffer.alloc(COPY_CHUNK_BYTES);
      writeBeside(to, stat.mode & 0o777, (fd) => {
        for (let count = readSync(source, chunk); count > 0; count = readSync(source, chunk)) {
          writeAll(fd, chunk.subarray(0, count));
        }
      });
    } finally {
      closeSync(source);
    }
  } catch (error) {
    throw fileFailure('copy', `${from} to ${to}`, error);
  }
}

export type FileFacts = { readonly mode: number; readonly ownerUid: number; readonly modifiedAtMs: number };

/** The text of a file, or null when it does not exist. Every other trouble is an error, also a file over the cap. */
export function tryReadText(path: string, maxBytes = DEFAULT_MAX_BYTES): string | null {
  return tryReadFile(path, 0, maxBytes, () => {})?.toString('utf8') ?? null;
}

/**
 * The bytes of a file, or null when it does not exist. Never through a link, and `check` judges the file that is read,
 * before a byte of it is: between a check of the path and an open of it, another file could take its place.
 */
export function tryReadChecked(path: string, maxBytes: number, check: (facts: FileFacts) => void): Buffer | null {
  return tryReadFile(path, constants.O_NOFOLLOW, maxBytes, check);
}

function tryReadFile(path: string, flags: number, maxBytes: number, check: (facts: FileFacts) => void): Buffer | null {
  let fd: number;
  try {
    // O_NONBLOCK: a pipe put in the place of a state file must not hang the start.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | flags);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw fileFailure('read', path, error);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw notAFile(path);
    check({ mode: stat.mode & 0o7777, ownerUid: stat.uid, modifiedAtMs: stat.mtimeMs });
    return readUpTo(fd, path, maxBytes);
  } catch (error) {
    throw fileFailure('read', path, error);
  } finally {
    closeSync(fd);
  }
}

/** The names in a folder; none when there is no such folder, or none that may be looked into. */
export function tryNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** False only where there surely is nothing: "I may not look" is an error, and never "it is not there". */
export function isThere(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw fileFailure('look at', path, error);
  }
}

/** What stands there, not what a link leads to; null: nothing, or nothing that may be looked at. */
export function look(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
}

/** The end of a file, for a search; null: there is none that may be read here, or nothing in it. Never through a link. */
export function tryReadEnd(path: string, maxBytes: number): Buffer | null {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size === 0) return null;
    const bytes = Buffer.allocUnsafe(Math.min(stat.size, maxBytes));
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, stat.size - bytes.length));
  } catch {
    return null;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Renames within one disk, durably; an existing target is replaced. */
export function moveFile(from: string, to: string): void {
  try {
    renameSync(from, to);
    syncFolder(dirname(to));
    if (dirname(from) !== dirname(to)) syncFolder(dirname(from));
  } catch (error) {
    throw fileFailure('move', `${from} to ${to}`, error);
  }
}

/** A private folder that is gone with `remove`; what is put into it may be read by whoever is shown it, and outlives no crash. */
export function openScratch(prefix = 'hardshell-'): {
  put(name: string, data: string | Uint8Array, mode?: number): string;
  makeFolder(name: string): string;
  remove(): void;
} {
  const path = mkdtempSync(join(tmpdir(), prefix));
  return {
    makeFolder(name) {
      mkdirSync(join(path, name), PRIVATE_FOLDER);
      return join(path, name);
    },
    put(name, data, mode = READABLE_FILE) {
      const file = join(path, name);
      mkdirSync(dirname(file), { mode: PRIVATE_FOLDER, recursive: true });
      writeFileSync(file, data, { mode });
      return file;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Removes a file; one that is already gone is fine. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
    syncFolder(dirname(path));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw fileFailure('remove', path, error);
  }
}

/** A file that is only ever added to, such as a log. */
export type AppendFile = {
  /** Adds `line` and a line feed in one write, so that two writers never mix within a line. */
  write(line: string): void;
  /** Opens the path again after it was moved away by a rotation. */
  reopen(): void;
  size(): number;
  close(): void;
};

export function openAppend(path: string): AppendFile {
  let fd = openForAppend(path);
  return {
    write(line) {
      try {
        writeAll(fd, Buffer.from(`${line}\n`));
      } catch (error) {
        throw fileFailure('append to', path, error);
      }
    },
    reopen() {
      const next = openForAppend(path);
      closeSync(fd);
      fd = next;
    },
    size: () => fstatSync(fd).size,
    close() {
      if (fd >= 0) closeSync(fd);
      fd = -1;
    },
  };
}

function openForAppend(path: string): number {
  const flags =
    constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  try {
    const fd = openSync(path, flags, PRIVATE_FILE);
    const stat = fstatSync(fd);
    if (!stat.isFile()) {
      closeSync(fd);
      throw notAFile(path);
    }
    if ((stat.mode & 0o777) !== PRIVATE_FILE) fchmodSync(fd, PRIVATE_FILE);
    return fd;
  } catch (error) {
    throw fileFailure('open', path, error);
  }
}

/** The temporary file lies beside the target, since a rename is atomic only within one disk. */
function writeBeside(path: string, mode: number, fill: (fd: number) => void): void {
  const temporary = join(dirname(path), `.${newToken(8)}.tmp`);
  const fd = openSync(
    temporary,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    mode,
  );
  let placed = false;
  try {
    try {
      fchmodSync(fd, mode);
      fill(fd);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
    placed = true;
    syncFolder(dirname(path));
  } finally {
    if (!placed) unlinkQuietly(temporary);
  }
}

function writeAll(fd: number, data: Uint8Array): void {
  for (let done = 0; done < data.length; ) done += writeSync(fd, data, done, data.length - done);
}

/** Reads to the end instead of trusting the size, which is 0 for files of /proc and stale for growing ones. */
function readUpTo(fd: number, path: string, maxBytes: number): Buffer {
  const parts: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(64 * 1024);
    const count = readSync(fd, chunk);
    if (count === 0) return Buffer.concat(parts, total);
    total += count;
    if (total > maxBytes) throw tooBig(path, maxBytes);
    parts.push(chunk.subarray(0, count));
  }
}

function syncFolder(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The first failure is the one worth reporting.
  }
}

function notAFolder(path: string, cause?: unknown): HardshellError {
  const fix = `move what is at ${path} away, or choose another folder`;
  const message = `cannot use the folder ${path}: something there is not a folder`;
  return new HardshellError({ code: 'NOT_A_FOLDER', message, fix, exitCode: EXIT.couldNotRun, cause });
}

function noPlaceForFolder(path: string, cause: unknown): HardshellError {
  const fix = `ls -ld ${path} and the folders above it show the link to mend (or the disk to mount); or choose another folder`;
  const message = `cannot use the folder ${path}: it cannot be made, or a link in its path leads nowhere`;
  return new HardshellError({ code: 'FILE_MISSING', message, fix, exitCode: EXIT.couldNotRun, cause });
}

function notAFile(path: string): HardshellError {
  const message = `${path} is not a regular file`;
  return new HardshellError({ code: 'NOT_A_FILE', message, fix: `move it away: ${path}`, exitCode: EXIT.couldNotRun });
}

function tooBig(path: string, maxBytes: number): HardshellError {
  const message = `${path} is larger than ${maxBytes} bytes`;
  return new HardshellError({
    code: 'FILE_TOO_BIG',
    message,
    fix: 'make the file smaller',
    exitCode: EXIT.couldNotRun,
  });
}
