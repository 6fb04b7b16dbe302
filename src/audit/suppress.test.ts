// Suppressed findings: they count for nothing until their day is over, stand in every report, and are never for long.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Home, makeHome } from '../../test/support/audit-rows/audited.ts';
import { CHECKS } from './checks/checks.ts';
import { gatherAuditFacts } from './facts.ts';
import { jsonReport } from './report/json.ts';
import { sarifReport } from './report/sarif.ts';
import { textReport } from './report/text.ts';
import { foundIn, type Report, runAudit } from './run.ts';

let home: Home;
beforeEach(() => {
  home = makeHome();
});
afterEach(() => home.remove());

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2026, 10, 21, 12);
const dayIn = (days: number): string => new Date(NOW_MS + days * DAY_MS).toISOString().slice(0, 10);
const decided = (expires: string, reason = 'two factors everywhere'): string =>
  JSON.stringify({
    browser: { enabled: true },
    security: { audit: { suppressions: [{ checkId: 'browser.enabled', reason, expires }] } },
  });

async function audited(config: string, nowMs = NOW_MS): Promise<{ report: Report; ids: string[] }> {
  home.write(config);
  const probeSandbox = async () => ({ driver: null, detail: '', fix: null });
  const facts = await gatherAuditFacts(home.env, { version: '0', nowMs, probeSandbox });
  const isWanted = ({ id }: { readonly id: string }): boolean => /^(browser|audit\.supp|config)/.test(id);
  const report = await runAudit(CHECKS, facts, { depths: new Set(['read']), isWanted });
  return { report, ids: foundIn(report).map(({ check, finding }) => `${finding.severity[0]} ${check.id}`) };
}

test('a finding that is suppressed does not count, and stands in the report as text, JSON and SARIF', async () => {
  const { report, ids } = await audited(decided(dayIn(30)));
  expect(ids).toEqual([]);
  const lines = textReport(report, foundIn(report), { isQuiet: true, isVerbose: false });
  const text = lines.map((line) => line.map((part) => part.text).join('')).join('\n');
  expect(text).toContain(`suppressed until ${dayIn(30)}: browser.enabled`);
  expect(text).toContain('two factors everywhere');
  expect(text).toContain('0 warnings, 0 info, 1 suppressed');
  expect(jsonReport(report)).toMatchObject({ suppressedFindings: [{ id: 'browser.enabled', expires: dayIn(30) }] });
  const sarif = sarifReport(report, foundIn(report), { version: '1', configPath: home.configPath });
  expect(sarif).toMatchObject({
    runs: [
      {
        results: [
          { ruleId: 'browser.enabled', suppressions: [{ justification: expect.stringContaining('two factors') }] },
        ],
      },
    ],
  });
});

test('it holds through its last day, and the finding comes back on the next', async () => {
  expect((await audited(decided(dayIn(0)))).ids).toEqual([]);
  expect((await audited(decided(dayIn(-1)))).ids).toEqual(['W browser.enabled', 'I audit.suppressions']);
  const last = Date.UTC(2026, 10, 21, 23, 59, 59);
  expect((await audited(decided(dayIn(0)), last)).ids).toEqual([]);
  expect((await audited(decided(dayIn(0)), last + 1_000)).ids).toEqual(['W browser.enabled', 'I audit.suppressions']);
});

test('nothing is kept quiet for more than 90 days, whoever writes it into the file', async () => {
  expect((await audited(decided(dayIn(90)))).ids).toEqual([]);
  expect((await audited(decided(dayIn(91)))).ids).toEqual(
    ['W audit.suppressions', 'W browser.enabled'].sort().reverse(),
  );
  expect((await audited(decided('2099-01-01'))).ids).toContain('W browser.enabled');
});

test('without a reason, or with a day that is none, nothing is kept quiet', async () => {
  for (const config of [decided(dayIn(3), '  '), decided('2026-13-45'), decided('2026-02-30')])
    expect((await audited(config)).ids.sort()).toEqual(['W audit.suppressions', 'W browser.enabled']);
});
