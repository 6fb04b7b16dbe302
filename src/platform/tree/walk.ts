// Owns looking through a whole tree that others write in meanwhile: what there is, and what was left out and why. It opens
// folders only, follows nothing, and must never hold the event loop for longer than a slice.
import { type Dir, lstatSync, opendirSync, readlinkSync, type Stats } from 'node:fs';
import { setImmediate as nextRound } from 'node:timers/promises';
import { errnoOf } from '../errors.ts';
import { openPlace, type Place } from './handle.ts';

export type Kind = 'file' | 'folder' | 'link' | 'other';
export type Found = {
  readonly path: string;
  readonly kind: Kind;
  /** without setuid, setgid and sticky bits */
  readonly mode: number;
  readonly bytes: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
  /** of a link */
  readonly target: string;
};
/** `path` with everything below it. */
export type LeftOut = {
  readonly path: string;
  readonly why: 'heap' | 'deep' | 'disk' | 'many' | 'name' | 'unreadable' | 'time';
};
export type WalkOptions = {
  readonly maxEntries: number;
  readonly untilMs: number;
  /** what is not looked into, by its name */
  isHeap(path: string, name: string): boolean;
  /** `at` opens the same file, as long as the walk waits here */
  visit(found: Found, at: string): void | Promise<void>;
};

const MAX_DEPTH = 64;
const MAX_PATH_CHARS = 4_096;
const MEAN_PATH_CHARS = 160;
const SLICE_MS = 8;
/** What an atomic write leaves when it is killed in the middle. */
export const TEMPORARY = /^\.hardshell-[0-9a-f]{16}\.tmp$/;

/** Holds the loop for at most a slice between two awaits of what it returns. */
export function createSlices(): () => Promise<unknown> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < SLICE_MS) return undefined;
    return nextRound().then(() => {
      since = performance.now();
    });
  };
}

export async function walkTree(top: string, options: WalkOptions): Promise<readonly LeftOut[]> {
  const leftOut: LeftOut[] = [];
  const slice = createSlices();
  let [entries, chars] = [0, 0];
  const root = openPlace(top);

  const inside = async (folder: Place, path: string, depth: number): Promise<void> => {
    for (const name of await namesIn(folder, path)) {
      const pause = slice();
      if (pause) await pause;
      const at = folder.at(name);
      const whole = path === '' ? name : `${path}/${name}`;
      const stats = look(at);
      if (stats === null || TEMPORARY.test(name)) continue;
      const why = whyNot(whole, name, stats);
      if (why !== null) {
        leftOut.push({ path: whole, why });
        continue;
      }
      [entries, chars] = [entries + 1, chars + whole.length];
      const found = foundOf(whole, stats, at);
      if (found === null) continue;
      const visited = options.visit(found, at);
      if (visited) await visited;
      if (found.kind === 'folder') await below(at, whole, depth);
    }
  };

  const below = async (at: string, path: string, depth: number): Promise<void> => {
    let child: Place;
    try {
      child = openPlace(at);
    } catch (error) {
      // Swapped or gone since: whatever it is now, it is not the folder that was there.
      if (errnoOf(error) === 'EACCES') leftOut.push({ path, why: 'unreadable' });
      return;
    }
    try {
      if (child.device !== root.device) leftOut.push({ path, why: 'disk' });
      else if (depth >= MAX_DEPTH) leftOut.push({ path, why: 'deep' });
      else await inside(child, path, depth + 1);
    } finally {
      child.close();
    }
  };

  /** Sorted, so that the same tree is the same list; in part when there are too many to sort. */
  const namesIn = async (folder: Place, path: string): Promise<string[]> => {
    const names: string[] = [];
    let dir: Dir;
    try {
      dir = opendirSync(folder.at(), { bufferSize: 256 });
    } catch {
      leftOut.push({ path, why: 'unreadable' });
      return names;
    }
    try {
      for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) {
        if (entries + names.length >= options.maxEntries) {
          leftOut.push({ path, why: 'many' });
          break;
        }
        names.push(entry.name);
        const pause = names.length % 256 === 0 ? slice() : undefined;
        if (pause) await pause;
      }
    } finally {
      dir.closeSync();
    }
    return names.sort();
  };

  const whyNot = (path: string, name: string, stats: Stats): LeftOut['why'] | null => {
    if (name.includes('\ufffd')) return 'name';
    if (stats.isDirectory() && options.isHeap(path, name)) return 'heap';
    if (stats.dev !== root.device) return 'disk';
    if (path.length > MAX_PATH_CHARS) return 'deep';
    if (entries >= options.maxEntries || chars > options.maxEntries * MEAN_PATH_CHARS) return 'many';
    return Date.now() > options.untilMs ? 'time' : null;
  };

  try {
    await inside(root, '', 0);
  } finally {
    root.close();
  }
  return leftOut;
}

/** A name that is not UTF-8 cannot be looked up as it is shown, and counts as one that is gone. */
function look(at: string): Stats | null {
  try {
    return lstatSync(at, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}

function foundOf(path: string, stats: Stats, at: string): Found | null {
  const mode = stats.mode & 0o777;
  const none = { path, mode, bytes: 0, mtimeMs: 0, ctimeMs: 0, ino: 0, target: '' };
  if (stats.isDirectory()) return { ...none, kind: 'folder' };
  if (stats.isSymbolicLink()) {
    try {
      return { ...none, kind: 'link', mode: 0o777, target: readlinkSync(at) };
    } catch {
      return null;
    }
  }
  if (!stats.isFile()) return { ...none, kind: 'other' };
  const { size: bytes, mtimeMs, ctimeMs, ino } = stats;
  return { ...none, kind: 'file', bytes, mtimeMs, ctimeMs, ino };
}
