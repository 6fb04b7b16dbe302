// Owns one run of the audit: every check once, none able to stop the others, in the order of the groups, with the time that
// each took. It must never judge anything itself.
import { parseKeyPath } from '../config/edit/key-path.ts';
import { reasonOf } from '../platform/errors.ts';
import { type Check, type Facts, type Finding, GROUPS, type Outcome, SEVERITIES, type Severity } from './check.ts';
import { configCheck } from './checks/config.ts';
import { decisionsIn } from './suppress.ts';

export type Looked = {
  readonly check: Check;
  readonly outcome: Outcome;
  readonly elapsedMs: number;
};

/** A finding that the owner lives with, until a day. */
export type Suppressed = {
  readonly id: string;
  readonly finding: Finding;
  readonly reason: string;
  readonly expires: string;
};

export type Report = {
  readonly atMs: number;
  readonly elapsedMs: number;
  readonly looked: readonly Looked[];
  readonly suppressed: readonly Suppressed[];
};

export type RunOptions = {
  readonly depths: ReadonlySet<Check['depth']>;
  readonly isWanted?: (check: Pick<Check, 'id' | 'group'>) => boolean;
};

/** A probe that hangs is a finding too. */
const MAX_PROBE_MS = 20_000;

export async function runAudit(checks: readonly Check[], facts: Facts, options: RunOptions): Promise<Report> {
  const startedMs = performance.now();
  const wanted = checks.filter((one) => options.depths.has(one.depth) && (options.isWanted?.(one) ?? true));
  const looked = await Promise.all(wanted.map((check) => look(check, facts)));
  // Last, because it says of the configuration what no other check has said.
  const config = configCheck(new Set(looked.flatMap(({ outcome }) => findingsIn(outcome)).flatMap(settingsOf)));
  if (options.isWanted?.(config) ?? true) looked.unshift(await look(config, facts));
  const sorted = GROUPS.flatMap((group) => looked.filter(({ check }) => check.group === group));
  const decisions = decisionsIn(facts.settings, facts.nowMs);
  const suppressed = sorted.flatMap(({ check, outcome }) => {
    const decision = decisions.get(check.id);
    return decision === undefined ? [] : findingsIn(outcome).map((finding) => ({ ...decision, finding }));
  });
  return { atMs: facts.nowMs, elapsedMs: performance.now() - startedMs, looked: sorted, suppressed };
}

/** The settings that a finding is about, as the configuration names them. */
const settingsOf = ({ where = '', repairs = [] }: Finding): string[] => [
  where,
  ...repairs.flatMap((one) => (one.kind === 'setting' ? [parseKeyPath(one.path).join('.')] : [])),
];

async function look(check: Check, facts: Facts): Promise<Looked> {
  const startedMs = performance.now();
  let endedMs: number | undefined;
  const outcome = await within(async () => {
    const given = check.probe(facts);
    // What answers at once is not to wait in line for the others.
    if (!(given instanceof Promise)) endedMs = performance.now();
    return given;
  }).catch(
    (error: unknown): Outcome => ({
      findings: [
        {
          severity: 'WARNING',
          evidence: `${check.title} It could not be looked at: ${reasonOf(error)}`,
          consequence: 'nobody knows whether this is good',
          fix: `openclaw security audit --only ${check.id} --json`,
        },
      ],
    }),
  );
  return { check, outcome, elapsedMs: (endedMs ?? performance.now()) - startedMs };
}

async function within<T>(act: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${MAX_PROBE_MS / 1000} s`)), MAX_PROBE_MS);
  });
  try {
    return await Promise.race([act(), late]);
  } finally {
    clearTimeout(timer);
  }
}

export const findingsIn = (outcome: Outcome): readonly Finding[] => ('findings' in outcome ? outcome.findings : []);

export type Found = { readonly check: Check; readonly finding: Finding };

/** What was found and is not suppressed, the worst first, from this severity on. */
export function foundIn({ looked, suppressed }: Report, least: Severity = 'INFO'): readonly Found[] {
  const all = looked.flatMap(({ check, outcome }) => findingsIn(outcome).map((finding) => ({ check, finding })));
  const rank = (severity: Severity): number => SEVERITIES.indexOf(severity);
  const held = new Set(suppressed.map(({ finding }) => finding));
  return all
    .filter(({ finding }) => !held.has(finding) && rank(finding.severity) <= rank(least))
    .sort((a, b) => rank(a.finding.severity) - rank(b.finding.severity));
}

export const countOf = (found: readonly Found[], severity: Severity): number =>
  found.filter(({ finding }) => finding.severity === severity).length;
