// Owns the question whether a start would find the models that a configuration names: keys lie outside of it, so no rule
// of the configuration can know.
import type { Finding } from '../config/findings.ts';
import type { Inspection } from '../config/inspect.ts';
import type { Paths } from '../config/paths.ts';
import { HardshellError } from '../platform/errors.ts';
import { findProviderKey } from '../secrets/provider-keys.ts';
import { checkModels } from './open.ts';

export function modelFindings({ config, env }: Inspection, { credentialsDir }: Paths): Finding[] {
  if (config === null) return [];
  const key = 'agents.defaults.model';
  try {
    checkModels({ settings: config, keyFor: (id, inConfig) => findProviderKey(id, inConfig, credentialsDir, env) });
    return [];
  } catch (thrown) {
    if (!(thrown instanceof HardshellError)) throw thrown;
    const fix = thrown.fix ?? `openclaw config schema ${key}`;
    return [{ level: 'error', code: 'model-unknown', key, message: thrown.message, fix }];
  }
}
