// Owns how a path is written in security.allowedPaths and its neighbours: the path, and behind a colon what it is about.
// It must never guess: what could be read in two ways is refused with the two ways named.
import { isAbsolute, join, normalize } from 'node:path';
import type { Finding } from './findings.ts';

export type PathList = 'allowedPaths' | 'deniedPaths' | 'dangerouslyReadable';
export type PathEntry = { readonly path: string; readonly access: string };

/** Whatever looks like one counts as one, so that a slip of the finger denies no folder of another name. */
const SUFFIX = /:([a-z]{1,4})$/;
/** What may follow, and what it stands for; the first is meant when nothing follows. */
const MEANINGS: Readonly<Record<PathList, Readonly<Record<string, string>>>> = {
  allowedPaths: { '': 'rw', rw: 'rw', ro: 'ro' },
  deniedPaths: { '': 'rw', rw: 'rw', w: 'w' },
  dangerouslyReadable: { '': 'ro', ro: 'ro' },
};
const SAY: Readonly<Record<PathList, string>> = {
  allowedPaths: 'write the path alone to allow reading and writing, or with :ro to allow reading only',
  deniedPaths: 'write the path alone to deny reading and writing, or with :w to deny writing only',
  dangerouslyReadable: 'write the path alone',
};

/** An entry that `canonicalEntry` let through. */
export function parseEntry(list: PathList, text: string): PathEntry {
  const suffix = SUFFIX.exec(text)?.[1] ?? '';
  const path = suffix === '' ? text : text.slice(0, -suffix.length - 1);
  return { path, access: MEANINGS[list][suffix] ?? 'rw' };
}

/** `~` is a folder from here on, and no path ends in a slash; what is relative stays so, since it is below the workspace. */
export function canonicalEntry(list: PathList, text: string, home: string, findings: Finding[]): string {
  const key = `security.${list}`;
  const wrong = (code: string, why: string, fix: string): string => {
    findings.push({ level: 'error', code, key, message: `${key}: "${text}" ${why}`, fix });
    return text;
  };
  const suffix = SUFFIX.exec(text)?.[0] ?? '';
  const written = text.slice(0, text.length - suffix.length);
  if (!Object.hasOwn(MEANINGS[list], suffix.slice(1))) return wrong('path-access', `ends in ${suffix}`, SAY[list]);
  if (/[*?[\]{}]/.test(written))
    return wrong('path-pattern', 'looks like a pattern, and only plain paths count', 'name the folder or the file');
  if (/^~[^/]/.test(written)) return wrong('path-home', "means somebody else's home folder", 'write it from /');
  const path = written === '~' || written.startsWith('~/') ? join(home, written.slice(1)) : written;
  if (!isAbsolute(path) && `${normalize(path)}/`.startsWith('../'))
    return wrong('relative-path', 'leads out of the workspace', 'write it from / or from ~');
  return normalize(path).replace(/(.)\/+$/, '$1') + suffix;
}
