import { describe, expect, it } from 'vitest';
import { isYes } from './ask-owner.ts';

describe('an answer to the owner', () => {
  it.each(['y', 'Y', 'yes', ' YES ', 'y\t'])('%j is a yes', (answer) => {
    expect(isYes(answer)).toBe(true);
  });
  it.each(['', 'n', 'no', 'yes please', 'yy', 'ok', 'why', '1', 'ja', 'y\ny', 'yes\nrm -rf /'])(
    '%j is a no',
    (answer) => {
      expect(isYes(answer)).toBe(false);
    },
  );
});
