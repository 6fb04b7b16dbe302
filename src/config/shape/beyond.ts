// Owns reading a broken configuration as far as it can be understood: without the keys that do not fit, again and again, until
// everything else has been judged. It changes no file.
import { errorsIn, type Finding } from '../findings.ts';
import type { Inspection } from '../inspect.ts';
import type { Config } from '../schema.ts';

/** A file has this many layers of mistakes at most that hide each other. */
const MAX_READINGS = 8;

/** A section with a mistake has its defaults, which would hide what else stands there: without the mistake it is read again. */
export async function readBeyond(
  first: Inspection,
  again: (text: string) => Inspection | Promise<Inspection>,
): Promise<{ readonly settings: Config; readonly said: readonly Finding[] }> {
  const said = new Map(first.findings.map((one) => [keyOf(one), one]));
  let [now, tree] = [first, first.understood];
  for (let reading = 1; reading < MAX_READINGS && errorsIn(now.findings).length > 0; reading += 1) {
    const left = errorsIn(now.findings).reduce(
      (rest, { key, code }) => (FITS.has(code) ? without(rest, key) : rest),
      tree,
    );
    if (JSON.stringify(left) === JSON.stringify(tree)) break;
    const next = await again(JSON.stringify(left));
    if (next.config === null) break;
    for (const one of next.findings) said.set(keyOf(one), said.get(keyOf(one)) ?? one);
    [now, tree] = [next, left];
  }
  return { settings: now.config as Config, said: [...said.values()] };
}

/** What keeps a section from being read; everything else is about values that were. */
const FITS = new Set(['unknown-key', 'bad-value', 'unknown-channel', 'not-offered']);

export const keyOf = ({ code, key, message }: Finding): string => `${code}\0${key}\0${message}`;

/** The tree without that key. Names in it may have dots themselves, such as those of hosts and chats. */
export function without(tree: unknown, key: string): unknown {
  if (tree === null || typeof tree !== 'object') return tree;
  for (const [name, item] of Object.entries(tree)) {
    if (key !== name && !key.startsWith(`${name}.`)) continue;
    const put = (value: readonly unknown[]): unknown => {
      if (Array.isArray(tree)) return tree.flatMap((one, at) => (String(at) === name ? value : [one]));
      const { [name]: _, ...rest } = tree as Record<string, unknown>;
      return value.length === 0 ? rest : { ...rest, [name]: value[0] };
    };
    if (key === name) return put([]);
    const inner = without(item, key.slice(name.length + 1));
    if (inner !== item) return put([inner]);
  }
  return tree;
}
