// Owns telling people what a setting is: for `config schema`, the docs page and the settings form. All of it comes from the
// schema; there is no second list.
import * as z from 'zod/mini';
import { factsOf } from './schema/leaf.ts';
import { docOf, initialOf, keysAt, kindOf, placeOf, schemaAt } from './schema/tree.ts';
import { wholeSchema } from './schema.ts';
import { nearest } from './shape/nearest.ts';

export type Explanation = {
  readonly path: string;
  readonly doc: string;
  /** what may be written, in words */
  readonly kind: string;
  readonly default?: unknown;
  readonly secret: boolean;
  /** a change needs a restart */
  readonly restart: boolean;
  /** what lies below; empty for a setting */
  readonly keys: readonly string[];
};

/** null where the schema knows nothing; `suggestKey` then knows what was meant. */
export function explain(path: readonly string[]): Explanation | null {
  const schema = schemaAt(path);
  if (!schema) return null;
  const place = placeOf(schema);
  const facts = place.kind === 'leaf' ? place.facts : undefined;
  const initial = initialOf(schema);
  const keys = place.kind === 'group' ? Object.keys(place.keys) : place.kind === 'leaf' ? [] : ['*'];
  return {
    path: path.join('.'),
    doc: docOf(schema),
    kind: facts ? kindOf(schema) : 'an object',
    ...(facts && initial !== undefined ? { default: initial } : {}),
    secret: facts?.secret === true,
    restart: facts?.restart === true,
    keys,
  };
}

/** The nearest path that exists, for one that does not. */
export function suggestKey(path: readonly string[]): string | undefined {
  for (const [depth, key] of path.entries()) {
    const above = path.slice(0, depth);
    if (schemaAt([...above, key])) continue;
    const close = nearest(key, keysAt(above));
    return close && [...above, close].join('.');
  }
  return undefined;
}

/** Draft 2020-12, for editors and the settings form. `x-secret` and `x-restart` mark what the words say here. */
export function jsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(wholeSchema(), {
    io: 'input',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema: json }) {
      const facts = factsOf(zodSchema);
      const doc = docOf(zodSchema as unknown as Parameters<typeof docOf>[0]);
      if (doc) json.description = doc;
      if (facts?.secret) json['x-secret'] = true;
      if (facts?.restart) json['x-restart'] = true;
    },
  });
  return { ...schema, title: 'openclaw.json' };
}
