// Owns finding secrets by their looks in a text: vendors' tokens, and values that stand after a telling name
// (`password=`, `"apiKey":`). It knows no registered value. The time is linear in the text, whatever the text is.
import { TOKEN_SHAPES, type TokenShape } from './token-shapes.ts';

/** A part of a text that must not be shown. */
export type Hidden = { readonly start: number; readonly end: number; readonly kind: string };

export type PlacedShape = TokenShape & { readonly start: string; readonly pattern: RegExp };

const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

/** One entry for each literal start, ready to be tried where that start was seen. */
export const PLACED_SHAPES: readonly PlacedShape[] = TOKEN_SHAPES.flatMap((shape) =>
  shape.starts.map((start) => ({ ...shape, start, pattern: new RegExp(escapeRegExp(start) + shape.rest, 'y') })),
);

/** `at` is where `shape.start` stands. */
export function matchShape(text: string, at: number, shape: PlacedShape): Hidden | null {
  if (shape.alone && (text.charCodeAt(at - 1) === HYPHEN || !beginsWord(text, at))) return null;
  const { pattern } = shape;
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  if (match === null) return null;
  const end = at + match[0].length;
  const part = match[1];
  if (shape.generated && !looksGenerated(part ?? match[0].slice(shape.start.length))) return null;
  return { start: part === undefined ? at - (shape.back ?? 0) : end - part.length, end, kind: shape.kind };
}

/** Letters and digits mixed, or long and of both cases: nobody writes that by hand. */
export function looksGenerated(value: string): boolean {
  const lower = /[a-z]/.test(value);
  const upper = /[A-Z]/.test(value);
  if (/\d/.test(value) && (lower || upper)) return true;
  return value.length >= 16 && lower && upper && !/^[A-Z]?[a-z]+([A-Z][a-z]+)*$/.test(value);
}

/** A word may also begin after `\n` in JSON, `%20` in a URL and a colour of a terminal, which end in a letter or digit. */
export function beginsWord(text: string, at: number): boolean {
  if (at === 0 || !isWord(text.charCodeAt(at - 1))) return true;
  if (text.charCodeAt(at - 2) === BACKSLASH) return true;
  if (text.charCodeAt(at - 3) === PERCENT) return true;
  return /(\\u[0-9a-f]{4}|\[[\d;]{0,8}m)$/i.test(text.slice(Math.max(0, at - 10), at));
}

const HYPHEN = 45;
const BACKSLASH = 92;
const PERCENT = 37;

const isWord = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122);
const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isTokenChar = (code: number): boolean => isWord(code) || code === HYPHEN;

const TELEGRAM_REST = /:[A-Za-z0-9_-]{34,36}(?![A-Za-z0-9_-])/y;
const MIN_BOT_DIGITS = 6;
const MAX_BOT_DIGITS = 14;

/** A Telegram bot's token; `at` is its colon. */
export function matchTelegram(text: string, at: number): Hidden | null {
  if (!isDigit(text.charCodeAt(at - 1))) return null;
  TELEGRAM_REST.lastIndex = at;
  if (!TELEGRAM_REST.test(text)) return null;
  let start = at;
  while (at - start < MAX_BOT_DIGITS && isDigit(text.charCodeAt(start - 1))) start -= 1;
  return at - start < MIN_BOT_DIGITS ? null : { start, end: TELEGRAM_REST.lastIndex, kind: 'telegram' };
}

const DISCORD_REST = /\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,45}/y;
const MIN_DISCORD_ID = 23;
const MAX_DISCORD_ID = 30;
export const DISCORD_DOTS_APART = 7;

/** A Discord bot's token, three parts; `at` is its first dot, and the second was seen where it must be. */
export function matchDiscord(text: string, at: number): Hidden | null {
  let start = at;
  while (at - start < MAX_DISCORD_ID && isTokenChar(text.charCodeAt(start - 1))) start -= 1;
  if (at - start < MIN_DISCORD_ID) return null;
  DISCORD_REST.lastIndex = at;
  return DISCORD_REST.test(text) ? { start, end: DISCORD_REST.lastIndex, kind: 'discord' } : null;
}

/** Names after which any value is one: nobody means anything else by them. */
const STRONG_NAME =
  /(?:passw(?:or)?d|passphrase|pwd|secret|(?:api|access|private|secret|signing|encryption|account|shared|auth|master)[_\- .]?key|(?:auth|access|refresh|bot|app|id|session|client|gateway|hook|webhook|bearer|api)[_\- .]?token|(?:^|[^a-z])pass)$/i;
/** Names that are also ordinary words: the value must look generated. */
const WEAK_NAME = /(?:token|credentials?|signature|(?:^|[^a-z])(?:sig|key|auth|code))$/i;
const HEADER_NAME = /(?:authorization|cookie|x-api-key|x-auth-token)$/i;
const LONGEST_NAME = 24;

const QUOTED_VALUE = /\s{0,4}(\\{0,3}["'`])([^"'`\\\n\r]{1,512})/y;
const BARE_VALUE = /\s{0,4}([^\s"'`\\,;&<>(){}[\]|]{4,128})/y;
const REST_OF_VALUE = /[^\s"'`\\,;&<>(){}[\]|]{0,4096}/y;
const HEADER_VALUE = /\s{0,4}\\{0,3}["'`]?\[?\\{0,3}["'`]?(?:[A-Za-z]{3,12}\s{1,4})?([^\s"'`\\][^"'`\\\n\r]{0,4095})/y;
const NOT_A_VALUE =
  /^(?:null|true|false|undefined|none|missing|required|optional|string|redacted|\$|<|\[|%|\*|https?:\/\/)/i;

/** The value after a telling name; `at` is the `=` or `:` between them. */
export function matchNamedValue(text: string, at: number): Hidden | null {
  const end = nameEnd(text, at);
  if (end === 0 || !couldEndName(text.charCodeAt(end - 1))) return null;
  const name = text.slice(Math.max(0, end - LONGEST_NAME), end);
  if (HEADER_NAME.test(name)) {
    const value = lastGroup(text, at + 1, HEADER_VALUE, 1, 'header');
    return value === null || /^\[?redacted/.test(text.slice(value.start, value.start + 9)) ? null : value;
  }
  const strong = STRONG_NAME.test(name);
  if (!strong && !WEAK_NAME.test(name)) return null;
  const quoted = lastGroup(text, at + 1, QUOTED_VALUE, 2, 'named-value');
  const found = quoted ?? lastGroup(text, at + 1, BARE_VALUE, 1, 'named-value');
  if (found === null) return null;
  // `password=x` and `"password": "x"` are assignments; `password: x` is more often a sentence.
  const assigned = quoted !== null || found.start === at + 1;
  const isEquation = assigned && text.charCodeAt(at) === EQUALS;
  if (!isSecretValue(text.slice(found.start, found.end), strong && assigned, isEquation)) return null;
  if (quoted !== null) return found;
  // Judged by its first part, hidden to its end: a long value must not be read again for every `=` in it.
  REST_OF_VALUE.lastIndex = found.end;
  REST_OF_VALUE.test(text);
  return { ...found, end: REST_OF_VALUE.lastIndex };
}

function isSecretValue(value: string, anyValue: boolean, isEquation: boolean): boolean {
  if (NOT_A_VALUE.test(value)) return false;
  if (anyValue) return true;
  if (value.length >= 8 && looksGenerated(value)) return true;
  return isEquation && value.length >= 12 && !/^[a-z]+$/i.test(value);
}

const EQUALS = 61;

/** Before the sign may stand spaces, a quote and the backslashes that escape it. */
function nameEnd(text: string, at: number): number {
  let end = at;
  for (let skipped = 0; end > 0 && skipped < 6; skipped++) {
    const code = text.charCodeAt(end - 1);
    if (code !== 32 && code !== 34 && code !== 39 && code !== BACKSLASH && code !== 93) break;
    end -= 1;
  }
  return end;
}

/** The last letters of the names above, so that not every colon of a log makes a string. */
const couldEndName = (code: number): boolean => ENDINGS.has(code | 32);
const ENDINGS: ReadonlySet<number> = new Set(Buffer.from('ndteysgh'));

function lastGroup(text: string, at: number, pattern: RegExp, group: number, kind: string): Hidden | null {
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  if (match === null) return null;
  const end = at + match[0].length;
  return { start: end - (match[group]?.length ?? 0), end, kind };
}
