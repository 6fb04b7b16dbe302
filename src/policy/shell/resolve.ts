// Owns which file of the system a program's name means: the fixed PATH and folders that only the system's owner can
// change, never the workspace. It only looks.
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { plainProgramName } from '../../config/interpreters.ts';
import { BASE_ENVIRONMENT } from '../../sandbox/environment.ts';

/** `path` is how it is started (the name matters to programs of many names), `real` is where it lies. */
export type Program = { readonly path: string; readonly real: string; readonly names: readonly string[] };
export type Resolve = (name: string) => Program | null;

const FOLDERS = (BASE_ENVIRONMENT['PATH'] ?? '').split(':');
/** Whoever owns the system; in a namespace of its own it has no number there. */
const SYSTEM_OWNERS = new Set([0, 65_534]);
/** One file, many programs by the name it is started by. */
const MANY = new Set(['busybox', 'toybox']);
/** The same, and with GNU's options: who it is, its name says. */
const ONE_OF_GNU = 'coreutils';

export function createResolve(folders: readonly string[] = FOLDERS, isTrusted = ofTheSystem): Resolve {
  const find: Resolve = (name) => {
    if (!/^[\x21-\x7e]+$/.test(name)) return null;
    const tried = isAbsolute(name) ? [name] : name.includes('/') ? [] : folders.map((folder) => `${folder}/${name}`);
    for (const path of tried) {
      try {
        accessSync(path, constants.X_OK);
        const real = realpathSync(path);
        if (!statSync(real).isFile() || !wayTo(real).every(isTrusted)) return null;
        // What the name leads to counts too: a link called `list` may be a shell.
        return {
          path,
          real,
          names: [...new Set([path, ...(baseOf(real) === ONE_OF_GNU ? [] : [real])].map(plainProgramName))],
        };
      } catch {
        // The next folder.
      }
    }
    return null;
  };
  // For one judgement, in which every name is asked about again and again.
  const known = new Map<string, Program | null>();
  return (name) => {
    const found = known.has(name) ? known.get(name) : find(name);
    known.set(name, found ?? null);
    return found ?? null;
  };
}

/** A folder above that others may change is enough to put another file there. */
const wayTo = (path: string): string[] => (path === '/' ? ['/'] : [path, ...wayTo(dirname(path))]);

function ofTheSystem(path: string): boolean {
  const { uid, mode } = statSync(path);
  return SYSTEM_OWNERS.has(uid) && (mode & 0o022) === 0;
}

/** Whether an entry of a list means this program. */
export function isListed(program: Program, list: readonly string[], resolve: Resolve): boolean {
  return list.some((entry) => {
    const listed = resolve(entry);
    return listed !== null && listed.real === program.real && baseOf(listed.path) === baseOf(program.path);
  });
}

/** The options of these are other ones than GNU's, which are the ones that are known. */
export const isForeign = ({ real }: Program): boolean => process.platform !== 'linux' || MANY.has(baseOf(real));

const baseOf = (path: string): string => path.split('/').at(-1) ?? path;
