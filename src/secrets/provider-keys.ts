// Owns where model keys come from: the configuration, the environment, or one file a key in credentials/ (S206).
import { join } from 'node:path';
import { tryReadText } from '../platform/files.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Providers that need no configuration beyond a key. */
const WELL_KNOWN: Readonly<Record<string, string>> = { anthropic: 'ANTHROPIC_API_KEY', openai: 'OPENAI_API_KEY' };

export const wellKnownProviders = (): readonly string[] => Object.keys(WELL_KNOWN);

/** The key of a provider, or undefined. Files: `credentials/<id>-key`, `credentials/<id>-api-key`, `credentials/<id>`. */
export function findProviderKey(
  id: string,
  configured: string | undefined,
  credentialsDir: string,
  env: Env,
): string | undefined {
  if (configured) return configured;
  const name = WELL_KNOWN[id];
  const fromEnv = name ? env[name]?.trim() : undefined;
  if (fromEnv) return fromEnv;
  for (const file of [`${id}-key`, `${id}-api-key`, id]) {
    const text = tryReadText(join(credentialsDir, file), 16_384)?.trim();
    if (text) return text;
  }
  return undefined;
}
