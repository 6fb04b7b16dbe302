// What is said about settings must hold: one that counts at once is one that this version obeys.
import { expect, test } from 'vitest';
import { allLeaves } from './config/schema/tree.ts';
import { waitsForRestart } from './live-config.ts';
import { isInForce } from './settings.ts';

test('a setting whose edit counts at once is in force at all', () => {
  const paths = [...allLeaves()].map(({ path }) => path);
  const hot = paths.filter((path) => !waitsForRestart(path));
  expect(hot).toContain('tools.deny');
  expect(hot.filter((path) => !isInForce(path))).toEqual([]);
});
