// Owns what a box may show of the allowed folders, and what in them and in the workspace it must hide: the same ruling that
// the file tools obey, turned into binds and masks. It must never follow a link, and never keep what has changed since.
import { type BigIntStats, lstatSync, readdirSync, statSync } from 'node:fs';
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

const MAX_DEPTH = 6;
const MAX_ENTRIES = 5_000;
/** Libraries and history by the ten thousand; what lies in them is not hidden from commands. */
const SKIPPED = new Set(['node_modules', '.git']);
/** Times on disks are that coarse: a folder read so soon after a change may change again unnoticed. */
const COARSE_MS = 100;
const PAUSE_EVERY = 200;
/** Parts of the box itself. */
const TAKEN = /^\/(workspace|agent|proc|sys|dev|etc|usr|bin|sbin|lib\w*|tmp)?(\/|$)/;

type Top = { readonly source: string; readonly target: string; readonly access: 'read' | 'write' };
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
  /** where each denied path stood when it was last seen, so that moving it away uncovers nothing */
  const identities = new Map<string, string>();

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
    const found: string[] = [];
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
    for (const top of tops) {
      for (const path of await search(now, top, fresh, left)) found.push(path);
      for (const path of denied(now, top, fresh)) found.push(path);
    }
    known = fresh;
    const sorted = [...new Set(found)].sort();
    return sorted.filter((path) => !sorted.some((other) => other !== path && covers(other, path)));
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
        found.push(...seen.masks.map((name) => `${top.target}${`${folder}/${name}`.slice(1)}`));
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

  /** What is denied by name, however deep it lies. What was there and is now elsewhere is said, and nothing is run. */
  function denied(now: Zones, top: Top, fresh: ReadonlyMap<string, Seen>): string[] {
    return now.denied.flatMap(({ path, spellings, access }) => {
      if (top.access === 'read' && access === 'w') return [];
      const at = spellings.find((one) => one !== top.source && covers(top.source, one));
      if (at === undefined) return [];
      const stat = lstatSync(at, { throwIfNoEntry: false });
      const identity = stat === undefined || stat.isSymbolicLink() ? '' : identityOf(stat);
      const before = identities.get(at);
      if (before !== undefined && before !== identity && isElsewhere(before, fresh)) throw moved(path);
      if (identity === '') identities.delete(at);
      else identities.set(at, identity);
      if (identity === '') return [];
      return [`${top.target}${at.slice(top.source.length + 1)}`];
    });
  }

  return { binds, masked, uncovered: () => missed };
}

/** Looked for only when something denied is gone or another one: whoever saves a file often makes a new one. */
function isElsewhere(identity: string, folders: ReadonlyMap<string, Seen>): boolean {
  return [...folders.keys()].some((key) => {
    const folder = key.slice(key.indexOf(' ') + 1);
    return readdirSync(folder).some((name) => {
      const stat = lstatSync(`${folder}/${name}`, { throwIfNoEntry: false });
      return stat !== undefined && identityOf(stat) === identity;
    });
  });
}

const stampOf = ({ dev, ino, ctimeNs, mtimeNs }: BigIntStats): string => [dev, ino, ctimeNs, mtimeNs].join(' ');

function moved(path: string): HardshellError {
  return new HardshellError({
    code: 'DENIED_PATH_MOVED',
    message: `${path} is in security.deniedPaths and is no longer where it was, so it cannot be hidden from commands`,
    fix: 'put it back, or change security.deniedPaths to where it is now',
  });
}
