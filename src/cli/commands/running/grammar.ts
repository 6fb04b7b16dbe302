// Owns the grammar of `trash` and `elevated`: what commands threw away, and the window for one outside the box.
import type { Command } from 'commander';
import { asking, examples, type Lazy } from '../../grammar.ts';

export const CHANGING_RUNNING = ['restore', 'empty', 'on', 'off'];

export function running(program: Command, lazy: Lazy): void {
  const trash = program.command('trash').description('what commands threw away: list, restore, empty');
  const list = asking(trash.command('list').description('the oldest first'));
  list.action(lazy(async () => ({ run: (await import('./trash.ts')).list })));
  examples(list, ['openclaw trash list', 'openclaw trash list --json']);
  const restore = asking(trash.command('restore').description('back to where it was').argument('<id>', 'see the list'));
  restore.action(lazy(async () => ({ run: (await import('./trash.ts')).restore })));
  examples(restore, ['openclaw trash restore 20261121-064200-1']);
  const empty = asking(trash.command('empty').description('gone for good'))
    .option('--older-than <time>', 'only what is older, such as 7d')
    .option('--yes', 'do not ask');
  empty.action(lazy(async () => ({ run: (await import('./trash.ts')).empty })));
  examples(empty, ['openclaw trash empty --older-than 7d', 'openclaw trash empty --yes']);

  const elevated = program
    .command('elevated')
    .description('commands outside the box, each of which asks you: status, on, off');
  const status = asking(elevated.command('status').description('which windows are open'));
  status.action(lazy(async () => ({ run: (await import('./elevated.ts')).status })));
  examples(status, ['openclaw elevated status']);
  for (const name of ['on', 'off'] as const) {
    const what = name === 'on' ? 'open a window for a conversation of your own clients' : 'close it';
    const command = asking(elevated.command(name).description(what)).option(
      '--session-key <key>',
      'the conversation (default: main)',
    );
    if (name === 'on') command.argument('[minutes]', 'for how long, at most 60 (default: 15)');
    command.action(lazy(async () => ({ run: (await import('./elevated.ts'))[name] as never })));
    examples(command, name === 'on' ? ['openclaw elevated on', 'openclaw elevated on 30'] : ['openclaw elevated off']);
  }
}
