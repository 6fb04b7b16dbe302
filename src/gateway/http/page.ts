// Owns the files of the page: which path is which file, how long a browser may keep it, and the compressed copies
// beside it. Nothing outside the folder can be named, and a link inside it is not followed.
import { readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

export type PageFile = { readonly bytes: Buffer; readonly headers: Readonly<Record<string, string>> };

export type Page = {
  /** null: there is no such file. `acceptEncoding` is the header as it came. */
  find(path: string, acceptEncoding: string | undefined): Promise<PageFile | null>;
};

/** The page has one path: which session is open is in the fragment, which never gets here. */
export const isPagePath = (path: string): boolean => path === '/';

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  json: 'application/json; charset=utf-8',
  webmanifest: 'application/manifest+json; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
  webp: 'image/webp',
  woff2: 'font/woff2',
  txt: 'text/plain; charset=utf-8',
};
/** A file of another type is not one of the page's, however it got there. */
const NAME = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/){0,3}[A-Za-z0-9_-][A-Za-z0-9._-]*\.([a-z0-9]+)$/;
/** The builder puts a hash of the content into the name of everything in here. */
const HASHED = /^assets\//;

export function createPage(folder: string): Page {
  const root = realpath(folder).catch(() => null);
  return {
    async find(path, acceptEncoding) {
      const name = isPagePath(path) ? 'index.html' : path.slice(1);
      const type = TYPES[NAME.exec(name)?.[1] ?? ''];
      const base = await root;
      if (type === undefined || base === null) return null;
      const plain = await inside(base, name);
      if (plain === null) return null;
      const caching = HASHED.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache';
      const headers = { 'content-type': type, 'cache-control': caching, vary: 'accept-encoding' };
      for (const [encoding, ending] of encodings(acceptEncoding)) {
        const packed = await inside(base, `${name}${ending}`);
        if (packed) return { bytes: await readFile(packed), headers: { ...headers, 'content-encoding': encoding } };
      }
      return { bytes: await readFile(plain), headers };
    },
  };
}

/** The path of a regular file that is where its name says, links followed; else null. */
async function inside(root: string, name: string): Promise<string | null> {
  const path = join(root, name);
  try {
    return (await realpath(path)) === path && (await stat(path)).isFile() ? path : null;
  } catch {
    return null;
  }
}

function encodings(accept: string | undefined): [string, string][] {
  const offered = new Set(
    (accept ?? '')
      .split(',')
      .filter((part) => !/;\s*q=0(?:\.0*)?\s*$/.test(part))
      .map(nameOf),
  );
  const known: [string, string][] = [
    ['br', '.br'],
    ['gzip', '.gz'],
  ];
  return known.filter(([name]) => offered.has(name));
}

const nameOf = (part: string): string => (part.split(';')[0] ?? '').trim().toLowerCase();
