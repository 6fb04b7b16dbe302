import { expect, test } from 'vitest';
import { fieldsIn, tryParseJson } from './json.ts';

test('what is no JSON is nothing, and never an error', () => {
  expect([tryParseJson('{'), tryParseJson(''), tryParseJson('"x"')]).toEqual([undefined, undefined, 'x']);
});

test('whatever has no fields reads as an object without any', () => {
  for (const text of [null, '', 'null', '7', '"x"', '{"a":']) expect(fieldsIn(text)).toEqual({});
  expect(fieldsIn('{"a":1}')).toEqual({ a: 1 });
});
