// Owns what a box may show of the allowed folders, and what in them and in the workspace it must hide: the same ruling that
// the file tools obey, turned into binds and masks. It must never follow a link, and never keep what has changed since.
import { type BigIntStats, lstatSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { setImmediate as pause } from 'node:timers/promises';
import { hostParts } from '../config/rules/borders.ts';
import { covers, ruleOn, type Zones } from '../config/zones.ts';
import { HardshellError } from '../platform/errors.ts';
import { identityOf } from '../platform/folder-handle.ts';
import type { Bind } from './driver.ts';

export type SandboxReach = {
  /** The allowed folders that a box can show; none below another, no single files. */
  binds(): readonly Bind[];
  /** For SandboxSpec.masked: relative to the workspace, or absolute below the target of a bind. Outermost only. */
  masked(): Promise<readonly string[]>;
  /** One line on what the last search did not look into; '' when it saw everything. */
  uncovered(): string;
};

const MAX_DEPTH = 24;
/** A folder that has not changed is not read again, so that many files cost the first search only. */
const MAX_ENTRIES = 200_000;
const MAX_LOOKED_AT = 100_000;
/** Libraries and history by the ten thousand; what lies in them is not hidden from commands. */
const SKIPPED = new Set(['node_modules', '.git']);
/** Times on disks are that coarse: a folder read so soon after a change may change again unnoticed. */
const COARSE_MS = 100;
const PAUSE_EVERY = 200;
/** Parts of the box itself. */
const TAKEN = /^\/(workspace|agent|proc|sys|dev|etc|usr|bin|sbin|lib\w*|tmp)?(\/|$)/;

type Top = { readonly source: string; readonly target: string; readonly access: 'read' | 'write' };
type Hidden = { readonly at: string; readonly was: string; readonly access: Top['access'] };
type Seen = {
  readonly stamp: string;
  readonly masks: readonly string[];
  readonly folders: readonly string[];
  readonly entries: number;
};

export function createSandboxReach(zones: () => Zones, home: string): SandboxReach {
  let known = new Map<string, Seen>();
  let knownFor: Zones | null = null;
  let missed = '';
  /** what was hidden by what it is, so that moving it, or a folder above it, uncovers nothing */
  const hidden = new Map<string, Hidden>();

  function binds(): Bind[] {
    const now = zones();
    const shown: Bind[] = [];
    for (const { path, spellings, access } of [...now.allowed].sort((a, b) => a.path.length - b.path.length)) {
      const source = spellings.at(-1) ?? path;
      const isNested =
        [...now.workspace, ...shown.flatMap((one) => [one.source, one.target])].some(
          (top) => covers(top, source) || covers(top, path),
        ) || now.workspace.some((top) => covers(source, top));
      const isKeptOut =
        hostParts(source, { home, stateDirs: now.closed.flatMap((one) => one.spellings), kept: null }) !== null;
      if (isNested || TAKEN.test(path) || isKeptOut) continue;
      if (statSync(source, { throwIfNoEntry: false })?.isDirectory() !== true) continue;
      if (!ruleOn(now, source, 'read').ok) continue;
      shown.push({ source, target: path, access: access === 'rw' ? 'rw' : 'ro' });
    }
    return shown;
  }

  async function masked(): Promise<string[]> {
    const now = zones();
    if (knownFor !== now) known = new Map();
    knownFor = now;
    const fresh = new Map<string, Seen>();
    const left = { entries: MAX_ENTRIES };
    missed = '';
    const tops: Top[] = [
      { source: now.workspace[0] ?? '/', target: '', access: 'write' },
      ...binds().map(
        ({ source, target, access }): Top => ({
          source,
          target: `${target}/`,
          access: access === 'rw' ? 'write' : 'read',
        }),
      ),
    ];
    const found = new Set<string>();
    for (const top of tops) {
      for (const path of [...(await search(now, top, fresh, left)), ...denied(now, top)]) {
        found.add(path);
        const identity = identityAt(path);
        if (identity !== null) hidden.set(identity, { at: path, was: path, access: top.access });
      }
    }
    known = fresh;
    for (const path of await moved(now, tops)) found.add(path);
    const outer = [...found].filter((path) => ![...found].some((other) => other !== path && covers(other, path)));
    return outer.map((path) => shownAs(path, tops)).sort();
  }

  /** Where that is now which was hidden, and no name gives away any more. */
  async function moved(now: Zones, tops: readonly Top[]): Promise<string[]> {
    const found: string[] = [];
    for (const [identity, { at, was, access }] of hidden) {
      if (ruleOn(now, was, access).ok) {
        hidden.delete(identity);
        continue;
      }
      const place = identityAt(at) === identity ? at : await find(identity, was, tops);
      if (place === null) hidden.delete(identity);
      else {
        hidden.set(identity, { at: place, was, access });
        found.push(place);
      }
    }
    return found;
  }

  async function search(now: Zones, top: Top, fresh: Map<string, Seen>, left: { entries: number }): Promise<string[]> {
    const found: string[] = [];
    let folders = [''];
    let looked = 0;
    for (let depth = 0; folders.length > 0; depth += 1) {
      if (depth >= MAX_DEPTH) {
        missed = `what lies more than ${MAX_DEPTH} folders deep`;
        break;
      }
      const next: string[] = [];
      for (const folder of folders) {
        if (left.entries <= 0) break;
        looked += 1;
        if (looked % PAUSE_EVERY === 0) await pause();
        const path = `${top.source}${folder}`;
        const seen = await look(now, top, path);
        if (seen === null) continue;
        fresh.set(`${top.access} ${path}`, seen);
        left.entries -= seen.entries;
        found.push(...seen.masks.map((name) => `${path}/${name}`));
        next.push(...seen.folders.map((name) => `${folder}/${name}`));
      }
      folders = next;
      if (left.entries <= 0) {
        missed = `what comes after the first ${MAX_ENTRIES} files`;
        break;
      }
    }
    return found;
  }

  async function look(now: Zones, top: Top, path: string): Promise<Seen | null> {
    const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (!stat?.isDirectory()) return null;
    const stamp = stampOf(stat);
    const before = known.get(`${top.access} ${path}`);
    if (before?.stamp === stamp) return before;
    const startedAtMs = Date.now();
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
    const masks: string[] = [];
    const folders: string[] = [];
    for (const entry of entries) {
      const isFolder = entry.isDirectory();
      if (!isFolder && !entry.isFile()) continue;
      if (!ruleOn(now, `${path}/${entry.name}`, top.access).ok) masks.push(entry.name);
      else if (isFolder && !SKIPPED.has(entry.name)) folders.push(entry.name);
    }
    const isSettled = startedAtMs - Number(stat.ctimeMs) > COARSE_MS;
    return { stamp: isSettled ? stamp : '', masks, folders, entries: entries.length };
  }

  return { binds, masked, uncovered: () => missed };
}

/** What is denied by name, however deep it lies. */
function denied(now: Zones, { source, access }: Top): string[] {
  return now.denied.flatMap((zone) => {
    if (access === 'read' && zone.access === 'w') return [];
    const at = zone.spellings.find((one) => one !== source && covers(source, one));
    return at !== undefined && identityAt(at) !== null ? [at] : [];
  });
}

/** Everywhere, also where nothing is searched for names. Asked only when something hidden is gone: whoever saves a file often
 *  makes a new one. */
async function find(identity: string, was: string, tops: readonly Top[]): Promise<string | null> {
  const folders = tops.map(({ source }) => source);
  let looked = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      looked += 1;
      if (looked > MAX_LOOKED_AT) throw lost(was);
      const path = `${folder}/${entry.name}`;
      if (identityAt(path) === identity) return path;
      if (entry.isDirectory()) folders.push(path);
    }
  }
  return null;
}

function shownAs(path: string, tops: readonly Top[]): string {
  const top = tops.find(({ source }) => covers(source, path));
  return top === undefined ? path : `${top.target}${path.slice(top.source.length + 1)}`;
}

/** Null for what is not there, and for a link, which shows nothing by itself. */
function identityAt(path: string): string | null {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat === undefined || stat.isSymbolicLink() ? null : identityOf(stat);
}

const stampOf = ({ dev, ino, ctimeNs, mtimeNs }: BigIntStats): string => [dev, ino, ctimeNs, mtimeNs].join(' ');

function lost(path: string): HardshellError {
  const message = `${path} was hidden from commands and is no longer there, and there are too many files to look for it`;
  const fix = 'put it back, or restart the gateway when it was removed';
  return new HardshellError({ code: 'HIDDEN_PATH_LOST', message, fix });
}
