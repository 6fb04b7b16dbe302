// Owns the grammar of `pairing` and `why`: who may talk to the assistant, and why somebody was heard or not.
import type { Command } from 'commander';
import { asked, askingIn, type Lazy } from '../../grammar.ts';

export const CHANGING_ACCESS = ['approve', 'reject', 'revoke', 'invite'];

export function access(program: Command, lazy: Lazy): void {
  const pairing = program
    .command('pairing')
    .description('who may talk: list, approve, reject, approved, revoke, invite');
  const add = askingIn(pairing, lazy, () => import('./pairing.ts'));
  const verb = (...given: Parameters<typeof add>): Command =>
    add(...given)
      .option('--channel <channel>', 'only there, such as telegram')
      .option('--account <account>', 'of which account of the channel');

  verb('list', 'who waits for your word', ['openclaw pairing list', 'openclaw pairing list --json']).argument(
    '[channel]',
  );
  verb('approve', 'let somebody in, or a group', [
    'openclaw pairing approve K7QM2XWD',
    'openclaw pairing approve K7QM2XWD --owner',
    'openclaw pairing approve telegram:-1001234567 --members',
  ])
    .argument('<code>', 'the code that they were told, or an id such as telegram:123456')
    .argument('[code]', 'after a channel: approve telegram CODE')
    .option('--owner', 'it is you: this account may do whatever you may')
    .option('--members', 'a group: everybody in it may speak to the assistant')
    .option('--group', 'the id is that of a group')
    .option('--notify', 'they are told in any case');
  verb('reject', 'not this one; they hear nothing', [
    'openclaw pairing reject K7QM2XWD',
    'openclaw pairing reject --all',
  ])
    .argument('[code]', 'a code, or an id')
    .argument('[more]')
    .option('--all', 'nobody of those who wait');
  verb('approved', 'who was let in, and when they wrote last', ['openclaw pairing approved']);
  verb('revoke', 'take it back, at once', [
    'openclaw pairing revoke telegram:123456',
    'openclaw pairing revoke 123456 --channel telegram',
    'openclaw pairing revoke invite:x8Kd2m',
  ]).argument('<id>', 'see pairing approved');
  asked(pairing, 'invite', 'a guest pass, which ends by itself', [
    'openclaw pairing invite --name Anna --until 2d',
    'openclaw pairing invite --tools read,ls --folder recipes --budget 20/day --until 7d --bot my_house_bot',
  ])
    .option('--tools <tools>', 'what they may use, such as read,ls (default: only talk)')
    .option('--folder <folder>', 'the folder of the workspace that their tools see')
    .option('--budget <budget>', 'such as 20/day (messages) or 50000tokens/day')
    .option('--until <time>', 'how long it is good, such as 12h or 7d (default: 7d)')
    .option('--name <name>', 'for whom, for your own list')
    .option('--bot <name>', 'the user name of your Telegram bot, for a link')
    .action(lazy(() => import('./invite.ts')));

  asked(program, 'why', 'why a message was heard or not, and what would change it', [
    'openclaw why',
    'openclaw why --sender telegram:123456',
    'openclaw why --channel telegram --json',
  ])
    .argument('[message]', 'its id (default: the last one)')
    .option('--sender <id>', 'the last of this sender, such as telegram:123456')
    .option('--chat <id>', 'the last in this chat')
    .option('--channel <channel>', 'the last that came by it')
    .action(lazy(() => import('./why.ts')));
}
