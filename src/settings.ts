// Owns the opening of settings and secrets: .env, references, configuration, live token, in this order. Part of the
// composition; whatever is secret in them is in the redactor before anybody can log it.
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { changesBetween } from './config/edit/changes.ts';
import { inspectConfig } from './config/inspect.ts';
import { listenHosts } from './config/listen.ts';
import { type LoadedConfig, type LoadOptions, loadForStart, secretRefs, secretValues } from './config/load.ts';
import type { Env, Paths } from './config/paths.ts';
import type { Redactor } from './log/redact.ts';
import { misconfigured } from './platform/errors.ts';
import { envFileOf, loadEnvFile } from './secrets/env-file.ts';
import { type LiveToken, openGatewayToken } from './secrets/gateway-token.ts';
import { openVaultOf } from './secrets/open-vault.ts';
import { findProviderKey, keyFilesOf, wellKnownProviders } from './secrets/provider-keys.ts';
import { type FollowedRefs, filesOfRefs, followRefs } from './secrets/setting-refs.ts';
import { addStoredSecrets, addVaulted } from './secrets/stored.ts';
import { vaultPathOf } from './secrets/vault.ts';

/** One reading of everything that settings are made of. */
export type Reading = {
  readonly loaded: LoadedConfig;
  /** how to read the file as this reading did, with the same answers for its references */
  readonly load: LoadOptions;
  /** what the file was read with: process environment and .env */
  readonly given: Env;
  readonly warnings: readonly string[];
};

export type Settings = {
  /** as they were at the start */
  readonly loaded: LoadedConfig;
  /** the last one that could be used */
  reading(): Reading;
  /** Reads .env, the file and what it refers to again; throws when that cannot be used, and the last reading stays. */
  reread(): Promise<LoadedConfig>;
  /** where the secrets lie that the last attempt to read looked for */
  secretFiles(): readonly string[];
  /** with env.vars of the configuration as well */
  readonly env: Env;
  readonly hosts: readonly string[];
  readonly authMode: 'token' | 'password' | 'none';
  /** what opens the door: the token, or the password in mode "password" */
  readonly token: LiveToken;
  /** looks for secrets that were stored since the start */
  look(): void;
  /** one line each, for the person who starts it */
  readonly warnings: readonly string[];
  keyFor(providerId: string, configured?: string): string | undefined;
};

export async function openSettings(
  paths: Paths,
  processEnv: Env,
  redactor: Redactor,
  onToken: (error?: unknown) => void,
): Promise<Settings> {
  const reader = createReader(paths, processEnv, redactor);
  let reading = await reader.read();
  const { loaded, given } = reading;

  const { mode: authMode, token: configured, password } = loaded.config.gateway.auth;
  if (authMode === 'trusted-proxy') throw new Error('the rules let a mode pass that nothing serves');
  const fixed = authMode === 'password' ? loaded.env['OPENCLAW_GATEWAY_PASSWORD'] || password : '';
  const open =
    authMode === 'token' ? openGatewayToken : () => ({ current: () => fixed ?? '', isPrevious: () => false });
  const token = open(paths, loaded.env, {
    now: Date.now,
    ...(typeof configured === 'string' ? { configured } : {}),
    onChange: (change) => {
      if ('token' in change) redactor.add(change.token);
      onToken('error' in change ? change.error : undefined);
    },
  });
  for (const secret of [token.current(), loaded.env['OPENCLAW_GATEWAY_PASSWORD']]) if (secret) redactor.add(secret);
  return {
    loaded,
    authMode,
    reading: () => reading,
    async reread() {
      reading = await reader.read();
      return reading.loaded;
    },
    secretFiles: () => reader.secretFiles(reading.loaded),
    env: loaded.env,
    hosts: hostsOf(loaded),
    token,
    look: addStoredSecrets({ ...paths, env: loaded.env }, redactor.add),
    warnings: [
      ...notInForce(loaded, paths, given),
      ...reading.warnings,
      ...loaded.warnings.map(({ message, fix }) => (fix ? `${message} (${fix})` : message)),
    ],
    keyFor(id, inConfig) {
      const key = findProviderKey(id, inConfig, paths.credentialsDir, reading.loaded.env);
      if (key) redactor.add(key);
      return key;
    },
  };
}

function createReader(paths: Paths, processEnv: Env, redactor: Redactor) {
  let followed: readonly string[] = [];
  return {
    async read(): Promise<Reading> {
      const dotEnv = loadEnvFile(paths.stateDir, processEnv);
      const asked = secretRefs(paths, dotEnv.env);
      const context = {
        env: asked.env,
        stateDir: paths.stateDir,
        providers: asked.providers,
        // Opened when a setting refers to it: a passphrase takes a quarter of a second to try.
        vault() {
          const vault = openVaultOf({ stateDir: paths.stateDir, env: dotEnv.env, now: Date.now }) ?? noVault();
          addVaulted(vault, redactor.add);
          return vault;
        },
      };
      followed = filesOfRefs(asked.refs, context);
      const answers = asked.refs.length === 0 ? null : await followRefs(asked.refs, context);
      const load = answers ? { resolveSecret: noted(answers, redactor) } : {};
      const loaded = loadForStart(paths, dotEnv.env, load);
      for (const secret of secretValues(loaded.config)) redactor.add(secret);
      return { loaded, load, given: dotEnv.env, warnings: dotEnv.warnings };
    },
    secretFiles({ config }: LoadedConfig): readonly string[] {
      const providers = new Set([...wellKnownProviders(), ...Object.keys(config.models.providers)]);
      const keys = [...providers].flatMap(keyFilesOf).map((name) => join(paths.credentialsDir, name));
      return [...new Set([envFileOf(paths.stateDir), vaultPathOf(paths.stateDir), ...keys, ...followed])];
    },
  };
}

/** Whatever a reference leads to is a secret, wherever it stands. */
const noted =
  (follow: FollowedRefs, redactor: Redactor): FollowedRefs =>
  (ref, path) => {
    const value = follow(ref, path);
    redactor.add(value);
    return value;
  };

function hostsOf({ config }: LoadedConfig): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []);
  const found = listenHosts(config.gateway, addresses);
  if ('hosts' in found) return found.hosts;
  throw misconfigured('BIND_IMPOSSIBLE', found.reason, found.fix);
}

function noVault(): never {
  throw misconfigured(
    'VAULT_MISSING',
    'a setting refers to the vault, and there is none',
    'put the secret into a file in credentials/ and refer to that: { source: "file", … }',
  );
}

/** Settings that this version reads, checks and obeys. What else is set is named at the start: a setting that does nothing
 *  must not look like one that protects. */
const IN_FORCE = new RegExp(
  `^(${[
    'gateway\\.(mode|port|bind|customBindHost|dangerously.*|auth\\.(mode|token|password|dangerously.*)|controlUi\\.(enabled|allowedOrigins))',
    'agents\\.(defaults\\.(workspace|model|timeoutSeconds|maxOutputTokens|sandbox)|entries\\.[^.]+\\.(sandbox|tools))',
    'tools\\.(profile|allow|deny|policies|web|sandbox\\.tools|elevated|exec\\.(mode|allow|safeBins|strictInlineEval|timeoutSeconds))',
    'approvals|tools\\.exec\\.grantExpiryDays',
    'actions\\.(undoSeconds|email|message|destructive)',
    'memory\\.(enabled|scanSecrets)|skills|security\\.installPolicy',
    'backup|channels|commands|pairing|messages|budget|session\\.(dmScope|groupScope|identityLinks)',
    'browser|trust\\.tiers|tools\\.fs|security\\.(audit|workspace|allowedPaths|deniedPaths|dangerouslyReadable)|mcp|models|secrets|env|logging',
  ].join('|')})\\b`,
);

export const isInForce = (path: string): boolean => IN_FORCE.test(path);

/** The settings of a file that this version reads, and nothing looks at. */
export function idleSettings({ config, exists }: Pick<LoadedConfig, 'config' | 'exists'>, paths: Paths, env: Env) {
  // Nothing is set where there is no file; reading the defaults once more is for those who have one.
  const defaults = exists ? inspectConfig(paths, env, { text: '{}' }).config : null;
  return defaults ? changesBetween(defaults, config).changed.filter((path) => !isInForce(path)) : [];
}

function notInForce(loaded: LoadedConfig, paths: Paths, env: Env): string[] {
  const idle = idleSettings(loaded, paths, env);
  return idle.length === 0 ? [] : [`read and checked, but not in force in this version: ${idle.join(', ')}`];
}
