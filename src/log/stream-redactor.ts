// Owns hiding secrets in text that comes in pieces: a secret that is split over two of them is hidden as if it had come
// in one. What could still become a secret is held back until it is decided; ordinary prose waits for a word at most.
import { type Hiding, render } from './redact.ts';

export type StreamRedactor = {
  /** Adds a piece and returns what may be shown now. */
  push(piece: string): string;
  /** The rest; afterwards it is as new. */
  end(): string;
};

/** A word longer than any token is no longer waited for. */
const MAX_HELD_WORD = 4_608;
/** Of a word that is longer, so much is let through at a time: to look at all of it for each letter would take seconds. */
const LONG_WORD_STEP = 256;
/** Whatever else is waited for: a private key of the largest kind, twice. */
const MAX_HELD = 40_000;

export function createStreamRedactor(redactor: Hiding): StreamRedactor {
  // The end of what was shown already, since `Bearer ` decides about what follows it.
  let shown = '';
  let held = '';

  const release = (isLast: boolean): string => {
    const text = shown + held;
    const word = wordStart(text);
    // Of one piece again: a text of thousands of them would be put together anew for each that comes.
    held = text.slice(shown.length);
    // Nothing can be let go while all that is held is one word.
    const most = text.length - word < MAX_HELD_WORD ? MAX_HELD : MAX_HELD_WORD + LONG_WORD_STEP;
    if (!isLast && word <= Math.max(shown.length, text.length - MAX_HELD_WORD) && held.length < most) return '';
    const hidden = redactor.find(text);
    let cut = text.length;
    if (!isLast && held.length < MAX_HELD) {
      cut = Math.min(word, headingStart(text), redactor.openFrom(text));
      // What is hidden is hidden whole, and what reaches to the end may go on.
      for (const { start, end } of hidden) if (end === text.length || end > cut) cut = Math.min(cut, start);
    }
    cut = Math.max(cut, shown.length);
    const out = render(text, hidden, shown.length, cut);
    held = text.slice(cut);
    shown = text.slice(Math.max(0, cut - redactor.contextChars), cut);
    return out;
  };

  return {
    push(piece) {
      if (piece === '') return '';
      held += piece;
      return release(false);
    },
    end() {
      const out = release(true);
      shown = '';
      held = '';
      return out;
    },
  };
}

/** Where the last word begins, in the sense of what tokens, URLs and assignments are made of. */
function wordStart(text: string): number {
  const least = Math.max(0, text.length - MAX_HELD_WORD);
  let start = text.length;
  while (start > least && WORD[text.charCodeAt(start - 1)] === 1) start -= 1;
  return start;
}

/** By the code of a character, since thousands are looked up with each piece. */
const WORD = new Uint8Array(128);
for (const code of Buffer.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.+/=:~%@$&?#!*^\\"\''))
  WORD[code] = 1;

/** The first line of a private key has spaces in it. */
function headingStart(text: string): number {
  const at = /-----[A-Z0-9 ]{0,60}$/.exec(text.slice(-80));
  return at === null ? text.length : Math.max(0, text.length - 80) + at.index;
}
