// Owns the report as SARIF 2.1.0, for what shows findings of many programs in one place.
import { pathToFileURL } from 'node:url';
import { type Check, SEVERITIES } from '../check.ts';
import type { Found, Report } from '../run.ts';

const LEVELS = { CRITICAL: 'error', WARNING: 'warning', INFO: 'note' } as const;

export function sarifReport(
  report: Report,
  found: readonly Found[],
  where: { readonly version: string; readonly configPath: string },
): Record<string, unknown> {
  const quiet = report.suppressed.flatMap(({ id, finding, reason, expires }) => {
    const check = report.looked.find((one) => one.check.id === id)?.check;
    return check === undefined ? [] : [{ check, finding, why: `${reason} (until ${expires})` }];
  });
  const rules = report.looked.map(({ check }) => check);
  const uri = (path: string): string => pathToFileURL(path).href;
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'hardshell', version: where.version, rules: rules.map(ruleOf) } },
        results: [...found.map((one) => ({ ...one, why: null })), ...quiet].map(({ check, finding, why }) => ({
          ruleId: check.id,
          ...(why === null ? {} : { suppressions: [{ kind: 'external', status: 'accepted', justification: why }] }),
          ruleIndex: rules.indexOf(check),
          level: LEVELS[finding.severity],
          rank: 100 - SEVERITIES.indexOf(finding.severity) * 40,
          message: { text: `${finding.evidence}: ${finding.consequence ?? check.why}. Fix: ${finding.fix}` },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: uri(finding.where?.startsWith('/') ? finding.where : where.configPath) },
              },
              ...(finding.where === undefined ? {} : { logicalLocations: [{ fullyQualifiedName: finding.where }] }),
            },
          ],
        })),
        invocations: [{ executionSuccessful: true, endTimeUtc: new Date(report.atMs).toISOString() }],
      },
    ],
  };
}

const ruleOf = ({ id, title, why, group, rows }: Check): Record<string, unknown> => ({
  id,
  shortDescription: { text: title },
  fullDescription: { text: why },
  properties: { tags: [group, ...rows] },
});
