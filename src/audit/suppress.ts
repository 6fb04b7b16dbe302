// Owns what the owner has decided to live with for a while: which findings that holds back from the verdict, and what is wrong
// with such a decision. Nothing of it is forever, and nothing of it is silent: each report lists it. Pure.
import type { Config } from '../config/schema.ts';
import type { Finding } from './check.ts';

export const MAX_SUPPRESSED_DAYS = 90;
const DAY_MS = 86_400_000;

type Given = Config['security']['audit']['suppressions'][number];
export type Decision = { readonly id: string; readonly reason: string; readonly expires: string };
/** null: it holds */
type Problem = { readonly severity: Finding['severity']; readonly what: string } | null;

/** When that day is over, everywhere on earth that counts in UTC; null when it is no day. */
export function endOfDay(expires: string): number | null {
  const atMs = Date.parse(`${expires}T00:00:00Z`);
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(expires) && new Date(atMs || 0).toISOString().startsWith(expires);
  return isDay ? atMs + DAY_MS : null;
}

export function problemOf({ checkId = '', reason = '', expires = '' }: Given, nowMs: number): Problem {
  const endsMs = endOfDay(expires);
  if (checkId === '') return { severity: 'WARNING', what: 'it names no check' };
  if (reason.trim() === '') return { severity: 'WARNING', what: 'it has no reason' };
  if (endsMs === null) return { severity: 'WARNING', what: 'it has no day on which it ends' };
  if (endsMs - nowMs > (MAX_SUPPRESSED_DAYS + 1) * DAY_MS)
    return {
      severity: 'WARNING',
      what: `it would last until ${expires}, and nothing is kept quiet for more than ${MAX_SUPPRESSED_DAYS} days`,
    };
  return endsMs <= nowMs ? { severity: 'INFO', what: `it ended on ${expires}` } : null;
}

/** Those that hold today, by the id of the check. */
export function decisionsIn(settings: Config | null, nowMs: number): ReadonlyMap<string, Decision> {
  const given = settings?.security.audit.suppressions ?? [];
  const holding = given.filter((one) => problemOf(one, nowMs) === null);
  return new Map(
    holding.map(({ checkId = '', reason = '', expires = '' }) => [checkId, { id: checkId, reason, expires }]),
  );
}
