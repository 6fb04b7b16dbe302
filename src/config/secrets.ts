// Owns finding the secrets in settings, by what the schema marks: to put values in place of references, to hide them, to
// tell the log's redaction. It must never put a value into a message.
import { isObject } from '../platform/json.ts';
import type { SecretRef } from './schema/leaf.ts';
import { placeOf, type Schema, schemaAt } from './schema/tree.ts';
import { SECTION_NAMES } from './schema.ts';

export const REDACTED = '__OPENCLAW_REDACTED__';

type Found = { readonly path: string; readonly holder: Record<string, unknown>; readonly key: string };

/** Every place in a value that the schema marks as secret and that is filled. */
export function* secretsIn(value: unknown): Generator<Found> {
  if (!isObject(value)) return;
  for (const name of SECTION_NAMES) {
    // A section that nobody has written has no secrets, and is not made for this.
    if (Object.getOwnPropertyDescriptor(value, name)?.get) continue;
    const section = value[name];
    if (!isObject(section)) continue;
    for (const key of Object.keys(section)) {
      const schema = schemaAt([name, key]);
      if (schema) yield* below(schema, section, key, [name, key]);
    }
  }
}

function* below(
  schema: Schema,
  holder: Record<string, unknown>,
  key: string,
  path: readonly string[],
): Generator<Found> {
  const value = holder[key];
  if (value === undefined || value === null) return;
  const place = placeOf(schema);
  if (place.kind === 'leaf') {
    if (place.facts.secret) yield* filled(holder, key, path);
    else if (path[0] === 'channels' && path[2] === 'accounts' && isObject(value)) yield* accounts(value, path);
    return;
  }
  if (typeof value !== 'object') return;
  const inner = value as Record<string, unknown>;
  for (const name of Object.keys(inner)) {
    const next =
      place.kind === 'group' ? (Object.hasOwn(place.keys, name) ? place.keys[name] : undefined) : place.entry;
    if (next) yield* below(next, inner, name, [...path, name]);
  }
}

/** A secret alone, or several by name. */
function* filled(holder: Record<string, unknown>, key: string, path: readonly string[]): Generator<Found> {
  const value = holder[key];
  if (!isObject(value) || isRef(value)) yield { path: path.join('.'), holder, key };
  else for (const name of Object.keys(value)) yield { path: [...path, name].join('.'), holder: value, key: name };
}

function* accounts(entries: Record<string, unknown>, path: readonly string[]): Generator<Found> {
  const channel = schemaAt(path.slice(0, 2));
  if (!channel) return;
  for (const id of Object.keys(entries)) yield* below(channel, entries, id, [...path, id]);
}

/** Every secret value, for the log's redaction. */
export function secretValues(config: unknown): string[] {
  return [...secretsIn(config)].map(({ holder, key }) => holder[key]).filter((value) => typeof value === 'string');
}

/** A copy that may be shown. What is named like a secret is hidden even where the schema does not know it. */
export function redact(value: unknown): unknown {
  const copy = hideByName(value);
  for (const { holder, key } of secretsIn(copy)) holder[key] = REDACTED;
  return copy;
}

/** A name that says it: for keys that the schema does not know. */
export const isSecretKey = (key: string): boolean => SECRET_KEY.test(key);
const SECRET_KEY = /(token|secret|password|passphrase|api_?key|authorization|private_?key|credential)$/i;

function hideByName(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hideByName);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      typeof item === 'string' && isSecretKey(key) ? REDACTED : hideByName(item),
    ]),
  );
}

export const isRef = (value: unknown): value is SecretRef =>
  isObject(value) && typeof value['source'] === 'string' && typeof value['id'] === 'string';
