// Owns the grammar of `memory`: what the assistant remembers, where it came from, and taking it back.
import type { Command } from 'commander';
import { askingIn, type Lazy } from '../../grammar.ts';

export const CHANGING_MEMORY = ['revert', 'forget'];

export function memory(program: Command, lazy: Lazy): void {
  const group = program
    .command('memory')
    .description('what the assistant remembers: list, show, search, sources, changes, diff, revert, forget, trust');
  const add = askingIn(group, lazy, () => import('./memory.ts'));
  add('list', 'its files, and how many lines came from whom', ['openclaw memory list', 'openclaw memory list --json']);
  add('show', 'a file, each line with its origin', [
    'openclaw memory show MEMORY.md',
    'openclaw memory show memory/2026-11-21.md',
  ]).argument('<file>', 'see list');
  add('search', 'as the assistant searches', ['openclaw memory search door code']).argument('<words...>');
  add('sources', 'all of it by where it came from, outside first', ['openclaw memory sources']);
  add('changes', 'what changed, the newest first', ['openclaw memory changes']);
  add('diff', 'what a change changed', ['openclaw memory diff 12']).argument('<id>', 'see changes');
  add('revert', 'take a change back', ['openclaw memory revert 12'])
    .argument('<id>', 'see changes')
    .option('--force', 'also what came later in that file');
  add('forget', 'remove every line with a text, or the lines of a chunk', [
    'openclaw memory forget "evil.example"',
    "openclaw memory forget '#12' --yes",
  ])
    .argument('<what>', 'a text, or #ID of a search')
    .option('--yes', 'do not ask');
  add('trust', 'vouch for a file that you wrote by hand, as it is now', [
    'openclaw memory trust USER.md',
    'openclaw memory trust AGENTS.md --yes',
  ])
    .argument('<file>', 'also AGENTS.md, SOUL.md, IDENTITY.md')
    .option('--yes', 'do not ask');
}
