// Owns the settings that the owner wrote, as paths that can be taken away one by one. Pure.
import { isObject } from '../../platform/json.ts';

/** Parts of a path, since names in it may have dots of their own. */
const SEPARATOR = '\u0000';

export function writtenPaths(tree: unknown, at: readonly string[] = []): string[] {
  if (!isObject(tree)) return at.length === 0 ? [] : [at.join(SEPARATOR)];
  return Object.entries(tree).flatMap(([key, value]) => writtenPaths(value, [...at, key]));
}

export function withoutPaths(tree: unknown, paths: readonly string[]): unknown {
  const copy = structuredClone(tree);
  for (const path of paths) {
    const names = path.split(SEPARATOR);
    const last = names.pop() ?? '';
    const holder = names.reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), copy);
    if (isObject(holder)) delete holder[last];
  }
  return copy;
}

export const shownPath = (path: string): string => path.split(SEPARATOR).join('.');
