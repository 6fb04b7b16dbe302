// Owns the grammar of `sandbox`: where commands run, what is in there, and what it refuses.
import type { Command } from 'commander';
import { asked, askingIn, type Lazy, own } from '../../grammar.ts';

export const CHANGING_SANDBOX: readonly string[] = ['recreate', 'prune', 'build'];

export function sandbox(program: Command, lazy: Lazy): void {
  const group = program
    .command('sandbox')
    .description('where commands run: status, explain, list, probe, recreate, prune, build');
  asked(
    group,
    'status',
    'what builds the box, and its limits',
    ['openclaw sandbox', 'openclaw sandbox status --json'],
    true,
  ).action(lazy(() => import('./status.ts')));

  own(group, 'explain', 'the box of one conversation, and which setting says so', [
    'openclaw sandbox explain',
    'openclaw sandbox explain --session agent:main:telegram:group:-100123',
    'openclaw sandbox explain --channel telegram --chat -100123 --sender 42 --json',
  ])
    .option('--session <key>', 'of this conversation, such as main (default: yours)')
    .option('--channel <channel>', 'or of somebody there, such as telegram')
    .option('--chat <id>', 'in which chat (default: a direct chat with the sender)')
    .option('--sender <id>', 'who asks (default: you)')
    .option('--place <place>', 'dm, group or channel, where the id of the chat does not say it')
    .option('--agent <name>', 'which agent (default: main)')
    .action(lazy(() => import('./explain.ts')));

  const boxes = askingIn(group, lazy, () => import('./boxes.ts'));
  boxes('list', 'the boxes that are open', ['openclaw sandbox list', 'openclaw sandbox list --json']);
  boxes('recreate', 'end boxes; the next command opens them anew', [
    'openclaw sandbox recreate --all',
    'openclaw sandbox recreate --agent main',
  ])
    .option('--all', 'all of them')
    .option('--session <key>', 'the one of this conversation')
    .option('--agent <name>', 'the one of this agent, and those of its conversations');
  const prune = ['openclaw sandbox prune', 'openclaw sandbox prune --all'];
  boxes('prune', 'close the boxes that nobody used for long', prune).option(
    '--all',
    'however short the time, as long as nothing runs in them',
  );

  own(group, 'probe', 'try to break out of a box; fails when something gets through', [
    'openclaw sandbox probe',
    'openclaw sandbox probe --driver unshare --json',
  ])
    .option('--driver <name>', 'bubblewrap, unshare, docker or podman (default: the one that is used)')
    .action(lazy(() => import('./probe.ts')));

  own(group, 'build', 'make the image for docker or podman, from packages of this machine', [
    'openclaw sandbox build',
    'openclaw sandbox build --engine podman',
  ])
    .option('--engine <name>', 'docker or podman (default: the backend of the settings, else docker)')
    .action(lazy(() => import('./build.ts')));
}
