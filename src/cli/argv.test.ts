import { describe, expect, it } from 'vitest';
import { normaliseArgv, takeSwitch } from './argv.ts';

const takesValue = (flag: string): boolean => flag === '-m' || flag === '--message';
const normalise = (...argv: string[]): string[] => normaliseArgv(argv, takesValue);

describe('normaliseArgv', () => {
  it('S189 reads `–deep` with an en dash as --deep', () => {
    expect(normalise('security', 'audit', '–deep')).toEqual(['security', 'audit', '--deep']);
  });
  it('S190 reads `–fix` with an en dash as --fix', () => {
    expect(normalise('security', 'audit', '–fix')).toEqual(['security', 'audit', '--fix']);
  });
  it.each(['—message', '−message', '‑‑message', '―message', '-–message', '–-message'])(
    'reads %s as --message',
    (flag) => {
      expect(normalise(flag, 'hi')).toEqual(['--message', 'hi']);
    },
  );
  it('reads a long dash before one letter as a short option', () => {
    expect(normalise('agent', '–m', 'hi')).toEqual(['agent', '-m', 'hi']);
  });
  it('keeps what follows an equals sign', () => {
    expect(normalise('—tail=10')).toEqual(['--tail=10']);
  });
  it('leaves the value of an option alone, also when the option itself was repaired', () => {
    expect(normalise('-m', '–deep')).toEqual(['-m', '–deep']);
    expect(normalise('–m', '—yes')).toEqual(['-m', '—yes']);
  });
  it('leaves everything after -- alone', () => {
    expect(normalise('a', '--', '–deep')).toEqual(['a', '--', '–deep']);
  });
  it.each(['–', '— hello', 'a–b', '–5', '-m', '--deep', '– deep'])('does not touch %s', (word) => {
    expect(normalise(word)).toEqual([word]);
  });
});

describe('takeSwitch', () => {
  it('takes the switch out wherever it stands', () => {
    expect(takeSwitch(['--json', 'status'], '--json', takesValue)).toEqual({ found: true, rest: ['status'] });
    expect(takeSwitch(['status', '--json'], '--json', takesValue)).toEqual({ found: true, rest: ['status'] });
  });
  it('leaves it where it is a value or comes after --', () => {
    const argv = ['-m', '--json', '--', '--json'];
    expect(takeSwitch(argv, '--json', takesValue)).toEqual({ found: false, rest: argv });
  });
});
