// Owns the checks of what was written down: the configuration, the token, who answers. Never the value of a secret.
import { errorsIn } from '../../config/findings.ts';
import { HardshellError, reasonOf } from '../../platform/errors.ts';
import { problemAt, problemOfFolder, secretPath } from '../../secrets/files.ts';
import { findGatewayToken } from '../../secrets/gateway-token.ts';
import { findProviderKey, wellKnownProviders } from '../../secrets/provider-keys.ts';
import { weaknessOf } from '../../secrets/strength.ts';
import { type Answer, type Check, error, type Facts, info, ok, warning } from './check.ts';

const asError = (cause: unknown, otherwise: string): Answer =>
  error(reasonOf(cause), (cause instanceof HardshellError && cause.fix) || otherwise);

export const SETTINGS_CHECKS: readonly Check[] = [
  {
    id: 'config',
    title: 'configuration',
    ask({ inspection, unreadable, paths }) {
      if (inspection === null) return asError(unreadable, `look at ${paths.configPath}`);
      const [first, ...more] = errorsIn(inspection.findings);
      const rest = (count: number): string => (count > 0 ? ` (and ${count} more: openclaw config validate)` : '');
      if (first) return error(first.message + rest(more.length), first.fix || `edit ${inspection.path}`);
      const [one, ...others] = inspection.findings.filter(({ level }) => level === 'warning');
      if (one) return warning(one.message + rest(others.length), one.fix || 'openclaw config validate');
      return ok(inspection.exists ? `${inspection.path} is valid` : 'there is none, so the defaults hold');
    },
  },
  {
    id: 'token',
    title: 'gateway token',
    ask({ paths, env, config }) {
      // A read would mend the folder on the way; that is for --fix.
      const problem = problemOfFolder(paths.credentialsDir)?.error;
      if (problem) return asError(problem, `chmod 700 ${paths.credentialsDir}`);
      const configured = config?.gateway.auth.token;
      try {
        const found = findGatewayToken(paths, env, typeof configured === 'string' ? configured : undefined);
        if (found === null) return info('there is none yet; the first start makes one');
        const weakness = weaknessOf(found.token);
        if (weakness === null) return ok(`strong, from ${found.from}`);
        const fix = found.source === 'file' ? 'openclaw token rotate' : `set ${found.from} to: openssl rand -hex 32`;
        return error(`the token from ${found.from} ${weakness.why}`, fix);
      } catch (cause) {
        return asError(cause, `look at ${secretPath(paths.credentialsDir, 'gateway-token')}`);
      }
    },
  },
  { id: 'model', title: 'model', ask: askModel },
];

/** Whether a provider could answer; none is asked, since that costs money. */
function askModel({ config, paths, env }: Facts): Answer {
  if (config === null) return info('not looked at, since the configuration is not usable');
  if (problemOfFolder(paths.credentialsDir)) return info('not looked at, since the credentials folder is not in order');
  const ids = new Set([...Object.keys(config.models.providers), ...wellKnownProviders()]);
  const usable = [...ids].filter((id) => {
    const settings = config.models.providers[id];
    const files = [`${id}-key`, `${id}-api-key`, id].map((name) => secretPath(paths.credentialsDir, name));
    if (files.some((file) => problemAt(file) !== null)) return false;
    try {
      const key = settings?.apiKey;
      return findProviderKey(id, typeof key === 'string' ? key : undefined, paths.credentialsDir, env) !== undefined;
    } catch {
      return false;
    }
  });
  const keyless = Object.entries(config.models.providers).filter(
    ([id, { baseUrl }]) => baseUrl && !usable.includes(id),
  );
  const names = [...usable, ...keyless.map(([id]) => id)];
  if (names.length > 0)
    return ok(`${config.agents.defaults.model.primary ?? names[0]}; keys: ${usable.join(', ') || 'none needed'}`);
  return warning('no provider has a key, so the assistant answers without a model', 'openclaw onboard');
}
