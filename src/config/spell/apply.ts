// Owns applying the table of spellings to a configuration. It must never drop a value without saying so, and never let
// the looser of two answers win.
import { isObject } from '../../platform/json.ts';
import type { Finding, Mapping } from '../findings.ts';
import { LOST_INDENTATION, SNAKE_BELOW, SPELLINGS, type Spelling, STRICTNESS } from '../spellings.ts';
import { CHANGES } from './values.ts';

export type Spelled = {
  readonly value: unknown;
  readonly mappings: readonly Mapping[];
  readonly findings: readonly Finding[];
};
type Tree = Record<string, unknown>;
type Pass = { readonly tree: Tree; readonly mappings: Mapping[]; readonly findings: Finding[] };

/** Changes `value` in place: hand it a copy. */
export function spell(value: unknown): Spelled {
  const pass: Pass = { tree: isObject(value) ? value : {}, mappings: [], findings: [] };
  if (!isObject(value)) return { value, mappings: [], findings: [] };
  regroup(pass);
  for (const root of SNAKE_BELOW) camelBelow(pass, pass.tree[root], root);
  for (const row of SPELLINGS) for (const stars of matchesOf(pass.tree, row.from)) applyRow(pass, row, stars);
  return { value: pass.tree, mappings: pass.mappings, findings: pass.findings };
}

function applyRow(pass: Pass, row: Spelling, stars: readonly string[]): void {
  const from = fill(row.from, stars);
  const to = fill(row.to, stars);
  const value = read(pass.tree, from);
  const changed = row.change ? CHANGES[row.change](value, to) : { set: [{ to, value }] };
  const stays = changed?.set.length === 1 && changed.set[0]?.to === from && same(changed.set[0].value, value);
  if (changed === null || stays) return;
  take(pass.tree, from);
  const notes = [changed.note ?? row.note];
  for (const { to: target, value: wanted } of changed.set) notes.push(put(pass, from, target, wanted));
  const said = notes.filter((note) => note !== undefined).join('; ');
  pass.mappings.push({ from: shown(from), to: shown(changed.set[0]?.to ?? to), note: said });
}

/** Sets a value where none is; else the stricter of both stays. Returns what there is to say. */
function put(pass: Pass, from: string, to: string, wanted: unknown): string | undefined {
  const present = read(pass.tree, to);
  if (present === undefined) {
    write(pass.tree, to, wanted);
    return undefined;
  }
  if (same(present, wanted)) return undefined;
  const winner = stricter(to, present, wanted);
  if (winner === undefined) {
    pass.findings.push({
      level: 'error',
      code: 'spellings-disagree',
      key: shown(to),
      message: `${shown(from)} and ${shown(to)} mean the same setting and differ`,
      fix: `remove ${shown(from)}, and keep in ${shown(to)} what you want`,
    });
    return `differs from ${shown(to)}`;
  }
  write(pass.tree, to, winner);
  return `${shown(to)} is also written, as ${JSON.stringify(present)}; the stricter ${JSON.stringify(winner)} holds`;
}

function stricter(key: string, a: unknown, b: unknown): unknown {
  const order = Object.entries(STRICTNESS).find(([pattern]) => fits(pattern, key))?.[1];
  if (order === undefined) return undefined;
  if (order === 'allows' || order === 'denies') {
    if (!Array.isArray(a) || !Array.isArray(b)) return undefined;
    const known = new Set(b.map(String));
    return order === 'allows' ? a.filter((item) => known.has(String(item))) : [...new Set([...a, ...b])];
  }
  // A word that is not known may have meant the strictest of all: it must not give way to one that is.
  const [first, second] = [a, b].map((one) => order.indexOf(canonical(key, one) as string | boolean)) as [
    number,
    number,
  ];
  if (first === -1 || second === -1 || first === second) return undefined;
  return first < second ? a : b;
}

/** A word of a guide at the key itself, which its own row has not reached yet. */
function canonical(key: string, value: unknown): unknown {
  const row = SPELLINGS.find(({ from, to }) => from === to && fits(from, key));
  return row?.change ? (CHANGES[row.change](value, key)?.set[0]?.value ?? value) : value;
}

/** YAML whose indentation was lost: headings without a value, followed by the keys that belong below them. */
function regroup({ tree, mappings }: Pass): void {
  for (const [root, groups] of Object.entries(LOST_INDENTATION)) {
    if (tree[root] !== null) continue;
    let open = '';
    for (const [key, value] of Object.entries(tree)) {
      if (value === null && Object.hasOwn(groups, key)) {
        open = key;
        delete tree[key];
      } else if (open && groups[open]?.includes(key)) {
        delete tree[key];
        write(tree, `${root}.${open}.${key}`, value, true);
        mappings.push({
          from: key,
          to: `${root}.${open}.${key}`,
          note: 'the indentation of the guide was lost in copying',
        });
      }
    }
  }
}

function camelBelow(pass: Pass, node: unknown, at: string): void {
  if (!isObject(node)) return;
  for (const [key, value] of Object.entries(node)) {
    camelBelow(pass, value, `${at}.${key}`);
    const camel = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (camel === key || !/^[a-z]+(_[a-z]+)+$/.test(key)) continue;
    delete node[key];
    pass.mappings.push({
      from: `${at}.${key}`,
      to: `${at}.${camel}`,
      note: put(pass, `${at}.${key}`, `${at}.${camel}`, value) ?? '',
    });
  }
}

/** For each way in which a pattern fits the tree: what its stars stand for. */
function matchesOf(tree: Tree, pattern: string): string[][] {
  let found: { node: unknown; stars: string[] }[] = [{ node: tree, stars: [] }];
  for (const part of pattern.split('.')) {
    found = found.flatMap(({ node, stars }) => {
      if (!isObject(node)) return [];
      if (part === '*') return Object.keys(node).map((key) => ({ node: node[key], stars: [...stars, key] }));
      return Object.hasOwn(node, part) ? [{ node: node[part], stars }] : [];
    });
    if (found.length === 0) return [];
  }
  return found.filter(({ node }) => node !== undefined).map(({ stars }) => stars);
}

/** A key with a dot of its own (an id) is kept apart by an unlikely character until it is used. */
const DOT = '\u0001';
const shown = (path: string): string => path.replaceAll(DOT, '.');
const keysOf = (path: string): string[] => path.split('.').map((key) => key.replaceAll(DOT, '.'));
function fill(pattern: string, stars: readonly string[]): string {
  let next = 0;
  return pattern.replace(/\*/g, () => (stars[next++] ?? '*').replaceAll('.', DOT));
}

export function fits(pattern: string, path: string): boolean {
  const [a, b] = [pattern.split('.'), path.split('.')];
  return a.length === b.length && a.every((part, i) => part === '*' || part.split('|').includes(b[i] ?? ''));
}

function read(tree: Tree, path: string): unknown {
  let node: unknown = tree;
  for (const key of keysOf(path)) {
    if (!isObject(node) || !Object.hasOwn(node, key)) return undefined;
    node = node[key];
  }
  return node;
}

/** A parent that is no object stays as it is, and the schema refuses it there. */
function write(tree: Tree, path: string, value: unknown, overNull = false): void {
  const keys = keysOf(path);
  let node = tree;
  for (const key of keys.slice(0, -1)) {
    const next = Object.hasOwn(node, key) ? node[key] : undefined;
    if (next === undefined || (overNull && next === null)) node[key] = {};
    else if (!isObject(next)) return;
    node = node[key] as Tree;
  }
  node[keys.at(-1) ?? ''] = value;
}

/** Removes a value, and the parents that are empty then. */
function take(tree: Tree, path: string): void {
  const keys = keysOf(path);
  const chain: Tree[] = [tree];
  for (const key of keys.slice(0, -1)) chain.push(chain.at(-1)?.[key] as Tree);
  for (let i = keys.length - 1; i >= 0; i--) {
    const node = chain[i];
    if (!node) return;
    delete node[keys[i] ?? ''];
    if (Object.keys(node).length > 0) return;
  }
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
