// Owns walking the schema: which keys there are, which are secret, what is known at a path. It reads what the words of
// leaf.ts left behind and must never hold a list of settings of its own.
import { SECTION_NAMES, SECTIONS, type SectionName } from '../schema.ts';
import { CHANNEL_NAMES, type ChannelName, channelDefaults, channelSchema } from './channels.ts';
import { type Facts, factsOf, groupDocOf } from './leaf.ts';

type Inner = {
  readonly type: string;
  readonly innerType?: Schema;
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly valueType?: Schema;
  readonly keyType?: Schema;
  readonly element?: Schema;
  readonly options?: readonly Schema[];
  readonly in?: Schema;
  readonly entries?: Readonly<Record<string, string>>;
  readonly values?: readonly unknown[];
  readonly defaultValue?: unknown;
};
export type Schema = { readonly _zod: { readonly def: Inner } };

export type Place =
  | { readonly kind: 'group'; readonly keys: Readonly<Record<string, Schema>> }
  /** entries by a free name */
  | { readonly kind: 'named'; readonly entry: Schema }
  | { readonly kind: 'list'; readonly entry: Schema }
  | { readonly kind: 'leaf'; readonly facts: Facts };

const built = new Map<SectionName, Schema>();

/** The schema of a section, built once. Channels that are not asked for come later. */
export function sectionSchema(name: SectionName): Schema {
  const known = built.get(name);
  if (known) return known;
  const schema = SECTIONS[name]();
  built.set(name, schema);
  return schema;
}

/** What a schema stands for, without the wrappers of defaults and options. */
export function placeOf(schema: Schema): Place {
  for (let at: Schema | undefined = schema; at; at = at._zod.def.innerType) {
    const facts = factsOf(at);
    if (facts) return { kind: 'leaf', facts };
    const { type, shape, valueType, element } = at._zod.def;
    if (type === 'object' && shape) return { kind: 'group', keys: shape };
    if (type === 'record' && valueType) return { kind: 'named', entry: valueType };
    if (type === 'array' && element) return { kind: 'list', entry: element };
  }
  throw new Error('a schema that is neither a setting nor a group of them');
}

export const docOf = (schema: Schema): string => factsOf(schema)?.doc ?? groupDocOf(schema) ?? '';

/** The schema at a path, or null where the schema knows nothing. Names of entries are taken as they come. */
export function schemaAt(path: readonly string[]): Schema | null {
  const [section, ...rest] = path;
  if (section === undefined || !SECTION_NAMES.includes(section as SectionName)) return null;
  let schema = section === 'channels' ? channelPart(rest) : sectionSchema(section as SectionName);
  for (const key of rest) {
    const place = placeOf(schema);
    const next = place.kind === 'group' ? own(place.keys, key) : place.kind === 'leaf' ? undefined : place.entry;
    if (!next) return null;
    schema = next;
  }
  return schema;
}

/** One channel costs less than all of them. An account takes the keys of its channel. */
function channelPart(rest: string[]): Schema {
  const name = rest[0];
  if (name === 'defaults') {
    rest.shift();
    return channelDefaults();
  }
  if (!CHANNEL_NAMES.includes(name as ChannelName)) return sectionSchema('channels');
  rest.shift();
  if (rest[0] === 'accounts' && rest.length > 1) rest.splice(0, 2);
  return channelSchema(name as ChannelName);
}

const own = (keys: Readonly<Record<string, Schema>>, key: string): Schema | undefined =>
  Object.hasOwn(keys, key) ? keys[key] : undefined;

/** Keys that may stand at a path; empty where names are free. */
export function keysAt(path: readonly string[]): readonly string[] {
  if (path.length === 0) return SECTION_NAMES;
  if (path.length === 1 && path[0] === 'channels') return ['defaults', ...CHANNEL_NAMES];
  const schema = schemaAt(path);
  const place = schema && placeOf(schema);
  return place?.kind === 'group' ? Object.keys(place.keys) : [];
}

export type Leaf = { readonly path: string; readonly schema: Schema; readonly facts: Facts };

/** Every setting; `*` stands for a free name, `[]` for a place in a list. */
export function* leavesOf(name: SectionName): Generator<Leaf> {
  yield* below(name, sectionSchema(name));
}

export function* allLeaves(): Generator<Leaf> {
  for (const name of SECTION_NAMES) yield* leavesOf(name);
}

function* below(path: string, schema: Schema): Generator<Leaf> {
  const place = placeOf(schema);
  if (place.kind === 'leaf') yield { path, schema, facts: place.facts };
  else if (place.kind === 'group') {
    for (const [key, inner] of Object.entries(place.keys)) yield* below(`${path}.${key}`, inner);
  } else yield* below(place.kind === 'named' ? `${path}.*` : `${path}.[]`, place.entry);
}

/** The default of a setting, or undefined when it has none. */
export function initialOf(schema: Schema): unknown {
  return schema._zod.def.type === 'default' ? schema._zod.def.defaultValue : undefined;
}

/** What may be written, in words: `a number`, `token, password or none`. */
export function kindOf(schema: Schema): string {
  const { type, innerType, entries, element, valueType, options, in: source } = schema._zod.def;
  if (innerType) return kindOf(innerType);
  if (source) return kindOf(source);
  if (type === 'enum')
    return Object.values(entries ?? {})
      .join(', ')
      .replace(/, ([^,]*)$/, ' or $1');
  if (type === 'array') return element && kindOf(element) === 'text' ? 'a list of texts' : 'a list';
  if (type === 'record' || type === 'object')
    return valueType && kindOf(valueType) === 'text' ? 'texts by name' : 'an object';
  if (type === 'union') return options?.[0] ? kindOf(options[0]) : 'a value';
  if (type === 'boolean') return 'true or false';
  if (type === 'number' || type === 'int') return 'a number';
  return 'text';
}
