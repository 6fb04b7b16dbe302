// Owns how a finding about a setting is mended: the one command, and the same as repairs when nothing is loosened by it. It
// knows the spelling that stands in the file, since a command must act on what is written there.
import { parseKeyPath, showKeyPath } from '../config/edit/key-path.ts';
import { schemaAt } from '../config/schema/tree.ts';
import { quoted } from '../secrets/files.ts';
import type { Facts, Finding, Repair } from './check.ts';

/** null takes the setting out, so that its default holds. */
export type Edit = { readonly path: readonly string[]; readonly value: unknown };

/** Settings by their key as `config set` takes it, such as groups["-100.5"].requireMention, with what they should be. */
export type Wanted = Readonly<Record<string, unknown>>;

type Advised = Required<Pick<Finding, 'fix' | 'where'>>;

/** The command that gives settings these values, for what a person must decide. */
export function advise(facts: Facts, wanted: Wanted): Advised {
  const edits = editsFor(facts, wanted);
  return { where: whereOf(wanted), fix: commandOf(edits) };
}

/** The same with repairs, for what cannot loosen anything and takes nothing from the owner. */
export function mend(facts: Facts, wanted: Wanted): Advised & { readonly repairs: readonly Repair[] } {
  const repairs = editsFor(facts, wanted).map(
    ({ path, value }): Repair => ({ kind: 'setting', path: showKeyPath(path), value }),
  );
  return { ...advise(facts, wanted), repairs };
}

/** As the configuration names the setting in what it says. */
const whereOf = (wanted: Wanted): string => parseKeyPath(Object.keys(wanted)[0] ?? 'gateway').join('.');

function editsFor(facts: Facts, wanted: Wanted): Edit[] {
  const raw = facts.inspection?.raw;
  const edits = Object.entries(wanted).flatMap(([key, value]): Edit[] => {
    const path = parseKeyPath(key);
    const others = spelledOtherwise(facts, path.join('.'));
    // What is not there need not be taken out.
    const own = value === null && others.length > 0 && valueAt(raw, path) === undefined ? [] : [{ path, value }];
    return [...others, ...own];
  });
  return withHeadings(raw, edits);
}

/** The keys in the file that were read as this one, to be taken out; one name may have led to another. */
function spelledOtherwise(facts: Facts, key: string, depth = 0): Edit[] {
  return (facts.inspection?.mappings ?? [])
    .filter(({ from, to }) => from !== to && (to === key || to.startsWith(`${key}.`)))
    .flatMap(({ from }) => {
      const path = pathIn(facts.inspection?.raw, from);
      if (path !== null) return [{ path, value: null }];
      return depth < 4 ? spelledOtherwise(facts, from, depth + 1) : [];
    });
}

/** With the last key of a heading that means nothing here goes the heading. */
function withHeadings(raw: unknown, edits: readonly Edit[]): Edit[] {
  const gone = new Set(edits.filter(({ value }) => value === null).map(({ path }) => path.join('\0')));
  const climb = (path: readonly string[]): readonly string[] => {
    const above = path.slice(0, -1);
    const keys = Object.keys((valueAt(raw, above) as object | undefined) ?? {});
    const isOurs = above.length === 0 || schemaAt(above) !== null;
    const isEmptied = !isOurs && keys.length > 0 && keys.every((key) => gone.has([...above, key].join('\0')));
    if (!isEmptied) return path;
    gone.add(above.join('\0'));
    return climb(above);
  };
  const made = edits.map(({ path, value }) => ({ path: value === null ? climb(path) : path, value }));
  return made.filter(({ path }, at) => made.findIndex((one) => one.path.join('\0') === path.join('\0')) === at);
}

export function commandOf(edits: readonly Edit[]): string {
  const [only, ...more] = edits;
  if (only === undefined) return 'openclaw config validate';
  if (more.length > 0) return `openclaw config patch ${quoted(JSON.stringify(patchOf(edits)))}`;
  const key = quoted(showKeyPath(only.path));
  if (only.value === null) return `openclaw config unset ${key}`;
  const text = typeof only.value === 'string' ? only.value : JSON.stringify(only.value);
  return `openclaw config set ${key} ${quoted(text)}`;
}

function patchOf(edits: readonly Edit[]): object {
  const root: Record<string, unknown> = {};
  for (const { path, value } of edits) {
    let node = root;
    for (const name of path.slice(0, -1)) {
      node[name] ??= {};
      node = node[name] as Record<string, unknown>;
    }
    node[path.at(-1) ?? ''] = value;
  }
  return root;
}

export const valueAt = (tree: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((node, name) => (node as Record<string, unknown> | null | undefined)?.[name], tree);

/** The path of a key as it stands in a tree; names in it may have dots themselves. */
export function pathIn(tree: unknown, key: string): string[] | null {
  if (tree === null || typeof tree !== 'object') return null;
  for (const [name, item] of Object.entries(tree)) {
    if (name === key) return [name];
    const rest = key.startsWith(`${name}.`) ? pathIn(item, key.slice(name.length + 1)) : null;
    if (rest !== null) return [name, ...rest];
  }
  return null;
}

/** Takes out what the configuration complains of. */
export function takeOut(facts: Facts, key: string): Advised {
  const path = pathIn(facts.inspection?.raw, key) ?? pathIn(facts.inspection?.understood, key) ?? key.split('.');
  return { ...advise(facts, { [showKeyPath(path)]: null }), where: key };
}
