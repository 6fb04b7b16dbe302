// Owns reading which paths a git repository tracks or has staged, from its index alone: git is never started, since a
// repository can say what git runs. It reads one file and understands versions 2 to 4.
import { lstatSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';

const MAX_INDEX_BYTES = 64 * 1024 * 1024;
const MAX_POINTER_BYTES = 4_096;
const HEADER_BYTES = 12;
/** Before the name: times, device, inode, mode, owner, size, hash, flags. */
const FIXED_BYTES = 62;
const EXTENDED = 0x4000;
const SHA256_EXTRA = 12;

export type Tracked = { readonly paths: readonly string[] } | { readonly unreadable: string };

/** Null: no repository begins in that folder. */
export function trackedIn(folder: string): Tracked | null {
  let path = join(folder, '.git');
  try {
    const gitDir = gitDirOf(folder);
    if (gitDir === null) return null;
    path = join(gitDir, 'index');
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return { paths: [] };
    if (!stats.isFile() || stats.size > MAX_INDEX_BYTES)
      return { unreadable: `${path} is no file that can be read here` };
    return pathsOf(readFileSync(path), path);
  } catch (error) {
    return { unreadable: `${path} cannot be looked at (${(error as { code?: string }).code ?? 'unreadable'})` };
  }
}

function gitDirOf(folder: string): string | null {
  const path = join(folder, '.git');
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory()) return path;
  if (!stats?.isFile() || stats.size > MAX_POINTER_BYTES) return null;
  // A worktree or submodule says where its repository lies.
  const to = /^gitdir: (.+)$/m.exec(readFileSync(path, 'utf8'))?.[1];
  return to === undefined ? null : isAbsolute(to) ? to : join(dirname(path), to);
}

/** The hash is 20 bytes, or 32 in repositories of the newer kind: the one that comes out at a sound name is right. */
function pathsOf(bytes: Buffer, path: string): Tracked {
  const version = bytes.length >= HEADER_BYTES ? bytes.readUInt32BE(4) : 0;
  if (bytes.toString('latin1', 0, 4) !== 'DIRC' || version < 2 || version > 4)
    return { unreadable: `${path} is no index of a version that is known` };
  const paths = entriesOf(bytes, version, 0) ?? entriesOf(bytes, version, SHA256_EXTRA);
  if (paths === null) return { unreadable: `${path} cannot be understood` };
  // A split index keeps the rest in another file.
  const isSplit = bytes.includes('link', Math.max(HEADER_BYTES, bytes.length - 4_096), 'latin1') && paths.length === 0;
  return isSplit ? { unreadable: `${path} is split` } : { paths };
}

function entriesOf(bytes: Buffer, version: number, extra: number): string[] | null {
  const paths: string[] = [];
  let at = HEADER_BYTES;
  let before = Buffer.alloc(0);
  for (let left = bytes.readUInt32BE(8); left > 0; left -= 1) {
    const flagsAt = at + FIXED_BYTES + extra - 2;
    if (flagsAt + 2 > bytes.length) return null;
    const flags = bytes.readUInt16BE(flagsAt);
    let nameAt = flagsAt + 2 + (version >= 3 && (flags & EXTENDED) !== 0 ? 2 : 0);
    let kept = 0;
    if (version === 4) {
      let byte = bytes[nameAt++] ?? 0;
      kept = byte & 0x7f;
      for (; (byte & 0x80) !== 0; kept = ((kept + 1) << 7) | (byte & 0x7f)) byte = bytes[nameAt++] ?? 0;
      kept = before.length - kept;
    }
    const end = bytes.indexOf(0, nameAt);
    if (end === -1 || kept < 0) return null;
    const name = Buffer.concat([before.subarray(0, kept), bytes.subarray(nameAt, end)]);
    const length = flags & 0xfff;
    if (name.length === 0 || (length < 0xfff && length !== name.length)) return null;
    paths.push(name.toString('utf8'));
    before = name;
    at = version === 4 ? end + 1 : at + ((nameAt - at + name.length + 8) & ~7);
  }
  return paths;
}
