// Owns what of a state folder goes into a backup, and in which words the rest is told. It must never follow a link, nor take
// a file that has a name outside.
import type { FileHandle } from 'node:fs/promises';
import { HardshellError } from '../../platform/errors.ts';
import { secretName } from '../../platform/never-readable.ts';
import { inPlace } from '../../platform/tree/handle.ts';
import { openPlain, readHandle } from '../../platform/tree/staging.ts';
import { type Found, type LeftOut, walkTree } from '../../platform/tree/walk.ts';
import type { Payload } from './archive.ts';
import { type Entry, type Manifest, staysInside } from './manifest.ts';

/** What a manifest holds. */
export const MAX_FILES = 400_000;
/** The database is copied by itself; the others are made anew, or are of this machine alone. */
export const NEVER =
  /^(snapshots|extras|backups\.json|(gateway|config)\.lock.*|state\.sqlite(-wal|-shm|-head)?|state\.sqlite\.broken-.*|rehearsal|reset-\d{8}T\d{9}Z|\.probe-.*|\.[0-9a-f]{16}\.tmp)$/;
const TOLD = /^(reset-|state\.sqlite\.broken-)/;
/** Whoever has the browser's profile is logged in wherever it is. */
const SECRET = /^(browser|credentials|vault|vault\.key|config-history|config-pending\.json)$/;

const WHY: Readonly<Record<Exclude<LeftOut['why'], 'many'>, string>> = {
  heap: 'holds secrets',
  deep: 'lies too deep',
  disk: 'is on another disk',
  name: 'has a name that is no text',
  unreadable: 'cannot be read',
  time: 'took too long',
};

export type Selection = Pick<Manifest, 'leftOut' | 'entries'>;
export type Tree = {
  readonly top: string;
  readonly prefix: 'state' | 'workspace';
  readonly secrets: boolean;
  readonly maxFiles: number;
  /** a folder of it that is somebody else's part, and told as such */
  readonly without: string | null;
  /** a text to take in place of a file; null leaves it out */
  instead(path: string): { readonly text: string | null; readonly why: string } | undefined;
};

/** Adds a tree to the backup. What changes while it is read is taken as it was at some moment of it. */
export async function addTree(tree: Tree, payload: Payload, into: Selection): Promise<void> {
  const { top, prefix, secrets, without, maxFiles } = tree;
  const several: { path: string; ino: number; names: number }[] = [];
  const leave = (path: string, why: string): void => void into.leftOut.push({ path: `${prefix}/${path}`, why });
  const isSecret = (path: string, name: string): boolean =>
    !secrets && ((prefix === 'state' && SECRET.test(path)) || secretName(name) !== null);
  const isNever = (path: string): boolean => (prefix === 'state' && NEVER.test(path)) || path === without;

  const addFile = async (path: string, { handle, stats }: NonNullable<Awaited<ReturnType<typeof openPlain>>>) => {
    // Only the workspace is anybody's but the owner's.
    const mode = stats.mode & (isOfWorkspace(prefix, path) ? 0o777 : 0o700);
    const facts = { bytes: stats.size, mode, mtimeMs: Math.max(0, Math.floor(stats.mtimeMs)) };
    const { sha256, isShort } = await payload.file(`${prefix}/${path}`, facts, readHandle(handle, stats.size));
    into.entries.push({ kind: 'file', path: `${prefix}/${path}`, ...facts, sha256 });
    if (isShort) leave(path, 'became shorter while it was read; the end is zeros');
  };
  const closing = <T>(held: { handle: FileHandle }, use: () => Promise<T>): Promise<T> =>
    use().finally(() => held.handle.close());

  const visit = async ({ path, kind, mode, target }: Found, at: string): Promise<void> => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (isNever(path)) {
      if (TOLD.test(path)) leave(path, 'is only kept to be looked at');
      return;
    }
    if (isSecret(path, name)) return leave(path, WHY.heap);
    const whole = `${prefix}/${path}`;
    if (kind === 'folder') {
      const shown = mode & (isOfWorkspace(prefix, path) ? 0o777 : 0o700);
      await payload.folder(whole, shown);
      into.entries.push({ kind, path: whole, mode: shown });
      return;
    }
    if (kind === 'link') {
      if (staysInside(whole.split('/'), target)) into.entries.push({ kind, path: whole, target });
      else leave(path, 'is a link to a place outside the workspace');
      return;
    }
    // Sockets and pipes are of the process that made them.
    if (kind === 'other') return;
    const instead = tree.instead(path);
    if (instead !== undefined) {
      if (instead.text === null) leave(path, instead.why);
      else await addText(payload, into, whole, instead.text);
      return;
    }
    const held = await openPlain(at);
    if (held === null) return leave(path, WHY.unreadable);
    await closing(held, async () => {
      if (held.stats.nlink === 1) return addFile(path, held);
      several.push({ path, ino: held.stats.ino, names: held.stats.nlink });
    });
  };

  const leftOut = await walkTree(top, {
    maxEntries: maxFiles,
    untilMs: Number.POSITIVE_INFINITY,
    isHeap: (path, name) => isNever(path) || isSecret(path, name),
    visit,
  });
  if (leftOut.some(({ why }) => why === 'many')) throw tooMany(top, maxFiles);
  // A file with several names is ours when we have met all of them; else one of them may be anybody's.
  const met = Map.groupBy(several, ({ ino }) => ino);
  for (const { path, ino, names } of several) {
    const way = path.split('/');
    const last = way.pop() ?? '';
    const held = met.get(ino)?.length === names ? await inPlace(top, way, (place) => openPlain(place.at(last))) : null;
    if (held === null) leave(path, 'has another name outside');
    else await closing(held, () => addFile(path, held));
  }
  for (const { path, why } of leftOut) {
    if (why === 'many') continue;
    if (why !== 'heap' || isSecret(path, path.slice(path.lastIndexOf('/') + 1))) leave(path, WHY[why]);
    else if (TOLD.test(path)) leave(path, 'is only kept to be looked at');
  }
}

/** `path` is below the state folder. */
export const isInWorkspace = (path: string): boolean => path.startsWith('workspace/');
const isOfWorkspace = (prefix: string, path: string): boolean => prefix === 'workspace' || isInWorkspace(path);

export async function addText(payload: Payload, into: Selection, path: string, text: string): Promise<void> {
  const data = Buffer.from(text);
  const facts = { bytes: data.length, mode: 0o600, mtimeMs: Date.now() };
  const { sha256 } = await payload.file(path, facts, [data] as never);
  into.entries.push({ kind: 'file', path, ...facts, sha256 } satisfies Entry);
}

/** Part of a state that passes for all of it would only be found out on the day that it is needed. */
export const tooMany = (top: string, maxFiles: number): HardshellError =>
  new HardshellError({
    code: 'BACKUP_TOO_MANY',
    message: `no backup was made: there are more than ${maxFiles} files and folders in ${top}, or their paths are too long`,
    fix: `find the heap (du --inodes -d 3 ${top} | sort -n | tail) and move it out of there`,
  });
