// Owns what all checks look at, read once: settings, lock, environment. It reads as a start reads, but starts no program
// and makes nothing: a reference to a program or the vault counts as answered.
import { errorsIn } from '../../config/findings.ts';
import { type Inspection, inspectConfig } from '../../config/inspect.ts';
import { secretRefs } from '../../config/load.ts';
import { type Env, resolvePaths } from '../../config/paths.ts';
import { newToken } from '../../platform/ids.ts';
import { readLiveLock } from '../../platform/lock.ts';
import { loadEnvFile } from '../../secrets/env-file.ts';
import { problemOfFolder } from '../../secrets/files.ts';
import { followRefs } from '../../secrets/setting-refs.ts';
import type { Facts } from './check.ts';

export async function gatherFacts(
  given: Env,
  options: Pick<Facts, 'probeSandbox' | 'version'> & { readonly nowMs: number },
): Promise<Facts> {
  const paths = resolvePaths(given);
  let env = given;
  let inspection: Inspection | null = null;
  let unreadable: unknown = null;
  try {
    env = loadEnvFile(paths.stateDir, given).env;
    inspection = await inspectQuietly(paths, env);
  } catch (error) {
    unreadable = error;
  }
  const isUsable = inspection !== null && errorsIn(inspection.findings).length === 0;
  return {
    ...options,
    paths,
    env: inspection?.env ?? env,
    lock: readLiveLock(paths.lockPath),
    inspection,
    unreadable,
    config: isUsable ? (inspection?.config ?? null) : null,
  };
}

/** As a start reads it, but without a program, the vault, or a mend of the folder of secrets on the way. */
export async function inspectQuietly(paths: Facts['paths'], env: Env, text?: string): Promise<Inspection> {
  const { refs, providers, env: wider } = secretRefs(paths, env);
  const readable = problemOfFolder(paths.credentialsDir) === null;
  const quiet = refs.filter(({ ref }) => ref.source === 'env' || (ref.source === 'file' && readable));
  const follow = await followRefs(quiet, { env: wider, stateDir: paths.stateDir, providers, vault: noVault });
  const asked = new Set(quiet.map(({ path }) => path));
  return inspectConfig(paths, env, {
    rules: true,
    ...(text === undefined ? {} : { text }),
    resolveSecret: (ref, path) => (asked.has(path) ? follow(ref, path) : newToken(32)),
  });
}

function noVault(): never {
  throw new Error('the vault is not asked here');
}
