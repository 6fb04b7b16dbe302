// Owns the settings that the owner wrote, as paths that can be taken away one by one. Pure.

type Tree = Readonly<Record<string, unknown>>;

/** Parts of a path, since names in it may have dots of their own. */
const SEPARATOR = '\u0000';
const isTree = (value: unknown): value is Tree => value !== null && typeof value === 'object' && !Array.isArray(value);

export function writtenPaths(tree: unknown, at: readonly string[] = []): string[] {
  if (!isTree(tree)) return at.length === 0 ? [] : [at.join(SEPARATOR)];
  return Object.entries(tree).flatMap(([key, value]) => writtenPaths(value, [...at, key]));
}

export function withoutPaths(tree: unknown, paths: readonly string[]): unknown {
  const copy = structuredClone(tree);
  for (const path of paths) {
    const names = path.split(SEPARATOR);
    const last = names.pop() ?? '';
    const holder = names.reduce<unknown>((inner, name) => (isTree(inner) ? inner[name] : undefined), copy);
    if (isTree(holder)) delete (holder as Record<string, unknown>)[last];
  }
  return copy;
}

export const shownPath = (path: string): string => path.split(SEPARATOR).join('.');
