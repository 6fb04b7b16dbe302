// Owns what a first setup writes: a configuration without a secret in it, the key in a file of its own, the token. It
// keeps whatever is there already, and writes nothing before all of it has been judged.
import { setAt } from '../config/edit/edit.ts';
import { changeConfig, type Outcome } from '../config/edit/transaction.ts';
import type { Env, Paths } from '../config/paths.ts';
import { misused } from '../platform/errors.ts';
import { checkValue, writeSecret } from '../secrets/files.ts';
import { ensureGatewayToken } from '../secrets/gateway-token.ts';
import { placeholderIn } from '../secrets/strength.ts';
import { prepareState } from '../store/folders.ts';

export type Provider = {
  readonly id: string;
  /** only where the provider is not known by its name alone */
  readonly baseUrl?: string;
  readonly model?: string;
  readonly key?: string;
};

const FIRST_TEXT = `{
  // What is not written here is as closed as it can be: this machine only, a token, commands behind walls.
  // All settings: openclaw config schema. Keys are not written here: openclaw secrets set NAME
}
`;

/** The file in credentials/ where the key of a provider is looked for. */
export const keyFileOf = (id: string): string => `${id}-key`;

export function checkProvider({ id, baseUrl, key }: Provider): void {
  const refuse = (message: string, fix: string): never => {
    throw misused('PROVIDER_UNUSABLE', message, fix);
  };
  if (!/^[a-z][a-z0-9-]{0,40}$/.test(id))
    refuse(`"${id}" cannot be the name of a provider`, 'such as anthropic or openai');
  const url = baseUrl === undefined ? null : URL.parse(baseUrl);
  if (baseUrl !== undefined && !(url && /^https?:$/.test(url.protocol) && !url.username && !url.search))
    refuse(`"${baseUrl}" is not the address of a provider`, 'write it like https://host/v1');
  if (key === undefined) return;
  checkValue(key, keyFileOf(id));
  const placeholder = placeholderIn(key);
  if (placeholder) refuse(`the key ${placeholder.why}`, 'enter the key of your account');
  if (/\s/.test(key)) refuse('the key has a blank or a line break in it', 'enter it again');
}

export async function writeFirstSetup(
  paths: Paths,
  env: Env,
  { provider, now }: { readonly provider: Provider | null; readonly now: () => number },
): Promise<Outcome> {
  if (provider) checkProvider(provider);
  prepareState(paths);
  const outcome = await changeConfig({ paths, env, now, by: 'onboard' }, (text) => {
    const start = text.trim() === '{}' ? FIRST_TEXT : text;
    return provider ? withProvider(start, provider) : start;
  });
  if (provider?.key !== undefined) writeSecret(paths.credentialsDir, keyFileOf(provider.id), provider.key);
  ensureGatewayToken(paths, env);
  return outcome;
}

function withProvider(text: string, { id, baseUrl, model }: Provider): string {
  const at = ['models', 'providers', id];
  let next = baseUrl === undefined ? text : setAt(text, [...at, 'baseUrl'], baseUrl);
  if (baseUrl !== undefined && model) next = setAt(next, [...at, 'models'], [{ id: model }]);
  return model ? setAt(next, ['agents', 'defaults', 'model', 'primary'], `${id}/${model}`) : next;
}
