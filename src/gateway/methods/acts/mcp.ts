// Owns `mcp.*`: which MCP servers there are, what their tools say of themselves, and the owner's yes to exactly that.
import { z } from 'zod';
import { method, type Table } from '../method.ts';

const name = z.string().min(1).max(64);
const tool = z.string().min(1).max(128);

export const mcpMethods: Table = {
  'mcp.list': method('operator.read', z.object({}), ({ backend }) => ({ servers: backend.mcp.report() })),
  'mcp.approve': method(
    'operator.approvals',
    z.strictObject({
      name,
      tools: z
        .array(z.strictObject({ tool, hash: z.string().regex(/^[0-9a-f]{64}$/) }))
        .min(1)
        .max(256),
    }),
    ({ backend, connection }, params) => backend.mcp.approve(params.name, params.tools, connection.actor),
  ),
  'mcp.revoke': method(
    'operator.approvals',
    z.strictObject({ name, tool: tool.optional() }),
    async ({ backend, connection }, params) => ({
      revoked: await backend.mcp.revoke(params.name, params.tool, connection.actor),
    }),
  ),
  'mcp.probe': method('operator.write', z.strictObject({ name }), ({ backend }, params) =>
    backend.mcp.probe(params.name),
  ),
};
