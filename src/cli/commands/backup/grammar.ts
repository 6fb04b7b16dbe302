// Owns the grammar of `backup`: a copy of everything, checked, scheduled, and the way back from it.
import { type Command, Option } from 'commander';
import { examples, jsonOption, type Lazy } from '../../grammar.ts';

export const CHANGING_BACKUP = ['create', 'restore', 'schedule'];

const PASSPHRASE = 'read the passphrase from standard input; it is never a word of a command';

export function backup(program: Command, lazy: Lazy): void {
  const group = program
    .command('backup')
    .description('a copy of everything, and the way back: create, verify, list, restore, schedule, run');
  const verb = (name: string, what: string): Command => group.command(name).description(what).addOption(jsonOption());

  const create = verb('create', 'now, also while the gateway runs; secrets only in an encrypted one');
  create
    .option('--encrypt', 'for the key in credentials/backup-key when there is one, else with a passphrase')
    .option(
      '--recipient <age1…>',
      'for this public key; may be said several times',
      (one: string, all: string[] = []) => [...all, one],
    )
    .option('--passphrase-stdin', PASSPHRASE)
    .option('--to <folder>', 'where to (default: backup.folder, or beside the state folder)')
    .action(lazy(() => import('./create.ts')));
  examples(create, [
    'openclaw backup create',
    'openclaw backup create --encrypt --to /mnt/disk',
    'openclaw backup create --recipient age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p',
  ]);

  const verify = keyed(verb('verify', 'read all of it and compare every hash').argument('<file>', 'see backup list'));
  verify.action(lazy(async () => ({ run: (await import('./look.ts')).verify })));
  examples(verify, ['openclaw backup verify ~/.openclaw-backups/openclaw-20261121T031700000Z.tar.gz']);

  const list = verb('list', 'the newest first, and when a restore was last proven');
  list
    .option('--to <folder>', 'in this folder (default: where they are made)')
    .action(lazy(async () => ({ run: (await import('./look.ts')).list })));
  examples(list, ['openclaw backup list', 'openclaw backup list --json']);

  const restore = keyed(
    verb('restore', 'what is there is put aside, never lost').argument('<file>', 'see backup list'),
  );
  restore
    .option('--dry-run', 'check all of it and say what would change')
    .option('--in-place', 'over a state folder that is in use; its gateway must not run')
    .option('--to <folder>', 'into this folder instead of the state folder')
    .action(lazy(() => import('./restore.ts')));
  examples(restore, [
    'openclaw backup restore FILE --dry-run',
    'openclaw gateway stop && openclaw backup restore FILE --in-place',
    'openclaw backup restore FILE --identity backup-key.txt --to ~/other',
  ]);

  const schedule = verb(
    'schedule',
    'by the gateway while it runs, each proven by a restore; without options: how it stands',
  );
  schedule
    .option('--every <when>', 'hour, day, week, or a cron line such as "0 3 * * *"')
    .option('--keep <count>', 'how many are kept (default: 14)')
    .option('--max-bytes <size>', 'how much they may take together, such as 5GB (default: 10GB)')
    .option('--to <folder>', 'where to')
    .option('--recipient <age1…>', 'also for this public key', (one: string, all: string[] = []) => [...all, one])
    .option('--no-encrypt', 'for everybody to read, and so without secrets')
    .option('--off', 'no more; those that are there stay')
    .action(lazy(() => import('./schedule.ts')));
  examples(schedule, [
    'openclaw backup schedule --every day --keep 14',
    'openclaw backup schedule --every "30 2 * * 1-5" --to /mnt/disk --max-bytes 5GB',
    'openclaw backup schedule --off',
  ]);

  const run = verb(
    'run',
    'what the schedule does, now: make one, restore it into a scratch home, start and examine it',
  );
  run.addOption(new Option('--scheduled', 'the gateway says so').hideHelp()).action(lazy(() => import('./run.ts')));
  examples(run, ['openclaw backup run', 'openclaw backup run --json']);
}

const keyed = (command: Command): Command =>
  command
    .option('--identity <file>', 'the file with its key (default: credentials/backup-key)')
    .option('--passphrase-stdin', PASSPHRASE);
