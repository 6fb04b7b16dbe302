// Owns how a pattern is read: literals, . [ ] \w \d \s \b ^ $ ( ) | * + ? {m,n}, and nothing else. It must never guess: what
// it does not know is a problem with a reason.

export type Piece =
  | { readonly kind: 'char'; readonly takes: (char: string) => boolean }
  | { readonly kind: 'at'; readonly where: 'start' | 'end' | 'edge' | 'inside' }
  | { readonly kind: 'row' | 'either'; readonly of: readonly Piece[] }
  | { readonly kind: 'repeat'; readonly of: Piece; readonly least: number; readonly most: number | null };

type Takes = (char: string) => boolean;

const MAX_PATTERN_CHARS = 200;
const MAX_REPEAT = 32;
const MAX_DEPTH = 16;
const SETS: Readonly<Record<string, RegExp>> = { w: /^[\p{L}\p{N}_]$/u, d: /^\p{Nd}$/u, s: /^\s$/u };

class Unreadable extends Error {}

export function parsePattern(source: string): { readonly piece: Piece } | { readonly problem: string } {
  if (source.length > MAX_PATTERN_CHARS) return { problem: `has more than ${MAX_PATTERN_CHARS} characters` };
  const chars = [...source.toLowerCase()];
  // Lower-casing would turn \W and \B into their opposites.
  const written = [...source];
  if (written.length !== chars.length) return { problem: 'has a character that changes with its case' };
  let at = 0;

  const alternatives = (depth: number): Piece => {
    if (depth > MAX_DEPTH) throw new Unreadable('has too many brackets inside each other');
    const found: Piece[] = [row(depth)];
    while (chars[at] === '|') {
      at += 1;
      found.push(row(depth));
    }
    return found.length === 1 && found[0] ? found[0] : { kind: 'either', of: found };
  };
  const row = (depth: number): Piece => {
    const found: Piece[] = [];
    while (at < chars.length && chars[at] !== '|' && chars[at] !== ')') found.push(repeated(one(depth)));
    return { kind: 'row', of: found };
  };
  const one = (depth: number): Piece => {
    const char = chars[at] ?? '';
    at += 1;
    switch (char) {
      case '(': {
        if (chars[at] === '?') {
          if (chars[at + 1] !== ':') throw new Unreadable('has a group that begins with (?, which is not offered');
          at += 2;
        }
        const inside = alternatives(depth + 1);
        if (chars[at] !== ')') throw new Unreadable('has a ( without its )');
        at += 1;
        return inside;
      }
      case '[':
        return { kind: 'char', takes: charClass() };
      case '.':
        return { kind: 'char', takes: (c) => c !== '\n' };
      case '^':
        return { kind: 'at', where: 'start' };
      case '$':
        return { kind: 'at', where: 'end' };
      case '\\':
        return escaped();
      case '*':
      case '+':
      case '?':
      case '{':
        throw new Unreadable(`has a ${char} with nothing before it`);
      default:
        return { kind: 'char', takes: (c) => c === char };
    }
  };
  const escaped = (): Piece => {
    const char = written[at] ?? '';
    if (char === 'b' || char === 'B') {
      at += 1;
      return { kind: 'at', where: char === 'b' ? 'edge' : 'inside' };
    }
    return { kind: 'char', takes: escapedChar() };
  };
  const escapedChar = (): Takes => {
    const char = written[at] ?? '';
    at += 1;
    const set = SETS[char.toLowerCase()];
    if (set) return char === char.toLowerCase() ? (c) => set.test(c) : (c) => !set.test(c);
    if (char === 'n') return (c) => c === '\n';
    if (char === 't') return (c) => c === '\t';
    if (char === '' || /[\p{L}\p{N}]/u.test(char)) throw new Unreadable(`has \\${char}, which is not offered`);
    return (c) => c === char;
  };
  const charClass = (): Takes => {
    const isNot = chars[at] === '^';
    if (isNot) at += 1;
    const parts: Takes[] = [];
    for (let first = true; first || chars[at] !== ']'; first = false) {
      const char = chars[at];
      if (char === undefined) throw new Unreadable('has a [ without its ]');
      at += 1;
      if (char === '\\') {
        parts.push(escapedChar());
        continue;
      }
      const last = chars[at + 1];
      if (chars[at] === '-' && last !== undefined && last !== ']') {
        if (last === '\\' || last < char) throw new Unreadable(`has the range ${char}-${last}, which is none`);
        at += 2;
        parts.push((c) => c >= char && c <= last);
      } else parts.push((c) => c === char);
    }
    at += 1;
    return (c) => parts.some((takes) => takes(c)) !== isNot;
  };
  const repeated = (piece: Piece): Piece => {
    const char = chars[at];
    if (char !== '*' && char !== '+' && char !== '?' && char !== '{') return piece;
    if (piece.kind === 'at') throw new Unreadable(`repeats a place (${char} after ^, $ or \\b)`);
    at += 1;
    const made = (least: number, most: number | null): Piece => {
      if (chars[at] === '?') at += 1;
      if (/[*+?{]/.test(chars[at] ?? '')) throw new Unreadable('has two repetitions in a row');
      return { kind: 'repeat', of: piece, least, most };
    };
    if (char === '*') return made(0, null);
    if (char === '+') return made(1, null);
    if (char === '?') return made(0, 1);
    const found = /^(\d{1,4})(,(\d{0,4}))?\}/.exec(chars.slice(at, at + 12).join(''));
    if (!found) throw new Unreadable('has a { that is no repetition such as {2,5}; write \\{');
    at += found[0].length;
    const least = Number(found[1]);
    const most = found[2] === undefined ? least : found[3] === '' ? null : Number(found[3]);
    if (least > MAX_REPEAT || (most ?? 0) > MAX_REPEAT) throw new Unreadable(`repeats more than ${MAX_REPEAT} times`);
    if (most !== null && most < least) throw new Unreadable(`has the repetition {${least},${most}}, which is none`);
    return made(least, most);
  };

  try {
    const piece = alternatives(0);
    if (at < chars.length) throw new Unreadable('has a ) without its (');
    return { piece };
  } catch (error) {
    if (error instanceof Unreadable) return { problem: error.message };
    throw error;
  }
}
