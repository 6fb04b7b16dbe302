// Owns secret references: the setting says where a secret lies, not what it is. One that cannot be resolved is an error
// that names the setting; nothing falls back to an empty or literal value, and no error carries a value (attacks K11).
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { EXIT, HardshellError, reasonOf } from '../platform/errors.ts';
import { runForSecret } from './exec-source.ts';
import { tryReadSecretAt } from './files.ts';
import type { Vault } from './vault.ts';

const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/);

/** The four places. `exec` is an argument list: there is no shell, so there is nothing to quote. */
export const secretRefSchema = z.discriminatedUnion('source', [
  z.strictObject({ source: z.literal('env'), name: variable }),
  z.strictObject({
    source: z.literal('file'),
    /** absolute, `~/…`, or relative to the state folder */
    path: z.string().min(1).max(4_096),
    /** of a JSON file: a key, or a JSON pointer that begins with `/` */
    key: z.string().min(1).max(200).optional(),
  }),
  z.strictObject({
    source: z.literal('exec'),
    command: z.array(z.string().max(4_096)).min(1).max(64),
    timeoutMs: z.int().min(100).max(60_000).default(10_000),
    /** variables of ours that the program gets; it gets no others but PATH, HOME and LANG */
    passEnv: z.array(variable).max(20).default([]),
  }),
  z.strictObject({ source: z.literal('vault'), name: z.string().min(1).max(100) }),
]);

export type SecretRef = z.output<typeof secretRefSchema>;
export type SecretRefInput = z.input<typeof secretRefSchema>;

export type ResolveContext = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stateDir: string;
  /** opens it when the first reference asks for it; absent when there is none */
  readonly vault?: () => Vault;
  readonly signal?: AbortSignal;
};

/** Whether a value in a configuration is a reference rather than an ordinary group of settings. */
export const isSecretRef = (value: unknown): value is SecretRefInput =>
  typeof value === 'object' && value !== null && 'source' in value && secretRefSchema.safeParse(value).success;

/** The spellings of upstream (`id` for `name`, `store` for `vault`), in ours; anything else as it is. */
export function canonicalRef(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('source' in value)) return value;
  const { source, id, provider, ...rest } = value as Record<string, unknown>;
  if (typeof id !== 'string' || (provider !== undefined && provider !== 'default')) return value;
  if (source === 'env') return { source, name: id, ...rest };
  if (source === 'store') return { source: 'vault', name: id, ...rest };
  return value;
}

/** How a reference is shown to people: it holds no secret. */
export function describeRef(ref: SecretRefInput): string {
  if (ref.source === 'env') return `the environment variable ${ref.name}`;
  if (ref.source === 'vault') return `${ref.name} in the vault`;
  if (ref.source === 'exec') return `the program ${ref.command[0]}`;
  return ref.key === undefined ? ref.path : `${ref.key} in ${ref.path}`;
}

/** The secret itself, for the setting at `configPath`. */
export async function resolveSecret(ref: SecretRefInput, configPath: string, context: ResolveContext): Promise<string> {
  return secretOf(ref, context).catch((error: unknown) => {
    throw located(configPath, error);
  });
}

async function secretOf(ref: SecretRefInput, context: ResolveContext): Promise<string> {
  const checked = secretRefSchema.safeParse(ref);
  if (!checked.success) throw failed('it is not a usable reference', 'openclaw config schema');
  const value = await lookUp(checked.data, context);
  if (value.trim() !== '') return value;
  throw failed(`${describeRef(ref)} is empty`, 'put the secret there');
}

export type Resolved<T> = {
  /** the same settings with every reference replaced; a reference that failed is left out */
  readonly settings: T;
  readonly secrets: readonly { readonly path: string; readonly value: string; readonly ref: SecretRefInput }[];
  readonly problems: readonly { readonly path: string; readonly error: HardshellError }[];
};

/** Resolves every reference in a tree of settings. What to do about a problem is for the owner of that setting to say. */
export async function resolveSecretsIn<T>(settings: T, context: ResolveContext): Promise<Resolved<T>> {
  const found = refsIn(settings);
  const running = new Map<string, Promise<string>>();
  const results = await Promise.allSettled(
    found.map(({ ref }) => {
      // A program that unlocks a password manager should ask once.
      const once = JSON.stringify(ref);
      const result = running.get(once) ?? secretOf(ref, context);
      running.set(once, result);
      return result;
    }),
  );
  const secrets: { path: string; value: string; ref: SecretRefInput }[] = [];
  const problems: { path: string; error: HardshellError }[] = [];
  const values = new Map<object, string>();
  for (const [index, result] of results.entries()) {
    const at = found[index];
    if (at === undefined) continue;
    if (result.status === 'rejected') problems.push({ path: at.path, error: located(at.path, result.reason) });
    else {
      secrets.push({ ...at, value: result.value });
      values.set(at.ref, result.value);
    }
  }
  return { settings: replaceRefs(settings, values) as T, secrets, problems };
}

/** Every reference in a tree with its dotted path. */
export function refsIn(value: unknown, path = ''): { readonly path: string; readonly ref: SecretRefInput }[] {
  if (typeof value !== 'object' || value === null) return [];
  if (isSecretRef(value)) return [{ path, ref: value }];
  return Object.entries(value).flatMap(([key, item]) => refsIn(item, path === '' ? key : `${path}.${key}`));
}

function replaceRefs(value: unknown, values: ReadonlyMap<object, string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (isSecretRef(value)) return values.get(value);
  if (Array.isArray(value)) return value.map((item) => replaceRefs(item, values)).filter((item) => item !== undefined);
  const entries = Object.entries(value).map(([key, item]) => [key, replaceRefs(item, values)] as const);
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
}

async function lookUp(ref: SecretRef, context: ResolveContext): Promise<string> {
  switch (ref.source) {
    case 'env': {
      const value = Object.hasOwn(context.env, ref.name) ? context.env[ref.name] : undefined;
      if (value) return value;
      throw failed(`the environment variable ${ref.name} is not set`, `export ${ref.name}=…, or put it into .env`);
    }
    case 'file':
      return fromFile(ref, context);
    case 'exec':
      return runForSecret(ref, context.env, context.signal);
    case 'vault': {
      const value = context.vault?.().get(ref.name) ?? null;
      if (value !== null) return value;
      const why = context.vault ? `the vault has no secret ${ref.name}` : 'there is no vault';
      throw failed(why, `openclaw secrets set ${ref.name} --vault`);
    }
  }
}

function fromFile(ref: Extract<SecretRef, { source: 'file' }>, { env, stateDir }: ResolveContext): string {
  const home = env['HOME'] ?? homedir();
  const path = ref.path.startsWith('~/') ? join(home, ref.path.slice(2)) : resolve(stateDir, ref.path);
  if (!isAbsolute(path)) throw failed(`${ref.path} is no path`, 'name the file by its absolute path');
  const text = tryReadSecretAt(path);
  if (text === null) throw failed(`there is no file ${path}`, `write the secret into it, then: chmod 600 ${path}`);
  if (ref.key === undefined) return text;
  const value = atKey(parseJson(text, path), ref.key);
  if (typeof value === 'string') return value;
  throw failed(`${path} has no text under ${ref.key}`, 'look at the keys of that file');
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Its own message quotes the text, which is a secret.
    throw failed(`${path} is not JSON`, 'leave out the key, or write JSON there');
  }
}

function atKey(value: unknown, key: string): unknown {
  const steps = key.startsWith('/') ? key.slice(1).split('/').map(unescapePointer) : [key];
  return steps.reduce<unknown>((node, step) => {
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, step)) return undefined;
    return (node as Record<string, unknown>)[step];
  }, value);
}

const unescapePointer = (step: string): string => step.replaceAll('~1', '/').replaceAll('~0', '~');

const failed = (message: string, fix: string): HardshellError =>
  new HardshellError({ code: 'SECRET_UNRESOLVED', message, fix, exitCode: EXIT.config });

/** The same failure with the setting's path in front. */
function located(configPath: string, error: unknown): HardshellError {
  const known = error instanceof HardshellError ? error : null;
  return new HardshellError({
    code: known?.code ?? 'SECRET_UNRESOLVED',
    message: `${configPath}: ${reasonOf(error)}`,
    ...(known?.fix === undefined ? {} : { fix: known.fix }),
    exitCode: EXIT.config,
  });
}
