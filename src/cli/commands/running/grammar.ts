// Owns the grammar of `trash` and `elevated`: what commands threw away, and the window for one outside the box.
import type { Command } from 'commander';
import { askingIn, type Lazy } from '../../grammar.ts';

export const CHANGING_RUNNING = ['restore', 'empty', 'on', 'off'];

export function running(program: Command, lazy: Lazy): void {
  const trash = program.command('trash').description('what commands threw away: list, restore, empty');
  const add = askingIn(trash, lazy, () => import('./trash.ts'));
  add('list', 'the oldest first', ['openclaw trash list', 'openclaw trash list --json']);
  add('restore', 'back to where it was', ['openclaw trash restore 20261121-064200-1']).argument('<id>', 'see the list');
  add('empty', 'gone for good', ['openclaw trash empty --older-than 7d', 'openclaw trash empty --yes'])
    .option('--older-than <time>', 'only what is older, such as 7d')
    .option('--yes', 'do not ask');

  const elevated = program
    .command('elevated')
    .description('commands outside the box, each of which asks you: status, on, off');
  const window = askingIn(elevated, lazy, () => import('./elevated.ts'));
  const session = ['--session-key <key>', 'the conversation (default: main)'] as const;
  window('status', 'which windows are open', ['openclaw elevated status']);
  window('on', 'open a window for a conversation of your own clients', [
    'openclaw elevated on',
    'openclaw elevated on 30',
  ])
    .option(...session)
    .argument('[minutes]', 'for how long, at most 60 (default: 15)');
  window('off', 'close it', ['openclaw elevated off']).option(...session);
}
