// Owns the grammar of `config`, `secrets` and `token`. No option and no argument of these may take the value of a secret:
// everybody on the machine can read the words of a command.
import type { Command } from 'commander';
import { asked, type Lazy, own } from './grammar.ts';

export function settings(program: Command, lazy: Lazy): void {
  const config = program.command('config').description('the configuration: look at it, change it, take it back');
  look(config, lazy);
  change(config, lazy);
  secrets(program.command('secrets').description('keys, tokens and passwords: where they lie, how old they are'), lazy);
  const token = program.command('token').description('the token of the gateway: generate, rotate');
  own(token, 'generate', 'print a new token, change nothing', ['openclaw token generate']).action(
    lazy(async () => ({ run: (await import('./commands/secrets/token.ts')).generate })),
  );
  own(token, 'rotate', 'give the gateway a new token', ['openclaw token rotate', 'openclaw token rotate --grace 1h'])
    .option('--grace <time>', 'the old one works for this long, such as 30m or 1h (default: it ends at once)')
    .action(lazy(async () => ({ run: (await import('./commands/secrets/token.ts')).rotate })));
}

function look(config: Command, lazy: Lazy): void {
  asked(config, 'get', 'a value, or all of it, secrets hidden', [
    'openclaw config get',
    'openclaw config get gateway.port',
  ])
    .argument('[path]')
    .action(lazy(() => import('./commands/config/get.ts')));

  own(config, 'validate', 'read it as a start would, and say what each line means', [
    'openclaw config validate',
    'openclaw config validate --strict --json',
  ])
    .option('--strict', 'a key without meaning is an error everywhere')
    .action(lazy(() => import('./commands/config/validate.ts')));
  own(config, 'schema', 'what can be set: JSON Schema, or one setting in words', [
    'openclaw config schema > openclaw.schema.json',
    'openclaw config schema gateway.bind',
  ])
    .argument('[path]')
    .action(lazy(() => import('./commands/config/schema.ts')));
  own(config, 'file', 'where the configuration file is', ['openclaw config file']).action(
    lazy(() => import('./commands/config/file.ts')),
  );
  own(config, 'history', 'the last versions', ['openclaw config history']).action(
    lazy(() => import('./commands/config/history.ts')),
  );
  own(config, 'diff', 'what changed since a version, or between two', [
    'openclaw config diff',
    'openclaw config diff 3',
    'openclaw config diff 3 5',
  ])
    .argument('[from]', 'a version of the history (default: the one before)')
    .argument('[to]', 'another one (default: the file as it is)')
    .action(lazy(() => import('./commands/config/diff.ts')));
}

function change(config: Command, lazy: Lazy): void {
  changing(config, 'set', 'change one setting; comments stay', [
    'openclaw config set gateway.port 19000',
    'openclaw config set agents.defaults.model.primary anthropic/claude-sonnet-4-5',
    `openclaw config set channels.telegram.allowFrom '["1303993020"]' --confirm-within 5m`,
  ])
    .argument('<path>', 'such as gateway.port')
    .argument('<value>', 'JSON5, or bare text')
    .action(lazy(() => import('./commands/config/set.ts')));
  changing(config, 'unset', 'take a setting out: its default holds', ['openclaw config unset gateway.port'])
    .argument('<path>')
    .action(lazy(() => import('./commands/config/unset.ts')));
  changing(config, 'patch', 'change several settings at once; null takes one out', [
    `openclaw config patch '{ gateway: { port: 19000 }, logging: { level: "debug" } }' --dry-run`,
    'openclaw config patch < change.json5',
  ])
    .argument('[json5]', 'an object; without it, standard input is read')
    .action(lazy(() => import('./commands/config/patch.ts')));
  own(config, 'confirm', 'keep the change that waits for your word', ['openclaw config confirm']).action(
    lazy(() => import('./commands/config/confirm.ts')),
  );
  changing(config, 'rollback', 'return the change that waits, or go back to a version', [
    'openclaw config rollback',
    'openclaw config rollback 3 --dry-run',
  ])
    .argument('[version]', 'of the history (default: the one before)')
    .action(lazy(() => import('./commands/config/rollback.ts')));
}

function secrets(group: Command, lazy: Lazy): void {
  const vault = ['--vault', 'the encrypted vault, not a file in credentials/'] as const;
  own(group, 'set', 'store a secret; its value is asked for, or read from standard input', [
    'openclaw secrets set anthropic-key',
    'pass show telegram | openclaw secrets set telegram-bot-token --vault',
  ])
    .argument('<name>', 'such as anthropic-key')
    .option(...vault)
    .action(lazy(() => import('./commands/secrets/set.ts')));
  own(group, 'list', 'names, places and ages; never a value', ['openclaw secrets list']).action(
    lazy(() => import('./commands/secrets/list.ts')),
  );
  own(group, 'rm', 'remove a secret', ['openclaw secrets rm telegram-bot-token'])
    .argument('<name>')
    .option(...vault)
    .option('--yes', 'do not ask')
    .action(lazy(() => import('./commands/secrets/rm.ts')));
  own(group, 'rotate', 'a new value for a secret that is there', ['openclaw secrets rotate anthropic-key'])
    .argument('<name>')
    .option(...vault)
    .action(lazy(() => import('./commands/secrets/rotate.ts')));
  own(group, 'audit', 'secrets in the open, too open, too old, twice, in copies', ['openclaw secrets audit']).action(
    lazy(() => import('./commands/secrets/audit.ts')),
  );
  own(group, 'migrate', 'move secrets out of the configuration', [
    'openclaw secrets migrate --dry-run',
    'openclaw secrets migrate --vault',
  ])
    .option(...vault)
    .option('--dry-run', 'say what would be moved, move nothing')
    .action(lazy(() => import('./commands/secrets/migrate.ts')));

  const store = group.command('vault').description('the encrypted vault: init, rekey');
  const phrase = ['--passphrase', 'open it with a passphrase, not with a key file'] as const;
  own(store, 'init', 'make one', ['openclaw secrets vault init', 'openclaw secrets vault init --passphrase'])
    .option(...phrase)
    .action(lazy(async () => ({ run: (await import('./commands/secrets/vault.ts')).init })));
  own(store, 'rekey', 'a new key; the old one opens it no longer', ['openclaw secrets vault rekey'])
    .option(...phrase)
    .action(lazy(async () => ({ run: (await import('./commands/secrets/vault.ts')).rekey })));
}

function changing(config: Command, name: string, words: string, lines: readonly string[]): Command {
  return own(config, name, words, lines)
    .option('--dry-run', 'judge it and show the difference, write nothing')
    .option('--confirm-within <time>', 'return it by itself, unless confirmed within 30s, 5m, 1h')
    .option('--base-hash <hash>', 'only if the file still is this one (see config file --json)')
    .option('--yes', 'do not ask');
}
