// Owns the JSON schemas that other programs write: rebuilt from the few words that are understood, free of hostile text,
// cut to size, and checked against arguments. It must never run a pattern of theirs, nor follow a reference out of the schema.
import { isObject } from '../../platform/json.ts';
import { neutralise } from '../../platform/outside-text.ts';

export type JsonSchema = { readonly [word: string]: unknown };

const MAX_CHARS = 4_000;
const MAX_DEPTH = 8;
const MAX_NODES = 400;
const MAX_DESCRIPTION_CHARS = 200;
const TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'];
const NUMBERS = ['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems'] as const;

/** Their schema as a model may read it, or why it cannot be used. */
export function tidySchema(raw: unknown): { readonly schema: JsonSchema } | { readonly problem: string } {
  try {
    for (const withText of [true, false]) {
      const schema = objectOf(rebuild(raw, { root: raw, withText, nodes: { left: MAX_NODES } }, 0));
      if (JSON.stringify(schema).length <= MAX_CHARS) return { schema };
    }
    return { problem: `its arguments take more than ${MAX_CHARS} characters to describe` };
  } catch (error) {
    return {
      problem: error instanceof Odd ? error.message : 'its arguments are described in a way that cannot be read',
    };
  }
}

class Odd extends Error {}

/** What a tool takes is always an object. */
const objectOf = (schema: JsonSchema): JsonSchema => {
  if (schema['type'] !== undefined && schema['type'] !== 'object') throw new Odd('its arguments are no object');
  return { ...schema, type: 'object', properties: schema['properties'] ?? {} };
};

type Within = { readonly root: unknown; readonly withText: boolean; readonly nodes: { left: number } };

function rebuild(given: unknown, within: Within, depth: number): JsonSchema {
  within.nodes.left -= 1;
  if (!isObject(given) || depth > MAX_DEPTH || within.nodes.left < 0) return {};
  const raw = typeof given['$ref'] === 'string' ? referred(given['$ref'], within.root) : given;
  const made: Record<string, unknown> = {};
  const inner = (value: unknown): JsonSchema => rebuild(value, within, depth + 1);
  const types = [raw['type']].flat().filter((one) => TYPES.includes(one as string));
  if (types.length > 0) made['type'] = types.length === 1 ? types[0] : types;
  if (within.withText && typeof raw['description'] === 'string')
    made['description'] = oneLine(raw['description'], MAX_DESCRIPTION_CHARS);
  for (const word of NUMBERS) if (Number.isFinite(raw[word])) made[word] = raw[word];
  if (Array.isArray(raw['enum'])) made['enum'] = raw['enum'].map(plainValue);
  if (raw['const'] !== undefined) made['enum'] = [plainValue(raw['const'])];
  if (isObject(raw['properties']))
    made['properties'] = Object.fromEntries(
      Object.entries(raw['properties']).map(([name, value]) => [plainName(name), inner(value)]),
    );
  if (Array.isArray(raw['required'])) made['required'] = raw['required'].map(plainName);
  if (isObject(raw['items'])) made['items'] = inner(raw['items']);
  if (raw['additionalProperties'] === false) made['additionalProperties'] = false;
  else if (isObject(raw['additionalProperties'])) made['additionalProperties'] = inner(raw['additionalProperties']);
  const choices = raw['anyOf'] ?? raw['oneOf'];
  if (Array.isArray(choices)) made['anyOf'] = choices.slice(0, 32).map(inner);
  if (Array.isArray(raw['allOf'])) made['allOf'] = raw['allOf'].slice(0, 32).map(inner);
  return made;
}

/** `#/$defs/Name`; anything else is what nobody knows. */
function referred(pointer: string, root: unknown): Record<string, unknown> {
  const [, folder = '', name = ''] = /^#\/(\$defs|definitions)\/([\w.-]{1,64})$/.exec(pointer) ?? [];
  const found = isObject(root) && isObject(root[folder]) && Object.hasOwn(root[folder], name) && root[folder][name];
  return isObject(found) ? found : {};
}

/** One line without anything hidden; longer is cut. */
export function oneLine(text: string, maxChars: number): string {
  // Cut before as well: what is not shown need not be read.
  const clean = neutralise(text.slice(0, maxChars * 4))
    .replace(/\s+/g, ' ')
    .trim();
  return (clean.length <= maxChars ? clean : `${clean.slice(0, maxChars - 1)}…`).toWellFormed();
}

function plainName(name: unknown): string {
  if (typeof name === 'string' && /^[A-Za-z0-9_.-]{1,64}$/.test(name) && name !== '__proto__') return name;
  throw new Odd('an argument of it has a name that is no plain word');
}

/** A value of a choice is used as it stands, so one with hidden text in it is none. */
function plainValue(value: unknown): unknown {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'string' && value.length <= 200 && neutralise(value) === value) return value;
  throw new Odd('a choice of it is no plain word or number');
}

/** One line that tells the model what to correct, or null. Only for what `tidySchema` made. */
export function problemIn(schema: JsonSchema, value: unknown, at = ''): string | null {
  const where = at === '' ? '' : `${at}: `;
  const types = [schema['type'] ?? []].flat();
  if (types.length > 0 && !types.some((type) => isOfType(type, value))) return `${where}expected ${types.join(' or ')}`;
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(value as never))
    return `${where}expected one of ${JSON.stringify(schema['enum']).slice(0, 200)}`;
  const size = sizeProblem(schema, value);
  if (size !== null) return where + size;
  const choices = schema['anyOf'];
  if (Array.isArray(choices) && !choices.some((one) => problemIn(one as JsonSchema, value, at) === null))
    return `${where}fits none of what is possible here`;
  const inside = [
    ...((schema['allOf'] as JsonSchema[] | undefined) ?? []).map((one) => [one, value, at] as const),
    ...(Array.isArray(value) && isObject(schema['items'])
      ? value.map((one, index) => [schema['items'] as JsonSchema, one, `${at}[${index}]`] as const)
      : []),
  ];
  for (const [one, inner, where] of inside) {
    const problem = problemIn(one, inner, where);
    if (problem !== null) return problem;
  }
  return isObject(value) ? fieldProblem(schema, value, at) : null;
}

function fieldProblem(schema: JsonSchema, value: Record<string, unknown>, at: string): string | null {
  const known = isObject(schema['properties']) ? schema['properties'] : {};
  const prefix = at === '' ? '' : `${at}.`;
  for (const name of (schema['required'] as string[] | undefined) ?? [])
    if (!Object.hasOwn(value, name)) return `${prefix}${name}: is missing`;
  for (const [name, one] of Object.entries(value)) {
    const own = Object.hasOwn(known, name) ? known[name] : schema['additionalProperties'];
    if (own === false) return `${prefix}${name.slice(0, 64)}: there is no such argument`;
    const problem = isObject(own) ? problemIn(own, one, `${prefix}${name.slice(0, 64)}`) : null;
    if (problem !== null) return problem;
  }
  return null;
}

function sizeProblem(schema: JsonSchema, value: unknown): string | null {
  const [size, least, most] =
    typeof value === 'number'
      ? [value, schema['minimum'], schema['maximum']]
      : typeof value === 'string'
        ? [value.length, schema['minLength'], schema['maxLength']]
        : Array.isArray(value)
          ? [value.length, schema['minItems'], schema['maxItems']]
          : [0, undefined, undefined];
  if (typeof least === 'number' && size < least) return `expected at least ${least}`;
  return typeof most === 'number' && size > most ? `expected at most ${most}` : null;
}

function isOfType(type: unknown, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return type === 'object' ? isObject(value) : typeof value === type;
}
