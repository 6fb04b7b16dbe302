// Owns how a text is read by the scanner: in logical lines, with the tricks of spelling undone, and what is spelled in
// base64, hex or numbers once more as what it says. It must never run or evaluate anything, and stays linear in the text.
import { UNSEEN } from '../../platform/disguise.ts';

/** `spellings`: the line as it is read, and other ways to read it. */
export type Line = {
  readonly at: number;
  readonly kind: 'code' | 'text' | 'comment';
  readonly spellings: readonly string[];
};
export type Format = 'code' | 'markdown' | 'data';

const MAX_LINE_CHARS = 6_000;
const OVERLAP = 600;
const MAX_JOINED = 40;

/** Of Markdown, what is in fences is code; what is in HTML comments is marked as what nobody sees. */
export function linesOf(text: string, format: Format): Line[] {
  const found: Line[] = [];
  const raw = text.split(/\r\n|[\n\r\u2028\u2029\u0085]/);
  let [fence, isComment] = ['', false];
  for (let at = 0; at < raw.length; at++) {
    const first = at;
    let whole = raw[at] ?? '';
    for (
      let more = 0;
      more < MAX_JOINED && /[\\^`]$/.test(whole) && at + 1 < raw.length && isJoint(whole, fence, format);
      more++
    ) {
      at += 1;
      whole = `${whole.slice(0, -1)} ${raw[at]}`;
    }
    let kind: Line['kind'] = format === 'markdown' ? 'text' : 'code';
    if (format === 'markdown') {
      const mark = /^\s{0,12}(?:>\s?)?(`{3,}|~{3,})/.exec(whole)?.[1] ?? '';
      if (fence !== '') {
        kind = 'code';
        if (mark !== '' && mark[0] === fence[0] && mark.length >= fence.length) fence = '';
      } else if (mark !== '') fence = mark;
      else if (isComment || /<!--|^\[(?:\/\/|comment|_)\]:/.test(whole)) {
        kind = 'comment';
        isComment = whole.lastIndexOf('-->') < whole.lastIndexOf('<!--') || (isComment && !whole.includes('-->'));
      }
    }
    for (const part of pieces(whole)) found.push({ at: first + 1, kind, spellings: spellingsOf(part) });
  }
  return found;
}

/** A backslash goes on in a shell, a caret and a backtick on Windows; in a text a backtick ends a word. */
const isJoint = (line: string, fence: string, format: Format): boolean =>
  line.endsWith('\\') || (format !== 'markdown' && /\s[\^`]$/.test(line)) || (fence !== '' && / [\^`]$/.test(line));

function pieces(line: string): string[] {
  if (line.length <= MAX_LINE_CHARS) return [line];
  const parts: string[] = [];
  for (let from = 0; from < line.length; from += MAX_LINE_CHARS - OVERLAP)
    parts.push(line.slice(from, from + MAX_LINE_CHARS));
  return parts;
}

const UNSEEN_ALL = new RegExp(String.raw`[${UNSEEN}\u00ad\u180e\u200c\u200d\ufe00-\ufe0f\u{e0100}-\u{e01ef}]`, 'gu');

function spellingsOf(line: string): string[] {
  const plain = /^[\t -~]*$/.test(line) ? line : line.normalize('NFKC').replace(UNSEEN_ALL, '');
  // What a shell and a parser take away before they look: quotes within words, escapes, empty variables, joined strings.
  const bare = plain
    .replace(/\$\{?IFS\}?/g, ' ')
    .replace(/(['"`])\s{0,8}\+\s{0,8}(['"`])/g, '')
    .replace(/(['"])\s{0,8},\s{0,8}(['"])/g, ' ')
    .replace(/(?<=\w)(?:''|""|\\(?=[a-z])|\$@|\$\*)(?=\w|\\)/gi, '')
    .replace(/(?<=\w)(['"])(\w{1,12})\1/g, '$2')
    .replace(/(?<![\w.])(['"])([a-z]{1,6})\1(?=\w)/gi, '$2')
    .replace(/(?<=[a-z])\^(?=[a-z])/gi, '');
  return [...new Set([plain, bare])];
}

export type Spelled = { readonly at: number; readonly text: string; readonly how: string };

const MAX_DECODED = 200;
const QUOTED = /(['"`])([^'"`\n]{12,4000})\1/g;
const ENCODED: readonly (readonly [how: string, words: RegExp, read: (match: string) => string])[] = [
  ['base64', /(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{20,}={0,2}/g, (text) => Buffer.from(text, 'base64').toString('utf8')],
  ['hex', /(?<![0-9A-Fa-f])(?:[0-9a-f]{2}){14,}(?![0-9A-Fa-f])/gi, (text) => Buffer.from(text, 'hex').toString('utf8')],
  [
    'numbers',
    /(?:\\x[0-9a-f]{2}|\\u\{?00[0-9a-f]{2}\}?|\\[0-3][0-7]{2}|%[0-9a-f]{2}|&#x?[0-9a-f]{2,4};){6,}/gi,
    fromEscapes,
  ],
  ['numbers', /(?:0x[0-9a-f]{2}|\d{2,3})(?:\s{0,3},\s{0,3}(?:0x[0-9a-f]{2}|\d{2,3})){9,}/gi, fromList],
  [
    'numbers',
    /(?:chr\s{0,2}\(\s{0,2}\d{2,3}\s{0,2}\)\s{0,3}[+.]?\s{0,3}){6,}/gi,
    (text) => fromList(text.replace(/\D+/g, ',')),
  ],
];

/** What stands in the text in another spelling, where that is a text again. */
export function spelledOtherwise(text: string): Spelled[] {
  const found: Spelled[] = [];
  for (const [how, words, read] of ENCODED)
    for (const match of text.matchAll(words)) {
      if (found.length >= MAX_DECODED) return found;
      const decoded = read(match[0]);
      if (isText(decoded)) found.push({ how, text: decoded, at: lineAt(text, match.index) });
    }
  if (/\brev\b|\[::-1\]|\.reverse\(\)|strrev|reversed\(/.test(text))
    for (const match of text.matchAll(QUOTED).take(MAX_DECODED))
      found.push({ how: 'backwards', text: [...(match[2] ?? '')].reverse().join(''), at: lineAt(text, match.index) });
  if (/rot_?13|tr\s+['"]?[[]?A-Za-z/i.test(text))
    for (const match of text.matchAll(QUOTED).take(MAX_DECODED))
      found.push({ how: 'rot13', text: rot13(match[2] ?? ''), at: lineAt(text, match.index) });
  return found;
}

export const lineAt = (text: string, index: number): number => {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
};

function fromEscapes(text: string): string {
  const codes = text.matchAll(
    /\\x([0-9a-f]{2})|\\u\{?00([0-9a-f]{2})\}?|\\([0-3][0-7]{2})|%([0-9a-f]{2})|&#(x?)([0-9a-f]{2,4});/gi,
  );
  return [...codes]
    .map(([, hex, unicode, octal, percent, isHex, entity]) =>
      octal !== undefined
        ? Number.parseInt(octal, 8)
        : entity !== undefined
          ? Number.parseInt(entity, isHex === '' ? 10 : 16)
          : Number.parseInt(hex ?? unicode ?? percent ?? '0', 16),
    )
    .map((code) => String.fromCharCode(code))
    .join('');
}

function fromList(text: string): string {
  const codes = text.split(',').flatMap((one) => (one.trim() === '' ? [] : [Number(one)]));
  return codes.every((code) => code > 0 && code < 256) ? String.fromCharCode(...codes.slice(0, 20_000)) : '';
}

const rot13 = (text: string): string =>
  text.replace(/[a-z]/gi, (one) => {
    const base = one <= 'Z' ? 65 : 97;
    return String.fromCharCode(((one.charCodeAt(0) - base + 13) % 26) + base);
  });

/** Mostly letters and signs as people use them, and long enough to say something. */
function isText(text: string): boolean {
  if (text.length < 8) return false;
  const head = text.slice(0, 2_000);
  const plain = head.replace(/[^\t\n\r -~]/g, '').length;
  return plain / head.length > 0.9 && /[a-z/]{3}/i.test(head);
}
