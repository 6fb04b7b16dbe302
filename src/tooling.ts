// Owns what a tool call meets on its way: the judges in their order, the owner's word, the box it runs in. Part of the
// composition; the rules themselves live in policy/, and nothing here decides.
import type { AgentPorts } from './agent/loop.ts';
import { createBinder, createOwnersWord } from './asking/binding.ts';
import { type Boxes, conversationOf } from './boxes/boxes.ts';
import type { Config } from './config/schema.ts';
import type { CallHooks } from './core.ts';
import type { Log } from './log/log.ts';
import type { Mcp } from './mcp/mcp.ts';
import type { Undo } from './ops/checkpoints/undo.ts';
import { decide, type ToolCall } from './policy/decide.ts';
import { askingOf, judgesOf, rulesOf } from './policy/judges.ts';
import { judgeFor } from './policy/tool-policy.ts';
import type { Running } from './running/running.ts';
import { createToolCaller } from './tools/call.ts';
import { TOOLS, toolSchemas } from './tools/registry.ts';

export type ToolingPorts = {
  readonly log: Log;
  /** as it was at the start: how commands run stays as the sandbox was opened */
  readonly config: Config;
  /** as it is now: what may be called is read at each turn */
  live(): Config;
  readonly sandboxes: Pick<Boxes, 'whereOf' | 'zonesOf' | 'openFor' | 'folderFor'>;
  readonly running: Running;
  readonly undo: Pick<Undo, 'before' | 'telling'>;
  readonly mcp: Pick<Mcp, 'tools' | 'toolOf' | 'rolesOf' | 'call'>;
  /** whether any platform is there to send by */
  canSend(): boolean;
};

export function createTooling({ log, config, live, sandboxes, running, undo, mcp, canSend }: ToolingPorts) {
  /** What decides is read at each turn; how commands run stays as it was at the start. */
  const settings = () => {
    const { tools, actions, agents } = live();
    return { tools: { ...tools, exec: config.tools.exec }, actions, agents };
  };
  const roles = new Map(TOOLS.map((tool) => [tool.name, tool.roles]));
  const flow = { rolesOf: (name: string) => roles.get(name) ?? mcp.rolesOf(name), registry: {} };
  const binder = createBinder({
    folderOf: (call) => sandboxes.folderFor(conversationOf(call)),
    namesIn: async (command) => (await import('./policy/shell/names.ts')).namesIn(command),
  });
  const schemasWith = (options: { readonly elevated: boolean }) =>
    new Map(TOOLS.map((tool) => [tool.name, toolSchemas([tool], options)]));
  const schemas = { inside: schemasWith({ elevated: false }), outside: schemasWith({ elevated: true }) };
  return {
    /** What is denied is not offered either; the decision below holds all the same. */
    tools(turn: Pick<ToolCall, 'sessionKey' | 'agentId' | 'speaker'>) {
      const now = settings();
      const [rules, asking] = [rulesOf(now), askingOf(now, turn)];
      const isDenied = (name: string): boolean => judgeFor(name, rules, asking).rule === 'deny';
      const own = TOOLS.flatMap(({ name }) =>
        isDenied(name) || (name === 'message' && !canSend())
          ? []
          : (schemas[now.tools.elevated.enabled ? 'outside' : 'inside'].get(name) ?? []),
      );
      return [...own, ...toolSchemas(mcp.tools().filter(({ name }) => !isDenied(name)))];
    },
    toolCaller: ({ approvals, grants, send, ...hooks }: CallHooks): AgentPorts['callTool'] =>
      undo.telling(
        createToolCaller({
          ...hooks,
          prepare: undo.before,
          failed: (call, error) => log.error('tool failed', { tool: call.name, error }),
          tools: TOOLS,
          toolOf: mcp.toolOf,
          where: sandboxes.whereOf,
          async decide(call, effects) {
            const verdicts = await Promise.all(
              [...judgesOf(settings(), sandboxes.zonesOf(call), flow), ...running.judges].map((one) =>
                one(call, effects),
              ),
            );
            return decide(call, effects, grants.apply(call, effects, verdicts.flat()));
          },
          openEnv: async (call, signal) => ({
            ...{ signal, send, processes: running.processes },
            callServer: (permitted, args) => mcp.call(permitted, args, signal),
            ...(await sandboxes.openFor(call, call.effects)),
            ...running.envOf(call),
          }),
          askOwner: createOwnersWord(approvals, binder),
        }),
      ),
  };
}
