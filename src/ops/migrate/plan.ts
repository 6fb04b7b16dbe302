// Owns what would be taken over from an older state, as data for people and for the writing: keys, secrets, variables,
// notes, people. It writes nothing; whoever prints it gets names and never a value.
import { join, normalize } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { errorsIn, type Mapping, refusal } from '../../config/findings.ts';
import { inspectConfig, type ResolveSecret } from '../../config/inspect.ts';
import type { Env, Paths } from '../../config/paths.ts';
import { isRef, isSecretKey, secretsIn } from '../../config/secrets.ts';
import { ENV_SPELLINGS } from '../../config/spellings.ts';
import { HardshellError, misconfigured } from '../../platform/errors.ts';
import { newToken } from '../../platform/ids.ts';
import { isObject } from '../../platform/json.ts';
import type { SecretSetting } from '../../secrets/audit.ts';
import { type EnvEntry, envFileOf, parseEnvText, steersProcess } from '../../secrets/env-file.ts';
import { tryReadSecret, tryReadSecretAt } from '../../secrets/files.ts';
import { type MigrationPlan, planMigration, type SecretStores } from '../../secrets/migrate.ts';
import { keyVariableOf, wellKnownProviders } from '../../secrets/provider-keys.ts';
import type { LeftOut } from './left-out.ts';
import { prune, readOldConfig, type Tree } from './old-config.ts';
import {
  findOldState,
  liesIn,
  type Note,
  type OldFiles,
  type OldState,
  readNotes,
  readOldFiles,
} from './old-folder.ts';
import { type People, takePeople } from './old-people.ts';

/** keep: the same is here. other: something else is here under that name, and stays. */
export type How = 'write' | 'keep' | 'other';

export type Takeover = {
  readonly old: OldState;
  /** the new text, or null when the configuration here says all of it */
  readonly text: string | null;
  readonly taken: readonly { readonly key: string; readonly from?: string }[];
  readonly left: readonly LeftOut[];
  readonly people: readonly People[];
  readonly secrets: MigrationPlan;
  readonly settings: readonly SecretSetting[];
  readonly files: readonly { readonly name: string; readonly value: string; readonly how: How }[];
  readonly variables: readonly { readonly name: string; readonly value: string; readonly how: How }[];
  readonly notes: readonly Note[];
};

type Where = { readonly paths: Paths; readonly env: Env; readonly home: string; readonly from?: string };

/** Secrets that have a setting of their own. */
const TOKEN_PLACES: Readonly<Record<string, string>> = {
  OPENCLAW_GATEWAY_TOKEN: 'gateway.auth.token',
  OPENCLAW_GATEWAY_PASSWORD: 'gateway.auth.password',
  TELEGRAM_BOT_TOKEN: 'channels.telegram.botToken',
  DISCORD_BOT_TOKEN: 'channels.discord.token',
  SLACK_BOT_TOKEN: 'channels.slack.botToken',
  SLACK_APP_TOKEN: 'channels.slack.appToken',
  SLACK_SIGNING_SECRET: 'channels.slack.signingSecret',
};
const GATEWAY_TOKEN = 'gateway.auth.token';

export async function planTakeover({ paths, env, home, from }: Where, stores: SecretStores): Promise<Takeover> {
  const old = findOldState(paths, home, from);
  const left: LeftOut[] = [];
  if (old.inPlace && isGood(paths, env)) return nothingFrom(old);
  const files = await readOldFiles(old);
  left.push(...files.left);
  const oldEnv: Env = { ...Object.fromEntries(files.variables.map(({ name, value }) => [name, value])), ...env };
  const { exists, tree, mappings } = readOldConfig(old.configPath, oldEnv);
  if (!exists) left.push({ key: old.configPath, why: 'there is no configuration in the old folder', loud: true });

  const variables = placeVariables(tree, [...files.variables, ...variablesOf(tree)], left);
  const notes = await notesOf(tree, old, home, left);
  const people = takePeople(tree, files.stores, left);
  const answerFor = resolverOf(oldEnv, old, files, stores);
  prune(tree, paths, oldEnv, answerFor, left);

  const settings = [...secretsIn(tree)].map(({ path, holder, key }) => ({ path, value: holder[key] }));
  const secrets = keepOwnToken(planMigration(settings, stores), tree, left);
  for (const { path, holder, key } of secretsIn(tree)) {
    const move = secrets.moves.find((one) => one.path === path);
    if (move) holder[key] = move.ref;
  }
  const names = new Set(secrets.moves.map(({ name }) => name));
  const copies = files.credentials
    .filter(({ name }) => !names.has(name))
    .map((file) => ({ ...file, how: howOf(tryReadSecret(stores.credentialsDir, file.name), file.value) }));
  const moved = (id: string): string | undefined => {
    const move = secrets.moves.find(({ name }) => name === id);
    const value = settings.find(({ path }) => path === move?.path)?.value;
    return typeof value === 'string' ? value : undefined;
  };
  judge(tree, paths, oldEnv, (ref, path) => moved(ref.id) ?? answerFor(ref, path));
  return {
    old,
    text: textOf(tree, old, paths, oldEnv),
    taken: leavesOf(tree).map((key) => withOrigin(key, mappings)),
    left,
    people,
    secrets,
    settings,
    ...splitVariables(variables, copies, stores, paths),
    notes,
  };
}

/** Whoever keeps a file that holds here keeps its comments too. */
function isGood(paths: Paths, env: Env): boolean {
  const { config, findings } = inspectConfig(paths, env, { rules: true, resolveSecret: () => newToken(32) });
  return config !== null && errorsIn(findings).length === 0;
}

const nothingFrom = (old: OldState): Takeover => ({
  ...{ old, text: null, taken: [], left: [], people: [] },
  ...{ secrets: { moves: [], skipped: [] }, settings: [], files: [], variables: [], notes: [] },
});

/** `env.vars`, and what upstream allows beside them: kept in a private file, since most of it is keys. */
function variablesOf(tree: Tree): EnvEntry[] {
  const group = childOf(tree, 'env');
  if (!isObject(group)) return [];
  const found: EnvEntry[] = [];
  const take = (holder: Tree, all: boolean): void => {
    for (const [name, value] of Object.entries(holder)) {
      if (typeof value !== 'string' || !/^[A-Z][A-Z0-9_]*$/.test(name) || value.includes('${')) continue;
      if (!all && !isSecretKey(name)) continue;
      found.push({ name, value, line: 0 });
      delete holder[name];
    }
  };
  take(group, true);
  const vars = childOf(group, 'vars');
  if (isObject(vars)) take(vars, false);
  if (isObject(vars) && Object.keys(vars).length === 0) delete group['vars'];
  if (Object.keys(group).length === 0) delete tree['env'];
  return found;
}

/** What stands for a secret setting becomes that setting; what steers a process is left out; the rest stays a variable. */
function placeVariables(tree: Tree, entries: readonly EnvEntry[], left: LeftOut[]): EnvEntry[] {
  const values = new Map(entries.map(({ name, value }) => [name, value]));
  const used = new Set<string>();
  for (const { holder, key } of secretsIn(tree)) {
    const written = holder[key];
    const name =
      typeof written === 'string'
        ? /^\$\{([A-Z_][A-Z0-9_]*)\}$/.exec(written)?.[1]
        : isRef(written) && written.source === 'env'
          ? written.id
          : undefined;
    const value = name === undefined ? undefined : values.get(name);
    if (name === undefined || !value) continue;
    holder[key] = value;
    used.add(name);
  }
  const elsewhere = JSON.stringify(tree);
  return entries.filter((entry) => {
    const { name, value } = entry;
    const ours =
      Object.entries(ENV_SPELLINGS).find(([own, others]) => own === name || others.includes(name))?.[0] ?? name;
    if (steersProcess(name)) {
      left.push({ key: name, why: 'a variable that steers processes is not taken from a file', loud: true });
      return false;
    }
    const place = TOKEN_PLACES[ours]?.split('.');
    const isGateway = ours.startsWith('OPENCLAW_GATEWAY');
    if (place && value !== '' && !used.has(name)) {
      const parent = isGateway
        ? makeGroups(tree, place.slice(0, -1))
        : place.slice(0, -1).reduce<unknown>(childOf, tree);
      const last = place.at(-1) ?? '';
      // The environment is asked before the file, for the gateway's own secrets.
      if (isObject(parent) && (isGateway || parent[last] === undefined)) {
        parent[last] = value;
        return false;
      }
    }
    return !used.has(name) || elsewhere.includes(`\${${name}}`);
  });
}

/** A workspace in the old folder is copied; one elsewhere stays where it is, and the setting is taken over. */
async function notesOf(tree: Tree, old: OldState, home: string, left: LeftOut[]): Promise<Note[]> {
  const defaults = childOf(childOf(tree, 'agents'), 'defaults');
  const written = childOf(defaults, 'workspace');
  if (old.dir === null) return [];
  if (typeof written !== 'string') return readNotes(join(old.dir, 'workspace'), left);
  const path = normalize(written.replace(/^~(?=\/|$)/, home)).replace(/(.)\/$/, '$1');
  if (!liesIn(old.dir, path)) return [];
  delete (defaults as Tree)['workspace'];
  return readNotes(path, left);
}

/** Whoever has this gateway's token keeps it. */
function keepOwnToken(plan: MigrationPlan, tree: Tree, left: LeftOut[]): MigrationPlan {
  if (!plan.moves.some(({ path, how }) => path === GATEWAY_TOKEN && how === 'replace')) return plan;
  const auth = childOf(childOf(tree, 'gateway'), 'auth');
  if (isObject(auth)) delete auth['token'];
  left.push({ key: GATEWAY_TOKEN, why: 'this gateway has a token of its own, which stays', loud: true });
  return { ...plan, moves: plan.moves.filter(({ path }) => path !== GATEWAY_TOKEN) };
}

function splitVariables(
  entries: readonly EnvEntry[],
  copies: Takeover['files'],
  stores: SecretStores,
  paths: Paths,
): Pick<Takeover, 'files' | 'variables'> {
  const files = [...copies];
  const variables: Takeover['variables'][number][] = [];
  const path = envFileOf(paths.stateDir);
  const here = new Map(
    parseEnvText(tryReadSecretAt(path, { maxBytes: 256 * 1024 }) ?? '', path).map((one) => [one.name, one.value]),
  );
  for (const { name, value } of new Map(entries.map((entry) => [entry.name, entry])).values()) {
    const provider = wellKnownProviders().find((id) => keyVariableOf(id) === name);
    const file = `${provider}-key`;
    if (provider && value.trim() !== '' && !files.some((one) => one.name === file)) {
      files.push({ name: file, value, how: howOf(tryReadSecret(stores.credentialsDir, file), value) });
    } else variables.push({ name, value, how: howOf(here.get(name) ?? null, value) });
  }
  return { files, variables };
}

const howOf = (here: string | null, value: string): How =>
  here === null ? 'write' : here === value ? 'keep' : 'other';

/** References of the old configuration lead into the old folder. In place they are ours, and the start follows them. */
const resolverOf =
  (env: Env, old: OldState, { credentials }: OldFiles, { credentialsDir }: SecretStores): ResolveSecret =>
  ({ source, id }, path) => {
    const value = source === 'env' ? env[id] : credentials.find(({ name }) => name === id)?.value;
    if (value) return value;
    if (old.inPlace && source !== 'env') {
      const isOurs = source === 'file' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(id);
      return (isOurs ? tryReadSecret(credentialsDir, id) : null) ?? newToken(32);
    }
    throw new HardshellError({ code: 'SECRET_ELSEWHERE', message: `the secret of ${path} is not in the old folder` });
  };

function judge(tree: Tree, paths: Paths, env: Env, resolveSecret: ResolveSecret): void {
  const { findings } = inspectConfig(paths, env, { text: JSON.stringify(tree), rules: true, resolveSecret });
  if (errorsIn(findings).length > 0) throw refusal(paths.configPath, findings);
}

/** null: what is here says it already. Two configurations are never mixed: which one was meant, nobody can know. */
function textOf(tree: Tree, old: OldState, paths: Paths, env: Env): string | null {
  const here = inspectConfig(paths, env, { resolveSecret: () => 'not asked for' });
  const raw = here.raw;
  if (contains(raw, tree)) return old.inPlace && !isDeepStrictEqual(raw, tree) ? rendered(tree, old) : null;
  if (old.inPlace || !here.exists || isDeepStrictEqual(raw, {})) return rendered(tree, old);
  throw misconfigured(
    'MIGRATION_CONFIG_EXISTS',
    `there is a configuration here already, ${here.path}, and it says something else; nothing was taken over`,
    'openclaw reset config (it is moved aside, not deleted), then again',
  );
}

const rendered = (tree: Tree, old: OldState): string =>
  `// Taken over by openclaw migrate${old.inPlace ? '' : ` from ${JSON.stringify(old.configPath)}`}.\n${JSON.stringify(tree, null, 2)}\n`;

function contains(whole: unknown, part: unknown): boolean {
  if (!isObject(part)) return isDeepStrictEqual(whole, part);
  return (
    isObject(whole) && Object.keys(part).every((key) => Object.hasOwn(whole, key) && contains(whole[key], part[key]))
  );
}

function leavesOf(node: Tree, above = ''): string[] {
  return Object.entries(node).flatMap(([key, value]) => {
    const path = above === '' ? key : `${above}.${key}`;
    return isObject(value) && !isRef(value) && Object.keys(value).length > 0 ? leavesOf(value, path) : [path];
  });
}

function withOrigin(key: string, mappings: readonly Mapping[]): { key: string; from?: string } {
  const from = mappings.find(({ to, from: name }) => to === key && name !== key)?.from;
  return from === undefined ? { key } : { key, from };
}

function makeGroups(tree: Tree, path: readonly string[]): Tree | null {
  let node = tree;
  for (const key of path) {
    if (!Object.hasOwn(node, key)) node[key] = {};
    const next = node[key];
    if (!isObject(next)) return null;
    node = next;
  }
  return node;
}

const childOf = (node: unknown, key: string): unknown =>
  isObject(node) && Object.hasOwn(node, key) ? node[key] : undefined;
