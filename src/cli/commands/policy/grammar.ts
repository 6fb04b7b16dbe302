// Owns the grammar of `policy`: what the assistant may do for whom, and where, before anybody has tried it.
import type { Command } from 'commander';
import { type Lazy, own } from '../../grammar.ts';

export function policy(program: Command, lazy: Lazy): void {
  const group = program
    .command('policy')
    .description('what the assistant may do, for whom and where: explain, test, replay');
  own(group, 'explain', 'what holds for one tool, and which setting says so', [
    'openclaw policy explain --tool exec',
    'openclaw policy explain --tool exec --channel telegram --chat -100123 --sender 42',
    `openclaw policy explain --tool exec --command 'git status' --json`,
    'openclaw policy explain --tool write --path notes/a.md',
    'openclaw policy explain --tool web_fetch --url https://example.net/',
  ])
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
    .action(lazy(() => import('./explain.ts')));
  own(group, 'test', 'your own table of calls and decisions, as a test of your settings', [
    'openclaw policy test policy-tests.json5',
    'openclaw policy test policy-tests.json5 --json',
  ])
    .argument('<file>', 'JSON5: [{ tool, channel, chat, sender, command, path, expect, key }]')
    .action(lazy(() => import('./test.ts')));
  own(group, 'replay', 'recorded runs, one a line: what each call would have met', [
    'openclaw policy replay runs.jsonl',
    'openclaw policy replay runs.jsonl --deny-asks',
  ])
    .argument('<file>', 'JSON lines: {"id", "tools", "registry", "run": [{"owner"} or {"call", "result"}]}')
    .option('--deny-asks', 'what would ask is refused (default: approved)')
    .action(lazy(() => import('./replay.ts')));
}
