// Owns reading JSON5 into a tree that knows where everything stands, so that the editor changes exactly what the loader
// reads. Stricter than JSON5 in two points: a key may not be there twice, and __proto__ is refused.
import { TextError } from './position.ts';

export type Scalar = string | number | boolean | null;
type Span = { readonly start: number; readonly end: number };
export type Member = { readonly key: string; readonly keyStart: number; readonly keyEnd: number; readonly value: Node };
export type ObjectNode = Span & { readonly type: 'object'; readonly members: readonly Member[] };
export type ArrayNode = Span & { readonly type: 'array'; readonly items: readonly Node[] };
export type ScalarNode = Span & { readonly type: 'scalar'; readonly value: Scalar };
export type Node = ObjectNode | ArrayNode | ScalarNode;
/** Positions of comments, in order. */
export type Comment = Span & { readonly kind: 'line' | 'block' };
export type Json5 = { readonly root: Node; readonly comments: readonly Comment[] };

const MAX_DEPTH = 64;

export function parseJson5(text: string): Json5 {
  const reader = new Reader(text);
  const root = reader.value(0);
  reader.trivia();
  if (reader.at < text.length) reader.fail('nothing may follow the closing bracket', reader.at);
  return { root, comments: reader.comments };
}

/** The plain value of a tree. */
export function plainValue(node: Node): unknown {
  if (node.type === 'scalar') return node.value;
  if (node.type === 'array') return node.items.map(plainValue);
  return Object.fromEntries(node.members.map((member) => [member.key, plainValue(member.value)]));
}

// Which characters may begin and continue a name, as ECMAScript says.
// The expressions for all of Unicode take milliseconds to build, so they are asked only about what is not ASCII.
const isAscii = (char: string): boolean => char < '\u0080';
const startsName = (char: string): boolean => (isAscii(char) ? /^[$_A-Za-z]/.test(char) : /^\p{ID_Start}/u.test(char));
const continuesName = (char: string): boolean =>
  isAscii(char) ? /^[$\w]/.test(char) : /^(?:\p{ID_Continue}|\u200c|\u200d)/u.test(char);
const isSpace = (char: string): boolean =>
  isAscii(char) ? /^[\t\v\f ]/.test(char) : /^[\u00a0\ufeff\p{Zs}]/u.test(char);
const LINE_END = /[\n\r\u2028\u2029]/;
const NUMBER =
  /[+-]?(?:0[xX][\da-fA-F]+|Infinity|NaN|(?:0|[1-9]\d*)(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)/y;
const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
const WORDS: ReadonlyMap<string, Scalar> = new Map<string, Scalar>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

class Reader {
  at = 0;
  readonly comments: Comment[] = [];
  private readonly text: string;
  constructor(text: string) {
    this.text = text;
  }

  fail(message: string, offset = this.at): never {
    throw new TextError(message, Math.min(offset, this.text.length));
  }

  /** Spaces, line ends and comments. */
  trivia(): void {
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined) return;
      if (char === ' ' || char === '\n' || LINE_END.test(char) || isSpace(char)) this.at += 1;
      else if (char === '/') this.comment();
      else return;
    }
  }

  private comment(): void {
    const start = this.at;
    const opener = this.text.slice(start, start + 2);
    if (opener === '//') {
      while (this.at < this.text.length && !LINE_END.test(this.text[this.at] ?? '')) this.at += 1;
      this.comments.push({ kind: 'line', start, end: this.at });
    } else if (opener === '/*') {
      const close = this.text.indexOf('*/', start + 2);
      if (close === -1) this.fail('the comment has no end', start);
      this.at = close + 2;
      this.comments.push({ kind: 'block', start, end: this.at });
    } else this.fail('a single / means nothing here', start);
  }

  value(depth: number): Node {
    this.trivia();
    if (depth > MAX_DEPTH) this.fail(`more than ${MAX_DEPTH} levels deep`);
    const char = this.text[this.at];
    if (char === undefined) this.fail('the file ends in the middle of a value');
    if (char === '{') return this.object(depth);
    if (char === '[') return this.array(depth);
    const start = this.at;
    if (char === '"' || char === "'") return { type: 'scalar', value: this.string(), start, end: this.at };
    NUMBER.lastIndex = start;
    const number = NUMBER.exec(this.text)?.[0];
    if (number) return this.number(number, start);
    return this.word(start);
  }

  private number(text: string, start: number): ScalarNode {
    this.at = start + text.length;
    if (continuesName(this.text[this.at] ?? '')) this.fail('text must stand in quotes', start);
    const sign = text.startsWith('-') ? -1 : 1;
    return { type: 'scalar', value: sign * Number(text.replace(/^[+-]/, '')), start, end: this.at };
  }

  private word(start: number): ScalarNode {
    const word = startsName(this.text[start] ?? '') ? this.name() : '';
    const value = WORDS.get(word);
    if (value !== undefined) return { type: 'scalar', value, start, end: this.at };
    return this.fail(word ? 'text must stand in quotes' : `"${shown(this.text, start)}" means nothing here`, start);
  }

  private object(depth: number): ObjectNode {
    const start = this.at++;
    const members: Member[] = [];
    const seen = new Set<string>();
    for (;;) {
      this.trivia();
      if (this.text[this.at] === '}') return { type: 'object', members, start, end: ++this.at };
      if (this.text[this.at] === undefined) this.fail('a { has no }', start);
      const keyStart = this.at;
      const key = this.key();
      const keyEnd = this.at;
      if (key === '__proto__') this.fail('the key __proto__ is not allowed', keyStart);
      if (seen.has(key)) this.fail(`the key "${key.slice(0, 60)}" is there twice; keep one`, keyStart);
      seen.add(key);
      this.trivia();
      if (this.text[this.at] !== ':') this.fail('a : is missing after the key', this.at);
      this.at += 1;
      members.push({ key, keyStart, keyEnd, value: this.value(depth + 1) });
      this.separator('}');
    }
  }

  private array(depth: number): ArrayNode {
    const start = this.at++;
    const items: Node[] = [];
    for (;;) {
      this.trivia();
      if (this.text[this.at] === ']') return { type: 'array', items, start, end: ++this.at };
      if (this.text[this.at] === undefined) this.fail('a [ has no ]', start);
      items.push(this.value(depth + 1));
      this.separator(']');
    }
  }

  private separator(close: string): void {
    this.trivia();
    const char = this.text[this.at];
    if (char === ',') this.at += 1;
    else if (char === undefined) this.fail(`the file ends, a ${close} is missing`);
    else if (char !== close) this.fail(`a comma or a ${close} is missing before this`);
  }

  private key(): string {
    const char = this.text[this.at] ?? '';
    if (char === '"' || char === "'") return this.string();
    if (startsName(String.fromCodePoint(this.text.codePointAt(this.at) ?? 0)) || char === '\\') return this.name();
    return this.fail(`"${shown(this.text, this.at)}" cannot begin a key; put it in quotes`);
  }

  private name(): string {
    let name = '';
    for (;;) {
      const char = String.fromCodePoint(this.text.codePointAt(this.at) ?? 0);
      if (char === '\\' && this.text[this.at + 1] === 'u') {
        this.at += 2;
        const escaped = this.hex(4);
        if (!(name === '' ? startsName : continuesName)(escaped)) this.fail('not a letter of a name');
        name += escaped;
      } else if (this.at < this.text.length && (name === '' ? startsName : continuesName)(char)) {
        name += char;
        this.at += char.length;
      } else return name || this.fail('a name is missing here');
    }
  }

  private string(): string {
    const start = this.at;
    const quote = this.text[this.at++];
    let value = '';
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined || char === '\n' || char === '\r') this.fail('the text has no closing quote', start);
      this.at += 1;
      if (char === quote) return value;
      value += char === '\\' ? this.escape() : char;
    }
  }

  private escape(): string {
    const char = this.text[this.at++];
    if (char === undefined) this.fail('the text has no closing quote');
    if (char === 'x') return this.hex(2);
    if (char === 'u') return this.hex(4);
    if (char === '\r' && this.text[this.at] === '\n') this.at += 1;
    if (LINE_END.test(char)) return '';
    if (char === '0' && !/\d/.test(this.text[this.at] ?? '')) return '\0';
    if (/\d/.test(char)) this.fail('octal escapes are not allowed', this.at - 2);
    return ESCAPES[char] ?? char;
  }

  private hex(digits: number): string {
    const text = this.text.slice(this.at, this.at + digits);
    if (!/^[\da-fA-F]+$/.test(text) || text.length < digits) this.fail(`${digits} hex digits are missing here`);
    this.at += digits;
    return String.fromCharCode(Number.parseInt(text, 16));
  }
}

const shown = (text: string, at: number): string =>
  String.fromCodePoint(text.codePointAt(at) ?? 0).replace(/\p{Cc}/u, '?');
