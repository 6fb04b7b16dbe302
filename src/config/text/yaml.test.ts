// The plain part of YAML that guides print; whatever is cleverer is refused with its line instead of guessed at.
import { expect, test } from 'vitest';
import { looksLikeYaml, parseYaml } from './yaml.ts';

test.each([
  ["a: 1\nb: two words\nc: \"q: \\\" #\"\nd: 'it''s'", { a: 1, b: 'two words', c: 'q: " #', d: "it's" }],
  ['---\n# note\na:\n  b:\n    - x\n    - 2 # two\n  c: []\n', { a: { b: ['x', 2], c: [] } }],
  ['a:\n- x\n- y\nb: ~', { a: ['x', 'y'], b: null }],
  ['list: ["a, b", \'c\', d e, 4, true]', { list: ['a, b', 'c', 'd e', 4, true] }],
  ['url: http://x.example/#frag', { url: 'http://x.example/#frag' }],
  ['"quoted key": -1.5\nother-key: null', { 'quoted key': -1.5, 'other-key': null }],
  ['a: 0755\nb: 1e3', { a: '0755', b: '1e3' }],
  ['a:\r\n  b: 1\r\n', { a: { b: 1 } }],
  ['', {}],
])('%j', (text, expected) => {
  expect(parseYaml(text)).toEqual(expected);
});

test.each([
  ['a: &x 1', /put it in quotes/],
  ['a: *x', /put it in quotes/],
  ['a: !!str 1', /put it in quotes/],
  ['a: |\n  text', /put it in quotes/],
  ['a: {b: 1}', /put it in quotes/],
  ['a: yes', /write true or false/],
  ['a: [yes]', /write true or false/],
  ['a: [1, [2]]', /not plain enough/],
  ['a: [1,, 2]', /not plain enough/],
  ['a: [1', /must end on its line/],
  ['a: b: c', /put it in quotes/],
  ['a: 1\na: 2', /there twice/],
  ['<<: x', /not allowed|expected/],
  ['__proto__: 1', /not allowed/],
  ['a:\n\tb: 1', /tabs cannot indent/],
  ['a:\n    b: 1\n  c: 2', /indentation does not fit/],
  ['a: 1\n---\nb: 2', /only one document/],
  ['- a: 1', /lists of objects/],
  ['just words', /"key: value" is expected/],
])('%j is refused', (text, expected) => {
  expect(() => parseYaml(text)).toThrow(expected);
});

test('JSON5 is not taken for YAML', () => {
  for (const text of ['{ a: 1 }', '// c\n{}', '  [1]', '/* x */ {}', '']) expect(looksLikeYaml(text)).toBe(false);
  for (const text of ['a: 1', 'a:\n', '# c\na: 1', '---\na: 1']) expect(looksLikeYaml(text)).toBe(true);
});
