// Owns `openclaw secrets audit`: says what is wrong with where secrets lie; exit 1 when something is. It mends nothing.
import { resolvePaths } from '../../../config/paths.ts';
import { EXIT } from '../../../platform/errors.ts';
import { auditSecrets, type SecretFinding } from '../../../secrets/audit.ts';
import { vaultKind, vaultPathOf } from '../../../secrets/vault.ts';
import type { Context } from '../../context.ts';
import { type Style, span } from '../../output.ts';
import { settingsFor } from './settings.ts';
import { findVault } from './stores.ts';

const STYLE: Readonly<Record<SecretFinding['severity'], Style>> = { critical: 'red', warning: 'yellow', info: 'dim' };

export async function run(context: Context): Promise<number> {
  const { out, env } = context;
  const paths = resolvePaths(env);
  const { settings, now } = settingsFor(paths, env);
  const vault =
    vaultKind(vaultPathOf(paths.stateDir)) === null
      ? null
      : await findVault(context, paths).catch((error: unknown) => error);
  const findings = auditSecrets({
    ...paths,
    configPath: now.path,
    settings,
    env,
    rotateAfterDays: now.config?.secrets.rotateAfterDays ?? 90,
    nowMs: Date.now(),
    ...(vault === null ? {} : { vault: () => opened(vault) }),
  });
  out.data({ findings });
  for (const { severity, message, fix } of findings) out.line(span(STYLE[severity], severity), `: ${message} | ${fix}`);
  if (findings.length === 0) out.line(span('green', 'good'), ': every secret is where it should be');
  return findings.some(({ severity }) => severity !== 'info') ? EXIT.failure : EXIT.ok;
}

function opened(vault: unknown): NonNullable<Awaited<ReturnType<typeof findVault>>> {
  if (vault instanceof Error) throw vault;
  return vault as NonNullable<Awaited<ReturnType<typeof findVault>>>;
}
