// Owns what a check of the audit is: a question about this installation, answered by looking, with evidence, consequence and
// one fix. A check must never write, never leave loopback, and never need a running gateway; it hands back what would mend it.
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

export const SEVERITIES = ['CRITICAL', 'WARNING', 'INFO'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What would mend a finding, as data: only what cannot loosen anything; all repairs of a run are one transaction. */
export type Repair =
  | { readonly kind: 'setting'; readonly path: string; readonly value: unknown }
  | { readonly kind: 'mode'; readonly path: string; readonly mode: number }
  | { readonly kind: 'file'; readonly path: string; readonly text: string };

export type Finding = {
  readonly severity: Severity;
  /** what was seen, verbatim where that helps: a setting with its value, a path with its mode; never a secret */
  readonly evidence: string;
  /** what can happen because of it, in one sentence */
  readonly consequence: string;
  /** the one command that mends it */
  readonly fix: string;
  /** the setting or file that it is about */
  readonly where?: string;
  readonly repairs?: readonly Repair[];
};

/** `pass` is the line that is printed behind the tick; `skipped` says why nothing could be seen. */
export type Outcome =
  | { readonly pass: string }
  | { readonly findings: readonly [Finding, ...Finding[]] }
  | { readonly skipped: string };

/** `install` without its configuration (null when it is broken) still has paths and environment. */
export type Facts = InstallFacts;

export type Check = {
  /** stable, dotted; upstream's where it has one */
  readonly id: string;
  readonly group: Group;
  /** a question that people ask, such as "Can strangers start a conversation?" */
  readonly title: string;
  /** rows of the guides that it answers, such as S013; [] when none asks it */
  readonly rows: readonly string[];
  /** what it takes: reading settings and files; probing what runs (--deep); reading the host (--host) */
  readonly depth: 'read' | 'deep' | 'host';
  probe(facts: Facts): Outcome | Promise<Outcome>;
};
