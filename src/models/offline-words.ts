// Owns the cutting of plain sentences: words at the start, quotes, code fences, paths as people name them. Every function
// is linear in its text and keeps the person's own spelling.

const FILLERS = `please, can you, could you, would you, will you, i want you to, i'd like you to, go ahead and,
  now, then, just, kindly, ok, okay, hey, hi, hello, so, let us, let's`.split(/,\s+/);
const HERE = new Set([
  '',
  ...`., ./, /, /workspace, /workspace/, workspace, here, it, there, folder, directory, current folder,
  current directory, working directory, working folder, home`.split(/,\s+/),
]);
export const MAX_PATH_CHARS = 400;

/** What follows one of the words (with a colon or comma), or null. The word must end there. */
export function after(text: string, words: readonly string[]): string | null {
  const start = lower(text.slice(0, 40));
  for (const word of words) {
    if (!start.startsWith(word)) continue;
    const next = text[word.length];
    if (next === undefined) return '';
    if (/[\s:,]/.test(next)) return text.slice(word.length).replace(/^[\s:,]+/, '');
  }
  return null;
}

export function withoutFillers(text: string): string {
  let rest = text;
  for (let round = 0; round < 6; round++) {
    const shorter = after(rest, FILLERS);
    if (shorter === null) break;
    rest = shorter;
  }
  const trimmed = rest.trim();
  return lower(trimmed.slice(-8)) === ' please?'
    ? trimmed.slice(0, -8)
    : lower(trimmed.slice(-7)) === ' please'
      ? trimmed.slice(0, -7)
      : trimmed;
}

/** Who and when, or a note about left-out messages, may stand in brackets before the text. */
export function withoutEnvelope(text: string): string {
  const end = text.startsWith('[') ? text.slice(0, 200).indexOf(']') : -1;
  const isEnvelope = end > 0 && /^\s+\S/.test(text.slice(end + 1, end + 40));
  return isEnvelope ? text.slice(end + 1).trim() : text;
}

export const withoutPunctuation = (text: string): string =>
  text
    .replace(/^[\s.!?,;:]+/, '')
    .slice(0, 2_000)
    .trim()
    .replace(/[.!?,;:]{1,20}$/, '')
    .replace(/'/g, '')
    .trim();

/** One path, as people name it; null when these words are not one. */
export function asPath(words: string): string | null {
  let text = words.trim();
  if (text.length > MAX_PATH_CHARS || text.includes('\n')) return null;
  for (let round = 0; round < 6; round++) {
    const shorter = after(text, [
      'the',
      'a',
      'an',
      'my',
      'me',
      'new',
      'empty',
      'text',
      'file',
      'files',
      'called',
      'named',
      'contents of',
      'content of',
      'from',
    ]);
    if (shorter === null) break;
    if (shorter === '') return null;
    text = shorter;
  }
  const quoted = unquoted(text);
  if (quoted !== text) return quoted.trim() === '' ? null : quoted.trim();
  text = text
    .replace(/ (?:file|please)$/i, '')
    .replace(/[?!,;:]$/, '')
    .replace(/([^.])\.$/, '$1');
  return text === '' || /\s/.test(text) ? null : text;
}

/** Like asPath, but only what cannot be meant as anything else than a file. */
export function asFile(words: string): string | null {
  const path = asPath(words);
  const isSure = path !== null && (/[./]/.test(path) || /^[A-Z][A-Z_]+$/.test(path) || path !== words.trim());
  return isSure ? path : null;
}

export function folder(words: string): string | null {
  let text = words.trim().slice(0, MAX_PATH_CHARS);
  for (let round = 0; round < 4; round++) {
    const shorter = after(text, [
      'the',
      'my',
      'your',
      'our',
      'this',
      'folder',
      'directory',
      'all',
      'files',
      'in',
      'called',
    ]);
    if (shorter === null || shorter === '') break;
    text = shorter;
  }
  text = unquoted(text.replace(/[?!.,]$/, '').replace(/ (?:folder|directory|please)$/i, '')).trim();
  return HERE.has(lower(text)) ? null : text;
}

const QUOTES: Readonly<Record<string, string>> = { '"': '"', "'": "'", '`': '`', '“': '”', '‘': '’', '«': '»' };

/** The text between quotes, when quotes are all that is around it. */
export function unquoted(text: string): string {
  const inner = text.trim();
  const close = QUOTES[inner[0] ?? ''];
  const isQuoted = close !== undefined && inner.length >= 2 && inner.indexOf(close, 1) === inner.length - 1;
  return isQuoted ? inner.slice(1, -1) : inner;
}

export function withoutFence(text: string): string {
  const trimmed = text.trim();
  if (!trimmed.startsWith('```')) return text;
  const start = trimmed.indexOf('\n');
  const end = trimmed.lastIndexOf('```');
  return start < 0 || end <= start ? text : trimmed.slice(start + 1, end).replace(/\n$/, '');
}

/** Splits at the first ` with ` that is not inside the quotes of the first part. */
export function splitAt(text: string, joint: string): [string, string] | null {
  const close = QUOTES[text[0] ?? ''];
  const from = close === undefined ? 0 : Math.max(0, text.indexOf(close, 1));
  const at = lower(text).indexOf(joint, from);
  return at < 0 ? null : [text.slice(0, at), text.slice(at + joint.length)];
}

export function indexOfAny(text: string, words: readonly string[]): { start: number; end: number } | null {
  let found: { start: number; end: number } | null = null;
  for (const word of words) {
    const start = text.indexOf(word);
    if (start >= 0 && (found === null || start < found.start)) found = { start, end: start + word.length };
  }
  return found;
}

/** Lower case of the same length, so that positions stay what they are. */
export function lower(text: string): string {
  const small = text.toLowerCase();
  return small.length === text.length ? small : text;
}
