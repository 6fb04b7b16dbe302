// Owns how a check over settings is written: what is wrong with them, one after the other, or the line that says that they
// are good. It must never judge by itself.
import type { Finding as Said } from '../../config/findings.ts';
import type { Config } from '../../config/schema.ts';
import { type Check, type Facts, type Finding, type Group, outcomeOf, type Severity } from '../check.ts';
import { found } from '../looking.ts';
import { advise, mend, takeOut, valueAt, type Wanted } from '../mend.ts';

type Look = (settings: Config, facts: Facts) => Iterable<Finding>;
type Over = Pick<Check, 'why' | 'isMain'> & {
  readonly rows?: Check['rows'];
  /** where it is not the one of the others in the file */
  readonly group?: Group;
  readonly pass: string | ((settings: Config, facts: Facts) => string);
  readonly look: Look;
};

export const UNREADABLE = 'the configuration cannot be read';

export const overIn =
  (group: Group) =>
  (id: string, title: string, { pass, look, ...more }: Over): Check => ({
    ...{ id, title, group, rows: [], ...more, depth: 'read' },
    probe(facts) {
      const { settings } = facts;
      if (settings === null) return { skipped: UNREADABLE };
      return outcomeOf([...look(settings, facts)], typeof pass === 'string' ? pass : pass(settings, facts));
    },
  });

/** The look for one bad value of one setting, which goes back to its default unless it is said to what. */
export const whenIs = (
  key: string,
  bad: boolean | string,
  severity: Severity,
  { to = null, by = mend }: { readonly to?: unknown; readonly by?: typeof advise } = {},
): Look =>
  function* (settings, facts) {
    if (valueAt(settings, key.split('.')) === bad)
      yield found(severity, `${key} is ${JSON.stringify(bad)}`, by(facts, { [key]: to }));
  };

/** What is left of a list; of one with nothing left the default holds. */
export const orUnset = (left: readonly string[]): readonly string[] | null => (left.length > 0 ? left : null);

/** What the configuration says of itself with one of these codes, of a key that fits. */
export const saidOf = ({ said }: Facts, codes: readonly string[], key: RegExp = /./): readonly Said[] =>
  said.filter((one) => one.level !== 'note' && codes.includes(one.code) && key.test(one.key));

/** That, as findings: an error is critical, a warning a warning; without another fix the key is taken out. */
export function* told(
  facts: Facts,
  all: readonly Said[],
  fix: (one: Said) => Pick<Finding, 'fix' | 'where' | 'repairs'> = ({ key }) => takeOut(facts, key),
): Generator<Finding> {
  for (const one of all) {
    const severity = one.level === 'error' ? 'CRITICAL' : one.code === 'no-effect' ? 'INFO' : 'WARNING';
    yield found(severity, one.message, fix(one));
  }
}

/** The look for those, where nothing else is asked; `wanted`: what settings should be instead of taking the key out. */
export const whenSaid =
  (
    codes: readonly string[],
    {
      key,
      wanted,
      by = advise,
    }: { readonly key?: RegExp; readonly wanted?: (one: Said) => Wanted; readonly by?: typeof advise } = {},
  ): Look =>
  (_, facts) =>
    told(facts, saidOf(facts, codes, key), wanted && ((one) => ({ ...by(facts, wanted(one)), where: one.key })));
