// Owns the words for what does not fit the schema: the key, what stands there (never a secret), and what may stand there.
import type { Finding } from '../findings.ts';
import { keysAt, kindOf, placeOf, schemaAt } from '../schema/tree.ts';
import { nearest } from './nearest.ts';

/** As zod reports it; only what is used here. */
export type Issue = {
  readonly code?: string;
  readonly path: readonly PropertyKey[];
  readonly keys?: readonly string[];
  readonly expected?: string;
  readonly values?: readonly unknown[];
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  readonly origin?: string;
  readonly format?: string;
  readonly errors?: readonly (readonly Issue[])[];
  readonly issues?: readonly Issue[];
};

const SHOWN_CHARS = 60;

export function findingsOf(issue: Issue, input: unknown): Finding[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') return (issue.keys ?? []).map((key) => unknownKey([...path, key]));
  const key = path.join('.') || 'the top level';
  const value = path.reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], input);
  const allowed = allowedBy(issue, path);
  return [
    {
      level: 'error',
      code: 'bad-value',
      key,
      message: `${key}: ${shownAt(path, value)} ${issue.code === 'invalid_key' ? 'is not usable as a name' : 'is not usable'}: ${allowed}`,
      fix: FIXES[key] ?? `openclaw config schema ${key}`,
    },
  ];
}

/** Where a word is refused that people have reason to write. */
const FIXES: Readonly<Record<string, string>> = {
  'agents.defaults.sandbox.docker.network':
    'write "allowlist", and the hosts that commands need in agents.defaults.sandbox.allowedHosts',
};

export function unknownKey(path: readonly string[]): Finding {
  const name = path.at(-1) ?? '';
  const known = keysAt(path.slice(0, -1));
  const close = nearest(name, known);
  const hint = close ? `, did you mean "${close}"?` : known.length > 0 ? `; known here: ${known.join(', ')}` : '';
  return {
    level: 'error',
    code: 'unknown-key',
    key: path.join('.'),
    message: `unknown key "${path.join('.')}"${hint}`,
    fix: close ? `write ${[...path.slice(0, -1), close].join('.')}` : `remove ${path.join('.')}`,
  };
}

/** A secret is never repeated, also when it stands at the place of something else. */
function shownAt(path: readonly string[], value: unknown): string {
  if (value === undefined) return 'nothing';
  const schema = schemaAt(path.slice(0, 40));
  const place = schema && placeOf(schema);
  const secret = place?.kind === 'leaf' && place.facts.secret;
  const hidden = secret || path.some((name) => /token|secret|passw|key|env|headers/i.test(name));
  if (hidden && (typeof value === 'string' || typeof value === 'number')) return 'the value';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return JSON.stringify(value).slice(0, SHOWN_CHARS);
}

function allowedBy(issue: Issue, path: readonly string[]): string {
  if (issue.code === 'invalid_value')
    return `allowed are ${(issue.values ?? []).map((value) => JSON.stringify(value)).join(', ')}`;
  if (issue.code === 'too_small' && issue.origin !== 'string') return `at least ${issue.minimum}`;
  if (issue.code === 'too_big') {
    const big = Number(issue.maximum) === Number.MAX_SAFE_INTEGER;
    return big ? 'a number as large as this loses digits; put it in quotes' : `at most ${issue.maximum}`;
  }
  if (issue.code === 'too_small' || issue.format === 'regex') return `it takes ${patternWords(path)}`;
  if (issue.code === 'invalid_union')
    return allowedBy(issue.errors?.find((one) => one.length > 0)?.[0] ?? { path: [] }, path);
  if (issue.code === 'invalid_key') return 'letters, digits, - and _';
  return `it takes ${issue.expected ? (TYPES[issue.expected] ?? issue.expected) : patternWords(path)}`;
}

function patternWords(path: readonly string[]): string {
  const schema = schemaAt(path);
  const doc = schema ? placeOf(schema) : null;
  return doc?.kind === 'leaf' ? `${schema ? kindOf(schema) : 'text'} (${doc.facts.doc})` : 'text that is not empty';
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text in quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list [ ]',
  object: 'an object { }',
  record: 'an object { }',
  never: 'nothing',
};
