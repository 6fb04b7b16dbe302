import { expect, test } from 'vitest';
import { judgeFeeding } from './feeding.ts';

const write = { kind: 'process', id: 'a-1', input: 'rm -rf x\n' } as const;

test('whoever is asked before each command is asked before each line to a running one, and never to look or to end', () => {
  for (const mode of ['ask', 'allowlist'])
    expect(judgeFeeding([write], mode)).toMatchObject([{ rule: 'ask', code: 'INPUT_ASKS', marks: [write.input] }]);
  for (const mode of ['full', 'deny', undefined]) expect(judgeFeeding([write], mode)).toEqual([]);
  expect(judgeFeeding([{ ...write, input: '' }], 'ask')).toEqual([]);
});
