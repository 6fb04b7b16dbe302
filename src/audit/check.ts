// Owns what a check of the audit is: a question about this installation, answered by looking, with evidence, consequence and
// one fix. A check must never write, never leave loopback, and never need a running gateway; it hands back what would mend it.
import type { Finding as ConfigFinding } from '../config/findings.ts';
import type { Config } from '../config/schema.ts';
import type { Facts as InstallFacts } from '../ops/doctor/check.ts';

export const GROUPS = [
  'Reachable from outside',
  'Who can talk',
  'What it can do',
  'Secrets',
  'Supply chain',
  'Money',
  'Records and recovery',
  'Host',
] as const;
export type Group = (typeof GROUPS)[number];

/** Worst first. */
export const SEVERITIES = ['CRITICAL', 'WARNING', 'INFO'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What would mend a finding, as data: only what cannot loosen anything; all repairs of a run are one transaction. */
export type Repair =
  | { readonly kind: 'setting'; readonly path: string; readonly value: unknown }
  | { readonly kind: 'mode'; readonly path: string; readonly mode: number }
  | { readonly kind: 'file'; readonly path: string; readonly text: string };

export type Finding = {
  readonly severity: Severity;
  /** the headline: what was seen, verbatim where that helps: a setting with its value, a path with its mode; no secret */
  readonly evidence: string;
  /** what can happen because of it, in one sentence; otherwise the check's `why` */
  readonly consequence?: string;
  /** the one command that mends it */
  readonly fix: string;
  /** the setting or file that it is about; what the configuration says of that setting itself is then not said twice */
  readonly where?: string;
  readonly repairs?: readonly Repair[];
};

/** `pass` is the line that is printed behind the tick; `skipped` says why nothing could be seen. */
export type Outcome =
  | { readonly pass: string }
  | { readonly findings: readonly [Finding, ...Finding[]] }
  | { readonly skipped: string };

/** `config` of the installation is null as soon as one key is wrong; `settings` then still has all the others. */
export type Facts = InstallFacts & {
  /** what is understood of the configuration, without the keys that do not fit; null when its text cannot be read at all */
  readonly settings: Config | null;
  /** all that is wrong with the configuration by its own rules, also behind the first mistake */
  readonly said: readonly ConfigFinding[];
};

export type Check = {
  /** stable, dotted; upstream's where it has one */
  readonly id: string;
  readonly group: Group;
  /** a question that people ask, such as "Can strangers start a conversation?" */
  readonly title: string;
  /** what can happen when the answer is bad, in one sentence; for --explain, and for findings that say nothing else */
  readonly why: string;
  /** rows of the guides that it answers, such as S013; [] when none asks it */
  readonly rows: readonly string[];
  /** what it takes: reading settings and files; probing what runs (--deep); reading the host (--host) */
  readonly depth: 'read' | 'deep' | 'host';
  /** its pass line stands in every report; those of the others are counted there, and printed with --verbose */
  readonly isMain?: true;
  probe(facts: Facts): Outcome | Promise<Outcome>;
};

/** Findings if there are any, else the pass line. */
export function outcomeOf(findings: readonly Finding[], pass: string): Outcome {
  const [first, ...more] = findings;
  return first === undefined ? { pass } : { findings: [first, ...more] };
}
