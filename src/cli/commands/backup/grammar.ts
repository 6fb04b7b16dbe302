// Owns the grammar of `backup`: a copy of everything, checked, scheduled, and the way back from it.
import { type Command, Option } from 'commander';
import { type Lazy, own, ownIn } from '../../grammar.ts';

export const CHANGING_BACKUP = ['create', 'restore', 'schedule'];

const PASSPHRASE = 'read the passphrase from standard input; it is never a word of a command';

export function backup(program: Command, lazy: Lazy): void {
  const group = program
    .command('backup')
    .description('a copy of everything, and the way back: create, verify, list, restore, schedule, run');
  own(group, 'create', 'now, also while the gateway runs; secrets only in an encrypted one', [
    'openclaw backup create',
    'openclaw backup create --encrypt --to /mnt/disk',
    'openclaw backup create --recipient age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p',
  ])
    .option('--encrypt', 'for the key in credentials/backup-key when there is one, else with a passphrase')
    .option('--recipient <age1…>', 'for this public key; may be said several times', listed)
    .option('--passphrase-stdin', PASSPHRASE)
    .option('--to <folder>', 'where to (default: backup.folder, or beside the state folder)')
    .action(lazy(() => import('./create.ts')));
  const look = ownIn(group, lazy, () => import('./look.ts'));
  const whole = ['openclaw backup verify ~/.openclaw-backups/openclaw-20261121T031700000Z.tar.gz'];
  keyed(look('verify', 'read all of it and compare every hash', whole));
  const known = ['openclaw backup list', 'openclaw backup list --json'];
  const list = look('list', 'the newest first, and when a restore was last proven', known);
  list.option('--to <folder>', 'in this folder (default: where they are made)');
  const restore = own(group, 'restore', 'what is there is put aside, never lost', [
    'openclaw backup restore FILE --dry-run',
    'openclaw gateway stop && openclaw backup restore FILE --in-place',
    'openclaw backup restore FILE --identity backup-key.txt --to ~/other',
  ]);
  keyed(restore)
    .option('--dry-run', 'check all of it and say what would change')
    .option('--in-place', 'over a state folder that is in use; its gateway must not run')
    .option('--to <folder>', 'into this folder instead of the state folder')
    .action(lazy(() => import('./restore.ts')));
  own(group, 'schedule', 'by the gateway while it runs, each proven by a restore; without options: how it stands', [
    'openclaw backup schedule --every day --keep 14',
    'openclaw backup schedule --every "30 2 * * 1-5" --to /mnt/disk --max-bytes 5GB',
    'openclaw backup schedule --off',
  ])
    .option('--every <when>', 'hour, day, week, or a cron line such as "0 3 * * *"')
    .option('--keep <count>', 'how many are kept (default: 14)')
    .option('--max-bytes <size>', 'how much they may take together, such as 5GB (default: 10GB)')
    .option('--to <folder>', 'where to')
    .option('--recipient <age1…>', 'also for this public key', listed)
    .option('--no-encrypt', 'for everybody to read, and so without secrets')
    .option('--off', 'no more; those that are there stay')
    .action(lazy(() => import('./schedule.ts')));
  own(group, 'run', 'what the schedule does, now: make one, restore it into a scratch home, start and examine it', [
    'openclaw backup run',
    'openclaw backup run --json',
  ])
    .addOption(new Option('--scheduled', 'the gateway says so').hideHelp())
    .action(lazy(() => import('./run.ts')));
}

const listed = (one: string, all: string[] = []): string[] => [...all, one];

const keyed = (command: Command): Command =>
  command
    .argument('<file>', 'see backup list')
    .option('--identity <file>', 'the file with its key (default: credentials/backup-key)')
    .option('--passphrase-stdin', PASSPHRASE);
