// Owns the grammar of a path below a trusted folder: what a model or a person may write, turned into plain names. It
// knows nothing of the disk, and it must never repair a path that could be read in two ways: it refuses.
import { DIRECTIONS, LINE_ENDS } from './disguise.ts';
import { HardshellError } from './errors.ts';

/** How the workspace is called inside the sandbox; models see this name and use it. */
export const SANDBOX_WORKSPACE = '/workspace';

const MAX_PATH_BYTES = 4096;
const MAX_NAME_BYTES = 255;
const MAX_DEPTH = 64;
/** Control characters, line separators, direction overrides and halves of surrogate pairs: none can be shown as is. */
const UNSHOWABLE = new RegExp(String.raw`[\p{Cc}\p{Cs}${DIRECTIONS}${LINE_ENDS}]`, 'u');
const FIX = 'use a path relative to the workspace, such as notes/today.md';

/** The names from the root folder down; empty for the root folder itself. `roots` are spellings of that folder. */
export function namesOf(path: string, roots: readonly string[]): readonly string[] {
  if (path === '') throw refused('PATH_EMPTY', 'the path is empty');
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw refused('PATH_TOO_LONG', 'the path is too long', 'shorten it');
  if (UNSHOWABLE.test(path)) throw refused('PATH_CONTROL', 'the path contains a control character');
  if (path.includes('\\'))
    throw refused('PATH_BACKSLASH', `the path contains a backslash: ${path}`, 'separate folders with /');
  if (path.startsWith('~'))
    throw refused('PATH_OUTSIDE', `${path} means a home folder, which is outside the workspace`);
  const names = belowRoot(path, roots)
    .split('/')
    .filter((name) => name !== '' && name !== '.');
  if (names.includes('..')) throw refused('PATH_OUTSIDE', `${path} contains .., which may lead outside the workspace`);
  if (names.length > MAX_DEPTH) throw refused('PATH_TOO_LONG', 'the path has too many folders', 'use fewer folders');
  const long = names.find(
    (name) => Buffer.byteLength(name) > MAX_NAME_BYTES || Buffer.byteLength(name.normalize('NFC')) > MAX_NAME_BYTES,
  );
  if (long !== undefined) throw refused('PATH_TOO_LONG', `a name is longer than ${MAX_NAME_BYTES} bytes`, 'shorten it');
  return names;
}

/** As `namesOf`, for something that must have a name. */
export function fileNamesOf(path: string, roots: readonly string[]): readonly string[] {
  const names = namesOf(path, roots);
  if (names.length === 0)
    throw refused('IS_A_FOLDER', `${path} is the workspace itself, not a file`, 'name a file inside it');
  return names;
}

function belowRoot(path: string, roots: readonly string[]): string {
  if (!path.startsWith('/')) return path;
  for (const root of [SANDBOX_WORKSPACE, ...roots]) {
    if (path === root) return '.';
    const below = root === '/' ? root : `${root}/`;
    if (path.startsWith(below)) return path.slice(below.length);
  }
  throw refused('PATH_OUTSIDE', `${path} is outside the workspace`);
}

function refused(code: string, message: string, fix = FIX): HardshellError {
  return new HardshellError({ code, message, fix });
}
