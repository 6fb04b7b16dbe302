import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStreamEscape, escapeJson, escapeLine, escapeText, shorten, widthOf, wrapAt } from './text.ts';

const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

describe('escaping', () => {
  it('K04 makes an ANSI sequence in a title visible instead of obeying it', () => {
    expect(escapeLine('\u001b[31mred\u001b[0m')).toBe('\\x1b[31mred\\x1b[0m');
    expect(escapeLine('\u009b31mred')).toBe('\\x9b31mred');
  });
  it('K04 makes a right-to-left override visible', () => {
    expect(escapeLine('photo\u202egpj.exe')).toBe('photo\\u{202e}gpj.exe');
  });
  it('keeps a line a line', () => {
    expect(escapeLine('a\nb\r\nc\u2028d')).toBe('a\\x0ab\\x0d\\x0ac\\u{2028}d');
  });
  it('keeps line breaks and tabs of a text, and no other control', () => {
    expect(escapeText('a\r\nb\tc\rd\u0007')).toBe('a\nb\tc\\x0dd\\x07');
  });
  it('shows invisible tag characters, which can carry hidden words', () => {
    expect(escapeLine('a\u{e0041}b')).toBe('a\\u{e0041}b');
  });
  it('leaves emoji with joiners and Persian non-joiners as they are', () => {
    const text = '👨‍👩‍👧 می‌روم é 你好';
    expect(escapeLine(text)).toBe(text);
  });
  it('lets nothing through that a terminal obeys, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escapeText(text)).not.toMatch(OBEYED);
        expect(escapeLine(text)).not.toMatch(/\n|\t/);
        expect(escapeLine(escapeLine(text))).toBe(escapeLine(text));
      }),
    );
  });
  it('writes JSON that reads back the same and holds no raw control', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = escapeJson(JSON.stringify({ text }));
        expect(json).not.toMatch(OBEYED);
        expect(JSON.parse(json)).toEqual({ text });
      }),
    );
  });
});

describe('createStreamEscape', () => {
  it('gives the same as escaping the whole, however the text is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 6 })), fc.nat(), (parts, seed) => {
        const whole = parts.join('');
        const stream = createStreamEscape();
        let out = '';
        for (let at = 0; at < whole.length; ) {
          const step = 1 + ((seed + at) % 3);
          out += stream.push(whole.slice(at, at + step));
          at += step;
        }
        expect(out + stream.end()).toBe(escapeText(whole));
      }),
    );
  });
});

describe('columns', () => {
  it.each([
    ['abc', 3],
    ['你好', 4],
    ['é', 1],
    ['e\u0301', 1],
    ['👨‍👩‍👧', 2],
    ['ｆｕｌｌ', 8],
    ['한글', 4],
    ['', 0],
  ])('counts %s as %i', (text, columns) => {
    expect(widthOf(text)).toBe(columns);
  });
  it('shortens to the width and never cuts a character in two', () => {
    expect(shorten('你好世界', 5)).toBe('你好…');
    expect(shorten('hello', 5)).toBe('hello');
    expect(shorten('hello world', 6)).toBe('hello…');
  });
  it('wraps from the column where the text begins and says where it ends', () => {
    expect(wrapAt('abcdef', 4, 2)).toEqual({ text: 'ab\ncdef', column: 4 });
    expect(wrapAt('你好', 3, 0)).toEqual({ text: '你\n好', column: 2 });
    expect(wrapAt('a\nb', 10, 3)).toEqual({ text: 'a\nb', column: 1 });
  });
});
