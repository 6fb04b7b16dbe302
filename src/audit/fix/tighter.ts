// Owns what `--fix` may change of the settings without asking anybody: by what the settings mean before and after, never by
// how they are spelled. Whatever is not on this list stays as it is: no key, no tool, no address to listen on, no box.
import { changesBetween } from '../../config/edit/changes.ts';
import { parseKeyPath } from '../../config/edit/key-path.ts';
import type { Config } from '../../config/schema.ts';
import { valueAt } from '../mend.ts';

type Sides = {
  readonly before: unknown;
  readonly after: unknown;
  /** another setting of the same heading, as it was */
  readonly beside: (name: string) => unknown;
};
type Rule = readonly [at: RegExp, isTighter: (sides: Sides) => boolean];

const becomes =
  (...wanted: readonly unknown[]) =>
  ({ after }: Sides): boolean =>
    wanted.includes(after);
const listOf = (value: unknown): readonly unknown[] | null => (Array.isArray(value) ? value : null);

/** Nobody is let in who was not. A list that is gone may hand over to a wider one, unless everybody was on it. */
function isFewer({ before, after }: Sides): boolean {
  const [was, now] = [listOf(before), listOf(after)];
  if (was === null) return false;
  if (was.includes('*')) return now === null || !now.includes('*');
  return now?.every((one) => was.includes(one)) === true;
}

/** Open becomes pairing; so does a list that had everybody on it and has nobody now. */
const isClosed = ({ before, after, beside }: Sides): boolean =>
  after === 'pairing' &&
  (before === 'open' || (before === 'allowlist' && listOf(beside('allowFrom'))?.includes('*') === true));

const RULES: readonly Rule[] = [
  [/^channels\.(.+\.)?dmPolicy$/, isClosed],
  [/^channels\.(.+\.)?groupPolicy$/, ({ before, after }) => before === 'open' && after === 'allowlist'],
  [/^channels\..+\.requireMention$/, becomes(true)],
  [/^(channels\..+\.(allowFrom|groupAllowFrom|users|roles)|commands\.(ownerAllowFrom|allowFrom))$/, isFewer],
  [/^channels\..+\.dangerouslyAllowAnyone$/, becomes(false, undefined)],
  [/^channels\..+\.minEvidence$/, ({ before }) => before === 'asserted'],
  [/^channels\.defaults\.botLoopProtection$/, becomes(true)],
  [/^channels\.defaults\.contextVisibility$/, ({ before }) => before === 'all'],
  [/^channels\.defaults\.implicitMentions\./, becomes(false)],
  [/^pairing\.(autoApprove|dangerouslyAutoApproveStrangers)$/, becomes(false)],
  [/^pairing\.groups$/, becomes(true)],
  [/^actions\.\w+\.(requireConfirmation|useTrash)$/, becomes(true)],
  [/^tools\.exec\.strictInlineEval$/, becomes(true)],
  [/^security\.installPolicy\.enabled$/, becomes(true)],
  [/^gateway\.auth\.rateLimit\.exemptLoopback$/, becomes(false)],
];

const OF_PEOPLE = /([aA]llowFrom|\.users|\.roles)$/;

/**
 * Everything that differs is on the list, and goes the right way. When nothing differs, as with an example in a list, which
 * counts for nobody anyway, only lists of people are tidied.
 */
export function isOnlyTighter(before: Config, after: Config, keys: readonly string[]): boolean {
  const { changed } = changesBetween(before, after);
  if (changed.length === 0) return keys.every((key) => OF_PEOPLE.test(key));
  return changed.every((key) => isTighter(key, before, after));
}

function isTighter(key: string, before: Config, after: Config): boolean {
  const path = parseKeyPath(key);
  const sides: Sides = {
    before: valueAt(before, path),
    after: valueAt(after, path),
    beside: (name) => valueAt(before, [...path.slice(0, -1), name]),
  };
  const rules = RULES.filter(([at]) => at.test(path.join('.')));
  return rules.length > 0 && rules.every(([, holds]) => holds(sides));
}
