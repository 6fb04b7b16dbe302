// When a turn that is refused again and again is told in short, and when it ends.
import { expect, test } from 'vitest';
import { createRefusalWatch } from './limits.ts';

const no = (reason: string) => ({ code: 'TOOL_DENIED', reason, fix: '' });

test('the same no is told in full once, then in short, and the fourth one ends the turn', () => {
  const watch = createRefusalWatch();
  expect([1, 2, 3, 4, 5].map(() => watch.observe('exec', no('denied')))).toEqual([
    ...['full', 'short', 'short'],
    ...['stop', 'stop'],
  ]);
});

test('another tool and another reason are told in full, until the fifteenth no of any kind', () => {
  const watch = createRefusalWatch();
  const said = Array.from({ length: 15 }, (_, n) => watch.observe(n % 2 ? 'read' : 'ls', no(`no ${n >> 1}`)));
  expect(said.slice(0, 14)).toEqual(Array.from({ length: 14 }, () => 'full'));
  expect(said[14]).toBe('stop');
});
