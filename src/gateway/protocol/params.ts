// Owns how parameters are checked and how a failed check reads. Read methods ignore fields that they do not know (a
// newer client must not break); everything that writes refuses them.
import type { z } from 'zod';
import { clip } from './frames.ts';

export type Checked<T> =
  | { readonly ok: true; readonly value: T; readonly ignored: number }
  | { readonly ok: false; readonly message: string };

export function check<S extends z.ZodType>(schema: S, method: string, params: unknown): Checked<z.output<S>> {
  const result = schema.safeParse(params);
  if (result.success) return { ok: true, value: result.data, ignored: countIgnored(schema, params) };
  const problems = result.error.issues.slice(0, 3).flatMap((issue) => describe(issue, params));
  return { ok: false, message: `invalid ${method} params: ${problems.slice(0, 3).join('; ')}` };
}

function describe(issue: z.core.$ZodIssue, params: unknown): string[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `at ${pointer(path)}: unexpected property '${clip(key)}'`);
  }
  if (issue.code === 'invalid_type' && path.length > 0 && valueAt(params, path) === undefined) {
    const parent = path.length > 1 ? `at ${pointer(path.slice(0, -1))}: ` : '';
    return [`${parent}must have required property '${path.at(-1)}'`];
  }
  return [`at ${pointer(path)}: ${rule(issue)}`];
}

function rule(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${issue.expected === 'int' ? 'integer' : issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? 'equal to' : 'one of'} ${issue.values.map(String).join(', ')}`;
    case 'too_big':
      return issue.origin === 'string' || issue.origin === 'array'
        ? `must NOT have more than ${issue.maximum} ${issue.origin === 'string' ? 'characters' : 'items'}`
        : `must be <= ${issue.maximum}`;
    case 'too_small':
      return issue.origin === 'string' || issue.origin === 'array'
        ? `must NOT have fewer than ${issue.minimum} ${issue.origin === 'string' ? 'characters' : 'items'}`
        : `must be >= ${issue.minimum}`;
    case 'custom':
    case 'invalid_format':
      return issue.message;
    default:
      return 'is not valid';
  }
}

const pointer = (path: readonly string[]): string => (path.length === 0 ? 'root' : `/${path.map(clip).join('/')}`);

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined),
    value,
  );
}

function countIgnored(schema: z.ZodType, params: unknown): number {
  const shape = (schema as { shape?: Record<string, unknown> }).shape;
  if (!shape || typeof params !== 'object' || params === null) return 0;
  let unknown = 0;
  for (const key of Object.keys(params)) if (!Object.hasOwn(shape, key)) unknown += 1;
  return unknown;
}
