// Owns the one walk through the state folder: who else may reach what, whose it is, what is only a link. Bounded in time and
// number, so that a million files cost no more than thousands; what was not looked at is said. It opens no file.
import { lstatSync, type Stats, statSync } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../platform/errors.ts';
import type { Facts } from './check.ts';

export type Seen = { readonly path: string; readonly isFolder: boolean; readonly mode: number; readonly uid: number };
export type StateWalk = {
  readonly entries: number;
  /** why it is not all of it; null when it is */
  readonly stopped: string | null;
  /** others may read or change these */
  readonly open: readonly Seen[];
  /** neither of whoever owns the state folder nor root's */
  readonly foreign: readonly Seen[];
  readonly links: readonly string[];
  /** pipes, sockets, devices */
  readonly odd: readonly string[];
  readonly unreadable: readonly string[];
};
export type WalkLimits = { readonly maxEntries: number; readonly maxMs: number };

const OF_OTHERS = 0o077;
const WRITE_OF_OTHERS = 0o022;
/** Of each kind; what is over it is only counted by the reader as "more". */
const MAX_KEPT = 2_000;
const ENTRIES_A_ROUND = 500;
export const QUICK: WalkLimits = { maxEntries: 20_000, maxMs: 120 };
export const THOROUGH: WalkLimits = { maxEntries: 1_000_000, maxMs: 900 };

const known = new WeakMap<Facts, Map<WalkLimits, Promise<StateWalk>>>();

/** Several checks ask about the same walk. */
export function walkOf(facts: Facts, limits: WalkLimits): Promise<StateWalk> {
  const walks = known.get(facts) ?? new Map<WalkLimits, Promise<StateWalk>>();
  known.set(facts, walks);
  const walk = walks.get(limits) ?? walkState(facts.paths.stateDir, apartOf(facts), limits);
  walks.set(limits, walk);
  return walk;
}

/** The assistant's own files, which belong to whoever its commands and its browser run as, and are their business. */
export function apartOf({ paths, config }: Facts): readonly string[] {
  return [
    config?.agents.defaults.workspace ?? paths.workspaceDir,
    paths.workspaceDir,
    join(paths.stateDir, 'sandboxes'),
    join(paths.stateDir, 'browser'),
  ];
}

/** Breadth first: what matters lies near the top. */
export async function walkState(top: string, apart: readonly string[], limits: WalkLimits): Promise<StateWalk> {
  const endMs = performance.now() + limits.maxMs;
  const found = { open: [] as Seen[], foreign: [] as Seen[] };
  const [links, odd, unreadable]: [string[], string[], string[]] = [[], [], []];
  const keep = <T>(into: T[], one: T): void => void (into.length < MAX_KEPT && into.push(one));
  const owner = statSync(top, { throwIfNoEntry: false })?.uid;
  const code = join(top, 'extras');
  let entries = 0;
  let stopped: string | null = null;

  const visit = (path: string, folders: string[]): void => {
    const stats = lookAt(path);
    if (stats === 'gone') return;
    if (typeof stats === 'string') {
      keep(unreadable, `${path} (${stats})`);
      return;
    }
    const seen = { path, isFolder: stats.isDirectory(), mode: stats.mode & 0o7777, uid: stats.uid };
    if (stats.isSymbolicLink() || (!stats.isFile() && !seen.isFolder)) {
      keep(stats.isSymbolicLink() ? links : odd, path);
      return;
    }
    if (stats.uid !== owner && stats.uid !== 0 && !apart.includes(path)) keep(found.foreign, seen);
    // Packages of a sidecar are no secret; changing them is what matters.
    const bad = path.startsWith(`${code}/`) ? WRITE_OF_OTHERS : OF_OTHERS;
    if ((seen.mode & bad) !== 0) keep(found.open, seen);
    if (seen.isFolder && !apart.includes(path)) folders.push(path);
  };

  let level = [top];
  while (level.length > 0 && stopped === null) {
    const next: string[] = [];
    for (const folder of level) {
      if (stopped !== null) break;
      try {
        for await (const entry of await opendir(folder, { bufferSize: 256 })) {
          entries += 1;
          const path = join(folder, entry.name);
          visit(path, next);
          if (entries >= limits.maxEntries)
            stopped = `there are more than ${limits.maxEntries.toLocaleString('en')} files`;
          else if (entries % ENTRIES_A_ROUND === 0 && performance.now() > endMs)
            stopped = `${limits.maxMs} ms were over after ${entries.toLocaleString('en')} files`;
          if (stopped !== null) break;
        }
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT' || folder === top)
          keep(unreadable, `${folder} (${errnoOf(error) ?? 'unreadable'})`);
      }
    }
    level = next;
  }
  return { entries, stopped, ...found, links, odd, unreadable };
}

function lookAt(path: string): Stats | string {
  try {
    return lstatSync(path);
  } catch (error) {
    const errno = errnoOf(error) ?? 'unreadable';
    return errno === 'ENOENT' ? 'gone' : errno;
  }
}
