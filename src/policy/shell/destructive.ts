// Owns what policy says about commands that delete or overwrite where neither trash nor undo brings it back: on the host,
// and in a box without the trash. It knows programs by the grammar of the command; it must never miss one that stands there.
import type { ToolCall } from '../decide.ts';
import type { Effect } from '../effects.ts';
import type { Verdict } from '../verdict.ts';

export type DestructiveRules = { readonly requireConfirmation: boolean; readonly useTrash: boolean };
type Words = readonly (string | null)[];

const ALWAYS = /^(?:rm|rmdir|unlink|shred|truncate|dd|wipefs|mkfs(?:\..+)?|mke2fs)$/;
const KEY = 'actions.destructive.requireConfirmation';
const MAX_MARKS = 10;

export async function judgeDestructive(
  _call: ToolCall,
  effects: readonly Effect[],
  { requireConfirmation, useTrash }: DestructiveRules,
): Promise<Verdict[]> {
  if (!requireConfirmation) return [];
  const verdicts: Verdict[] = [];
  for (const effect of effects) {
    if (effect.kind !== 'run') continue;
    const isOnHost = effect.where === 'host' || effect.elevated === true;
    if (!isOnHost && useTrash) continue;
    const found = await destroyersIn(effect.command);
    if (found.length === 0) continue;
    verdicts.push({
      rule: 'ask',
      key: KEY,
      code: 'DESTRUCTIVE_ASKS',
      reason: isOnHost
        ? 'it deletes or overwrites on this machine, where neither the trash nor undo brings anything back'
        : 'it deletes or overwrites, and the trash is switched off (actions.destructive.useTrash)',
      fix: '',
      marks: found,
    });
  }
  return verdicts;
}

/** The parts of a command that delete or overwrite, as they stand there. */
async function destroyersIn(command: string): Promise<string[]> {
  const found = new Set<string>();
  // Loaded only for whoever has commands judged: the parser costs memory.
  const { namesIn } = await import('./names.ts');
  await namesIn(command, (words) => {
    const risky = destroyerIn(words);
    if (risky !== null) found.add(risky.slice(0, 200));
  });
  return [...found].slice(0, MAX_MARKS);
}

function destroyerIn(words: Words): string | null {
  const [program, ...rest] = words;
  const name = program?.split('/').at(-1)?.toLowerCase() ?? '';
  if (ALWAYS.test(name)) return shown(words);
  if (name === 'busybox' || name === 'toybox') return destroyerIn(rest);
  if (name === 'find') return rest.includes('-delete') ? shown(words) : null;
  return name === 'git' && isGitLoss(rest) ? shown(words) : null;
}

/** Of git, what throws away work that no commit holds. */
function isGitLoss(words: Words): boolean {
  const has = (...flags: readonly RegExp[]): boolean => words.some((one) => flags.some((flag) => flag.test(one ?? '')));
  if (words.includes('clean') && !has(/^(?:-[a-z]*n[a-z]*|--dry-run)$/)) return true;
  if (words.includes('reset')) return has(/^--hard$/, /^--merge$/);
  if (words.includes('checkout')) return has(/^--$/, /^\.$/, /^(?:-[a-z]*f[a-z]*|--force)$/);
  if (words.includes('restore')) return !has(/^--staged$/, /^-S$/) || has(/^--worktree$/, /^-W$/);
  return words.includes('stash') && has(/^(?:drop|clear)$/);
}

const shown = (words: Words): string => words.map((one) => one ?? '…').join(' ');
