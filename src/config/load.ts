// Owns reading openclaw.json: text, ${VAR}s, schema, in this order. It never writes, and what is wrong with the file is
// said in one line that names the key and the mend.
import { createHash } from 'node:crypto';
import json5 from 'json5';
import type { z } from 'zod';
import { EXIT, HardshellError, reasonOf } from '../platform/errors.ts';
import { tryReadText } from '../platform/files.ts';
import type { Env } from './paths.ts';
import { type Config, configSchema, SECRET_PATHS } from './schema.ts';

export type LoadedConfig = {
  readonly config: Config;
  readonly path: string;
  readonly exists: boolean;
  readonly hash: string;
  readonly raw: unknown;
};

export const REDACTED = '__OPENCLAW_REDACTED__';
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

export function loadConfig(paths: { configPath: string }, env: Env): LoadedConfig {
  const path = paths.configPath;
  const text = readConfigText(path);
  const raw = text === null ? {} : parse(text, path);
  const expanded = expandVariables(raw, env, path);
  const result = configSchema.safeParse(expanded);
  if (!result.success) throw invalid(path, describe(result.error, expanded));
  const hash = createHash('sha256')
    .update(text ?? '')
    .digest('hex');
  return { config: result.data, path, exists: text !== null, hash, raw };
}

function readConfigText(path: string): string | null {
  try {
    return tryReadText(path, MAX_CONFIG_BYTES);
  } catch (error) {
    throw invalid(path, `it cannot be read: ${reasonOf(error)}`, error);
  }
}

function parse(text: string, path: string): unknown {
  try {
    return json5.parse(text);
  } catch (error) {
    throw invalid(path, `it is not JSON5: ${reasonOf(error).replace(/^JSON5: /, '')}`, error);
  }
}

function invalid(path: string, what: string, cause?: unknown): HardshellError {
  return new HardshellError({
    code: 'CONFIG_INVALID',
    message: `the configuration ${path} is not usable: ${what}`,
    fix: `edit ${path}; nothing was changed`,
    exitCode: EXIT.config,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Replaces `${NAME}` in string values. `$${NAME}` stays as `${NAME}`. A name that is not set is an error: an empty key
 *  or token would fail later, somewhere else, in the dark (S123). */
function expandVariables(value: unknown, env: Env, path: string, at = ''): unknown {
  if (typeof value === 'string') {
    return value.replace(/(\$?)\$\{([A-Z_][A-Z0-9_]*)\}/g, (whole, escaped: string, name: string) => {
      if (escaped) return whole.slice(1);
      const found = env[name];
      if (found === undefined || found === '')
        throw invalid(path, `${at} uses \${${name}}, and that variable is not set`);
      return found;
    });
  }
  if (Array.isArray(value)) return value.map((item, index) => expandVariables(item, env, path, `${at}[${index}]`));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, expandVariables(item, env, path, at ? `${at}.${key}` : key)]),
  );
}

/** One line for the first problem, with a suggestion when a key looks like a typo. */
function describe(error: z.ZodError, input: unknown): string {
  const issue = error.issues[0];
  if (!issue) return 'it does not fit the schema';
  const at = issue.path.join('.');
  const more = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : '';
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const known = knownKeysAt(issue.path.map(String));
    const close = nearest(key, known);
    return `unknown key "${at ? `${at}.` : ''}${key}"${close ? `, did you mean "${close}"?` : known.length ? `; known here: ${known.join(', ')}` : ''}${more}`;
  }
  const got = issue.path.reduce<unknown>(
    (node, key) => (node as Record<PropertyKey, unknown> | undefined)?.[key],
    input,
  );
  const shown = SECRET_PATHS.some((pattern) => matches(pattern, issue.path.map(String)))
    ? 'the value'
    : (JSON.stringify(got)?.slice(0, 60) ?? 'nothing');
  return `${at || 'the top level'}: ${shown} ${issue.message.replace(/^Invalid input: /, 'is not usable: ')}${more}`;
}

function knownKeysAt(path: readonly string[]): string[] {
  let node: unknown = configSchema;
  for (const key of path) {
    const def = unwrap(node) as { shape?: Record<string, unknown>; valueType?: unknown; element?: unknown };
    node = def.shape?.[key] ?? def.valueType ?? def.element;
  }
  return Object.keys((unwrap(node) as { shape?: object })?.shape ?? {});
}

function unwrap(node: unknown): unknown {
  let current = node as
    | { def?: { innerType?: unknown; valueType?: unknown; element?: unknown; shape?: unknown } }
    | undefined;
  while (current?.def?.innerType) current = current.def.innerType as typeof current;
  return current?.def;
}

export function nearest(word: string, known: readonly string[]): string | undefined {
  const scored = known
    .map((k) => [editDistance(word.toLowerCase(), k.toLowerCase()), k] as const)
    .sort((a, b) => a[0] - b[0]);
  const best = scored[0];
  return best && best[0] <= Math.max(2, Math.floor(word.length / 3)) ? best[1] : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

const matches = (pattern: string, path: readonly string[]): boolean => {
  const parts = pattern.split('.');
  return parts.length === path.length && parts.every((part, i) => part === '*' || part === path[i]);
};

/** A copy that may be shown: every secret value replaced, whatever its type. */
export function redact(value: unknown, path: readonly string[] = []): unknown {
  if (value !== undefined && SECRET_PATHS.some((pattern) => matches(pattern, path))) return REDACTED;
  if (Array.isArray(value)) return value.map((item, index) => redact(item, [...path, String(index)]));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redact(item, [...path, key])]));
}

/** Every secret value in the configuration, for the log's redaction. */
export function secretValues(config: Config): string[] {
  const keys = Object.values(config.models.providers).map((p) => p.apiKey);
  return [config.gateway.auth.token, ...keys].filter((v): v is string => v !== undefined);
}
