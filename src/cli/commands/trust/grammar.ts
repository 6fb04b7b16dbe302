// Owns the grammar of `trust`: people, chats, hosts and accounts that need no naming any more.
import type { Command } from 'commander';
import { asked, askingIn, type Lazy } from '../../grammar.ts';

export const CHANGING_TRUST = ['add', 'remove', 'import-contacts'];

export function trust(program: Command, lazy: Lazy): void {
  const group = program
    .command('trust')
    .description('people, chats, hosts and accounts that you know: list, add, remove, import-contacts');
  const body = () => import('./trust.ts');
  const verb = askingIn(group, lazy, body);
  verb('list', 'all of them, and who added each', ['openclaw trust list', 'openclaw trust list --json']);
  verb('add', 'one more', [
    'openclaw trust add ann@example.net --name Ann',
    'openclaw trust add example.net',
    'openclaw trust add telegram:123456',
  ])
    .argument('<value>', 'an address, number, chat, host')
    .option('--kind <kind>', 'person, chat, host or account (default: what it can only be)')
    .option('--name <name>', 'what you call it');
  verb('remove', 'one less', ['openclaw trust remove ann@example.net']).argument('<value>', 'see the list');
  asked(group, 'import-contacts', 'your address book, shown before anything is added', [
    'openclaw trust import-contacts --paired --dry-run',
    'openclaw trust import-contacts ~/contacts.vcf',
    'openclaw trust import-contacts ~/contacts.csv --yes --json',
  ])
    .argument('[files...]', 'vCard (.vcf) or tables (.csv)')
    .option('--paired', 'the chats of people whom you let in')
    .option('--dry-run', 'only show what would be added')
    .option('--yes', 'do not ask')
    .action(lazy(async () => ({ run: (await body()).importContacts })));
}
