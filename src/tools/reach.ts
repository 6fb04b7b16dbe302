// Owns the way from a path that policy let through to an open file: which folder it is opened below, and that what was
// really opened is judged once more. It must never follow a link, nor trust a name that it has not seen opened.
import { statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Access, covers, real as realOf, ruleOn, type Zone, type Zones } from '../config/zones.ts';
import { HardshellError } from '../platform/errors.ts';
import { identityOf } from '../platform/folder-handle.ts';
import { type Opened, openRoot, type Root } from '../platform/root.ts';
import { workspaceOwner } from '../sandbox/workspace.ts';

export type Place = {
  readonly root: Root;
  /** relative to `root`, or absolute below it */
  readonly name: string;
  /** whether an entry of this folder may not be read */
  isClosed(entry: string): boolean;
};

/** What the file tools see of this machine. */
export type Reach = {
  /** `path` as tools/paths.ts spells it. Throws a HardshellError for what may not be opened. */
  at(path: string, access: Access): Promise<Place>;
};

export function createReach(zones: () => Zones): Reach {
  const roots = new Map<string, Promise<Root>>();
  const denied = rememberDenied();
  denied(zones());

  function inspect({ path, access, identities }: Opened): void {
    const now = zones();
    const ruling = ruleOn(now, path, access);
    if (!ruling.ok) throw refused(ruling.code, path, ruling.why);
    const shut = denied(now, access);
    if (identities.some((one) => shut.has(one)))
      throw refused('PATH_DENIED', path, 'it is in security.deniedPaths, by another name');
  }

  async function rootOn(dir: string, anyDisk: boolean, isOwn: boolean): Promise<Root> {
    const open = roots.get(dir) ?? openRoot(dir, { inspect, anyDisk, ...(isOwn ? workspaceOwner() : {}) });
    roots.set(dir, open);
    return open.catch((error: unknown) => {
      roots.delete(dir);
      throw error;
    });
  }

  /** Below the outermost folder that is allowed: what lies in one that can be written may have been swapped for a link. */
  function topOf(
    now: Zones,
    path: string,
  ): { readonly dir: string; readonly name: string; readonly isOwn: boolean } | null {
    const own = now.workspace.find((top) => covers(top, path));
    if (own !== undefined) return { dir: now.workspace[0] ?? own, name: nameBelow(own, path), isOwn: true };
    const tops = now.allowed.flatMap(({ spellings }) => spellings.filter((one) => covers(one, path)));
    const top = tops.sort((a, b) => a.length - b.length)[0];
    if (top === undefined) return null;
    const dir = realOf(top);
    if (path !== top || statSync(dir, { throwIfNoEntry: false })?.isDirectory() === true)
      return { dir, name: nameBelow(top, path), isOwn: false };
    return { dir: dirname(dir), name: basename(dir), isOwn: false };
  }

  return {
    async at(path, access) {
      const now = zones();
      const whole = path.startsWith('/') ? path : join(now.workspace[0] ?? '/', path);
      const ruling = ruleOn(now, whole, access);
      if (!ruling.ok) throw refused(ruling.code, path, ruling.why);
      const top = topOf(now, whole);
      const root = await (top === null ? rootOn('/', true, false) : rootOn(top.dir, false, top.isOwn));
      const real = top === null ? whole : join(root.path, top.name);
      return {
        root,
        name: top?.isOwn ? top.name : real,
        isClosed: (entry) => !ruleOn(zones(), join(real, entry), 'read').ok,
      };
    },
  };
}

const MAX_REMEMBERED = 100;

/** What the denied names stand for, so that moving or mounting it elsewhere does not open it. */
function rememberDenied() {
  const seen = new Map<string, Set<string>>();
  const note = ({ spellings }: Zone): Set<string> => {
    const [key = ''] = spellings;
    const known = seen.get(key) ?? new Set();
    seen.set(key, known);
    for (const one of spellings) {
      const found = statSync(one, { throwIfNoEntry: false });
      if (found) known.add(identityOf(found));
    }
    // Whoever saves a file makes a new one each time.
    for (const old of known.size > MAX_REMEMBERED ? known : []) {
      known.delete(old);
      break;
    }
    return known;
  };
  return ({ denied, closed }: Zones, access: Access = 'write'): ReadonlySet<string> =>
    new Set(
      [...denied.filter((zone) => access === 'write' || zone.access !== 'w'), ...closed].flatMap((zone) => [
        ...note(zone),
      ]),
    );
}

const nameBelow = (top: string, path: string): string => path.slice(top.length).replace(/^\/+/, '') || '.';

function refused(code: string, path: string, why: string): HardshellError {
  return new HardshellError({ code, message: `${path} was not opened: ${why}`, fix: 'name a file in the workspace' });
}
