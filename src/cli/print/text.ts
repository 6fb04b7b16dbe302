// Owns what becomes of text before it reaches a terminal: control, escape and bidi characters are made visible, and
// columns are counted as a terminal counts them. It must never let a byte through that a terminal would obey.
import { UNSEEN } from '../../platform/disguise.ts';

// Joiners (U+200C, U+200D) stay: emoji and Persian need them.
const UNSAFE = new RegExp(String.raw`[\p{Cc}\p{Cs}${UNSEEN}]`, 'gu');

const visible = (char: string): string => {
  const code = char.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
};

// Most text is plain, and looking for that is much cheaper than the large expressions below.
const PLAIN = /^[\x20-\x7e]*$/;
const PLAIN_LINES = /^[\x20-\x7e\n\t]*$/;

/** One line: nothing in it can move the cursor, not even a line break. */
export function escapeLine(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(UNSAFE, visible);
}

/** Several lines: line breaks and tabs stay. */
export function escapeText(text: string): string {
  if (PLAIN_LINES.test(text)) return text;
  return text.replace(/\r\n/g, '\n').replace(UNSAFE, (char) => (char === '\n' || char === '\t' ? char : visible(char)));
}

/** JSON that is safe to look at: what JSON.stringify leaves raw is written as \u escapes, which read back the same. */
export function escapeJson(json: string): string {
  if (PLAIN_LINES.test(json)) return json;
  return json.replace(UNSAFE, (char) =>
    char === '\n'
      ? char
      : [...Array(char.length).keys()].map((i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  );
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;
const MARKS_ONLY = /^(?:\p{Mark}|\u200c|\u200d)+$/u;

let segmenter: Intl.Segmenter | undefined;
function graphemesOf(text: string): string[] {
  if (PLAIN.test(text)) return text.split('');
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return Array.from(segmenter.segment(text), (part) => part.segment);
}

const widthOfOne = (grapheme: string): number => (MARKS_ONLY.test(grapheme) ? 0 : WIDE.test(grapheme) ? 2 : 1);

/** Columns that escaped text takes on a terminal. */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  return graphemesOf(text).reduce((sum, grapheme) => sum + widthOfOne(grapheme), 0);
}

export const padEnd = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - widthOf(text)));
export const padStart = (text: string, columns: number): string =>
  ' '.repeat(Math.max(0, columns - widthOf(text))) + text;

/** At most `columns` wide, with an ellipsis where something was left out. */
export function shorten(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = '';
  let used = 0;
  for (const grapheme of graphemesOf(text)) {
    used += widthOfOne(grapheme);
    if (used > columns - 1) break;
    kept += grapheme;
  }
  return `${kept.trimEnd()}…`;
}

/** Breaks escaped text into rows of at most `columns`, starting at column `from`. Returns the text and where it ends. */
export function wrapAt(
  text: string,
  columns: number,
  from: number,
): { readonly text: string; readonly column: number } {
  let out = '';
  let column = from;
  for (const grapheme of graphemesOf(text)) {
    if (grapheme === '\n') {
      out += '\n';
      column = 0;
      continue;
    }
    const piece = grapheme === '\t' ? '    ' : grapheme;
    const width = grapheme === '\t' ? 4 : widthOfOne(grapheme);
    if (column + width > columns) {
      out += '\n';
      column = 0;
    }
    out += piece;
    column += width;
  }
  return { text: out, column };
}

/** Escapes a text that arrives in pieces: half a character waits for its other half. */
export function createStreamEscape(): { push(delta: string): string; end(): string } {
  let held = '';
  return {
    push(delta) {
      let text = held + delta;
      held = '';
      const last = text.charCodeAt(text.length - 1);
      // A high surrogate or a carriage return at the end may be the first half of one character.
      if ((last >= 0xd800 && last <= 0xdbff) || last === 0x0d) {
        held = text.slice(-1);
        text = text.slice(0, -1);
      }
      return escapeText(text);
    },
    end() {
      const rest = held;
      held = '';
      return escapeText(rest);
    },
  };
}
