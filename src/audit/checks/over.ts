// Owns how a check over settings is written: what is wrong with them, one after the other, or the line that says that they
// are good. It must never judge by itself.
import type { Finding as Said } from '../../config/findings.ts';
import type { Config } from '../../config/schema.ts';
import type { Check, Facts, Finding } from '../check.ts';
import { outcomeOf } from '../check.ts';
import { takeOut } from '../mend.ts';

type Over = Omit<Check, 'depth' | 'probe'> & {
  readonly pass: string | ((settings: Config, facts: Facts) => string);
  look(settings: Config, facts: Facts): Iterable<Finding>;
};

export const UNREADABLE = 'the configuration cannot be read';

export function over({ pass, look, ...head }: Over): Check {
  return {
    ...head,
    depth: 'read',
    probe(facts) {
      const { settings } = facts;
      if (settings === null) return { skipped: UNREADABLE };
      return outcomeOf([...look(settings, facts)], typeof pass === 'string' ? pass : pass(settings, facts));
    },
  };
}

/** What the configuration says of itself with one of these codes, of a key that fits. */
export const saidOf = ({ said }: Facts, codes: readonly string[], key: RegExp = /./): readonly Said[] =>
  said.filter((one) => one.level !== 'note' && codes.includes(one.code) && key.test(one.key));

/** That, as findings: an error is critical, a warning a warning; without another fix the key is taken out. */
export function* told(
  facts: Facts,
  found: readonly Said[],
  fix: (one: Said) => Pick<Finding, 'fix' | 'where' | 'repairs'> = ({ key }) => takeOut(facts, key),
): Generator<Finding> {
  for (const one of found) {
    const severity = one.level === 'error' ? 'CRITICAL' : one.code === 'no-effect' ? 'INFO' : 'WARNING';
    yield { severity, evidence: one.message, ...fix(one) };
  }
}
