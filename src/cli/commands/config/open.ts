// Owns opening the configuration for a command: paths, .env, the file as it stands, and the references in it and in what
// it is about to become. It works without a gateway, and writes nothing.
import { type Inspection, inspectConfig, type ResolveSecret } from '../../../config/inspect.ts';
import { type Env, type Paths, resolvePaths } from '../../../config/paths.ts';
import { loadEnvFile } from '../../../secrets/env-file.ts';
import { openVaultOf } from '../../../secrets/open-vault.ts';
import { type AskedRef, followRefs, type SecretProviders } from '../../../secrets/setting-refs.ts';

export type OpenConfig = {
  readonly paths: Paths;
  /** with .env */
  readonly env: Env;
  readonly now: Inspection;
  readonly resolve: { readonly resolveSecret?: ResolveSecret };
  /** in a text that is not the file's */
  readonly newRefs: boolean;
};

export async function openConfig(processEnv: Env, edit?: (text: string) => string): Promise<OpenConfig> {
  const paths = resolvePaths(processEnv);
  const { env } = loadEnvFile(paths.stateDir, processEnv);
  const refs: AskedRef[] = [];
  let providers: SecretProviders = {};
  let wider = env;
  const look = (text?: string): Inspection => {
    const found = inspectConfig(paths, env, {
      ...(text === undefined ? {} : { text }),
      resolveSecret: (ref, path) => {
        refs.push({ ref, path });
        return 'not asked for yet';
      },
    });
    providers = { ...providers, ...found.config?.secrets.providers };
    wider = found.env;
    return found;
  };
  const now = look();
  const known = refs.length;
  const next = edit && attempt(() => edit(now.exists ? now.text : '{}\n'));
  // Only a text that can hold a reference is worth reading twice.
  if (next !== undefined && next !== now.text && /source|\$include|\\/.test(next)) look(next);
  const vault = () => openVaultOf({ stateDir: paths.stateDir, env: wider, now: Date.now });
  const context = {
    env: wider,
    stateDir: paths.stateDir,
    providers,
    vault: () => vault() as NonNullable<ReturnType<typeof vault>>,
  };
  return {
    paths,
    env,
    now,
    resolve: refs.length === 0 ? {} : { resolveSecret: await followRefs(refs, context) },
    newRefs: refs
      .slice(known)
      .some(({ ref }) => !refs.slice(0, known).some((old) => JSON.stringify(old.ref) === JSON.stringify(ref))),
  };
}

/** An edit that fails says so where it is made for good. */
function attempt(run: () => string): string | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
