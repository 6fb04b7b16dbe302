// Owns what is kept of the last audit that ran by itself: when, with which version, and what it found. In a file of its own,
// private, small; what cannot be read counts as never.
import { join } from 'node:path';
import type { Paths } from '../../config/paths.ts';
import { replaceFile, tryReadText } from '../../platform/files.ts';

export type Known = {
  readonly id: string;
  readonly severity: 'CRITICAL' | 'WARNING';
  readonly evidence: string;
  readonly fix: string;
  /** the setting or file */
  readonly where?: string;
};
export type Last = {
  readonly atMs: number;
  /** when the machine was last looked at */
  readonly hostAtMs?: number;
  readonly version: string;
  /** the hash of the configuration then */
  readonly config: string;
  readonly known: readonly Known[];
};

export const MAX_KNOWN = 200;
const MAX_BYTES = 1024 * 1024;
const pathOf = ({ stateDir }: Pick<Paths, 'stateDir'>): string => join(stateDir, 'audits.json');

export function readLast(paths: Pick<Paths, 'stateDir'>): Last | null {
  try {
    const found = JSON.parse(tryReadText(pathOf(paths), MAX_BYTES) ?? 'null') as Last | null;
    return typeof found?.atMs === 'number' && Array.isArray(found.known) ? found : null;
  } catch {
    return null;
  }
}

export const writeLast = (paths: Pick<Paths, 'stateDir'>, last: Last): void =>
  replaceFile(pathOf(paths), `${JSON.stringify(last)}\n`);
