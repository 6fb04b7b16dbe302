// Owns references as settings spell them, `{ source, provider?, id }`, with the providers of `secrets.providers`. All are
// followed before the settings are used, each place once, so that reading settings itself waits for nothing.
import { isAbsolute, join } from 'node:path';
import type { HardshellError } from '../platform/errors.ts';
import { located, pathOfRef, type ResolveContext, type SecretRef, secretOf, unresolved } from './reference.ts';

export type SettingRef = {
  readonly source: 'env' | 'file' | 'exec' | 'vault' | 'store';
  /** an entry of secrets.providers; none, or `default`, is what is built in */
  readonly provider?: string | undefined;
  /** the variable, the file in credentials/ or the key in the provider's file, the item, the name in the vault */
  readonly id: string;
};

/** An entry of `secrets.providers`. */
export type SecretProvider = {
  readonly source?: string | undefined;
  readonly path?: string | undefined;
  readonly mode?: string | undefined;
  readonly command?: string | undefined;
  readonly args?: readonly string[] | undefined;
  readonly passEnv?: readonly string[] | undefined;
  readonly allowlist?: readonly string[] | undefined;
  readonly timeoutMs?: number | undefined;
};
export type SecretProviders = Readonly<Record<string, SecretProvider | undefined>>;

/** The id of a program's item goes where an argument says so; a program without that place is asked on its input. */
const ITEM = '{id}';

export function toSecretRef(ref: SettingRef, providers: SecretProviders): SecretRef {
  const { source, id } = ref;
  const provider = providerOf(ref, providers);
  if (source === 'vault' || source === 'store') return { source: 'vault', name: id };
  if (source === 'env') {
    const allowed = provider?.allowlist ?? [];
    if (allowed.length > 0 && !allowed.includes(id)) {
      const fix = `add ${id} to secrets.providers.${ref.provider}.allowlist`;
      throw unresolved(`the provider ${ref.provider} may not read the variable ${id}`, fix);
    }
    return { source, name: id };
  }
  if (source === 'file') {
    if (provider === null) return { source, path: isAbsolute(id) ? id : join('credentials', id) };
    if (!provider.path) throw incomplete(ref, 'path');
    return provider.mode === 'json' ? { source, path: provider.path, key: id } : { source, path: provider.path };
  }
  if (provider === null) {
    throw unresolved('a program needs a provider', 'name an entry of secrets.providers that has the program');
  }
  if (!provider.command) throw incomplete(ref, 'command');
  const args = provider.args ?? [];
  const places = args.some((arg) => arg.includes(ITEM));
  return {
    source,
    command: [provider.command, ...args.map((arg) => arg.replaceAll(ITEM, () => id))],
    ...(provider.timeoutMs === undefined ? {} : { timeoutMs: provider.timeoutMs }),
    passEnv: provider.passEnv ?? [],
    ...(places ? {} : { ask: id }),
  };
}

/** The files that these references lead to, whether they exist or not; what cannot be followed leads to none. */
export function filesOfRefs(
  asked: readonly AskedRef[],
  context: Pick<ResolveContext, 'env' | 'stateDir'> & { readonly providers: SecretProviders },
): readonly string[] {
  const files = new Set<string>();
  for (const { ref } of asked) {
    try {
      const found = toSecretRef(ref, context.providers);
      if (found.source === 'file') files.add(pathOfRef(found.path, context));
    } catch {
      // Whoever follows it says what is wrong with it.
    }
  }
  return [...files];
}

export type AskedRef = { readonly ref: SettingRef; readonly path: string };
/** What a reader of settings calls for each reference; throws a failure that names the setting. */
export type FollowedRefs = (ref: SettingRef, path: string) => string;

/** Follows all of them, at the same time. The answers are for these references; another one is an error of its own. */
export async function followRefs(
  asked: readonly AskedRef[],
  context: ResolveContext & { readonly providers: SecretProviders },
): Promise<FollowedRefs> {
  const answers = new Map<string, { readonly value: string } | { readonly error: unknown }>();
  const refs = new Map(asked.map(({ ref }) => [keyOf(ref), ref]));
  await Promise.all(
    [...refs].map(async ([key, ref]) => {
      try {
        answers.set(key, { value: await secretOf(toSecretRef(ref, context.providers), context) });
      } catch (error) {
        answers.set(key, { error });
      }
    }),
  );
  return (ref, path) => {
    const answer = answers.get(keyOf(ref));
    if (answer === undefined) throw located(path, unresolved('this reference is new', 'restart the gateway'));
    if ('error' in answer) throw located(path, answer.error);
    return answer.value;
  };
}

const keyOf = ({ source, provider, id }: SettingRef): string => JSON.stringify([source, provider, id]);

function providerOf({ source, provider: name }: SettingRef, providers: SecretProviders): SecretProvider | null {
  if (name === undefined || (name === 'default' && !Object.hasOwn(providers, name))) return null;
  const provider = Object.hasOwn(providers, name) ? providers[name] : undefined;
  if (provider === undefined) {
    const known = Object.keys(providers).join(', ') || 'none yet';
    throw unresolved(`there is no provider ${name}`, `add secrets.providers.${name}, or use one of: ${known}`);
  }
  if (provider.source === undefined || provider.source === source) return provider;
  const why = `the provider ${name} is for ${provider.source}, not for ${source}`;
  throw unresolved(why, `write source: "${provider.source}"`);
}

const incomplete = (ref: SettingRef, key: string): HardshellError =>
  unresolved(`the provider ${ref.provider} has no ${key}`, `add secrets.providers.${ref.provider}.${key}`);
