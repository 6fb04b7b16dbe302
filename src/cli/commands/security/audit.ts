// Owns `openclaw security audit`: which checks are asked, how the report is printed, and the exit code. It changes nothing.
import { type Check, GROUPS, SEVERITIES, type Severity } from '../../../audit/check.ts';
import { CHECKS } from '../../../audit/checks/checks.ts';
import { configCheck } from '../../../audit/checks/config.ts';
import { gatherAuditFacts } from '../../../audit/facts.ts';
import { jsonChecks, jsonReport } from '../../../audit/report/json.ts';
import { sarifReport } from '../../../audit/report/sarif.ts';
import { findingLines, type Line, textReport } from '../../../audit/report/text.ts';
import { countOf, findingsIn, foundIn, type Report, runAudit } from '../../../audit/run.ts';
import { unusable } from '../../../platform/errors.ts';
import type { Context } from '../../context.ts';
import { type Output, span } from '../../output.ts';
import { nearestWord } from '../../suggest.ts';

export const AUDIT_EXIT = { clean: 0, warnings: 1, critical: 2, couldNotRun: 3 } as const;

export type Flags = {
  readonly deep?: boolean;
  readonly host?: boolean;
  readonly sarif?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly minSeverity?: string;
  readonly only?: string;
  readonly explain?: string;
  readonly fix?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
};

export async function run(context: Context, flags: Flags): Promise<number> {
  const { out, version } = context;
  const least = severityOf(flags.minSeverity);
  const isWanted = wantedBy(flags.explain ?? flags.only);
  try {
    if (flags.fix || flags.dryRun) await (await import('./fix.ts')).fix(context, flags, isWanted);
    const report = await lookedAt(context, flags, isWanted);
    const found = foundIn(report.done, least);
    if (flags.sarif) out.record(sarifReport(report.done, found, { version, configPath: report.configPath }));
    else if (out.json) out.record({ ok: true, ...jsonReport(report.done, found), data: jsonChecks(report.done) });
    else if (flags.explain !== undefined) explained(out, report.done);
    else
      for (const line of textReport(report.done, found, {
        isQuiet: flags.quiet === true || flags.fix === true,
        isVerbose: flags.verbose === true,
      }))
        print(out, line);
    if (countOf(found, 'CRITICAL') > 0) return AUDIT_EXIT.critical;
    return countOf(found, 'WARNING') > 0 ? AUDIT_EXIT.warnings : AUDIT_EXIT.clean;
  } catch (error) {
    out.fail(error);
    return AUDIT_EXIT.couldNotRun;
  }
}

async function lookedAt(
  { env, version }: Context,
  flags: Flags,
  isWanted: (check: Pick<Check, 'id' | 'group'>) => boolean,
): Promise<{ readonly done: Report; readonly configPath: string }> {
  // The same question as a gateway asks at its start; only probes ask it.
  const probeSandbox = async () => (await import('../sandbox/local.ts')).findState(env);
  const startedMs = performance.now();
  const facts = await gatherAuditFacts(env, { version, probeSandbox, nowMs: Date.now() });
  const isAsked = flags.explain !== undefined;
  const depths = new Set<Check['depth']>(['read']);
  if (flags.deep || isAsked) depths.add('deep');
  if (flags.host || isAsked) depths.add('host');
  const done = await runAudit(CHECKS, facts, { depths, isWanted });
  return { done: { ...done, elapsedMs: performance.now() - startedMs }, configPath: facts.paths.configPath };
}

function print(out: Output, line: Line): void {
  out.line(...line.map(({ style, text }) => (style === 'plain' ? text : span(style, text))));
}

function explained(out: Output, { looked }: Report): void {
  for (const { check, outcome } of looked) {
    out.line(span('bold', check.id), `  ${check.title}`);
    out.line(`group: ${check.group}${check.depth === 'read' ? '' : ` (needs --${check.depth})`}`);
    if (check.rows.length > 0) out.line(`asked by the guides: ${check.rows.join(', ')}`);
    out.line(`why: ${check.why}`);
    if ('pass' in outcome) out.line(`✅ ${outcome.pass}`);
    if ('skipped' in outcome) out.line(`not looked at: ${outcome.skipped}`);
    for (const finding of findingsIn(outcome)) for (const line of findingLines(check, finding)) print(out, line);
  }
}

function severityOf(text = 'info'): Severity {
  const words = text.toUpperCase().replace(/^WARN$/, 'WARNING');
  const found = SEVERITIES.find((one) => one === words);
  if (found !== undefined) return found;
  throw unusable(`--min-severity ${text.slice(0, 20)} is no severity`, 'use critical, warning or info');
}

/** An id, the beginning of one up to a dot, or a word of a group's name. */
function wantedBy(text: string | undefined): (check: Pick<Check, 'id' | 'group'>) => boolean {
  if (text === undefined) return () => true;
  const all = [...CHECKS, configCheck(new Set())];
  const words = text.split(',').map((word) => word.trim().toLowerCase());
  const fits = (word: string, { id, group }: Pick<Check, 'id' | 'group'>): boolean =>
    id.toLowerCase() === word ||
    id.toLowerCase().startsWith(`${word}.`) ||
    group.toLowerCase() === word ||
    group.toLowerCase().split(' ').includes(word);
  for (const word of words)
    if (!all.some((check) => fits(word, check))) {
      const near = nearestWord(word, [...all.map(({ id }) => id), ...GROUPS.map((group) => group.toLowerCase())]);
      throw unusable(
        `there is no check and no group "${word.slice(0, 60)}"`,
        near === undefined ? 'openclaw security audit --json lists all' : `did you mean ${near}?`,
      );
    }
  return (check) => words.some((word) => fits(word, check));
}
