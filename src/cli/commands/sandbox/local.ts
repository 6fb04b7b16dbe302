// Owns what `sandbox` and `doctor` can find out without a gateway: the settings of the box, and which driver really opens
// one here. It must never say of a box what no box has shown.
import { errorsIn, refusal } from '../../../config/findings.ts';
import { inspectConfig } from '../../../config/inspect.ts';
import { type Env, type Paths, resolvePaths } from '../../../config/paths.ts';
import type { Config } from '../../../config/schema.ts';
import { HardshellError } from '../../../platform/errors.ts';
import type { Sandbox } from '../../../sandbox/driver.ts';
import { driversFor, openBestDriver } from '../../../sandbox/pool/drivers.ts';
import { MAIN, type Plan, planFor } from '../../../sandbox/pool/plan.ts';
import type { SandboxState } from '../../../sandbox/pool/pool.ts';
import { prepare } from '../../../sandbox/pool/spec.ts';
import { loadEnvFile } from '../../../secrets/env-file.ts';

export type Local = { readonly config: Config; readonly paths: Paths; readonly env: Env };

export function openLocal(given: Env): Local {
  const paths = resolvePaths(given);
  const { env } = loadEnvFile(paths.stateDir, given);
  const found = inspectConfig(paths, env, { rules: true, resolveSecret: () => 'not asked for' });
  if (found.config === null || errorsIn(found.findings).length > 0) throw refusal(found.path, found.findings);
  return { config: found.config, paths, env };
}

/** A real box with the walls and limits of the settings, and an empty folder in place of the workspace. */
export async function withBox<T>(
  { config, paths, env }: Local,
  driver: string | undefined,
  use: (sandbox: Sandbox, plan: Plan) => Promise<T>,
): Promise<T> {
  const plan: Plan = { ...planFor(config, MAIN), access: 'none', scopeKey: 'probe' };
  const ready = await prepare(
    plan,
    {
      ...{ workspace: paths.workspaceDir, stateDir: paths.stateDir, fixedFiles: [] },
      hidden: [paths.stateDir, paths.configPath],
      hosts: () => plan.hosts,
      record: () => {},
    },
    () => [],
  );
  try {
    const choice = await openBestDriver(driversFor(driver ?? plan.backend, env), ready.spec);
    if (choice.sandbox === null) {
      const fix = choice.refusals.find((one) => one.fix !== '')?.fix;
      const message = choice.refusals.map(({ reason }) => reason).join('; ');
      throw new HardshellError({ code: 'SANDBOX_UNAVAILABLE', message, ...(fix ? { fix } : {}) });
    }
    try {
      return await use(choice.sandbox, plan);
    } finally {
      await choice.sandbox.close();
    }
  } finally {
    await ready.close();
  }
}

/** Which driver opens here and now, of those that the settings name; a broken configuration names none. Leaves nothing. */
export async function findState(given: Env): Promise<SandboxState> {
  const atMs = Date.now();
  const backend = backendOf(given);
  const reasons: string[] = [];
  let fix: string | null = null;
  for (const load of driversFor(backend, given)) {
    const driver = await load();
    const probe = await driver.probe();
    if (probe.ok) return { driver: driver.name, detail: probe.detail, fix: null, atMs };
    reasons.push(probe.reason);
    fix ??= probe.fix || null;
  }
  return { driver: null, detail: reasons.join('; '), fix, atMs };
}

function backendOf(given: Env): string {
  try {
    return openLocal(given).config.agents.defaults.sandbox.backend;
  } catch {
    // What is wrong with the configuration is said elsewhere; any driver is better than no answer.
    return 'auto';
  }
}
