// Owns `openclaw mcp`: shows what the tools of other programs say of themselves and approves exactly what was shown. What a
// server says is printed as text from outside, never as anything else.
import { HardshellError } from '../../../platform/errors.ts';
import type { McpReport, ToolReport } from '../../../tools/mcp/report.ts';
import { listOf, objectOf } from '../../connect/wire.ts';
import { ask } from '../../connect/with-client.ts';
import type { Context } from '../../context.ts';
import { type Output, span } from '../../output.ts';
import { escapeLine } from '../../print/text.ts';
import type { TargetFlags } from '../../target.ts';

type Flags = TargetFlags & { readonly tool?: string };

export async function list(context: Context, options: Flags): Promise<undefined> {
  const { out } = context;
  const servers = await fetchAll(context, options);
  out.data({ servers });
  if (servers.length === 0) out.note(span('dim', 'no server is configured; see mcp.servers in docs/mcp.md'));
  for (const server of servers) summary(out, server);
}

export async function show(context: Context, options: Flags, name: string): Promise<undefined> {
  const server = await fetchOne(context, options, name);
  context.out.data(server);
  summary(context.out, server);
  for (const tool of server.tools) details(context.out, tool);
}

export async function approve(context: Context, options: Flags, name: string): Promise<undefined> {
  const { out } = context;
  const server = await fetchOne(context, options, name);
  const waiting = server.tools.filter(
    ({ tool, state }) =>
      (state === 'new' || state === 'changed') && (options.tool === undefined || tool === options.tool),
  );
  if (waiting.length === 0)
    throw new HardshellError({
      code: 'MCP_NOTHING_WAITS',
      message: `no tool of ${name}${options.tool === undefined ? '' : ` called ${options.tool}`} waits for your yes`,
      fix: `openclaw mcp show ${name}`,
    });
  for (const tool of waiting) details(out, tool);
  const tools = waiting.map(({ tool, hash }) => ({ tool, hash }));
  await ask(context, options, 'operator.approvals', 'mcp.approve', { name, tools });
  out.data({ name, approved: waiting.map(({ tool }) => tool) });
  out.line(`approved, as they stand above: ${waiting.length} of ${escapeLine(name)}`);
  const undeclared = waiting.filter(({ effect }) => effect === null);
  if (undeclared.length > 0)
    out.note(
      span(
        'dim',
        `each call asks you, until you say what it does: mcp.servers.${name}.tools.${undeclared[0]?.tool}.effects`,
      ),
    );
}

export async function revoke(context: Context, options: Flags, name: string): Promise<undefined> {
  const params = { name, ...(options.tool === undefined ? {} : { tool: options.tool }) };
  const { revoked } = objectOf(await ask(context, options, 'operator.approvals', 'mcp.revoke', params));
  context.out.data({ name, revoked });
  context.out.line(`not approved any more: ${Number(revoked)} of ${escapeLine(name)}`);
}

export async function probe(context: Context, options: Flags, name: string): Promise<undefined> {
  const server = (await ask(context, options, 'operator.write', 'mcp.probe', { name })) as McpReport;
  context.out.data(server);
  summary(context.out, server);
}

async function fetchAll(context: Context, options: Flags): Promise<readonly McpReport[]> {
  const answer = await ask(context, options, 'operator.read', 'mcp.list', {});
  return listOf(objectOf(answer)['servers']) as readonly McpReport[];
}

async function fetchOne(context: Context, options: Flags, name: string): Promise<McpReport> {
  const servers = await fetchAll(context, options);
  const found = servers.find((one) => one.name === name);
  if (found) return found;
  throw new HardshellError({
    code: 'MCP_NO_SERVER',
    message: `there is no MCP server ${JSON.stringify(name.slice(0, 64))}`,
    fix: 'openclaw mcp list',
  });
}

function summary(out: Output, { name, kind, state, problem, tools }: McpReport): void {
  const count = (...states: string[]): number => tools.filter((one) => states.includes(one.state)).length;
  const waits = count('new', 'changed');
  const parts = [`${count('approved')} approved`, `${waits} waiting`, `${count('left out')} left out`];
  out.line(span('bold', name), `  ${kind}, ${state}; tools: ${parts.join(', ')}`);
  if (problem !== null) out.line(span('yellow', `  ${escapeLine(problem)}`));
  if (waits > 0) out.line(span('dim', `  openclaw mcp show ${name}   then: openclaw mcp approve ${name}`));
}

function details(out: Output, { tool, name, state, why, description, schema, effect }: ToolReport): void {
  out.line(span('bold', `  ${escapeLine(tool)}`), ` as ${name}: ${state}${why === '' ? '' : ` (${escapeLine(why)})`}`);
  out.line(`    says: ${escapeLine(description) || '(nothing)'}`);
  out.line(`    takes: ${escapeLine(JSON.stringify(schema))}`);
  out.line(span('dim', `    effect: ${effect ?? 'not declared, so every call asks you'}`));
}
