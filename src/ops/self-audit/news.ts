// Owns what is new between two audits, and how the owner is told. Pure; what was known before is not told again.
import type { Known, Last } from './last.ts';

export type News = { readonly come: readonly Known[]; readonly gone: readonly Known[] };
const MAX_TOLD = 5;

/** Ages and counts in the words change from day to day; that is no news. */
const sameAs = ({ id, severity, where, evidence }: Known): string =>
  [id, severity, where ?? evidence.replace(/\d+/g, '#')].join('\0');

/** What checks said that were not asked this time still stands. */
export const carriedOver = (last: Last, asked: ReadonlySet<string>): readonly Known[] =>
  last.known.filter(({ id }) => !asked.has(id));

export function newsBetween(before: readonly Known[], now: readonly Known[]): News {
  const [old, fresh] = [before, now].map((all) => new Set(all.map(sameAs)));
  return {
    come: now.filter((one) => !old?.has(sameAs(one))),
    gone: before.filter((one) => !fresh?.has(sameAs(one))),
  };
}

/** null: there is nothing to tell. */
export function newsText({ come, gone }: News, occasion: string): string | null {
  if (come.length + gone.length === 0) return null;
  const counts = [
    ...(come.length > 0 ? [`${come.length} new`] : []),
    ...(gone.length > 0 ? [`${gone.length} no longer there`] : []),
  ];
  const told = come.slice(0, MAX_TOLD).map(({ severity, evidence, fix }) => `${severity}: ${evidence}\n  ${fix}`);
  const more = come.length > MAX_TOLD ? [`and ${come.length - MAX_TOLD} more`] : [];
  const over =
    gone.length > 0
      ? [
          `No longer: ${gone
            .slice(0, MAX_TOLD)
            .map(({ id }) => id)
            .join(', ')}`,
        ]
      : [];
  return [
    `Security audit ${occasion}: ${counts.join(', ')}.`,
    ...told,
    ...more,
    ...over,
    'All of it: openclaw security audit',
  ].join('\n');
}
