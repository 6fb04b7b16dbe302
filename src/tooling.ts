// Owns what a tool call meets on its way: the judges in their order, the owner's word, the box it runs in. Part of the
// composition; the rules themselves live in policy/, and nothing here decides.
import type { AgentPorts } from './agent/loop.ts';
import type { Config } from './config/schema.ts';
import type { CallHooks } from './core.ts';
import type { Log } from './log/log.ts';
import type { Root } from './platform/root.ts';
import type { Running } from './running.ts';
import { judgeActions } from './policy/actions.ts';
import { decide, type Judge } from './policy/decide.ts';
import { judgeShell } from './policy/shell/judge.ts';
import { judgeSteering } from './policy/steering.ts';
import { judgeFor, judgeToolCall, type ToolVerdict } from './policy/tool-policy.ts';
import type { Sandboxes } from './sandbox/choose.ts';
import type { Speaker } from './sessions/turn.ts';
import { createToolCaller } from './tools/call.ts';
import { TOOLS, toolSchemas } from './tools/registry.ts';

export type ToolingPorts = {
  readonly log: Log;
  /** as it was at the start: how commands run stays as the sandbox was opened */
  readonly config: Config;
  /** as it is now: what may be called is read at each turn */
  live(): Config;
  readonly workspace: Root;
  readonly sandboxes: Sandboxes;
  readonly running: Running;
  /** whether any platform is there to send by */
  canSend(): boolean;
};

export function createTooling({ log, config, live, workspace, sandboxes, running, canSend }: ToolingPorts) {
  const rules = () => ({ ...live().tools, exec: config.tools.exec });
  const judge = (name: string, speaker: Speaker): ToolVerdict => judgeFor(name, rules(), speaker);
  /** Each may object; the strictest objection holds. */
  const judges: readonly Judge[] = [
    (call, effects) => judgeToolCall(call, effects, rules()),
    (_call, effects) => judgeSteering(effects),
    (_call, effects) => judgeShell(effects),
    ...running.judges,
    (call, effects) => judgeActions(call, effects, { message: live().actions.message, mail: live().actions.email }),
  ];
  const schemas = new Map(TOOLS.map((tool) => [tool.name, toolSchemas([tool])]));
  return {
    /** What is denied is not offered either; the decision below holds all the same. */
    tools: ({ speaker }: { readonly speaker: Speaker }) =>
      TOOLS.flatMap(({ name }) =>
        judge(name, speaker).rule === 'deny' || (name === 'message' && !canSend()) ? [] : (schemas.get(name) ?? []),
      ),
    toolCaller: ({ approvals, send, ...hooks }: CallHooks): AgentPorts['callTool'] =>
      createToolCaller({
        ...hooks,
        failed: (call, error) => log.error('tool failed', { tool: call.name, error }),
        tools: TOOLS,
        where: () => 'sandbox',
        async decide(call, effects) {
          const verdicts = await Promise.all(judges.map((one) => one(call, effects)));
          return decide(call, effects, verdicts.flat());
        },
        openEnv: async (_call, signal) => ({ workspace, signal, send, processes: running.processes, ...(await sandboxes.current()) }),
        askOwner: (call, decision, signal) =>
          approvals.ask(
            {
              runId: call.turnId,
              sessionKey: call.sessionKey,
              tool: call.name,
              reason: decision.reason,
              args: call.args,
            },
            signal,
          ),
      }),
  };
}
