// Owns following a reference: it says where a secret lies, not what it is. One that leads nowhere is an error that names
// the setting; nothing falls back to an empty or literal value, and no error carries a value (attacks K11).
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { EXIT, HardshellError, misconfigured, reasonOf } from '../platform/errors.ts';
import { runForSecret } from './exec-source.ts';
import { quoted, tryReadSecretAt } from './files.ts';
import type { Vault } from './vault.ts';

/** The four places. `exec` is an argument list: there is no shell, so there is nothing to quote. */
export type SecretRef =
  | { readonly source: 'env'; readonly name: string }
  /** `path`: absolute, `~/…`, or from the state folder; `key` of a JSON file: a name, or a pointer beginning with `/` */
  | { readonly source: 'file'; readonly path: string; readonly key?: string }
  /** `passEnv`: it gets PATH, HOME, LANG and these; `ask`: the item that it is asked for on its standard input */
  | {
      readonly source: 'exec';
      readonly command: readonly string[];
      readonly timeoutMs?: number;
      readonly passEnv?: readonly string[];
      readonly ask?: string;
    }
  | { readonly source: 'vault'; readonly name: string };

export type ResolveContext = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stateDir: string;
  /** opens it when the first reference asks for it; absent when there is none */
  readonly vault?: () => Vault;
  readonly signal?: AbortSignal;
};

const DEFAULT_TIMEOUT_MS = 10_000;

/** How a reference is shown to people: it holds no secret. */
export function describeRef(ref: SecretRef): string {
  if (ref.source === 'env') return `the environment variable ${ref.name}`;
  if (ref.source === 'vault') return `${ref.name} in the vault`;
  if (ref.source === 'exec') return `the program ${ref.command[0]}`;
  return ref.key === undefined ? ref.path : `${ref.key} in ${ref.path}`;
}

/** The secret itself, for the setting at `configPath`. */
export async function resolveSecret(ref: SecretRef, configPath: string, context: ResolveContext): Promise<string> {
  return secretOf(ref, context).catch((error: unknown) => {
    throw located(configPath, error);
  });
}

/** The same without the setting's name in front of a failure, for who asks once for several settings. */
export async function secretOf(ref: SecretRef, context: ResolveContext): Promise<string> {
  const value = await lookUp(ref, context);
  if (value.trim() !== '') return value;
  throw unresolved(`${describeRef(ref)} is empty`, 'put the secret there');
}

async function lookUp(ref: SecretRef, context: ResolveContext): Promise<string> {
  switch (ref.source) {
    case 'env': {
      const value = Object.hasOwn(context.env, ref.name) ? context.env[ref.name] : undefined;
      if (value) return value;
      throw unresolved(`the environment variable ${ref.name} is not set`, `set ${ref.name}, or put it into .env`);
    }
    case 'file':
      return fromFile(ref, context);
    case 'exec':
      return fromProgram(ref, context);
    case 'vault': {
      const value = context.vault?.().get(ref.name) ?? null;
      if (value !== null) return value;
      const why = context.vault ? `the vault has no secret ${ref.name}` : 'there is no vault';
      throw unresolved(why, `openclaw secrets set ${ref.name} --vault`);
    }
  }
}

/** `~/…`, or from the state folder. */
export function pathOfRef(path: string, { env, stateDir }: Pick<ResolveContext, 'env' | 'stateDir'>): string {
  const home = env['HOME'] ?? homedir();
  return path.startsWith('~/') ? join(home, path.slice(2)) : resolve(stateDir, path);
}

function fromFile(ref: Extract<SecretRef, { source: 'file' }>, context: ResolveContext): string {
  const path = pathOfRef(ref.path, context);
  const text = tryReadSecretAt(path);
  if (text === null)
    throw unresolved(`there is no file ${path}`, `write the secret there, then: chmod 600 ${quoted(path)}`);
  return ref.key === undefined ? text : valueAt(text, ref.key, path);
}

async function fromProgram(ref: Extract<SecretRef, { source: 'exec' }>, context: ResolveContext): Promise<string> {
  const { command, ask } = ref;
  const source = { command, timeoutMs: ref.timeoutMs ?? DEFAULT_TIMEOUT_MS, passEnv: ref.passEnv ?? [] };
  // Upstream's question: one JSON object in, one out. A program that does not know it just prints the secret.
  const stdin = ask === undefined ? {} : { stdin: `${JSON.stringify({ protocolVersion: 1, ids: [ask] })}\n` };
  const text = await runForSecret({ ...source, ...stdin }, context.env, context.signal);
  if (ask === undefined || !text.trimStart().startsWith('{')) return text;
  return valueAt(text, `/values/${ask.replaceAll('~', '~0').replaceAll('/', '~1')}`, command[0] ?? '');
}

function valueAt(text: string, key: string, from: string): string {
  const steps = key.startsWith('/') ? key.slice(1).split('/').map(unescapePointer) : [key];
  const value = steps.reduce<unknown>(
    (node, step) => {
      if (typeof node !== 'object' || node === null || !Object.hasOwn(node, step)) return undefined;
      return (node as Record<string, unknown>)[step];
    },
    parseJson(text, from),
  );
  if (typeof value === 'string') return value;
  throw unresolved(`${from} has no text under ${key}`, 'look at its keys');
}

function parseJson(text: string, from: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Its own message quotes the text, which is a secret.
    throw unresolved(`${from} gives no JSON`, 'leave out the key, or write JSON there');
  }
}

const unescapePointer = (step: string): string => step.replaceAll('~1', '/').replaceAll('~0', '~');

export const unresolved = (message: string, fix: string): HardshellError =>
  misconfigured('SECRET_UNRESOLVED', message, fix);

/** The same failure with the setting's path in front. */
export function located(configPath: string, error: unknown): HardshellError {
  const known = error instanceof HardshellError ? error : null;
  return new HardshellError({
    code: known?.code ?? 'SECRET_UNRESOLVED',
    message: `${configPath}: ${reasonOf(error)}`,
    ...(known?.fix === undefined ? {} : { fix: known.fix }),
    exitCode: EXIT.config,
  });
}
