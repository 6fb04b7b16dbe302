// What a person is told to do about a cap has to help: the amount named is over what is spent already.
import { expect, test } from 'vitest';
import { isOver, raiseOf } from './caps.ts';

const cap = { at: 'budget.daily.tokens', what: 'today', unit: 'tokens', used: 110, cap: 10 } as const;
test('the way to raise a cap leaves room over what is spent, in whole tokens and plain dollars', () => {
  for (const [used, most, unit] of [
    [110, 10, 'tokens'],
    [123_456, 100_000, 'tokens'],
    [2, 2, 'usd'],
    [0.123456, 0.05, 'usd'],
    [5, 0, 'usd'],
    [0, 0, 'usd'],
  ] as const) {
    const one = { ...cap, unit, used, cap: most };
    const [, to = ''] = /^openclaw config set \S+ ([\d.]+)$/.exec(raiseOf(one)) ?? [];
    expect(to, raiseOf(one)).toMatch(unit === 'tokens' ? /^\d+$/ : /^\d+(\.\d{1,2})?$/);
    expect(isOver({ ...one, cap: Number(to) }), raiseOf(one)).toBe(false);
  }
  expect(raiseOf({ ...cap, at: '/allowance', unit: 'usd', used: 2, cap: 2 })).toBe('say /allowance 4/day');
});
