// Owns the door to MCP servers: nothing of them is loaded while none is configured. Part of the composition; what may be
// used is decided in desk.ts, what may be called in policy/.
import { isServerTool } from '../config/shape/tool-words.ts';
import { demandPermit, type PermittedCall } from '../policy/decide.ts';
import { type ToolRoles, UNDECLARED } from '../policy/flow/roles.ts';
import type { McpReport } from '../tools/mcp/report.ts';
import type { AnyTool } from '../tools/tool.ts';
import type { Desk, DeskPorts } from './desk.ts';

export type McpPorts = Omit<DeskPorts, 'table' | 'record'> & {
  openTable(): DeskPorts['table'];
};
export type Mcp = ReturnType<typeof createMcp>;

export function createMcp(ports: McpPorts) {
  let journal: DeskPorts['record'] = () => {};
  let desk: Desk | null = null;
  let loading: Promise<Desk> | null = null;
  let isClosed = false;
  const isWanted = (): boolean => Object.keys(ports.config().servers).length > 0;

  async function load(): Promise<Desk> {
    loading ??= import('./desk.ts').then(({ createDesk }) => {
      desk = createDesk({ ...ports, table: ports.openTable(), record: (kind, body) => journal(kind, body) });
      desk.apply();
      return desk;
    });
    return loading;
  }
  async function begin(): Promise<void> {
    if (isWanted() && !isClosed) (await load()).connect();
  }

  return {
    /** What was approved is there when this resolves; the servers themselves start in the background. */
    open: begin,
    /** The settings changed. */
    apply(): void {
      desk?.apply();
      void begin().catch((error: unknown) => ports.warn('MCP servers are not usable', { error }));
    },
    tools: (): readonly AnyTool[] => desk?.tools() ?? [],
    /** Whatever is called like a tool of a server can do anything, until it is known to be one that cannot. */
    rolesOf: (name: string): ToolRoles | undefined =>
      isServerTool(name) ? (desk?.rolesOf(name) ?? UNDECLARED) : undefined,
    toolOf: (name: string): AnyTool | undefined => desk?.toolOf(name),
    async call(call: PermittedCall, args: unknown, signal: AbortSignal): Promise<unknown> {
      demandPermit(call);
      return (await load()).call(call, args, signal);
    },
    report: (): readonly McpReport[] => desk?.report() ?? [],
    approve: async (...given: Parameters<Desk['approve']>): Promise<McpReport> => (await load()).approve(...given),
    revoke: async (...given: Parameters<Desk['revoke']>): Promise<number> => (await load()).revoke(...given),
    probe: async (name: string): Promise<McpReport> => (await load()).probe(name),
    /** where what happens is written down, once there is a journal */
    recordWith(record: DeskPorts['record']): void {
      journal = record;
    },
    async close(): Promise<void> {
      isClosed = true;
      await (await loading)?.close();
    },
  };
}
