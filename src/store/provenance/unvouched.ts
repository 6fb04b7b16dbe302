// Owns which of the files that every turn of the owner sees nobody has vouched for: a conversation that sees one of them
// begins as one that has read something from outside. It only reads.
import { join } from 'node:path';
import { tryReadChecked } from '../../platform/files.ts';
import { isOthers } from '../label.ts';
import { openContentLabels, type Rows } from './content-labels.ts';

/** In the order in which they are shown. */
export const SHOWN_FILES = ['AGENTS.md', 'SOUL.md', 'IDENTITY.md', 'USER.md', 'MEMORY.md'] as const;
/** Shown line by line: what is known to come from outside is left out of it, and taints nothing. */
const BY_LINES = 'MEMORY.md';
const MAX_BYTES = 1_000_000;

export function unvouchedFiles(rows: Rows, workspaceDir: string): string[] {
  const labels = openContentLabels(rows);
  const isVouched = (name: string, text: string): boolean => {
    const whole = labels.of(text);
    if (whole !== null && !isOthers(whole)) return true;
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    return name === BY_LINES ? lines.every((line) => labels.ofLine(name, line) !== null) : lines.length === 0;
  };
  return SHOWN_FILES.filter((name) => !isVouched(name, textOf(join(workspaceDir, name))));
}

/** What cannot be read is not shown either. */
function textOf(path: string): string {
  try {
    return tryReadChecked(path, MAX_BYTES, () => {})?.toString('utf8') ?? '';
  } catch {
    return '';
  }
}

/** One line for people, and the command that mends it; null when there is nothing to say. */
export function unvouchedLine(files: readonly string[]): { readonly what: string; readonly fix: string } | null {
  const [first] = files;
  if (first === undefined) return null;
  const all = files.length === 1 ? first : `${files.slice(0, -1).join(', ')} and ${files.at(-1)}`;
  return {
    what: `${all} changed by hand or by a command: whatever sees ${files.length === 1 ? 'it' : 'them'} counts as having read something from outside, until you vouch for it`,
    fix: `openclaw memory trust ${first}`,
  };
}
