// Owns the checks of what should happen by itself: audits while the gateway runs, and backups that a thief cannot read.
import { existsSync } from 'node:fs';
import { readProof } from '../../../ops/backup/proof.ts';
import { readLast } from '../../../ops/self-audit/last.ts';
import type { Check, Facts, Outcome } from '../../check.ts';
import { amiss, found } from '../../looking.ts';
import { problemOf } from '../../suppress.ts';
import { overIn } from '../over.ts';

const group = 'Records and recovery';
const DAY_MS = 86_400_000;
const DUE_MS = 8 * DAY_MS;
/** A start is looked at after a while, not at once. */
const GRACE_MS = 3_600_000;

export const SCHEDULE_CHECKS: readonly Check[] = [
  {
    ...{ id: 'audit.schedule', group, depth: 'read', rows: ['S067', 'S083', 'S290'], probe: probeAudits },
    title: 'Do audits run by themselves?',
    why: 'what was in order on the first day stays so only if somebody looks again',
  },
  {
    ...{ id: 'recovery.backup_encrypted', group, depth: 'read', rows: ['S276', 'S280'], probe: probeEncrypted },
    title: 'Could somebody who finds a backup not read it?',
    why: 'it has your conversations in it, and it is meant to lie somewhere else',
  },
  overIn(group)('audit.suppressions', 'Does everything that you keep quiet end some day?', {
    pass: 'Suppressed findings: each has a reason and a day',
    why: 'it keeps nothing quiet, and what it was meant for is told again',
    *look({ security }, { nowMs }) {
      for (const one of security.audit.suppressions) {
        const problem = problemOf(one, nowMs);
        if (problem === null) continue;
        const id = one.checkId ?? '';
        yield found(
          problem.severity,
          `the suppression of ${id || 'nothing'} does not hold: ${problem.what}`,
          id === '' ? 'openclaw config unset security.audit.suppressions' : `openclaw security suppress ${id} --remove`,
          { where: 'security.audit.suppressions' },
        );
      }
    },
  }),
];

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

function probeAudits({ paths, lock, nowMs }: Facts): Outcome {
  const last = readLast(paths);
  const when = 'after each change, after each update, weekly';
  if (lock === null)
    return last === null
      ? { skipped: 'no gateway runs, and audits run by themselves while one does' }
      : { pass: `Audits: ${when} while the gateway runs; the last was on ${dayOf(last.atMs)}` };
  const sinceMs = Math.max(last?.atMs ?? 0, lock.startedAtMs);
  if (nowMs - sinceMs < (last === null ? GRACE_MS : DUE_MS))
    return { pass: `Audits: ${when}${last === null ? '' : `; the last was on ${dayOf(last.atMs)}`}` };
  return amiss(
    'WARNING',
    `the gateway runs, and ${last === null ? 'no audit ever ran by itself' : `none ran by itself since ${dayOf(last.atMs)}`}`,
    'openclaw logs --level error, then: openclaw gateway restart',
  );
}

function probeEncrypted({ paths }: Facts): Outcome {
  const { made } = readProof(paths);
  if (made === null) return { skipped: 'there is no backup yet' };
  if (made.encrypted) return { pass: 'Backups: the last one is encrypted' };
  const isThere = existsSync(made.file);
  return amiss(
    'INFO',
    `the last backup is not encrypted${isThere ? `: ${made.file}` : ''}; it has no secrets in it, but all conversations`,
    'openclaw backup create --encrypt',
  );
}
