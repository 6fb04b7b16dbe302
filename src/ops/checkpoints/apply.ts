// Owns doing what a plan says, one entry at a time, so that it may be killed anywhere and done again. An entry that cannot
// be brought back is named, and the others are brought back all the same.
import { HardshellError } from '../../platform/errors.ts';
import { fileFailure } from '../../platform/file-errors.ts';
import type { Objects } from '../../platform/tree/objects.ts';
import { putFile, putFolder, putLink, remove, setMode, settleFolders, type Tree } from '../../platform/tree/put.ts';
import type { Manifest } from './manifest.ts';
import type { Left, Step } from './plan.ts';

export type Outcome = {
  readonly restored: string[];
  readonly removed: string[];
  readonly kept: Left[];
  readonly failed: Left[];
};

const depthOf = (path: string): number => path.split('/').length;
const parentOf = (path: string): string => path.split('/').slice(0, -1).join('/');

export async function applySteps(
  tree: Tree,
  objects: Objects,
  steps: readonly Step[],
  now: Manifest,
): Promise<Outcome> {
  const done: Outcome = { restored: [], removed: [], kept: [], failed: [] };
  const shallow = steps.toSorted((a, b) => depthOf(a.path) - depthOf(b.path));
  const deep = shallow.toReversed();
  const failed = new Set<string>();
  const attempt = async (path: string, act: () => Promise<unknown>, list?: string[]): Promise<void> => {
    try {
      await act();
      list?.push(path);
    } catch (error) {
      if (failed.has(path)) return;
      failed.add(path);
      const why = fileFailure('bring back', path, error).message.replace(/^cannot bring back .*?: /s, '');
      done.failed.push({ path, why });
    }
  };

  const locked = await unlock(tree, shallow, now);
  for (const { path, then, now: present } of deep) {
    const isInTheWay =
      present !== undefined && (then === undefined || (then.kind === 'folder') !== (present.kind === 'folder'));
    if (!isInTheWay) continue;
    const kind = present.kind === 'folder' ? 'folder' : 'file';
    await attempt(path, async () => {
      if (!(await remove(tree, path, kind))) done.kept.push({ path, why: 'there is something of somebody else in it' });
      else if (then === undefined) done.removed.push(path);
    });
  }
  for (const { path, then } of shallow) {
    if (then?.kind === 'folder') await attempt(path, () => putFolder(tree, path), done.restored);
  }
  for (const { path, then } of shallow) {
    if (then?.kind === 'link') await attempt(path, () => putLink(tree, path, then.target), done.restored);
    if (then?.kind !== 'file') continue;
    const act = async (): Promise<void> => {
      const data = await objects.read(then.hash);
      if (data === null)
        throw new HardshellError({ code: 'CHECKPOINT_BROKEN', message: 'the copy of it is gone or damaged' });
      await putFile(tree, path, data, then.mode, then.mtimeMs);
    };
    await attempt(path, act, done.restored);
  }
  for (const { path, then } of deep) {
    if (then?.kind === 'folder') await attempt(path, () => setMode(tree, path, then.mode));
  }
  for (const [path, mode] of [...locked].reverse()) await setMode(tree, path, mode).catch(() => {});
  await settleFolders(tree, new Set(steps.map(({ path }) => parentOf(path))));
  return done;
}

/** Opens the folders in which something is to be done and that take their own rights away; returns what they had. */
async function unlock(tree: Tree, shallow: readonly Step[], now: Manifest): Promise<ReadonlyMap<string, number>> {
  const opened = new Map<string, number>();
  const isStep = new Set(shallow.map(({ path }) => path));
  for (const { path } of shallow) {
    const names = path.split('/');
    for (let count = 1; count <= names.length; count++) {
      const folder = names.slice(0, count).join('/');
      const present = now.entries.get(folder);
      if (present?.kind !== 'folder' || (present.mode & 0o700) === 0o700 || opened.has(folder)) continue;
      await setMode(tree, folder, present.mode | 0o700).catch(() => {});
      opened.set(folder, present.mode);
    }
  }
  // A folder of the plan gets the mode that it had then.
  for (const path of isStep) opened.delete(path);
  return opened;
}
