// Owns the report for people, as lines with a style each: group by group what is good and what is not, then the totals. The
// marks are those of the guides, whose lines are kept word by word.
import { type Check, type Finding, GROUPS, type Severity } from '../check.ts';
import { countOf, type Found, findingsIn, foundIn, type Looked, type Report } from '../run.ts';

export type LineStyle = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'plain';
export type Line = readonly { readonly style: LineStyle; readonly text: string }[];

const MARKS: Readonly<Record<Severity, readonly [string, LineStyle]>> = {
  CRITICAL: ['❌', 'red'],
  WARNING: ['⚠️', 'yellow'],
  INFO: ['ℹ️', 'dim'],
};

export type TextOptions = {
  /** findings and totals, nothing that is good */
  readonly isQuiet: boolean;
  /** every pass line, and what was skipped */
  readonly isVerbose: boolean;
};

export function textReport(report: Report, found: readonly Found[], { isQuiet, isVerbose }: TextOptions): Line[] {
  const shown = new Set(found.map(({ finding }) => finding));
  const lines: Line[] = [];
  for (const group of GROUPS) {
    const looked = report.looked.filter(({ check }) => check.group === group);
    const bad = looked.flatMap(({ check, outcome }) =>
      findingsIn(outcome)
        .filter((one) => shown.has(one))
        .flatMap((finding) => findingLines(check, finding)),
    );
    const good = isQuiet ? [] : goodLines(looked, isVerbose);
    if (bad.length + good.length === 0) continue;
    if (lines.length > 0) lines.push(plain(''));
    lines.push([{ style: 'bold', text: group }], ...good, ...bad);
  }
  if (lines.length > 0) lines.push(plain(''));
  for (const { id, finding, reason, expires } of report.suppressed)
    lines.push([{ style: 'dim', text: `suppressed until ${expires}: ${id}: ${finding.evidence} (${reason})` }]);
  return [...lines, totals(report, found)];
}

function goodLines(looked: readonly Looked[], isVerbose: boolean): Line[] {
  const passed = looked.flatMap(({ check, outcome }) => ('pass' in outcome ? [{ check, pass: outcome.pass }] : []));
  // Several checks of one thing may have the same to say.
  const shown = new Set(passed.filter(({ check }) => isVerbose || check.isMain).map(({ pass }) => pass));
  const lines = [...shown].map((pass) => plain(`✅ ${pass}`));
  const more = passed.filter(({ pass }) => !shown.has(pass)).length;
  if (more > 0)
    lines.push([{ style: 'dim', text: `✅ ${lines.length > 0 ? `and ${more} more` : `${more}`} in order` }]);
  const skipped = Map.groupBy(looked, ({ outcome }) => ('skipped' in outcome ? outcome.skipped : ''));
  for (const [why, list] of skipped) {
    if (why === '' || (!isVerbose && NOTHING_TO_SEE.test(why))) continue;
    const what = list.length === 1 ? (list[0]?.check.title ?? '') : `${list.length} checks`;
    lines.push([{ style: 'dim', text: `-  ${what} Not looked at: ${why}`.replace('checks Not', 'checks were not') }]);
  }
  return lines;
}

/** What is not there need not be looked at. */
const NOTHING_TO_SEE = /not configured$/;

export function findingLines(check: Pick<Check, 'id' | 'why'>, finding: Finding): Line[] {
  const [mark, style] = MARKS[finding.severity];
  return [
    plain(`${mark} ${finding.evidence}`),
    [
      { style, text: `   ${finding.severity}` },
      { style: 'dim', text: ` ${check.id}: ` },
      { style: 'plain', text: finding.consequence ?? check.why },
    ],
    [
      { style: 'dim', text: '   fix: ' },
      { style: 'plain', text: finding.fix },
    ],
  ];
}

/** Totals and the time, last. */
function totals(report: Report, found: readonly Found[]): Line {
  const { looked, elapsedMs, suppressed } = report;
  const below = foundIn(report).length - found.length;
  const [critical, warnings, infos] = (['CRITICAL', 'WARNING', 'INFO'] as const).map((one) => countOf(found, one));
  const passed = looked.filter(({ outcome }) => 'pass' in outcome).length;
  const held = `${suppressed.length > 0 ? `, ${suppressed.length} suppressed` : ''}${below > 0 ? `, ${below} not shown` : ''}`;
  const text = `${critical} critical, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}, ${infos} info${held}, ${passed} passed in ${(elapsedMs / 1000).toFixed(2)} s`;
  return [{ style: critical ? 'red' : warnings ? 'yellow' : 'green', text }];
}

const plain = (text: string): Line => [{ style: 'plain', text }];
