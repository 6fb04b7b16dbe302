// Owns the grammar of `pairing` and `why`: who may talk to the assistant, and why somebody was heard or not.
import type { Command } from 'commander';
import { asking, examples, type Lazy } from '../../grammar.ts';

export const CHANGING_ACCESS = ['approve', 'reject', 'revoke', 'invite'];

export function access(program: Command, lazy: Lazy): void {
  const pairing = program
    .command('pairing')
    .description('who may talk: list, approve, reject, approved, revoke, invite');
  const verb = (name: 'list' | 'approve' | 'reject' | 'approved' | 'revoke', words: string): Command =>
    asking(pairing.command(name).description(words))
      .option('--channel <channel>', 'only there, such as telegram')
      .option('--account <account>', 'of which account of the channel')
      .action(lazy(async () => ({ run: (await import('./pairing.ts'))[name] as never })));

  examples(verb('list', 'who waits for your word').argument('[channel]'), [
    'openclaw pairing list',
    'openclaw pairing list --json',
  ]);
  const approve = verb('approve', 'let somebody in, or a group')
    .argument('<code>', 'the code that they were told, or an id such as telegram:123456')
    .argument('[code]', 'after a channel: approve telegram CODE')
    .option('--owner', 'it is you: this account may do whatever you may')
    .option('--members', 'a group: everybody in it may speak to the assistant')
    .option('--group', 'the id is that of a group')
    .option('--notify', 'they are told in any case');
  examples(approve, [
    'openclaw pairing approve K7QM2XWD',
    'openclaw pairing approve K7QM2XWD --owner',
    'openclaw pairing approve telegram:-1001234567 --members',
  ]);
  const reject = verb('reject', 'not this one; they hear nothing')
    .argument('[code]', 'a code, or an id')
    .argument('[more]');
  reject.option('--all', 'nobody of those who wait');
  examples(reject, ['openclaw pairing reject K7QM2XWD', 'openclaw pairing reject --all']);
  examples(verb('approved', 'who was let in, and when they wrote last'), ['openclaw pairing approved']);
  examples(verb('revoke', 'take it back, at once').argument('<id>', 'see pairing approved'), [
    'openclaw pairing revoke telegram:123456',
    'openclaw pairing revoke 123456 --channel telegram',
    'openclaw pairing revoke invite:x8Kd2m',
  ]);
  const invite = asking(pairing.command('invite').description('a guest pass, which ends by itself'));
  invite
    .option('--tools <tools>', 'what they may use, such as read,ls (default: only talk)')
    .option('--folder <folder>', 'the folder of the workspace that their tools see')
    .option('--budget <budget>', 'such as 20/day (messages) or 50000tokens/day')
    .option('--until <time>', 'how long it is good, such as 12h or 7d (default: 7d)')
    .option('--name <name>', 'for whom, for your own list')
    .option('--bot <name>', 'the user name of your Telegram bot, for a link')
    .action(lazy(() => import('./invite.ts')));
  examples(invite, [
    'openclaw pairing invite --name Anna --until 2d',
    'openclaw pairing invite --tools read,ls --folder recipes --budget 20/day --until 7d --bot my_house_bot',
  ]);

  const why = asking(program.command('why').description('why a message was heard or not, and what would change it'));
  why
    .argument('[message]', 'its id (default: the last one)')
    .option('--sender <id>', 'the last of this sender, such as telegram:123456')
    .option('--chat <id>', 'the last in this chat')
    .option('--channel <channel>', 'the last that came by it')
    .action(lazy(() => import('./why.ts')));
  examples(why, ['openclaw why', 'openclaw why --sender telegram:123456', 'openclaw why --channel telegram --json']);
}
