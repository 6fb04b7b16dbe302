// Owns the one way to a running tool: validate the arguments, declare the effects, ask policy, ask the owner when policy
// says so, tell the journal, run. Whatever goes wrong becomes a result that the model can read; nothing escapes.
import type { ToolCall } from '../agent/tool-call.ts';
import { HardshellError, reasonOf } from '../platform/errors.ts';
import type { Decision, PermittedCall } from '../policy/decide.ts';
import { type Effect, isOutward } from '../policy/effects.ts';
import { label } from '../store/label.ts';
import type { AnyTool, ToolEnv, ToolResult } from './tool.ts';

export type CallerPorts = {
  readonly tools: readonly AnyTool[];
  decide(call: ToolCall, effects: readonly Effect[]): Decision;
  openEnv(signal: AbortSignal): Promise<ToolEnv>;
  askOwner(
    question: { call: ToolCall; code: string; reason: string },
    signal: AbortSignal,
  ): Promise<'allow-once' | 'deny' | 'expired'>;
  decided(call: ToolCall, decision: Decision): void;
  /** returns once it is durable that this call begins; only for calls with an effect outside the conversation */
  started(call: ToolCall, effects: readonly Effect[]): void;
  ended(call: ToolCall): void;
  /** our own bugs: the model is told that the tool failed, the log gets the stack */
  failed(call: ToolCall, error: unknown): void;
};

export function createToolCaller(ports: CallerPorts) {
  const byName = new Map(ports.tools.map((tool) => [tool.name, tool]));

  return async (asked: ToolCall, signal: AbortSignal): Promise<ToolResult> => {
    try {
      const tool = byName.get(asked.name);
      if (!tool)
        return refusal(`There is no tool "${asked.name.slice(0, 64)}". There are: ${[...byName.keys()].join(', ')}.`);
      const parsed = tool.parameters.safeParse(asked.args ?? {});
      if (!parsed.success)
        return refusal(
          `${tool.name} did not run: ${parsed.error.issues.map((i) => `${i.path.join('.') || 'arguments'}: ${i.message}`).join('; ')}`,
        );
      const call = { ...asked, args: parsed.data };
      const effects = tool.effects(parsed.data);
      const decision = ports.decide(call, effects);
      ports.decided(call, decision);
      if (decision.kind === 'deny')
        return refusal(`Refused (${decision.code}): ${decision.reason}. The owner can look at: ${decision.fix}`);
      const permitted = decision.kind === 'allow' ? decision.call : await ask(call, decision, signal);
      if (typeof permitted === 'string') return refusal(permitted);
      return await runTool(tool, permitted, signal);
    } catch (error) {
      if (!(error instanceof HardshellError)) ports.failed(asked, error);
      const text =
        error instanceof HardshellError
          ? `${error.message}${error.fix ? `. To do: ${error.fix}` : ''}`
          : `${asked.name} failed: ${reasonOf(error)}`;
      return refusal(text);
    }
  };

  /** The permitted call, or why there is none. */
  async function ask(
    call: ToolCall,
    decision: Extract<Decision, { kind: 'ask' }>,
    signal: AbortSignal,
  ): Promise<PermittedCall | string> {
    const answer = await ports.askOwner({ call, code: decision.code, reason: decision.reason }, signal);
    if (answer === 'allow-once') return decision.approve();
    return answer === 'deny'
      ? `The owner said no: ${decision.reason}.`
      : `The owner did not answer in time, which means no: ${decision.reason}.`;
  }

  async function runTool(tool: AnyTool, call: PermittedCall, signal: AbortSignal): Promise<ToolResult> {
    const env = await ports.openEnv(signal);
    const outward = call.effects.some(isOutward);
    if (outward) ports.started(call, call.effects);
    try {
      return await tool.run(call, call.args, env);
    } finally {
      if (outward) ports.ended(call);
    }
  }
}

const refusal = (text: string): ToolResult => ({ text, isError: true, label: label('tool-local', 'owner') });
