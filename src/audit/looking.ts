// Owns the small looks at files that many checks share: what stands at a path, a text that may not be there, how a path or
// mode is said. Quiet and bounded; it judges nothing and writes nothing.
import { join } from 'node:path';
import { errnoOf } from '../platform/errors.ts';
import { tryNames, tryReadText } from '../platform/files.ts';
import type { Finding, Outcome, Severity } from './check.ts';

const MAX_TEXT_BYTES = 1024 * 1024;
const MAX_NAMES = 2_000;

export const oneFinding = (finding: Finding): Outcome => ({ findings: [finding] });

/** `how`: the command that mends it, or what a mend is; `consequence` only where it is another one than the check's. */
export const found = (
  severity: Severity,
  evidence: string,
  how: string | Pick<Finding, 'fix' | 'where' | 'repairs'>,
  more: Pick<Finding, 'consequence' | 'where' | 'repairs'> = {},
): Finding => ({ severity, evidence, ...(typeof how === 'string' ? { fix: how } : how), ...more });

/** Only that. */
export const amiss = (...given: Parameters<typeof found>): Outcome => oneFinding(found(...given));

/** Whole paths; none when there is no such folder. */
export function namesIn(folder: string, max = MAX_NAMES): string[] {
  return tryNames(folder)
    .sort()
    .slice(0, max)
    .map((name) => join(folder, name));
}

/** `text` null: there is none, or `problem` says why it cannot be read. */
export type Read = { readonly text: string | null; readonly problem: string | null };

export function read(path: string, maxBytes = MAX_TEXT_BYTES): Read {
  try {
    return { text: tryReadText(path, maxBytes), problem: null };
  } catch (error) {
    const errno = errnoOf((error as { cause?: unknown }).cause) ?? errnoOf(error) ?? (error as { code?: string }).code;
    if (errno === 'ENOTDIR') return { text: null, problem: null };
    return { text: null, problem: `${path} cannot be read (${errno ?? 'unreadable'})` };
  }
}

/** `a`, or `a (and 3 more)`. */
export const andMore = (first: string, count: number): string =>
  count > 1 ? `${first} (and ${count - 1} more)` : first;

export const octal = (mode: number): string => `0${(mode & 0o7777).toString(8).padStart(3, '0')}`;
