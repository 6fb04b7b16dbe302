// Owns the grammar of `channels`. No option and no argument of these may take a token: everybody on the machine can read
// the words of a command.
import type { Command } from 'commander';
import { asking, examples, jsonOption, type Lazy } from '../../grammar.ts';

export const CHANGING_CHANNELS: readonly string[] = ['add', 'remove', 'login', 'logout'];

export function channels(program: Command, lazy: Lazy): void {
  const group = program.command('channels').description('where people write to the assistant: Telegram, Discord, …');
  for (const name of ['status', 'list'] as const) {
    const words = name === 'status' ? 'which are connected, and what came and went by each' : 'same as status';
    const command = asking(group.command(name).description(words));
    command
      .option('--probe', 'a real round trip on each, now')
      .action(lazy(async () => ({ run: (await import('./status.ts'))[name] })));
    examples(command, [`openclaw channels ${name}`, `openclaw channels ${name} --probe --json`]);
  }
  const test = asking(group.command('test').description('a real round trip; fails when one does not come back'));
  test.argument('[channel]', 'only this one').action(lazy(async () => ({ run: (await import('./status.ts')).test })));
  examples(test, ['openclaw channels test', 'openclaw channels test telegram']);

  const own = (name: string, words: string, lines: readonly string[]): Command => {
    const command = group.command(name).description(words).addOption(jsonOption());
    command.argument('<channel>', 'telegram, discord, slack, mail or whatsapp');
    command.option('--account <name>', 'a further account of the channel');
    examples(command, lines);
    return command;
  };
  own('add', 'connect one: its token is asked for, tried, and kept in credentials/', [
    'openclaw channels add telegram',
    'pass show discord-bot | openclaw channels add discord',
    'openclaw channels add mail --address a@example.org --imap-host imap.example.org --smtp-host smtp.example.org',
  ])
    .option('--token-file <path>', 'read the token from this file; Slack: two lines, bot token and app token')
    .option('--address <address>', 'mail: the mailbox')
    .option('--imap-host <host>', 'mail: where it is read')
    .option('--smtp-host <host>', 'mail: where answers are handed over')
    .option('--user <name>', 'mail: the account name (default: the address)')
    .option('--no-test', 'do not try the token first')
    .action(lazy(() => import('./add.ts')));
  own('remove', 'disconnect one, and remove its settings and tokens', ['openclaw channels remove telegram --yes'])
    .option('--yes', 'do not ask')
    .action(lazy(() => import('./remove.ts')));
  for (const name of ['login', 'logout'] as const) {
    const words = name === 'login' ? 'WhatsApp: link your phone with a QR code' : 'WhatsApp: unlink it';
    own(name, words, [`openclaw channels ${name} whatsapp`]).action(
      lazy(async () => ({ run: (await import('./login.ts'))[name] })),
    );
  }
}
