// Owns hiding secrets in text that leaves for a log, a screen, a model or a child: one registry of known values, in every
// spelling they can turn up in, and the shapes of vendors' tokens. Linear in the text; nothing can turn it off.
import {
  DISCORD_DOTS_APART,
  type Hidden,
  matchDiscord,
  matchNamedValue,
  matchShape,
  matchTelegram,
  PLACED_SHAPES,
  type PlacedShape,
} from './find-shapes.ts';
import { createKnownValues, HASH_CHARS, rolled } from './known-values.ts';

/** A way to look at texts. */
export type Hiding = {
  /** The text with `[redacted]` for each secret; the very same string when there is none. */
  redact(text: string): string;
  /** What would be hidden, in order, without overlaps. */
  find(text: string): Hidden[];
  /** Where a registered value begins that the text ends in the middle of, else its length. */
  openFrom(text: string): number;
  /** How much of what comes before a place can decide about it; what stands further back may be forgotten. */
  readonly contextChars: number;
  /** How many values are registered: with the same number, the same text gives the same. */
  knownValues(): number;
};

/** By itself it hides guesses as well (`password=…`), for what machines write and nobody works with: the log. */
export type Redactor = Hiding & {
  /** From now on this value is hidden; once known, it stays so, since a rotated secret may work for a while. */
  add(secret: string): void;
  /** Registered values and vendors' tokens only, for what people and models work with: a guess would break their code. */
  readonly sure: Hiding;
};

export const HIDDEN = '[redacted]';
/** Known by where they stand alone, which in a source file is mostly no secret. */
const GUESSES: ReadonlySet<string> = new Set(['named-value', 'header', 'flag', 'url-password', 'bearer', 'basic']);
const COLON = 58;
const EQUALS = 61;
const DOT = 46;
const BACKSLASH = 92;

export function createRedactor(): Redactor {
  const values = createKnownValues();
  const search = (text: string, guesses: boolean): Hidden[] => {
    const found: Hidden[] = [];
    let shapesFrom = 0;
    let namesFrom = 0;
    let hash = 0;
    let before = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      hash = rolled(hash, code);
      if (values.mayBegin[hash] === 1) {
        const start = i - HASH_CHARS + 1;
        const end = values.endAt(text, start, hash);
        if (end > 0) found.push({ start, end, kind: 'known' });
      }
      const shapes = SHAPES_BY_PAIR[pairKey(before, code)];
      before = code;
      // What is hidden already is not searched for more of it: a planted text cannot make that cost more than once.
      if (shapes !== undefined && i > shapesFrom) {
        const hidden = firstMatch(text, i - 1, shapes, guesses);
        if (hidden !== null) {
          found.push(hidden);
          shapesFrom = hidden.end;
        }
      }
      let hidden: Hidden | null = null;
      if (code === COLON || code === EQUALS) {
        if (guesses && i >= namesFrom) hidden = matchNamedValue(text, i);
        if (hidden !== null) namesFrom = hidden.end;
        else if (code === COLON) hidden = matchTelegram(text, i);
      } else if (code === DOT && text.charCodeAt(i + DISCORD_DOTS_APART) === DOT) {
        hidden = matchDiscord(text, i);
      }
      if (hidden !== null) found.push(hidden);
    }
    return found.length < 2 ? found : merged(found);
  };
  const hiding = (guesses: boolean): Hiding => ({
    find: (text) => search(text, guesses),
    redact(text) {
      const hidden = search(text, guesses);
      return hidden.length === 0 ? text : render(text, hidden, 0, text.length);
    },
    openFrom: values.openFrom,
    contextChars: guesses ? 256 : 64,
    knownValues: values.count,
  });
  return { ...hiding(true), add: (secret) => void values.add(secret), sure: hiding(false) };
}

/** The part of a text from `from` to `to`, with what is hidden replaced. */
export function render(text: string, hidden: readonly Hidden[], from: number, to: number): string {
  let out = '';
  let done = from;
  for (const { start, end } of hidden) {
    if (end <= done || start >= to || done >= to) continue;
    const shown = text.slice(done, Math.max(done, start));
    // `\nabc` in JSON with the secret `nabc`: a lone backslash before the mark would break the line for every reader.
    out += shown + (endsInEscape(shown) ? '\\' : '') + HIDDEN;
    done = end;
  }
  return out + text.slice(done, Math.max(done, to));
}

/** A copy of a value with every string in it redacted, names included; what is not data becomes its name. */
export function redactValue(redactor: Hiding, value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactor.redact(value);
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Error) {
    const { name, message, stack } = value;
    return redactValue(redactor, { name, message, ...(stack === undefined ? {} : { stack }) }, depth);
  }
  if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return '[deeper]';
  if (Array.isArray(value)) return value.map((item) => redactValue(redactor, item, depth + 1));
  const entries = Object.entries(value).map(([key, item]) => [redactor.redact(key), named(redactor, key, item, depth)]);
  return Object.fromEntries(entries);
}

const MAX_DEPTH = 20;

/** `{ password: 'x' }` tells as much as `password=x`. */
function named(redactor: Hiding, key: string, item: unknown, depth: number): unknown {
  if (typeof item !== 'string') return redactValue(redactor, item, depth + 1);
  const whole = `"${key}":"`;
  const hidden = redactor.find(`${whole}${item}"`).some((one) => one.kind === 'named-value' || one.kind === 'header');
  return hidden ? HIDDEN : redactor.redact(item);
}

const pairKey = (first: number, second: number): number => ((first & 127) << 7) | (second & 127);

/** Which shapes can begin with two given characters. */
const SHAPES_BY_PAIR: readonly (readonly PlacedShape[] | undefined)[] = (() => {
  const table: PlacedShape[][] = new Array(1 << 14);
  for (const shape of PLACED_SHAPES) {
    const key = pairKey(shape.start.charCodeAt(0), shape.start.charCodeAt(1));
    table[key] = [...(table[key] ?? []), shape];
  }
  return table;
})();

function firstMatch(text: string, at: number, shapes: readonly PlacedShape[], guesses: boolean): Hidden | null {
  for (const shape of shapes) {
    if (!guesses && GUESSES.has(shape.kind)) continue;
    const hidden = text.startsWith(shape.start, at) ? matchShape(text, at, shape) : null;
    if (hidden !== null) return hidden;
  }
  return null;
}

function endsInEscape(text: string): boolean {
  let backslashes = 0;
  while (text.charCodeAt(text.length - 1 - backslashes) === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}

function merged(found: Hidden[]): Hidden[] {
  found.sort((a, b) => a.start - b.start || b.end - a.end);
  const out: Hidden[] = [];
  for (const one of found) {
    const before = out.at(-1);
    if (before === undefined || one.start > before.end) out.push(one);
    else if (one.end > before.end) out[out.length - 1] = { ...before, end: one.end };
  }
  return out;
}
