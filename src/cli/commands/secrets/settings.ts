// Owns finding the settings that hold secrets, under the keys that they have here whatever a guide calls them,
// those in included files too.
import { type Inspection, inspectConfig } from '../../../config/inspect.ts';
import type { Env, Paths } from '../../../config/paths.ts';
import { secretsIn } from '../../../config/secrets.ts';
import type { SecretSetting } from '../../../secrets/audit.ts';

export function settingsFor(paths: Paths, env: Env): { settings: readonly SecretSetting[]; now: Inspection } {
  const now = inspectConfig(paths, env, { resolveSecret: () => 'not asked for' });
  const settings = [...secretsIn(now.understood)].map(({ path, holder, key }) => ({ path, value: holder[key] }));
  return { settings, now };
}
