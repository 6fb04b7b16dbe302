// Owns where model keys come from: the configuration, the environment, or one file a key in credentials/ (S206). A key
// that was left as a guide's example is refused here, where its place can still be named; it is never repeated.
import { misconfigured } from '../platform/errors.ts';
import { secretPath, tryReadSecret } from './files.ts';
import { placeholderIn } from './strength.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Providers that need no configuration beyond a key. */
const WELL_KNOWN: Readonly<Record<string, string>> = { anthropic: 'ANTHROPIC_API_KEY', openai: 'OPENAI_API_KEY' };

export const wellKnownProviders = (): readonly string[] => Object.keys(WELL_KNOWN);

/** The variable that holds its key, for those that need no configuration. */
export const keyVariableOf = (id: string): string | undefined => WELL_KNOWN[id];

/** The names under which a provider's key is looked for in credentials/, the first is the one to write. */
export const keyFilesOf = (id: string): readonly string[] => [`${id}-key`, `${id}-api-key`, id];

/** The key of a provider, or undefined. Files: `credentials/<id>-key`, `credentials/<id>-api-key`, `credentials/<id>`. */
export function findProviderKey(
  id: string,
  configured: string | undefined,
  credentialsDir: string,
  env: Env,
): string | undefined {
  if (configured) return usable(configured, `models.providers.${id}.apiKey`);
  const name = WELL_KNOWN[id];
  const fromEnv = name ? env[name]?.trim() : undefined;
  if (name && fromEnv) return usable(fromEnv, name);
  for (const file of keyFilesOf(id)) {
    const text = tryReadSecret(credentialsDir, file)?.trim();
    if (text) return usable(text, secretPath(credentialsDir, file));
  }
  return undefined;
}

/** Only examples are refused: a local server's key may well be `dummy`. */
function usable(key: string, from: string): string {
  const placeholder = placeholderIn(key);
  if (placeholder === null) return key;
  throw misconfigured(
    'KEY_PLACEHOLDER',
    `the model key from ${from} ${placeholder.why}`,
    'put the key of your account there, or remove the line',
  );
}
