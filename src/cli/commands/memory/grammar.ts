// Owns the grammar of `memory`: what the assistant remembers, where it came from, and taking it back.
import type { Command } from 'commander';
import { asking, examples, type Lazy } from '../../grammar.ts';

export const CHANGING_MEMORY = ['revert', 'forget'];

export function memory(program: Command, lazy: Lazy): void {
  const group = program
    .command('memory')
    .description('what the assistant remembers: list, show, search, sources, changes, diff, revert, forget, trust');
  const body = () => import('./memory.ts');
  const list = asking(group.command('list').description('its files, and how many lines came from whom'));
  list.action(lazy(async () => ({ run: (await body()).list })));
  examples(list, ['openclaw memory list', 'openclaw memory list --json']);
  const show = asking(group.command('show').description('a file, each line with its origin').argument('<file>'));
  show.action(lazy(async () => ({ run: (await body()).show })));
  examples(show, ['openclaw memory show MEMORY.md', 'openclaw memory show memory/2026-11-21.md']);
  const search = asking(group.command('search').description('as the assistant searches').argument('<words...>'));
  search.action(lazy(async () => ({ run: (await body()).search })));
  examples(search, ['openclaw memory search door code']);
  const sources = asking(group.command('sources').description('all of it by where it came from, outside first'));
  sources.action(lazy(async () => ({ run: (await body()).sources })));
  examples(sources, ['openclaw memory sources']);
  const changes = asking(group.command('changes').description('what changed, the newest first'));
  changes.action(lazy(async () => ({ run: (await body()).changes })));
  examples(changes, ['openclaw memory changes']);
  const diff = asking(group.command('diff').description('what a change changed').argument('<id>', 'see changes'));
  diff.action(lazy(async () => ({ run: (await body()).diff })));
  examples(diff, ['openclaw memory diff 12']);
  const revert = asking(
    group.command('revert').description('take a change back').argument('<id>', 'see changes'),
  ).option('--force', 'also what came later in that file');
  revert.action(lazy(async () => ({ run: (await body()).revert })));
  examples(revert, ['openclaw memory revert 12']);
  const forget = asking(
    group
      .command('forget')
      .description('remove every line with a text, or the lines of a chunk')
      .argument('<what>', 'a text, or #ID of a search'),
  ).option('--yes', 'do not ask');
  forget.action(lazy(async () => ({ run: (await body()).forget })));
  examples(forget, ['openclaw memory forget "evil.example"', "openclaw memory forget '#12' --yes"]);
  const trust = asking(
    group
      .command('trust')
      .description('vouch for a file that you wrote by hand, as it is now')
      .argument('<file>', 'also AGENTS.md, SOUL.md, IDENTITY.md'),
  ).option('--yes', 'do not ask');
  trust.action(lazy(async () => ({ run: (await body()).trust })));
  examples(trust, ['openclaw memory trust USER.md', 'openclaw memory trust AGENTS.md --yes']);
}
