// Owns the grammar of `policy`: what the assistant may do for whom, and where, before anybody has tried it.
import type { Command } from 'commander';
import { examples, jsonOption, type Lazy } from '../../grammar.ts';

export function policy(program: Command, lazy: Lazy): void {
  const group = program
    .command('policy')
    .description('what the assistant may do, for whom and where: explain, test, replay');
  const explain = group.command('explain').description('what holds for one tool, and which setting says so');
  explain
    .requiredOption('--tool <tool>', 'such as exec or write')
    .option('--channel <channel>', 'where it is asked for, such as telegram (default: your own chat here)')
    .option('--chat <id>', 'in which chat (default: a direct chat with the sender)')
    .option('--sender <id>', 'who asks (default: you)')
    .option('--place <place>', 'dm, group or channel, where the id of the chat does not say it')
    .option('--guild <id>', 'the server that the chat is in')
    .option('--account <account>', 'of which account of the channel')
    .option('--agent <name>', 'which agent (default: main)')
    .option('--command <text>', 'the command that would run')
    .option('--path <path>', 'the file that would be touched')
    .option('--to <chat>', 'the chat that would be written to')
    .option('--url <address>', 'the page that would be read')
    .addOption(jsonOption())
    .action(lazy(() => import('./explain.ts')));
  examples(explain, [
    'openclaw policy explain --tool exec',
    'openclaw policy explain --tool exec --channel telegram --chat -100123 --sender 42',
    `openclaw policy explain --tool exec --command 'git status' --json`,
    'openclaw policy explain --tool write --path notes/a.md',
    'openclaw policy explain --tool web_fetch --url https://example.net/',
  ]);
  const test = group.command('test').description('your own table of calls and decisions, as a test of your settings');
  test
    .argument('<file>', 'JSON5: [{ tool, channel, chat, sender, command, path, expect, key }]')
    .addOption(jsonOption())
    .action(lazy(() => import('./test.ts')));
  examples(test, ['openclaw policy test policy-tests.json5', 'openclaw policy test policy-tests.json5 --json']);
  const replay = group.command('replay').description('recorded runs, one a line: what each call would have met');
  replay
    .argument('<file>', 'JSON lines: {"id", "tools", "registry", "run": [{"owner"} or {"call", "result"}]}')
    .option('--deny-asks', 'what would ask is refused (default: approved)')
    .addOption(jsonOption())
    .action(lazy(() => import('./replay.ts')));
  examples(replay, ['openclaw policy replay runs.jsonl', 'openclaw policy replay runs.jsonl --deny-asks']);
}
