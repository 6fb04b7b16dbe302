// Owns the grammar of `mcp`: servers whose tools the assistant may use, and which of those tools the owner approved.
import type { Command } from 'commander';
import { askingIn, type Lazy } from '../../grammar.ts';

export const CHANGING_MCP: readonly string[] = ['approve', 'revoke'];

export function mcp(program: Command, lazy: Lazy): void {
  const group = program.command('mcp').description('tools of other programs: list, show, approve, revoke, probe');
  const add = askingIn(group, lazy, () => import('./mcp.ts'));
  const one = (...given: Parameters<typeof add>): Command =>
    add(...given).argument('<name>', 'of the server, see the list');
  add('list', 'the servers, and what of them is approved', ['openclaw mcp list', 'openclaw mcp list --json'], true);
  one('show', 'what the tools of one server say of themselves, word for word', ['openclaw mcp show github']);
  one('approve', 'let the assistant use the tools of one server as they are now', [
    'openclaw mcp approve github',
    'openclaw mcp approve github --tool search_issues',
  ]).option('--tool <tool>', 'only this one');
  one('revoke', 'take that back', [
    'openclaw mcp revoke github',
    'openclaw mcp revoke github --tool search_issues',
  ]).option('--tool <tool>', 'only this one');
  one('probe', 'ask the server for a sign of life and for its tools, starting it anew if need be', [
    'openclaw mcp probe github',
  ]);
}
