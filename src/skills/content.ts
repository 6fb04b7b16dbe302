// Owns what a skill consists of: every file of its folder, held open on the way, and one hash over all of them. What is no
// plain file is told of and never read; it follows no link, and must never leave a file out without saying so.
import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { UNSEEN } from '../platform/disguise.ts';
import { errnoOf } from '../platform/errors.ts';
import { tryReadChecked } from '../platform/files.ts';
import { sha256 } from '../platform/ids.ts';
import { openPlace, type Place } from '../platform/tree/handle.ts';

export type SkillFile = { readonly path: string; readonly data: Buffer; readonly isExecutable: boolean };
/** A file as it is locked. */
export type Pin = { readonly path: string; readonly sha256: string; readonly isExecutable: boolean };
/** What may not be in a skill; one with such a thing cannot be approved. */
export type Problem = { readonly path: string; readonly why: string };
export type Content = {
  readonly files: readonly SkillFile[];
  readonly pins: readonly Pin[];
  readonly problems: readonly Problem[];
  readonly hash: string;
};

export const MAX_FILES = 500;
export const MAX_FILE_BYTES = 4_000_000;
export const MAX_BYTES = 16_000_000;
const MAX_DEPTH = 12;
const MAX_PATH_BYTES = 400;
const ODD = new RegExp(String.raw`[\p{Cc}\p{Cs}\ufffd\\${UNSEEN}]`, 'u');

/** One spelling of names that some disks take for the same. */
export const foldedName = (path: string): string => path.normalize('NFKC').toLowerCase();

/** What is wrong with the path of a file in a skill, however it came there. */
export function whyNotPath(path: string): string | null {
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) return 'its path leads elsewhere';
  if (ODD.test(path)) return 'its name has characters that are not seen or that programs read otherwise';
  if (parts.some((part) => part.toLowerCase() === '.git')) return 'it belongs to git, which runs what it says there';
  if (parts.length > MAX_DEPTH) return `it lies more than ${MAX_DEPTH} folders deep`;
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `its path is longer than ${MAX_PATH_BYTES} bytes`;
  return null;
}

/** Two files that are one on another disk would be two contents under one name. */
export function clashesIn(paths: readonly string[]): Problem[] {
  const taken = new Map<string, { readonly path: string; readonly isFile: boolean }>();
  return paths.flatMap((path) => {
    const parts = path.split('/');
    for (const [at] of parts.entries()) {
      const part = { path: parts.slice(0, at + 1).join('/'), isFile: at === parts.length - 1 };
      const other = taken.get(foldedName(part.path));
      if (other !== undefined && (other.isFile || part.isFile || other.path !== part.path))
        return [{ path, why: `it differs from ${other.path} in letter case alone, or stands there twice` }];
      taken.set(foldedName(part.path), part);
    }
    return [];
  });
}

export function contentOf(files: readonly SkillFile[], problems: readonly Problem[] = []): Content {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const pins = sorted.map(({ path, data, isExecutable }) => ({ path, isExecutable, sha256: sha256(data) }));
  return { files: sorted, pins, hash: hashOf(pins), problems };
}

/** Over names, contents, and what may be started. */
const hashOf = (pins: readonly Pin[]): string =>
  sha256(pins.map((one) => `${one.path}\0${one.isExecutable ? 'x' : '-'}\0${one.sha256}\n`).join(''));

/** Null: there is no such folder. */
export function readContent(folder: string): Content | null {
  const files: SkillFile[] = [];
  let left = MAX_BYTES;
  const found = walkSkill(folder, (path, at, stats) => {
    if (stats.size > MAX_FILE_BYTES || Number(stats.size) > left) return `it is too large (${stats.size} bytes)`;
    const data = tryReadChecked(at, MAX_FILE_BYTES, () => {});
    if (data === null) return 'it went away while it was read';
    left -= data.length;
    files.push({ path, data, isExecutable: (Number(stats.mode) & 0o111) !== 0 });
    return null;
  });
  return found === null ? null : contentOf(files, [...found, ...clashesIn(files.map(({ path }) => path))]);
}

/** Changes whenever anything in the folder does; '' when there is none, or when it changed too short a while ago to tell. */
export function stampOf(folder: string, nowMs: number): string {
  const lines: string[] = [];
  let newestMs = 0;
  const found = walkSkill(folder, (path, _at, { ino, size, mode, mtimeNs, ctimeNs, ctimeMs }) => {
    newestMs = Math.max(newestMs, Number(ctimeMs));
    lines.push([path, ino, size, mode, mtimeNs, ctimeNs].join(' '));
    return null;
  });
  if (found === null || nowMs - newestMs < COARSE_MS) return '';
  return [...lines, ...found.map(({ path, why }) => `${path} ${why}`)].join('\n');
}
/** Times on disks are that coarse. */
const COARSE_MS = 100;

type Visit = (path: string, at: string, stats: BigIntStats) => string | null;

function walkSkill(folder: string, visit: Visit): Problem[] | null {
  const problems: Problem[] = [];
  let count = 0;
  const inside = (place: Place, before: string): void => {
    for (const name of readdirSync(place.at()).sort()) {
      const path = `${before}${name}`;
      count += 1;
      if (count > MAX_FILES) {
        if (count === MAX_FILES + 1) problems.push({ path: '.', why: `it has more than ${MAX_FILES} files` });
        return;
      }
      const why = attempt(() => look(place, name, path));
      if (why !== null) problems.push({ path, why });
    }
  };
  const look = (place: Place, name: string, path: string): string | null => {
    const odd = whyNotPath(path);
    if (odd !== null) return odd;
    const at = place.at(name);
    const stats = lstatSync(at, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) return 'it went away while it was read';
    if (stats.isDirectory()) {
      const below = openPlace(at);
      try {
        if (below.device !== place.device) return 'it is on another disk';
        inside(below, `${path}/`);
      } finally {
        below.close();
      }
      return null;
    }
    if (stats.isSymbolicLink()) return 'it is a link';
    if (!stats.isFile()) return 'it is no file (a device, a socket or a pipe)';
    if (stats.nlink > 1n) return 'it has another name elsewhere (a hard link)';
    if ((Number(stats.mode) & 0o6000) !== 0) return 'it would run with the rights of its owner (setuid)';
    return visit(path, at, stats);
  };
  let top: Place;
  // A link there would lead all of them elsewhere at once.
  if (basename(dirname(folder)) === 'skills' && lstatSync(dirname(folder), { throwIfNoEntry: false })?.isSymbolicLink())
    return [{ path: '.', why: 'the folder of all skills is a link' }];
  try {
    top = openPlace(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    return [{ path: '.', why: 'its folder is a link, no folder, or cannot be read' }];
  }
  try {
    inside(top, '');
  } finally {
    top.close();
  }
  return problems;
}

function attempt(look: () => string | null): string | null {
  try {
    return look();
  } catch {
    return 'it cannot be read';
  }
}
