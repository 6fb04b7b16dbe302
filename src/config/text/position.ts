// Owns saying where in a text something is: line, column, and the line itself with what may be a secret masked. It must
// never repeat a value that stands behind a key such as token or password.

/** A mistake at a place in a text. */
export class TextError extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.name = 'TextError';
    this.offset = offset;
  }
}

export type Position = { readonly line: number; readonly column: number; readonly lineText: string };

const SHOWN_CHARS = 80;

export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  const start = before.lastIndexOf('\n') + 1;
  const end = text.indexOf('\n', offset);
  const whole = text.slice(start, end === -1 ? text.length : end);
  const column = offset - start + 1;
  const from = Math.max(0, Math.min(column - SHOWN_CHARS / 2, whole.length - SHOWN_CHARS));
  const lineText = masked(whole)
    .slice(from, from + SHOWN_CHARS)
    .trim();
  return { line, column, lineText };
}

export const describePosition = (text: string, offset: number): string => {
  const { line, column, lineText } = positionAt(text, offset);
  const at = `line ${line}, column ${column}`;
  return lineText.trim() === '' ? at : `${at}: ${lineText}`;
};

/** Values behind telling keys, and long words with digits, become dots of the same length; in linear time. */
function masked(line: string): string {
  return line
    .replace(/\p{Cc}/gu, ' ')
    .replace(
      /((?:token|secret|password|passphrase|key|auth\w{0,40})["']?\s{0,8}[:=]\s*)(?![\s{[])(.+)$/i,
      (_whole, key: string, value: string) => key + value.replace(/[^\s"',{}[\]]/g, '•'),
    )
    .replace(/[\w+/=.:-]{16,}/g, (word) => (/\d/.test(word) ? '•'.repeat(word.length) : word));
}
