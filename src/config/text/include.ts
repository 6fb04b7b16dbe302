// Owns `$include`: other files of the config folder merged in where it stands. Later files win over earlier ones, the keys
// beside it over all; objects are merged, lists replaced. It must never leave the folder or go in circles.
import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { isObject } from '../../platform/json.ts';
import { SourceError } from '../findings.ts';

const MAX_DEPTH = 10;
const MAX_FILES = 64;
const MAX_PATH_CHARS = 4_096;

export type IncludeOptions = {
  /** folders that includes may lie in */
  readonly roots: readonly string[];
  /** reads and understands one file; null when there is none */
  readonly read: (file: string) => unknown | null;
};

export type Included = { readonly value: unknown; readonly files: readonly string[] };

export function resolveIncludes(value: unknown, file: string, options: IncludeOptions): Included {
  const roots = options.roots.map(real);
  const files: string[] = [];
  const open = (name: unknown, from: string, way: readonly string[]): unknown => {
    const target = targetOf(name, from, roots);
    if (way.includes(target)) {
      throw new SourceError(
        'include-circle',
        `$include goes in a circle: ${[...way.slice(way.indexOf(target)), target].map((one) => relative(dirname(file), one)).join(' -> ')}`,
        'take one of them out',
      );
    }
    if (way.length > MAX_DEPTH)
      throw new SourceError(
        'include-depth',
        `$include goes more than ${MAX_DEPTH} files deep`,
        'put them into fewer files',
      );
    if (files.length >= MAX_FILES)
      throw new SourceError('include-count', `more than ${MAX_FILES} files are included`, 'put them into fewer files');
    const inner = options.read(target);
    if (inner === null)
      throw new SourceError(
        'include-missing',
        `$include names ${String(name)}, and ${target} does not exist`,
        'correct the name, or make the file',
      );
    files.push(target);
    return walk(inner, target, [...way, target]);
  };
  const walk = (node: unknown, from: string, way: readonly string[]): unknown => {
    if (Array.isArray(node)) return node.map((item) => walk(item, from, way));
    if (node === null || typeof node !== 'object') return node;
    const { $include: names, ...beside } = node as Record<string, unknown>;
    const own = Object.fromEntries(Object.entries(beside).map(([key, item]) => [key, walk(item, from, way)]));
    if (names === undefined) return own;
    const parts = (Array.isArray(names) ? names : [names]).map((name) => open(name, from, way));
    return (Object.keys(own).length > 0 ? [...parts, own] : parts).reduce<unknown>(merge, {});
  };
  const top = real(file);
  return { value: walk(value, top, [top]), files };
}

function targetOf(name: unknown, from: string, roots: readonly string[]): string {
  if (typeof name !== 'string' || name === '' || name.length > MAX_PATH_CHARS || name.includes('\0')) {
    throw new SourceError(
      'include-name',
      '$include takes the name of a file, or a list of names',
      'write it like "./channels.json5"',
    );
  }
  const target = real(resolve(dirname(from), name));
  if (!roots.some((root) => inside(root, target))) {
    throw new SourceError(
      'include-outside',
      `$include names ${name}, which lies outside the config folder`,
      `move the file into ${roots[0] ?? dirname(from)}, or name its folder in OPENCLAW_INCLUDE_ROOTS`,
    );
  }
  return target;
}

/** The real path as far as it exists, so that a link cannot lead out. */
function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path === dirname(path)
      ? path
      : join(real(dirname(path)), path.slice(dirname(path).length).replace(/^\//, ''));
  }
}

function inside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}

function merge(under: unknown, over: unknown): unknown {
  if (!isObject(under) || !isObject(over)) return over;
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    merged[key] = Object.hasOwn(merged, key) ? merge(merged[key], value) : value;
  }
  return merged;
}
