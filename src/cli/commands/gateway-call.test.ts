import { expect, test } from 'vitest';
import { allMethods } from '../../gateway/methods/table.ts';
import { scopeOf } from './gateway-call.ts';

test('asks for exactly the scope that the gateway wants, for every method that it has', () => {
  for (const [name, { scope }] of allMethods()) expect([name, scopeOf(name)]).toEqual([name, scope ?? 'operator.read']);
  expect(scopeOf('invented.method')).toBe('operator.admin');
});
