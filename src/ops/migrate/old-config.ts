// Owns what of an older configuration holds here: every key under the name it has here, and what has no equal left out
// and named. It refuses where leaving a key out could make something less strict, and never guesses what one meant.
import { errorsIn, type Finding, type Mapping, refusal } from '../../config/findings.ts';
import { inspectConfig, type ResolveSecret } from '../../config/inspect.ts';
import type { Env, Paths } from '../../config/paths.ts';
import { type HardshellError, misconfigured } from '../../platform/errors.ts';
import type { LeftOut } from './left-out.ts';

export type Tree = Record<string, unknown>;
export type OldConfig = { readonly exists: boolean; readonly tree: Tree; readonly mappings: readonly Mapping[] };

const MAX_ROUNDS = 300;
/** An unknown key of such a name may have held something back. */
const MAY_PROTECT =
  /den(y|ied)|block|forbid|restrict|require|only$|policy|approv|confirm|redact|sandbox|allow(?!From)|limit|^max|secur|protect/i;
/** Where a rule finds a value too loose, its default is stricter; not so for what denies. */
const DENIES = /den(y|ied)|block|require|only$/i;

/** The old file under today's names, with included files in their places and variables as they were written. */
export function readOldConfig(configPath: string, env: Env): OldConfig {
  const found = inspectConfig({ configPath }, withoutPath(env), { resolveSecret: () => 'not asked for' });
  const disagree = found.findings.filter(({ code }) => code === 'spellings-disagree');
  if (found.config === null || disagree.length > 0)
    throw refusal(found.path, disagree.length > 0 ? disagree : found.findings);
  return { exists: found.exists, tree: structuredClone(found.understood) as Tree, mappings: found.mappings };
}

/** Takes out of the tree what would not hold here, until it would start. */
export function prune(tree: Tree, paths: Paths, env: Env, resolveSecret: ResolveSecret, left: LeftOut[]): void {
  for (const rules of [false, true]) {
    for (let round = 0; ; round++) {
      const finding = nextOf(tree, paths, env, rules, resolveSecret);
      if (finding === undefined) break;
      const { key, message } = finding;
      const value = key === '' ? undefined : valueAt(tree, key);
      const loud = finding.level === 'error';
      if (value === undefined || round >= MAX_ROUNDS) throw refusal(paths.configPath, [{ ...finding, level: 'error' }]);
      if (loud && (rules ? DENIES.test(lastOf(key)) : isUnknown(finding) && restricts(lastOf(key), value)))
        throw lessStrict(key, message);
      removeAt(tree, key);
      left.push({ key, why: message, loud });
    }
  }
}

/** What must go next; one at a time, since one mistake can hide or follow from another. */
function nextOf(tree: Tree, paths: Paths, env: Env, rules: boolean, resolveSecret: ResolveSecret): Finding | undefined {
  const text = JSON.stringify(tree);
  const { findings } = inspectConfig(paths, withoutPath(env), { text, rules, resolveSecret });
  const idle = findings.find(({ code, level }) => IDLE.includes(code) && level !== 'error');
  return errorsIn(findings)[0] ?? idle;
}

const IDLE = ['no-effect', 'already-so', 'unknown-key'];
const isUnknown = ({ code }: Finding): boolean => code !== 'not-offered' && code !== 'unknown-channel';

function restricts(name: string, value: unknown): boolean {
  if (value !== null && typeof value === 'object') {
    const inner = Object.entries(value);
    return inner.length > 0 && (MAY_PROTECT.test(name) || inner.some(([key, item]) => restricts(key, item)));
  }
  return Boolean(value) && MAY_PROTECT.test(name);
}

/** A key of a finding, whose names may have dots in them. */
function valueAt(node: unknown, key: string): unknown {
  const found = holderOf(node, key);
  return found === null ? undefined : found.holder[found.name];
}

/** Also the groups that are empty then. */
function removeAt(tree: Tree, key: string): void {
  const found = holderOf(tree, key);
  if (found === null) return;
  delete found.holder[found.name];
  const above = key.slice(0, -found.name.length - 1);
  if (Object.keys(found.holder).length === 0 && above !== '' && found.holder !== tree) removeAt(tree, above);
}

function holderOf(node: unknown, key: string): { holder: Tree; name: string } | null {
  if (node === null || typeof node !== 'object') return null;
  const holder = node as Tree;
  const plain = key.replace(/\[\d+\].*$/, '');
  if (Object.hasOwn(holder, plain)) return { holder, name: plain };
  for (const name of Object.keys(holder)) {
    if (!plain.startsWith(`${name}.`)) continue;
    const found = holderOf(holder[name], plain.slice(name.length + 1));
    if (found) return found;
  }
  return null;
}

const lastOf = (key: string): string => key.split('.').at(-1) ?? key;

/** The variable names the file of this program, not the old one. */
const withoutPath = (env: Env): Env => ({ ...env, ...NO_PATH });
const NO_PATH = { OPENCLAW_CONFIG_PATH: undefined, CLAWDBOT_CONFIG_PATH: undefined, MOLTBOT_CONFIG_PATH: undefined };

const lessStrict = (key: string, why: string): HardshellError =>
  misconfigured(
    'MIGRATION_LESS_STRICT',
    `nothing was taken over: without ${key} something could be less strict than before (${why})`,
    `copy the old file, replace ${key} there by what does the same here, and name it with --from`,
  );
