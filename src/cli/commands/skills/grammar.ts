// Owns the grammar of `skills` and `sbom`: what others wrote for the assistant to follow, and what all of it consists of.
import type { Command } from 'commander';
import { type Lazy, own, ownIn } from '../../grammar.ts';

export const CHANGING_SKILLS: readonly string[] = ['install', 'approve', 'update', 'remove'];

type Name = Exclude<keyof typeof import('./skills.ts'), 'default'>;

export function skills(program: Command, lazy: Lazy): void {
  const group = program
    .command('skills')
    .description('what others wrote for the assistant to follow: install, look through, approve');
  const made = ownIn(group, lazy, () => import('./skills.ts'));
  const add = (name: Name, argument: string, what: string, lines: readonly string[]): Command =>
    made(name, what, lines).argument(argument, argument.includes('name') ? 'see the list' : WHERE);
  made('list', 'the skills, and which of them the assistant uses', ['openclaw skills list'], true);
  add('inspect', '<name>', 'what one says, needs, and what was found in it', ['openclaw skills inspect weather']);
  const from = (command: Command): Command =>
    command
      .option('--commit <number>', 'of a repository: which commit, by its whole number')
      .option('--subfolder <path>', 'where in it the SKILL.md lies');
  from(
    add('install', '<from>', 'take one in; it waits for your approval, and nothing of it runs', [
      'openclaw skills install ./weather',
      'openclaw skills install weather.zip --name town-weather',
      'openclaw skills install https://github.com/OWNER/REPO --commit 40-DIGITS --subfolder weather',
    ]),
  ).option('--name <name>', 'what it is called here');
  add('approve', '<name>', 'let the assistant use it, exactly as it is now', [
    'openclaw skills approve weather',
    'openclaw skills approve weather --hash 3f9c1b7a5d2e',
  ])
    .option('--hash <hash>', 'what you looked at, by the beginning of its hash; needed where something was found')
    .option('--yes', 'do not ask');
  from(
    add('update', '<name>', 'take it anew from where it came from; when it changed, it waits for your approval', [
      'openclaw skills update weather',
      'openclaw skills update weather --commit 40-DIGITS',
    ]),
  );
  add('remove', '<name>', 'away with it', ['openclaw skills remove weather']).option('--yes', 'do not ask');
  add('verify', '[name]', 'whether all that was approved is what it was: skills and side programs', [
    'openclaw skills verify',
    'openclaw skills verify weather --json',
  ]);
  add('scan', '<from>', 'look through a folder, an archive or an installed skill, and leave it where it is', [
    'openclaw skills scan ./weather',
    'openclaw skills scan weather.zip --json',
  ])
    .option('--commit <number>', 'of a repository')
    .option('--subfolder <path>', 'where in it the SKILL.md lies');
  group.addHelpText('after', '\nExit: 0 in order, 1 something was found or has changed');

  own(program, 'sbom', 'everything that this installation consists of, as CycloneDX', [
    'openclaw sbom',
    'openclaw sbom --json',
  ]).action(lazy(() => import('./sbom.ts')));
}

const WHERE = 'a folder, a .zip or .tar.gz, or https://… of a git repository';
