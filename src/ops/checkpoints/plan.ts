// Owns which entries an undo would bring back, and which it leaves alone and why. Pure: it compares pictures, and never
// takes a file from whoever changed it later unless that is asked for.
import { changed, type Entry, isUnknown, type Manifest, same } from './manifest.ts';

export type Step = { readonly path: string; readonly then: Entry | undefined; readonly now: Entry | undefined };
export type Left = { readonly path: string; readonly why: string };
export type Plan = {
  readonly steps: readonly Step[];
  readonly conflicts: readonly Left[];
  readonly cannot: readonly Left[];
};

export type PlanInput = {
  readonly before: Manifest;
  readonly after: Manifest;
  readonly now: Manifest;
  /** why a path may not be this turn's alone, or null */
  othersOf(path: string): string | null;
  /** the whole workspace as it was before the turn */
  readonly all: boolean;
  /** also what others have changed since */
  readonly force: boolean;
};

const WHY_NOT_KEPT: Readonly<Record<string, string>> = {
  big: 'it was larger than 64 MB, and no copy was kept',
  room: 'there was no room on the disk for a copy',
  moving: 'it was being written while it was copied',
  unreadable: 'it could not be read',
  special: 'it was a device, pipe or socket',
};
const WHY_LEFT_OUT: Readonly<Record<string, string>> = {
  heap: 'a folder that is made by a command (node_modules and the like), of which no copy is kept',
  deep: 'too deep in folders',
  disk: 'on another disk',
  many: 'too many files',
  name: 'its name is not UTF-8',
  unreadable: 'the folder could not be read',
  time: 'looking through the workspace took too long',
};

export function planUndo({ before, after, now, othersOf, all, force }: PlanInput): Plan {
  const steps: Step[] = [];
  const conflicts: Left[] = [];
  const cannot: Left[] = [];
  // What the turn locked away cannot be compared: all of it is looked at again.
  const locked = { entries: before.entries, leftOut: after.leftOut.filter(({ why }) => why === 'unreadable') };
  const isLocked = (path: string): boolean => locked.leftOut.length > 0 && isUnknown(locked, path) !== null;
  const paths = all
    ? changed(before, now)
    : [...changed(before, after), ...(locked.leftOut.length > 0 ? changed(before, now).filter(isLocked) : [])];
  for (const path of new Set(paths)) {
    const [then, present] = [before.entries.get(path), now.entries.get(path)];
    if (same(then, present)) continue;
    const unknown = then === undefined ? isUnknown(before, path) : present === undefined ? isUnknown(now, path) : null;
    if (unknown !== null) {
      cannot.push({ path, why: WHY_LEFT_OUT[unknown] ?? unknown });
      continue;
    }
    if (then !== undefined && (then.kind === 'other' || (then.kind === 'file' && then.hash === ''))) {
      cannot.push({ path, why: WHY_NOT_KEPT[then.why] ?? 'no copy was kept' });
      continue;
    }
    const others =
      all || isLocked(path) ? null : same(present, after.entries.get(path)) ? othersOf(path) : 'changed since';
    if (others !== null && !force) conflicts.push({ path, why: others });
    else steps.push({ path, then, now: present });
  }
  return { steps, conflicts, cannot: [...cannot, ...leftOutOf(before, after)] };
}

/** Of what was left out as a whole, what is worth a word: whatever the turn did there stays done. */
function leftOutOf(before: Manifest, after: Manifest): Left[] {
  const seen = new Set<string>();
  return [...before.leftOut, ...after.leftOut].flatMap(({ path, why }) => {
    if (seen.has(path) || path.split('/').at(-1) === '.trash') return [];
    seen.add(path);
    return [{ path: path || '.', why: WHY_LEFT_OUT[why] ?? why }];
  });
}
