// Owns the table of tools of MCP servers that the owner approved: word for word what was approved, under its hash. What is
// not in it is not approved; what a server says of itself never changes it.
import type { Store } from '../open.ts';

export type ApprovedTool = {
  readonly server: string;
  readonly tool: string;
  readonly hash: string;
  /** JSON, as the server sent it */
  readonly definition: string;
  readonly approvedAtMs: number;
  readonly approvedBy: string;
};

export type ApprovedTools = ReturnType<typeof openApprovedTools>;

export function openApprovedTools(store: Store) {
  const columns = 'server, tool, hash, definition, approved_at, approved_by';
  const put = store.prepare(`INSERT OR REPLACE INTO mcp_tools (${columns}) VALUES (?, ?, ?, ?, ?, ?)`);
  const all = store.prepare(`SELECT ${columns} FROM mcp_tools ORDER BY server, tool`);
  const remove = store.prepare('DELETE FROM mcp_tools WHERE server = ? AND tool = ?');
  return {
    put: (one: ApprovedTool): void =>
      void put.run(one.server, one.tool, one.hash, one.definition, one.approvedAtMs, one.approvedBy),
    all: (): ApprovedTool[] =>
      all.all().map((row) => ({
        server: String(row['server']),
        tool: String(row['tool']),
        hash: String(row['hash']),
        definition: String(row['definition']),
        approvedAtMs: Number(row['approved_at']),
        approvedBy: String(row['approved_by']),
      })),
    /** False when there was none. */
    remove: (server: string, tool: string): boolean => remove.run(server, tool).changes === 1,
    commit: store.commit,
  };
}
