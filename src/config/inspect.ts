// Owns the way from the text of openclaw.json to settings: file, text, spellings, includes, variables, schema, secrets,
// rules. It says everything that it finds and throws nothing, so that a broken file can be explained as well.
import { homedir, networkInterfaces } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { HardshellError, reasonOf } from '../platform/errors.ts';
import { sha256 } from '../platform/ids.ts';
import { isObject } from '../platform/json.ts';
import { canonicalEnv, type Env, withVars } from './environment.ts';
import { errorsIn, type Finding, findingOf, type Mapping, SourceError } from './findings.ts';
import type { Paths } from './paths.ts';
import { applyRules } from './rules/rules.ts';
import type { SecretRef } from './schema/leaf.ts';
import { type Config, SECTION_NAMES, type SectionName } from './schema.ts';
import { isRef, secretsIn } from './secrets.ts';
import { shape } from './shape/shape.ts';
import { spell } from './spell/apply.ts';
import { FILE_SPELLINGS } from './spellings.ts';
import { resolveIncludes } from './text/include.ts';
import { parseJson5, plainValue } from './text/json5.ts';
import { describePosition, TextError } from './text/position.ts';
import { readSource } from './text/source.ts';
import { expandVariables } from './text/variables.ts';
import { looksLikeYaml, parseYaml } from './text/yaml.ts';

/** Follows a reference and returns the value; throws a HardshellError that names the path and never the value. */
export type ResolveSecret = (ref: SecretRef, path: string) => string;

export type InspectOptions = {
  readonly resolveSecret?: ResolveSecret;
  /** Only these sections are needed; the others cost nothing and are not looked at. */
  readonly sections?: readonly SectionName[];
  /** A key without meaning is an error everywhere. */
  readonly strict?: boolean;
  /** Also judge what fits: everything that would stop a start. */
  readonly rules?: boolean;
  /** This text instead of that of the file, to judge a change before it is made; null is no file. */
  readonly text?: string | null;
};

export type Inspection = {
  readonly path: string;
  readonly exists: boolean;
  readonly text: string;
  /** SHA-256 of the text; guards against two people editing at once */
  readonly hash: string;
  /** what stands in the file, as it stands there */
  readonly raw: unknown;
  /** that, with every key as it is called here and included files in their places; no variable is replaced yet */
  readonly understood: unknown;
  /** every file that went in, the main one first */
  readonly files: readonly string[];
  readonly mappings: readonly Mapping[];
  readonly findings: readonly Finding[];
  /** null when the text cannot be read at all; meaningless when there are errors */
  readonly config: Config | null;
  /** the environment with env.vars and older names */
  readonly env: Env;
};

type Where = Pick<Paths, 'configPath'> & Partial<Paths>;

export function inspectConfig(where: Where, given: Env, options: InspectOptions = {}): Inspection {
  const { env, mappings: envMappings } = canonicalEnv(given);
  const mappings: Mapping[] = [...envMappings];
  const findings: Finding[] = [];
  const base = {
    path: where.configPath,
    exists: false,
    text: '',
    hash: sha256(''),
    raw: {},
    understood: {},
    files: [where.configPath],
    mappings,
    findings,
  };
  try {
    const located =
      options.text === undefined ? locate(where.configPath) : { path: where.configPath, text: options.text };
    const { path, text } = located;
    if (path !== where.configPath) {
      mappings.push({
        from: basename(path),
        to: basename(where.configPath),
        note: 'the file under its other name is read',
      });
    }
    if (text === null && options.text === undefined) findings.push(...missing(where.configPath, env));
    const facts = { ...base, path, exists: text !== null, text: text ?? '', hash: sha256(text ?? ''), files: [path] };
    try {
      const raw = text === null ? {} : parse(text);
      const read = understand(raw, { text, path, env, options, mappings, findings });
      const config = settle(read.expanded, { where, env: read.env, options, findings });
      const files = [path, ...read.files];
      return { ...facts, raw: structuredClone(raw), understood: read.value, files, config, env: read.env };
    } catch (error) {
      findings.push(textFinding(error, text ?? ''));
      return { ...facts, config: null, env };
    }
  } catch (error) {
    findings.push(textFinding(error, ''));
    return { ...base, config: null, env };
  }
}

/** The file, or the one of another name beside it when it does not exist. */
function locate(configPath: string): { path: string; text: string | null } {
  const text = readSource(configPath);
  if (text !== null || basename(configPath) !== 'openclaw.json') return { path: configPath, text };
  for (const name of FILE_SPELLINGS) {
    const path = join(dirname(configPath), name);
    const other = readSource(path);
    if (other !== null) return { path, text: other };
  }
  return { path: configPath, text: null };
}

/** Nobody names a file in order to run without it. The default place may be empty, and a command may fill either. */
function missing(configPath: string, env: Env): Finding[] {
  if (!env['OPENCLAW_CONFIG_PATH']) return [];
  const message = `OPENCLAW_CONFIG_PATH names ${configPath}, and there is no such file`;
  const fix = 'correct it, unset it, or make the file: openclaw config set gateway.port 18789';
  return [{ level: 'error', code: 'config-missing', key: '', message, fix }];
}

function parse(text: string): unknown {
  return looksLikeYaml(text) ? parseYaml(text) : plainValue(parseJson5(text).root);
}

type Reading = {
  readonly text: string | null;
  readonly path: string;
  readonly env: Env;
  readonly options: InspectOptions;
  readonly mappings: Mapping[];
  readonly findings: Finding[];
};

/** Spellings, includes, variables. */
function understand(
  raw: unknown,
  { text, path, env, options, mappings, findings }: Reading,
): { value: unknown; expanded: unknown; files: readonly string[]; env: Env } {
  if (text !== null && looksLikeYaml(text)) {
    mappings.push({
      from: 'YAML',
      to: 'JSON5',
      note: 'only the plain part of YAML is read, and commands cannot change it',
    });
  }
  const readIncluded = (file: string): unknown => {
    const included = readSource(file);
    if (included === null) return null;
    try {
      return parse(included);
    } catch (error) {
      if (error instanceof TextError)
        throw new SourceError(
          'syntax',
          `${file} is not JSON5: ${error.message}, ${describePosition(included, error.offset)}`,
        );
      throw error;
    }
  };
  const roots = [
    dirname(path),
    ...(env['OPENCLAW_INCLUDE_ROOTS'] ?? '').split(':').filter((root) => root.startsWith('/')),
  ];
  const { value: whole, files } = text?.includes('$include')
    ? resolveIncludes(raw, path, { roots, read: readIncluded })
    : { value: raw, files: [] };
  // Only in its place does a key of an included file say what it is.
  const spelled = spell(structuredClone(whole));
  mappings.push(...spelled.mappings);
  findings.push(...spelled.findings);
  const { value } = spelled;
  const wider = withVars(env, value);
  const wanted = options.sections ? only(value, options.sections) : value;
  const expanded = expandVariables(wanted, wider);
  findings.push(...expanded.findings);
  return { value, expanded: expanded.value, files, env: wider };
}

function only(value: unknown, sections: readonly SectionName[]): unknown {
  if (!isObject(value)) return value;
  const others = SECTION_NAMES.filter((name) => !sections.includes(name));
  return Object.fromEntries(Object.entries(value).filter(([key]) => !others.includes(key as SectionName)));
}

type Settling = {
  readonly where: Where;
  readonly env: Env;
  readonly options: InspectOptions;
  readonly findings: Finding[];
};

/** Schema, secrets, what follows, rules. */
function settle(value: unknown, { where, env, options, findings }: Settling): Config {
  const home = env['OPENCLAW_HOME'] ?? env['HOME'] ?? homedir();
  const shaped = shape(value, { ...options, home });
  findings.push(...shaped.findings);
  const { config } = shaped;
  resolveSecrets(config, env, options, findings);
  if (!options.rules || errorsIn(shaped.findings).length > 0) return config;
  const stateDir = where.stateDir ?? dirname(where.configPath);
  const known = new Set(errorsIn(findings).map(({ key }) => key));
  const context = {
    env,
    home,
    stateDir,
    defaultWorkspace: where.workspaceDir ?? join(stateDir, 'workspace'),
    addresses: ownAddresses,
  };
  findings.push(...applyRules(config, context).filter(({ key }) => !known.has(key)));
  return config;
}

/** Puts values in place of references. `env` needs nobody's help. */
function resolveSecrets(config: Config, env: Env, { resolveSecret }: InspectOptions, findings: Finding[]): void {
  for (const { path, holder, key } of secretsIn(config)) {
    const ref = holder[key];
    if (!isRef(ref)) continue;
    const fail = (why: string, fix: string): void => {
      const message = why.startsWith(`${path}: `) ? why : `${path}: ${why}`;
      findings.push({ level: 'error', code: 'secret-unresolved', key: path, message, fix });
      delete holder[key];
    };
    try {
      const found = resolveSecret ? resolveSecret(ref, path) : ref.source === 'env' ? env[ref.id] : undefined;
      if (found) holder[key] = found;
      else if (ref.source === 'env')
        fail(`the variable ${ref.id} is not set`, `set ${ref.id} where the gateway starts`);
      else fail(`the ${ref.source} reference "${ref.id}" gave no value`, 'openclaw secrets audit');
    } catch (error) {
      fail(reasonOf(error), (error instanceof HardshellError && error.fix) || 'openclaw secrets audit');
    }
  }
}

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address.replace(/%.*$/, '')));

function textFinding(error: unknown, text: string): Finding {
  if (error instanceof SourceError) return findingOf(error);
  if (error instanceof TextError) {
    if (text.trim() === '') {
      const fix = 'write { } into it, or remove it: without a file the defaults hold';
      return { level: 'error', code: 'syntax', key: '', message: 'it is empty', fix };
    }
    const kind = looksLikeYaml(text) ? 'plain YAML' : 'JSON5';
    return {
      level: 'error',
      code: 'syntax',
      key: '',
      message: `it is not ${kind}: ${error.message}, ${describePosition(text, error.offset)}`,
      fix:
        kind === 'JSON5'
          ? 'correct that line; nothing was changed'
          : 'correct that line, or write the file as JSON5: { key: "value" }',
    };
  }
  throw error;
}
