// Owns whether a path in a command stays where files may be used: as a name, and where it really leads now. It must never
// trust a name that it could not follow.
import { lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Access, covers, ruleOn, type Zones } from '../../config/zones.ts';
import { secretName } from '../../platform/never-readable.ts';
import { SANDBOX_WORKSPACE } from '../../platform/workspace-path.ts';
import { isSteeringFile } from '../steering.ts';

/** `deep`: all that lies in a folder is used too; `file`: it may be no folder, since what lies in it could be a link. */
export type Extent = 'plain' | 'deep' | 'file';
/** Null: it stays inside. `cwd` is relative to the workspace. */
export type Borders = (path: string, cwd: string, access: Access, extent?: Extent) => string | null;

export const OUTSIDE = 'it names a path outside of what it may use';
const MAX_PATH_BYTES = 4_096;
const MAX_ENTRIES = 20_000;

/** `where` the command runs: in the sandbox the workspace has a name of its own. */
export function bordersOf(zones: Zones, where: 'sandbox' | 'host'): Borders {
  const [top = '/'] = zones.workspace;
  return (path, cwd, access, extent = 'plain') => {
    if (path === '/dev/null') return null;
    if (path === '' || Buffer.byteLength(path) > MAX_PATH_BYTES || path.includes('\0')) return OUTSIDE;
    if (path.startsWith('~') || path.split('/').includes('..')) return OUTSIDE;
    const isInside = where === 'sandbox' && covers(SANDBOX_WORKSPACE, path);
    const absolute = isInside ? `${top}${path.slice(SANDBOX_WORKSPACE.length)}` : resolve(top, cwd, path);
    const real = followed(absolute);
    if (real === null) return 'it names a link that cannot be followed';
    for (const one of new Set([absolute.replace(/(.)\/+$/, '$1'), real])) {
      const ruling = ruleOn(zones, one, access);
      if (!ruling.ok) return `it may not ${access} ${path.slice(0, 80)}: ${ruling.why}`;
      // In the box they are read-only, whatever is tried.
      if (where === 'host' && access === 'write' && isSteeringFile(one))
        return `${path.slice(0, 80)} steers every later conversation`;
    }
    if (extent === 'file' && isFolder(real)) return 'it takes the files of a folder, and they may be links';
    const hidden = zones.denied.some(({ spellings }) => spellings.some((one) => covers(real, one)));
    const holds = hidden || (extent === 'deep' && where === 'host' && holdsSecret(real));
    return extent === 'deep' && holds ? 'it goes through a folder in which some things are denied' : null;
  };
}

/** Whether something of keys lies in it, which no wall hides on the host. Where it is too much to look through, so it is said. */
function holdsSecret(top: string): boolean {
  const folders = [top];
  let left = MAX_ENTRIES;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of entriesOf(folder)) {
      left -= 1;
      if (left < 0 || secretName(entry.name) !== null) return true;
      if (entry.isDirectory()) folders.push(`${folder}/${entry.name}`);
    }
  }
  return false;
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** Where it leads now, as far as it exists; null for a link that leads nowhere. */
function followed(path: string): string | null {
  try {
    return realpathSync(path);
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    try {
      lstatSync(path);
      return null;
    } catch {
      const above = dirname(path);
      const real = above === path ? path : followed(above);
      return real === null ? null : `${real === '/' ? '' : real}/${path.slice(above === '/' ? 1 : above.length + 1)}`;
    }
  }
}
