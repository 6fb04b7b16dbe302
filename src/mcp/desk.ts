// Owns which tools of MCP servers there are: those that the owner approved, word for word, of servers that are switched on.
// A tool that is new, changed, or of another program than then waits for the owner, and is neither shown nor called.
import type { Config } from '../config/schema.ts';
import { HardshellError } from '../platform/errors.ts';
import type { PermittedCall } from '../policy/decide.ts';
import { type ToolRoles, UNDECLARED } from '../policy/flow/roles.ts';
import type { ApprovedTool, ApprovedTools } from '../store/approvals/server-tools.ts';
import type { McpReport, ToolReport } from '../tools/mcp/report.ts';
import { type JsonSchema, oneLine, tidySchema } from '../tools/mcp/schema.ts';
import { nameOf, serverTool, shownDescription } from '../tools/mcp/tool.ts';
import type { AnyTool } from '../tools/tool.ts';
import { createServer, digest, type OpenBox, type Server, type ServerConfig, type Told } from './server.ts';

export type DeskPorts = {
  readonly version: string;
  readonly now: () => number;
  config(): Config['mcp'];
  readonly table: ApprovedTools;
  openBox: OpenBox;
  record(kind: string, body: Record<string, unknown>): void;
  warn(text: string, fields: Record<string, unknown>): void;
};

const MAX_OF_SERVER = 64;
const MAX_IN_ALL = 128;

/** One tool of a server, as the owner and the model see it. */
type Seen = Told & ToolReport & { readonly schema: JsonSchema };

export type Desk = ReturnType<typeof createDesk>;

export function createDesk(ports: DeskPorts) {
  const servers = new Map<string, Server>();
  let approved = new Map<string, ApprovedTool>();
  let offered = new Map<string, { readonly tool: AnyTool; readonly seen: Seen }>();
  let seen = new Map<string, readonly Seen[]>();
  const readTable = (): void => {
    approved = new Map(ports.table.all().map((one) => [keyOf(one.server, one.tool), one]));
  };

  /** Made anew whenever anything of it changed; in between it is only looked up. */
  function settle(): void {
    const taken = new Map<string, string>();
    const next: typeof offered = new Map();
    const all: typeof seen = new Map();
    for (const server of servers.values()) {
      const list = [...toldBy(server)].map((told): Seen => {
        const one = look(server, told);
        const other = taken.get(one.name);
        if (other !== undefined) return { ...one, state: 'left out', why: `it would be called like ${other}` };
        taken.set(one.name, `${server.name}: ${one.tool}`);
        return one;
      });
      let count = 0;
      const kept = list.map((one): Seen => {
        if (one.state === 'left out') return one;
        count += 1;
        if (count > MAX_OF_SERVER)
          return { ...one, state: 'left out', why: `a server may have ${MAX_OF_SERVER} tools; toolFilter chooses` };
        if (one.state === 'approved' && next.size >= MAX_IN_ALL)
          return { ...one, state: 'left out', why: `all together may be ${MAX_IN_ALL} tools; toolFilter chooses` };
        if (one.state === 'approved') next.set(one.name, { tool: toolOf(server, one), seen: one });
        return one;
      });
      all.set(server.name, kept);
    }
    [offered, seen] = [next, all];
  }

  /** What it says now; before it was asked, what was approved. */
  function toldBy({ name, told }: Server): readonly Told[] {
    const asApproved = [...approved.values()].filter((one) => one.server === name);
    return told() ?? asApproved.map(({ tool, definition }) => ({ tool, definition, hash: digest(definition) }));
  }

  function look({ name: server, config }: Server, told: Told): Seen {
    const { description, inputSchema } = JSON.parse(told.definition) as Record<string, unknown>;
    const tidy = tidySchema(inputSchema);
    const pin = approved.get(keyOf(server, told.tool));
    const schema = 'schema' in tidy ? tidy.schema : {};
    const roles = rolesOf(config, told.tool);
    const base: Omit<Seen, 'state' | 'why'> = {
      ...told,
      hash: pinOf(config, told.hash),
      name: nameOf(server, told.tool),
      description: shownDescription(description),
      schema,
      effect: roles === UNDECLARED ? null : roles.effect,
    };
    const { allow, deny } = config.toolFilter;
    if (deny.includes(told.tool) || (allow !== undefined && !allow.includes(told.tool)))
      return { ...base, state: 'left out', why: 'the settings leave it out (toolFilter)' };
    if ('problem' in tidy) return { ...base, state: 'left out', why: tidy.problem };
    if (pin === undefined) return { ...base, state: 'new', why: 'you have not approved it' };
    // The table holds the hash with the program or address; what is compared is made here both times.
    if (pin.hash === base.hash) return { ...base, state: 'approved', why: '' };
    const why = 'it is not what you approved: its words, its arguments, or the program or address behind it changed';
    return { ...base, state: 'changed', why };
  }

  const toolOf = (server: Server, { tool, description, schema }: Seen): AnyTool =>
    serverTool(
      { server: server.name, tool, description, schema, hasWorkspace: server.config.workspace !== 'none' },
      rolesOf(server.config, tool),
    );

  function listed(server: Server): void {
    const before = new Map((seen.get(server.name) ?? []).map((one) => [one.tool, one.state]));
    settle();
    const changed = (seen.get(server.name) ?? []).filter(
      ({ tool, state }) => state === 'changed' && before.get(tool) !== 'changed',
    );
    if (changed.length === 0) return;
    const names = changed.map(({ tool }) => tool);
    ports.record('mcp.changed', { server: server.name, tools: names });
    ports.warn('tools of an MCP server are not what was approved; they wait for the owner', {
      server: server.name,
      tools: names,
    });
  }

  const must = (name: string): Server => {
    const server = servers.get(name);
    if (server) return server;
    const isOff = ports.config().servers[name] !== undefined;
    throw new HardshellError({
      code: 'MCP_NO_SERVER',
      message: isOff ? `the MCP server ${name} is switched off` : `there is no MCP server ${JSON.stringify(name)}`,
      fix: isOff ? `openclaw config set mcp.servers.${name}.enabled true` : 'openclaw mcp list',
    });
  };
  const reportOf = (name: string, config: ServerConfig): McpReport => {
    const server = servers.get(name);
    const { state, problem } = server?.state() ?? { state: 'off' as const, problem: null };
    const tools = (seen.get(name) ?? []).map(({ definition: _, ...one }) => one);
    return { name, kind: config.url === undefined ? 'stdio' : 'http', state, problem, tools };
  };
  const report = (): McpReport[] =>
    Object.entries(ports.config().servers).map(([name, config]) => reportOf(name, config));

  readTable();
  return {
    /** As the settings are now: what changed begins anew, and what is gone ends. */
    apply(): void {
      const wanted = Object.entries(ports.config().servers).filter(([, { enabled }]) => enabled);
      const same = (name: string, config: ServerConfig): boolean =>
        JSON.stringify(servers.get(name)?.config) === JSON.stringify(config);
      for (const [name, server] of [...servers]) {
        if (wanted.some(([other, config]) => other === name && same(name, config))) continue;
        servers.delete(name);
        void server.close();
      }
      for (const [name, config] of wanted) {
        if (servers.has(name)) continue;
        const server: Server = createServer(name, config, {
          version: ports.version,
          openBox: ports.openBox,
          listed: () => listed(server),
          ended: (why) => {
            ports.record('mcp.ended', { server: name, why });
            ports.warn('an MCP server ended', { server: name, why });
          },
        });
        servers.set(name, server);
      }
      settle();
    },
    /** In the background: nobody waits for a server to start. */
    connect(): void {
      for (const server of servers.values()) void server.ready().catch(() => {});
    },
    tools: (): readonly AnyTool[] => [...offered.values()].map(({ tool }) => tool),
    rolesOf: (name: string): ToolRoles | undefined => offered.get(name)?.tool.roles,
    /** Throws for one that is there and not approved, with the command that approves it. */
    toolOf(name: string): AnyTool | undefined {
      const found = offered.get(name);
      if (found) return found.tool;
      for (const [server, list] of seen) {
        const one = list.find((other) => other.name === name);
        if (!one) continue;
        const waits = one.state !== 'left out';
        throw new HardshellError({
          code: waits ? 'MCP_NOT_APPROVED' : 'MCP_LEFT_OUT',
          message: `${name} cannot be used: ${one.why}`,
          fix: waits ? `openclaw mcp approve ${server} --tool ${one.tool}` : `openclaw mcp show ${server}`,
        });
      }
      return undefined;
    },
    /** Only for a call that was let through as what it is. */
    async call({ name, effects, args: judged }: PermittedCall, args: unknown, signal: AbortSignal): Promise<unknown> {
      const one = offered.get(name);
      const [effect] = effects;
      if (!one || effect?.kind !== 'call' || effect.tool !== one.seen.tool || judged !== args)
        throw new Error('a call of an MCP tool that is not the one that was judged');
      const server = must(effect.server);
      // It may have changed since it was asked last: that shows now, and before anything is sent.
      await server.ready();
      if (offered.get(name)?.seen.hash !== one.seen.hash)
        throw new HardshellError({
          code: 'MCP_NOT_APPROVED',
          message: `${name} is not what the owner approved any more`,
          fix: `openclaw mcp approve ${effect.server} --tool ${effect.tool}`,
        });
      return server.call(effect.tool, args, signal);
    },
    report,
    /** Exactly these, as they were shown. */
    approve(name: string, wanted: readonly { tool: string; hash: string }[], actor: string): McpReport {
      const server = must(name);
      const list = seen.get(name) ?? [];
      const found = wanted.map(({ tool, hash }) => {
        const one = list.find((other) => other.tool === tool && other.state !== 'left out');
        if (one?.hash === hash) return one;
        throw new HardshellError({
          code: one ? 'MCP_CHANGED' : 'MCP_NO_TOOL',
          message: one
            ? `${tool} has changed since it was shown; nothing is approved`
            : `the MCP server ${name} offers no tool ${oneLine(tool, 64)}`,
          fix: `openclaw mcp show ${name}`,
        });
      });
      ports.table.commit(() => {
        for (const { tool, hash, definition } of found) {
          const row = { server: name, tool, hash, definition, approvedAtMs: ports.now(), approvedBy: actor };
          ports.table.put(row);
          ports.record('mcp.approved', { server: name, tool, hash, actor });
        }
      });
      readTable();
      settle();
      return reportOf(name, server.config);
    },
    revoke(name: string, tool: string | undefined, actor: string): number {
      const mine = [...approved.values()].filter(
        (one) => one.server === name && (tool === undefined || one.tool === tool),
      );
      if (mine.length === 0)
        throw new HardshellError({
          code: 'MCP_NOT_APPROVED',
          message: `nothing like that of ${oneLine(name, 64)} is approved`,
          fix: 'openclaw mcp list',
        });
      ports.table.commit(() => {
        for (const one of mine) {
          ports.table.remove(one.server, one.tool);
          ports.record('mcp.revoked', { server: one.server, tool: one.tool, actor });
        }
      });
      readTable();
      settle();
      return mine.length;
    },
    async probe(name: string): Promise<McpReport> {
      const server = must(name);
      await server.probe();
      return reportOf(name, server.config);
    },
    async close(): Promise<void> {
      const all = [...servers.values()];
      servers.clear();
      await Promise.all(all.map((server) => server.close()));
    },
  };
}

const keyOf = (server: string, tool: string): string => `${server}\n${tool}`;

/** Also which program or address it is of: another one with the same words has to be approved itself. */
function pinOf({ command, args, url }: ServerConfig, hash: string): string {
  return digest(JSON.stringify([hash, url ?? [command, ...args]]));
}

/**
 * What is asked of a server that is elsewhere, or reaches elsewhere, leaves this machine even when it only reads; and
 * wherever it is, the assistant may have put there what it reads.
 */
export function rolesOf({ tools, url, allowedHosts, workspace }: ServerConfig, tool: string): ToolRoles {
  const declared = Object.hasOwn(tools, tool) ? tools[tool]?.effects : undefined;
  if (declared === undefined) return UNDECLARED;
  const isElsewhere = url !== undefined || allowedHosts.length > 0;
  const effect = declared.effect === 'read' && isElsewhere ? 'search' : declared.effect;
  // By the tools for files, by commands, or by another tool of the server; in the workspace also every id.
  return { ...declared, effect, isWritable: true, result: workspace === 'none' ? declared.result : 'untrusted' };
}
