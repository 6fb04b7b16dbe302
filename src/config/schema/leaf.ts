// Owns the words that the schema is written in: one function a kind of setting, each with its one-line description and
// its default. It must never know a particular setting. Built on zod/mini, since every command line loads this.
import * as z from 'zod/mini';
import type { SettingRef } from '../../secrets/setting-refs.ts';

/** Where a secret really is; only the secrets room can follow it. */
export type SecretRef = SettingRef;

export type Facts = {
  readonly doc: string;
  /** the value never leaves the process */
  readonly secret?: true;
  /** a change takes effect only after a restart */
  readonly restart?: true;
};
type More = { readonly restart?: true };

const leafFacts = new WeakMap<object, Facts>();
const groupDocs = new WeakMap<object, string>();

export const factsOf = (schema: object): Facts | undefined => leafFacts.get(schema);
export const groupDocOf = (schema: object): string | undefined => groupDocs.get(schema);

// Shared, since building each costs more than using it.
/** Visible text without surrounding or control characters. */
const LINE = z.string().check(z.regex(/^[^\s\p{Cc}](?:[^\p{Cc}]*[^\s\p{Cc}])?$/u));
const LINES = z.array(LINE);
const BOOLEAN = z.boolean();
const IDS = z.array(z.pipe(z.union([LINE, z.int()]), z.transform(String)));
const SECRET = z.union([
  z.string().check(z.minLength(1)),
  z.strictObject({
    source: z.enum(['env', 'file', 'exec', 'vault', 'store']),
    provider: z.optional(LINE),
    id: z.string().check(z.regex(/^(?!.*\.\.)[A-Za-z0-9_/][A-Za-z0-9._:/#-]{0,255}$/)),
  }),
]);

function leaf<S extends object>(schema: S, doc: string, more: More & { secret?: true } = {}): S {
  leafFacts.set(schema, { doc, ...more });
  return schema;
}

/** On or off. */
export const flag = (doc: string, initial: boolean, more?: More) => leaf(z._default(BOOLEAN, initial), doc, more);

type Range = More & { readonly min: number; readonly max?: number };

/** A whole number. */
export const whole = (doc: string, initial: number, range: Range) =>
  leaf(z._default(wholeIn(range), initial), doc, range.restart ? { restart: true } : {});

export const maybeWhole = (doc: string, range: Range) => leaf(z.optional(wholeIn(range)), doc);

const wholeIn = ({ min, max = Number.MAX_SAFE_INTEGER }: Range) => z.int().check(z.minimum(min), z.maximum(max));

/** A number with decimals, such as money. */
export const maybeAmount = (doc: string) => leaf(z.optional(z.number().check(z.minimum(0))), doc);

/** One of a few words. */
export const choice = <const T extends readonly [string, ...string[]]>(
  doc: string,
  initial: T[number],
  values: T,
  more?: More,
) => leaf(z._default(z.enum(values), initial), doc, more);

export const maybeChoice = <const T extends readonly [string, ...string[]]>(doc: string, values: T) =>
  leaf(z.optional(z.enum(values)), doc);

/** Text that may be left out. */
export const maybeText = (doc: string, more?: More) => leaf(z.optional(LINE), doc, more);

export const maybeMatch = (doc: string, pattern: RegExp) => leaf(z.optional(z.string().check(z.regex(pattern))), doc);

export const textOr = (doc: string, initial: string, pattern?: RegExp) =>
  leaf(z._default(pattern ? z.string().check(z.regex(pattern)) : LINE, initial), doc);

export const texts = (doc: string, initial: readonly string[] = [], more?: More) =>
  leaf(z._default(LINES, [...initial]), doc, more);

export const maybeTexts = (doc: string) => leaf(z.optional(LINES), doc);

/** Ids of people, groups or rooms. Numbers are taken and become text, since some ids do not fit a number. */
export const ids = (doc: string) => leaf(z._default(IDS, []), doc);

/** A password, key or token: itself, `${NAME}`, or a reference. The loader puts the value in place of a reference. */
export const secret = (doc: string, more?: More) =>
  leaf(z.optional(SECRET), doc, { ...more, secret: true }) as unknown as z.ZodMiniOptional<
    z.ZodMiniType<string, string | SecretRef>
  >;

/** Names and secret values, such as request headers. */
export const secretsByName = (doc: string) =>
  leaf(z._default(z.record(LINE, SECRET), {}), doc, { secret: true }) as unknown as z.ZodMiniDefault<
    z.ZodMiniType<Record<string, string>, Record<string, string | SecretRef>>
  >;

/** Anything, under one description: for values whose shape is simple and whose keys are free. */
export const whatever = <S extends z.ZodMiniType>(doc: string, schema: S) => leaf(schema, doc);

/** A fixed set of keys; all of them have defaults, so the group may be left out. */
export function group<const S extends z.core.$ZodLooseShape>(doc: string, shape: S) {
  const schema = z.prefault(z.strictObject(shape), {} as never);
  groupDocs.set(schema, doc);
  return schema;
}

/** A fixed set of keys that exists only when it is written. */
export function maybeGroup<const S extends z.core.$ZodLooseShape>(doc: string, shape: S) {
  const schema = z.optional(z.strictObject(shape));
  groupDocs.set(schema, doc);
  return schema;
}

export const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** Entries by a free name. */
export function named<const S extends z.core.$ZodLooseShape>(doc: string, shape: S, key: RegExp = NAME) {
  const schema = z._default(z.record(z.string().check(z.regex(key)), z.strictObject(shape)), {});
  groupDocs.set(schema, doc);
  return schema;
}

export function list<const S extends z.core.$ZodLooseShape>(doc: string, shape: S) {
  const schema = z._default(z.array(z.strictObject(shape)), []);
  groupDocs.set(schema, doc);
  return schema;
}
