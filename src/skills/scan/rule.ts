// Owns what a rule of the scanner is, and how a finding looks. A rule is data: words to look for in one logical line, how
// bad that is, and why; it must never need more than that line.

import type { Format } from './reading.ts';

export type Severity = 'CRITICAL' | 'WARNING' | 'INFO';
export type Finding = {
  readonly id: string;
  readonly severity: Severity;
  readonly file: string;
  /** from 1; 0 is the file as a whole */
  readonly line: number;
  /** what stands there, with secrets hidden and unseen characters spelled out */
  readonly excerpt: string;
  readonly why: string;
};

/** `line` 0 is the file as a whole. */
export type Add = (file: string, line: number, id: string, severity: Severity, excerpt: string, why: string) => void;
/** A file of a skill as it was read. */
export type ScannedText = {
  readonly path: string;
  readonly text: string;
  readonly format: Format;
  readonly isScript: boolean;
};

/** `code`: in scripts and in blocks of commands; `text`: what a reader is told. */
export type Where = 'code' | 'text' | 'any';
export type Rule = {
  readonly id: string;
  readonly severity: Severity;
  readonly why: string;
  readonly where: Where;
  readonly words: RegExp;
};

export const rule = (id: string, severity: Severity, why: string, words: RegExp, where: Where = 'any'): Rule => ({
  ...{ id, severity, why, where },
  words,
});

export const isHeld = ({ severity }: Pick<Finding, 'severity'>): boolean => severity !== 'INFO';
const RANK: Readonly<Record<Severity, number>> = { CRITICAL: 0, WARNING: 1, INFO: 2 };
export const byWeight = (a: Finding, b: Finding): number =>
  RANK[a.severity] - RANK[b.severity] || (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line);
