import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchesOf, replaceAt } from './matches.ts';

const small = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 40 });

test('finds and replaces exactly what split and join would', () => {
  fc.assert(
    fc.property(
      small,
      fc.string({ unit: fc.constantFrom('a', 'b', '\n'), minLength: 1, maxLength: 5 }),
      (text, wanted) => {
        const places = matchesOf(text, wanted);
        expect(places).toHaveLength(text.split(wanted).length - 1);
        expect(replaceAt(text, places, wanted.length, '<new>')).toBe(text.split(wanted).join('<new>'));
      },
    ),
    { numRuns: 2_000 },
  );
});

test('stops after as many as are asked for', () => {
  expect(matchesOf('a a a', 'a', 2)).toEqual([0, 2]);
  expect(matchesOf('aaa', 'aaaa')).toEqual([]);
});
