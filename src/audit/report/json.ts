// Owns the report for programs: the shape that upstream's has, and beside it all that ours knows.
import { SEVERITIES } from '../check.ts';
import { countOf, type Found, findingsIn, foundIn, type Report } from '../run.ts';

const UPSTREAM = { CRITICAL: 'critical', WARNING: 'warn', INFO: 'info' } as const;

export function jsonReport(report: Report, found: readonly Found[] = foundIn(report)): Record<string, unknown> {
  const [critical, warn, info] = SEVERITIES.map((severity) => countOf(found, severity));
  return {
    ts: report.atMs,
    summary: { critical, warn, info },
    findings: found.map(({ check, finding }) => ({
      checkId: check.id,
      severity: UPSTREAM[finding.severity],
      title: finding.evidence,
      detail: finding.consequence ?? check.why,
      remediation: finding.fix,
      group: check.group,
      ...(finding.where === undefined ? {} : { where: finding.where }),
      fixable: (finding.repairs ?? []).length > 0,
    })),
    suppressedFindings: report.suppressed,
  };
}

/** Every check with what became of it. */
export function jsonChecks({ looked, elapsedMs }: Report): Record<string, unknown> {
  return {
    elapsedMs: Math.round(elapsedMs),
    checks: looked.map(({ check, outcome, elapsedMs: tookMs }) => ({
      id: check.id,
      group: check.group,
      title: check.title,
      depth: check.depth,
      state: 'pass' in outcome ? 'passed' : 'skipped' in outcome ? 'skipped' : 'found',
      ...('pass' in outcome ? { pass: outcome.pass } : {}),
      ...('skipped' in outcome ? { skipped: outcome.skipped } : {}),
      findings: findingsIn(outcome),
      elapsedMs: Math.round(tookMs * 10) / 10,
    })),
  };
}
