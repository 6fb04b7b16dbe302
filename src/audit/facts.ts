// Owns what the checks look at: the installation as doctor sees it, and of a broken configuration all that is understood
// of it. It reads, makes nothing, and throws for nothing that a file can say.
import { errorsIn, type Finding } from '../config/findings.ts';
import type { Inspection } from '../config/inspect.ts';
import type { Env } from '../config/paths.ts';
import type { Config } from '../config/schema.ts';
import { gatherFacts, inspectQuietly } from '../ops/doctor/facts.ts';
import type { Facts } from './check.ts';

/** A file has this many layers of mistakes at most that hide each other. */
const MAX_READINGS = 8;

export async function gatherAuditFacts(env: Env, options: Parameters<typeof gatherFacts>[1]): Promise<Facts> {
  const facts = await gatherFacts(env, options);
  // A .env that nobody may read stops a start; the settings beside it are looked at all the same.
  const inspection = facts.inspection ?? (await inspectQuietly(facts.paths, env).catch(() => null));
  if (inspection === null || inspection.config === null)
    return { ...facts, inspection, settings: null, said: inspection?.findings ?? [] };
  return { ...facts, inspection, ...(await understood(facts.paths, inspection.env, inspection)) };
}

/** A section with a mistake has its defaults, which would hide what else stands there: without the mistake it is read again. */
async function understood(
  paths: Facts['paths'],
  env: Env,
  first: Inspection,
): Promise<{ readonly settings: Config; readonly said: readonly Finding[] }> {
  const said = new Map(first.findings.map((one) => [keyOf(one), one]));
  let [now, tree] = [first, first.understood];
  for (let reading = 1; reading < MAX_READINGS && errorsIn(now.findings).length > 0; reading += 1) {
    const left = errorsIn(now.findings).reduce(
      (rest, { key, code }) => (FITS.has(code) ? without(rest, key) : rest),
      tree,
    );
    if (JSON.stringify(left) === JSON.stringify(tree)) break;
    const next = await inspectQuietly(paths, env, JSON.stringify(left));
    if (next.config === null) break;
    for (const one of next.findings) said.set(keyOf(one), said.get(keyOf(one)) ?? one);
    [now, tree] = [next, left];
  }
  return { settings: now.config as Config, said: [...said.values()] };
}

/** What keeps a section from being read; everything else is about values that were. */
const FITS = new Set(['unknown-key', 'bad-value', 'unknown-channel', 'not-offered']);

const keyOf = ({ code, key, message }: Finding): string => `${code}\0${key}\0${message}`;

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
