// Labels join downwards, whatever the order, and come back from the database as they went in or less trusted.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromColumns, INTEGRITY, isOthers, join, type Label, toColumns, UNTRUSTED } from './label.ts';

const labels: fc.Arbitrary<Label> = fc.record({
  integrity: fc.constantFrom(...INTEGRITY),
  readers: fc.oneof(
    fc.constantFrom('public' as const, 'owner' as const, 'secret' as const),
    fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }),
  ),
  sources: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { maxLength: 5 }),
});
const rank = (l: Label): number => INTEGRITY.indexOf(l.integrity);
const same = (a: Label, b: Label): void => {
  expect(rank(a)).toBe(rank(b));
  expect(sorted(a.readers)).toEqual(sorted(b.readers));
  expect([...a.sources].sort()).toEqual([...b.sources].sort());
};
const sorted = (r: Label['readers']): unknown => (typeof r === 'string' ? r : [...r].sort());

test('join never raises integrity and never drops a source', () => {
  fc.assert(
    fc.property(labels, labels, (a, b) => {
      const joined = join(a, b);
      expect(rank(joined)).toBe(Math.max(rank(a), rank(b)));
      if (joined.sources[0] !== 'many')
        for (const s of [...a.sources, ...b.sources]) expect(joined.sources).toContain(s);
      expect(isOthers(joined)).toBe(isOthers(a) || isOthers(b));
      if (a.readers === 'secret' || b.readers === 'secret') expect(joined.readers).toBe('secret');
    }),
  );
});

test('join is commutative, associative and idempotent', () => {
  fc.assert(
    fc.property(labels, labels, labels, (a, b, c) => {
      same(join(a, b), join(b, a));
      same(join(join(a, b), c), join(a, join(b, c)));
      same(join(a, a), a);
    }),
  );
});

test('the columns give the label back; anything else in them is untrusted', () => {
  fc.assert(fc.property(labels, (l) => same(fromColumns(toColumns(l)), l)));
  expect(fromColumns({ integrity: 'root', readers: 'owner', sources: '' })).toEqual(UNTRUSTED);
  expect(fromColumns({ integrity: 'owner', readers: '[1', sources: '' })).toEqual(UNTRUSTED);
});
