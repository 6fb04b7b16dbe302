// Owns the grammar of `mcp`: servers whose tools the assistant may use, and which of those tools the owner approved.
import type { Command } from 'commander';
import { asking, examples, type Lazy } from '../../grammar.ts';

export const CHANGING_MCP: readonly string[] = ['approve', 'revoke'];

export function mcp(program: Command, lazy: Lazy): void {
  const group = program.command('mcp').description('tools of other programs: list, show, approve, revoke, probe');
  const body = () => import('./mcp.ts');
  const add = (name: keyof Awaited<ReturnType<typeof body>>, what: string, lines: readonly string[]): Command => {
    const command = asking(group.command(name, { isDefault: name === 'list' }).description(what));
    if (name !== 'list') command.argument('<name>', 'of the server, see the list');
    command.action(lazy(async () => ({ run: (await body())[name] as never })));
    examples(command, lines);
    return command;
  };
  add('list', 'the servers, and what of them is approved', ['openclaw mcp list', 'openclaw mcp list --json']);
  add('show', 'what the tools of one server say of themselves, word for word', ['openclaw mcp show github']);
  add('approve', 'let the assistant use the tools of one server as they are now', [
    'openclaw mcp approve github',
    'openclaw mcp approve github --tool search_issues',
  ]).option('--tool <tool>', 'only this one');
  add('revoke', 'take that back', [
    'openclaw mcp revoke github',
    'openclaw mcp revoke github --tool search_issues',
  ]).option('--tool <tool>', 'only this one');
  add('probe', 'ask the server for a sign of life and for its tools, starting it anew if need be', [
    'openclaw mcp probe github',
  ]);
}
