// Owns handing out the settings: all or nothing. What is wrong with the file is said in one line that names the key and
// the mend, and nothing is ever written.
import type { AskedRef, SecretProviders } from '../secrets/setting-refs.ts';
import { errorsIn, type Finding, type Mapping, refusal } from './findings.ts';
import { type InspectOptions, inspectConfig } from './inspect.ts';
import type { Env, Paths } from './paths.ts';
import type { Config, SectionName } from './schema.ts';

// Whoever has settings must be able to hide what is secret in them.
export { REDACTED, redact, secretValues } from './secrets.ts';

export type LoadedConfig<C = Config> = {
  readonly config: C;
  readonly path: string;
  readonly exists: boolean;
  readonly hash: string;
  readonly raw: unknown;
  /** every file that went in, the main one first */
  readonly files: readonly string[];
  /** what it was read as, where a guide's spelling was used */
  readonly mappings: readonly Mapping[];
  readonly warnings: readonly Finding[];
  /** the environment with env.vars and older names; hand this on instead of the bare one */
  readonly env: Env;
};

export type LoadOptions<S extends SectionName = SectionName> = Omit<InspectOptions, 'sections' | 'rules'> & {
  readonly sections?: readonly S[];
};

type Where = Pick<Paths, 'configPath'> & Partial<Paths>;

/** The settings, for whoever only reads them: they fit the schema. Of `sections` only, when there are any. */
export function loadConfig<S extends SectionName = SectionName>(
  where: Where,
  env: Env,
  options: LoadOptions<S> = {},
): LoadedConfig<Pick<Config, S>> {
  return load(where, env, options);
}

/** The settings to start or go on with: they also pass every rule. What this accepts, starts. */
export function loadForStart(where: Where, env: Env, options: LoadOptions = {}): LoadedConfig {
  return load(where, env, { ...options, rules: true });
}

/**
 * The references that a configuration holds, and the providers they may name: follow them (followRefs of the secrets
 * room), then hand the answer to `loadForStart` as `resolveSecret`. What is wrong with the rest is not said here.
 */
export function secretRefs(
  where: Where,
  env: Env,
): { refs: readonly AskedRef[]; providers: SecretProviders; env: Env } {
  const refs: AskedRef[] = [];
  const inspection = inspectConfig(where, env, {
    resolveSecret: (ref, path) => {
      refs.push({ ref, path });
      return 'not asked for yet';
    },
  });
  return { refs, providers: inspection.config?.secrets.providers ?? {}, env: inspection.env };
}

function load(where: Where, env: Env, options: InspectOptions): LoadedConfig {
  const { config, path, exists, hash, raw, files, mappings, findings, env: wider } = inspectConfig(where, env, options);
  if (config === null || errorsIn(findings).length > 0) throw refusal(path, findings);
  const warnings = findings.filter(({ level }) => level === 'warning');
  return { config, path, exists, hash, raw, files, mappings, warnings, env: wider };
}
