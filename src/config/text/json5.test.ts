// Our own JSON5 reader against the reference one: the same values for everything that is JSON5, and never a crash.
import fc from 'fast-check';
import json5 from 'json5';
import { describe, expect, test } from 'vitest';
import { parseJson5, plainValue } from './json5.ts';
import { describePosition, positionAt, TextError } from './position.ts';

const read = (text: string): unknown => plainValue(parseJson5(text).root);

describe('reads what JSON5 allows', () => {
  test.each([
    `{ a: 1, 'b': "x", "c": [1, 2,], }`,
    `// first\n{ /* x */ a /* y */ : /* z */ 1 // end\n}`,
    `{ n: [0x1F, -0xa, .5, 5., +1, -1.5e-3, Infinity, -Infinity] }`,
    `{ s: 'it\\'s', t: "line\\\ncontinued", u: '\\u0041\\x42\\0' }`,
    `{ $a_1: null, ünï: true, \\u0061b: false }`,
    `{\u00a0\ufeffa\u2028:\u20281}`,
    `"text"`,
    `[]`,
    `{ a: -0 }`,
  ])('%s', (text) => {
    expect(read(text)).toEqual(json5.parse(text));
  });
});

test('whatever the reference writes is read back the same', () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 5 }).filter((value) => !JSON.stringify(value).includes('__proto__')),
      fc.constantFrom(0, 2),
      (value, space) => {
        expect(read(json5.stringify(value, null, space))).toEqual(json5.parse(json5.stringify(value)));
        expect(read(JSON.stringify(value, null, space))).toEqual(JSON.parse(JSON.stringify(value)));
      },
    ),
    { numRuns: 300 },
  );
});

test('garbled text: the same answer as the reference, or a TextError with a place; never anything else', () => {
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    "'",
    '\\',
    '/',
    '*',
    '\n',
    ' ',
    'a',
    '1',
    '.',
    '-',
    'e',
    'x',
    '0',
    'u',
    'true',
    'é',
    '😀',
    '\u2028',
    '+',
    'NaN',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 24 }), (parts) => {
      const text = parts.join('');
      let ours: { value?: unknown; error?: unknown } = {};
      try {
        ours = { value: read(text) };
      } catch (error) {
        ours = { error };
        expect(error).toBeInstanceOf(TextError);
        expect((error as TextError).offset).toBeLessThanOrEqual(text.length);
      }
      let theirs: { value?: unknown; error?: unknown } = {};
      try {
        theirs = { value: json5.parse(text) };
      } catch (error) {
        theirs = { error };
      }
      const twice = ours.error instanceof TextError && /there twice/.test(ours.error.message);
      if (!twice) expect([text, 'value' in ours, ours.value]).toEqual([text, 'value' in theirs, theirs.value]);
    }),
    { numRuns: 5_000 },
  );
});

test.each([
  ['{ a: 1, a: 2 }', 'the key "a" is there twice; keep one', 8],
  [`{ "__proto__": { x: 1 } }`, 'the key __proto__ is not allowed', 2],
  [`{ "\\u005f_proto__": 1 }`, 'the key __proto__ is not allowed', 2],
  ['{ a: 1 b: 2 }', 'a comma or a } is missing before this', 7],
  ['{ a: hello }', 'text must stand in quotes', 5],
  ['{ a: 1', 'the file ends, a } is missing', 6],
  ['{} {}', 'nothing may follow the closing bracket', 3],
  ['{ a: /x }', 'a single / means nothing here', 5],
  ['{ a: "x\ny" }', 'the text has no closing quote', 5],
  ['[/* x', 'the comment has no end', 1],
])('%s is refused at its place', (text, message, offset) => {
  expect(() => read(text)).toThrow(expect.objectContaining({ message, offset }));
});

test('deep nesting is refused instead of running out of stack', () => {
  expect(() => read('['.repeat(100_000))).toThrow(/more than 64 levels deep/);
});

test('the line of a mistake is shown, and what may be a secret in it is not', () => {
  const text = `{\n  gateway: { auth: { token: 'Jx81kdPq92mcn4' nope } },\n}`;
  expect(positionAt(text, text.indexOf('nope'))).toEqual({
    line: 2,
    column: 46,
    lineText: `gateway: { auth: { token: '••••••••••••••' •••• } },`,
  });
  expect(positionAt(`{ x: [ "abcdefgh12345678zz" "b" ] }`, 28).lineText).not.toContain('12345678');
});

test('a place that has no text is said without any', () => {
  expect(describePosition('{\n', 2)).toBe('line 2, column 1');
  expect(describePosition('{ a', 2)).toBe('line 1, column 3: { a');
});
