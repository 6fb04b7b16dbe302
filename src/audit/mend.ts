// Owns how a finding about a setting is mended: the one command, and the same as repairs when nothing is loosened by it. It
// knows the spelling that stands in the file, since a command must act on what is written there.
import { parseKeyPath, showKeyPath } from '../config/edit/key-path.ts';
import { quoted } from '../secrets/files.ts';
import type { Facts, Finding, Repair } from './check.ts';

/** null takes the setting out, so that its default holds. */
export type Edit = { readonly path: readonly string[]; readonly value: unknown };

type Mended = Pick<Finding, 'fix' | 'where'> & { readonly repairs: readonly Repair[] };

/** The command that gives settings these values; keys of free names are written like groups["-100.5"].requireMention. */
export function mend(facts: Facts, values: Readonly<Record<string, unknown>>): Mended {
  const wanted = Object.entries(values).map(([key, value]): Edit => ({ path: parseKeyPath(key), value }));
  const edits = wanted.flatMap((one) => [...spelledOtherwise(facts, one), one]);
  return {
    where: dotted(wanted[0]?.path ?? []),
    fix: commandOf(edits),
    repairs: edits.map(({ path, value }) => ({ kind: 'setting', path: showKeyPath(path), value })),
  };
}

/** The same without repairs: what a person must decide. */
export function advise(facts: Facts, values: Readonly<Record<string, unknown>>): Pick<Finding, 'fix' | 'where'> {
  const { fix, where } = mend(facts, values);
  return { fix, ...(where === undefined ? {} : { where }) };
}

/** As the configuration names it in what it says. */
const dotted = (path: readonly string[]): string => path.join('.');

/** The keys in the file that were read as this one. */
function spelledOtherwise({ inspection }: Facts, { path }: Edit): Edit[] {
  const key = dotted(path);
  return (inspection?.mappings ?? [])
    .filter(({ from, to }) => from !== to && (to === key || to.startsWith(`${key}.`)) && has(inspection?.raw, from))
    .map(({ from }) => ({ path: from.split('.'), value: null }));
}

const has = (tree: unknown, key: string): boolean =>
  key.split('.').reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], tree) !==
  undefined;

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
