// Owns the grammar of daily work: starting and stopping, the unit, doctor, the first setup, and the way out of all of it.
import type { Command } from 'commander';
import { examples, jsonOption, type Lazy } from './grammar.ts';

/** Verbs of these that change something. */
export const CHANGING_OPERATIONS: readonly string[] = [
  ...['start', 'stop', 'restart', 'install', 'uninstall', 'reset', 'onboard', 'setup'],
];

export function operations(program: Command, lazy: Lazy): void {
  own(program, 'doctor', 'look at everything that can be wrong here; changes nothing', [
    'openclaw doctor',
    'openclaw doctor --fix',
    'openclaw doctor --json',
  ])
    .option('--fix', 'mend modes of files and remove what a crash left, nothing else')
    .action(lazy(() => import('./commands/ops/doctor.ts')));
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

function own(parent: Command, name: string, what: string, lines: readonly string[]): Command {
  const command = parent.command(name).description(what).addOption(jsonOption());
  examples(command, lines);
  return command;
}
