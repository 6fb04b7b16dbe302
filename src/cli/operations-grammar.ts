// Owns the grammar of daily work: starting and stopping, the unit, doctor, the first setup, and the way out of all of it.
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { asked, askingIn, type Lazy, own } from './grammar.ts';

/** Verbs of these that change something. */
export const CHANGING_OPERATIONS: readonly string[] = [
  ...['start', 'stop', 'restart', 'install', 'uninstall', 'reset', 'onboard', 'setup', 'migrate', 'undo', 'panic'],
];

export function operations(program: Command, lazy: Lazy): void {
  own(program, 'doctor', 'look at everything that can be wrong here; changes nothing', [
    'openclaw doctor',
    'openclaw doctor --fix',
    'openclaw doctor --json',
  ])
    .option('--fix', 'mend modes of files and remove what a crash left, nothing else')
    .action(lazy(() => import('./commands/ops/doctor.ts')));

  for (const name of ['onboard', 'setup']) {
    const command = own(program, name, 'the first setup: a model, a start with the machine, the page', [
      `openclaw ${name}`,
      `openclaw ${name} --install-daemon`,
      `openclaw ${name} --yes --provider anthropic --key-stdin < key.txt`,
    ]);
    command
      .option('--provider <name>', 'anthropic, openai, openrouter, ollama, lmstudio, or another with --base-url')
      .option('--base-url <url>', 'where the provider is, such as http://127.0.0.1:11434/v1')
      .option('--model <name>', 'the model that answers')
      .option('--key-stdin', 'read its key from standard input; a key is never a word of a command')
      .option('--install-daemon', 'have the gateway start with the machine')
      .option('--start', 'start it in the background')
      .option('--no-open', 'do not ask about the page')
      .option('--yes', 'ask nothing')
      .action(lazy(() => import('./commands/ops/onboard.ts')));
  }

  own(program, 'migrate', 'take over an older state: ~/.clawdbot, ~/.moltbot, or an upstream openclaw.json', [
    'openclaw migrate --dry-run',
    'openclaw migrate --from ~/.clawdbot',
    'openclaw migrate --from ~/backup/openclaw.json --dry-run --json',
  ])
    .option('--from <path>', 'the old folder or configuration file (default: where it usually is)')
    .option('--vault', 'secrets go to the encrypted vault, not to files in credentials/')
    .option('--dry-run', 'only say what would be taken over, and what not')
    .option('--yes', 'do not ask')
    .action(lazy(() => import('./commands/ops/migrate.ts')));

  undo(program, lazy);

  own(program, 'panic', 'stop everything at once: turns, commands, channels, messages; until it is lifted', [
    'openclaw panic',
    'openclaw panic --why "it answers strangers"',
    'openclaw panic --lift',
  ])
    .option('--why <text>', 'written down with it')
    .option('--lift', 'let it work again')
    .option('--state', 'only say whether everything is stopped')
    .action(lazy(() => import('./commands/ops/panic.ts')));

  const leave = () => import('./commands/ops/leave.ts');
  for (const [name, what] of [
    ['reset', 'start anew: what is there is moved aside, never deleted'],
    ['uninstall', 'stop it and remove its unit; says what it leaves'],
  ] as const) {
    const words = name === 'reset' ? ['reset config', 'reset sessions', 'reset all'] : [name];
    const command = own(
      program,
      name,
      what,
      words.map((word) => `openclaw ${word} --dry-run`),
    )
      .option('--dry-run', 'only say what it would do')
      .option('--yes', 'do not ask');
    if (name === 'reset') command.argument('<scope>', 'config, sessions or all');
    command.action(lazy(async () => ({ run: (await leave())[name] })));
  }

  own(program, 'completion', 'a script that completes these commands in your shell', [
    'openclaw completion bash > ~/.local/share/bash-completion/completions/openclaw',
    'openclaw completion fish > ~/.config/fish/completions/openclaw.fish',
  ])
    .argument('<shell>', 'bash, zsh or fish')
    .action(
      lazy(async () => {
        const { run } = await import('./commands/ops/completion.ts');
        return { run: (context: Context, _options: never, shell: string) => run(context, program, shell) };
      }),
    );
}

function undo(program: Command, lazy: Lazy): void {
  const body = () => import('./commands/undo/undo.ts');
  const command = asked(program, 'undo', 'bring back the files that a turn of the assistant changed', [
    'openclaw undo --dry-run',
    'openclaw undo',
    'openclaw undo --turn 3f6a12c4 --yes',
  ])
    .option('--turn <id>', 'of this turn, see undo list (default: the last that changed something)')
    .option('--dry-run', 'only show what would change')
    .option('--all', 'the whole workspace as it was before that turn, whoever changed it since')
    .option('--force', 'also the files that somebody else has changed since')
    .option('--yes', 'do not ask')
    .action(lazy(body));
  askingIn(command, lazy, body)('list', 'turns that changed files, the newest first', [
    'openclaw undo list',
    'openclaw undo list --json',
  ]);
}

export function gatewayOperations(group: Command, lazy: Lazy): void {
  const power = () => import('./commands/ops/gateway-power.ts');
  own(group, 'start', 'run it in the background', ['openclaw gateway start', 'openclaw gateway start --port 19000'])
    .option('--port <port>', 'listen on this port (default: as configured, 18789)')
    .action(lazy(async () => ({ run: (await power()).start })));
  own(group, 'stop', 'end it, wherever it was started', ['openclaw gateway stop', 'openclaw gateway stop --force'])
    .option('--force', 'kill it when it does not stop in 15 seconds')
    .action(lazy(async () => ({ run: (await power()).stop })));
  own(group, 'restart', 'end it and start it in the background', ['openclaw gateway restart'])
    .option('--port <port>', 'listen on this port (default: the one it had)')
    .option('--force', 'kill it when it does not stop in 15 seconds')
    .action(lazy(async () => ({ run: (await power()).restart })));

  const unit = () => import('./commands/ops/gateway-unit.ts');
  own(group, 'install', 'have it start with the machine, behind the walls of the service manager', [
    'openclaw gateway install',
    'sudo openclaw gateway install --system-user openclaw',
    'openclaw gateway install --print',
  ])
    .option('--system-user <name>', 'run it as this account, made when it does not exist (needs root)')
    .option('--print', 'print the unit, change nothing')
    .action(lazy(async () => ({ run: (await unit()).install })));
  own(group, 'uninstall', 'undo install; your data stays', ['openclaw gateway uninstall']).action(
    lazy(async () => ({ run: (await unit()).uninstall })),
  );
}
