import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf, hasUnseen, plainLine } from '../shell/visible.tsx';
import { readError, readFrame, readHello } from './frames.ts';
import { retryDelayMs } from './link.ts';
import { readMessage, readTokens } from './messages.ts';
import { readApproval, readModels, readSessionPage, readSessionRow, readStatus } from './rows.ts';
import { tokenFromPaste } from './token.ts';

describe('what comes over the wire', () => {
  test('whatever JSON arrives, reading it neither throws nor lets a wrong type through', () => {
    const names = [
      'type',
      'id',
      'ok',
      'error',
      'payload',
      'event',
      'role',
      'content',
      'key',
      'sessions',
      'facts',
      'models',
      'repairs',
      'text',
    ];
    const json = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, fc.jsonValue(), tie('object'), fc.array(tie('value'), { maxLength: 4 })),
      object: fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 6 }),
    })).value;
    fc.assert(
      fc.property(json, (value) => {
        readFrame(JSON.stringify(value));
        readError(value);
        readHello(value);
        readTokens(value);
        readModels(value);
        for (const row of [readSessionRow(value), ...readSessionPage(value).rows]) {
          if (row)
            expect([typeof row.key, typeof row.title, typeof row.updatedAtMs]).toEqual(['string', 'string', 'number']);
        }
        for (const block of readMessage(value)?.blocks ?? [])
          if (block.type === 'text') expect(typeof block.text).toBe('string');
        for (const fact of readApproval(value)?.facts ?? []) expect(typeof fact.value).toBe('string');
        for (const repair of readStatus(value).repairs) expect(typeof repair.what).toBe('string');
      }),
      { numRuns: 2_000 },
    );
    expect(readFrame('{')).toBeNull();
    expect(readFrame(new ArrayBuffer(1))).toBeNull();
  });

  test('the pause before connecting again grows from half a second to ten', () => {
    expect([1, 2, 3, 4, 5, 6, 60].map(retryDelayMs)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  });
});

describe('signing in', () => {
  test('a pasted link or token is understood, anything else is not', () => {
    expect(tokenFromPaste(' 0123456789abcdef\n')).toBe('0123456789abcdef');
    expect(tokenFromPaste('http://127.0.0.1:18789/#token=0123456789abcdef')).toBe('0123456789abcdef');
    expect(tokenFromPaste('http://h/#session=agent:main:main&token=abc%2Bdefgh')).toBe('abc+defgh');
    expect(tokenFromPaste('ready: http://127.0.0.1:1/#token=0123456789abcdef (open it)')).toBe('0123456789abcdef');
    for (const odd of ['', 'short', 'two words here', 'http://h/#token=%', 'http://h/#token=x'])
      expect(tokenFromPaste(odd), odd).toBeNull();
  });
});

describe('text that could deceive', () => {
  test('C11 a line holds no character that cannot be seen or that turns text around', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(plainLine(`${text}\u202e\u200b\u0007`)).not.toMatch(
          /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/,
        );
      }),
    );
    expect(plainLine('a\u202eb')).toBe('a[U+202E]b');
    expect(codeOf('\u{e0041}')).toBe('U+E0041');
    expect(hasUnseen('e\u0301 \u{1f600} \u05d0')).toBe(false);
    expect(hasUnseen('a\u00adb')).toBe(true);
  });
});
