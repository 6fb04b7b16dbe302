// Owns taking a picture of the workspace: what changed since the last picture is read and kept, everything else is only
// looked at. It must never fill the disk; what it cannot keep it names.
import type { Objects } from '../../platform/tree/objects.ts';
import { type Found, type LeftOut, walkTree } from '../../platform/tree/walk.ts';
import type { Entry, Manifest } from './manifest.ts';

export type ScanOptions = {
  /** what may be added to the store by this picture */
  readonly roomBytes: number;
  readonly nowMs: number;
};

export const MAX_FILE_BYTES = 64 * 1024 * 1024;
const MAX_ENTRIES = 100_000;
const MAX_MS = 30_000;
/** A change within this time of an earlier look may not show in the times of a file. */
const CLOCK_STEP_MS = 50;
/** Made again by a command, large, and not the work of anybody. */
const HEAPS = new Set(['node_modules', '__pycache__', '.venv', '.cache', '.trash']);

/** `last` is what is known of unchanged files already. */
export async function scan(
  top: string,
  objects: Objects,
  last: (Manifest & { readonly atMs: number }) | null,
  { roomBytes, nowMs }: ScanOptions,
): Promise<{ readonly manifest: Manifest; readonly newBytes: number }> {
  const entries = new Map<string, Entry>();
  let newBytes = 0;

  const add = (found: Found, hash: string, why: string): void => void entries.set(found.path, { ...found, hash, why });
  const keep = async (found: Found, at: string): Promise<void> => {
    const kept = await objects.putFile(at, { maxBytes: MAX_FILE_BYTES, roomBytes: roomBytes - newBytes });
    if (typeof kept === 'string') return add(found, '', kept);
    newBytes += kept.newBytes;
    const { mode, size: bytes, mtimeMs, ctimeMs, ino } = kept.stats;
    add({ ...found, mode: mode & 0o777, bytes, mtimeMs, ctimeMs, ino }, kept.hash, '');
  };

  const leftOut: readonly LeftOut[] = await walkTree(top, {
    maxEntries: MAX_ENTRIES,
    untilMs: nowMs + MAX_MS,
    isHeap: (_path, name) => HEAPS.has(name),
    visit(found, at) {
      if (found.kind !== 'file') return add(found, '', found.kind === 'other' ? 'special' : '');
      const known = last?.entries.get(found.path);
      // What changed a moment before the last look may have changed again without showing it.
      const isOld = found.ctimeMs < (last?.atMs ?? 0) - CLOCK_STEP_MS;
      if (known !== undefined && isOld && isUntouched(known, found))
        return void entries.set(found.path, { ...known, ...found });
      return found.bytes > MAX_FILE_BYTES ? add(found, '', 'big') : keep(found, at);
    },
  });
  return { manifest: { entries, leftOut }, newBytes };
}

/** The kernel moves ctime with every change, and nobody in the sandbox can move it back. */
const isUntouched = (known: Entry, { bytes, mtimeMs, ctimeMs, ino, mode }: Found): boolean =>
  known.hash !== '' &&
  known.ino === ino &&
  known.bytes === bytes &&
  known.mtimeMs === mtimeMs &&
  known.ctimeMs === ctimeMs &&
  known.mode === mode;
