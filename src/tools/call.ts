// Owns the way of one tool call: check the arguments, ask policy, ask the owner if policy says so, run, answer. Whatever
// goes wrong becomes a result that the model reads; it must never throw, and never run what was not permitted.
import { HardshellError, reasonOf } from '../platform/errors.ts';
import { setOff } from '../platform/outside-text.ts';
import type { Decision, PermittedCall, ToolCall } from '../policy/decide.ts';
import type { Effect } from '../policy/effects.ts';
import { isOthers, type Label, label } from '../store/label.ts';
import { parseArgs } from './registry.ts';
import type { AnyTool, Looking, ToolEnv, ToolResult } from './tool.ts';

export type CallerPorts = {
  readonly tools: readonly AnyTool[];
  /** what the model was told of, for whoever asks for something else */
  offered?(call: ToolCall): readonly { readonly name: string }[];
  /** those that come and go; throws a HardshellError for one that is there and must not be used */
  toolOf?(name: string): AnyTool | undefined;
  /** where commands of this call's conversation run */
  where(call: ToolCall): 'sandbox' | 'host';
  /** `isAhead`: only to know what would be asked; nothing runs by it */
  decide(call: ToolCall, effects: readonly Effect[], isAhead?: boolean): Decision | Promise<Decision>;
  /** what an element of the page is that a call names */
  lookAt?: Looking['lookAt'];
  openEnv(call: PermittedCall, signal: AbortSignal): Promise<ToolEnv>;
  askOwner(
    call: ToolCall,
    effects: readonly Effect[],
    decision: Extract<Decision, { kind: 'ask' }>,
    signal: AbortSignal,
    /** calls of the same answer that come after it, as they would be decided now */
    ahead?: readonly Ahead[],
  ): Promise<OwnersWord>;
  /** every decision, before anything is asked or run */
  decided(call: ToolCall, decision: Decision, effects: readonly Effect[]): void;
  /** before a call that does more than read; what takes time is done here, so that nothing comes between yes and start */
  prepare?(call: ToolCall, effects: readonly Effect[]): Promise<void>;
  /** returns once it is durable that the call is about to run; only for calls that do more than read */
  started(call: ToolCall, effects: readonly Effect[]): void | Promise<void>;
  /** what is given back as it is labelled by what the call touched */
  labelled?(call: PermittedCall, label: Label): Label | Promise<Label>;
  /** after such a run, whatever came of it */
  ended(call: ToolCall): void;
  /** an error that is ours and not the model's to mend */
  failed(call: ToolCall, error: unknown): void;
};

/** `confirm` is asked right before the start: why the call is not what was approved any more, or null. */
export type OwnersWord =
  | { readonly kind: 'allowed'; confirm(): Promise<string | null> }
  | { readonly kind: 'no'; readonly why: string; readonly fix: string }
  /** the owner was asked often enough: the turn ends with these words for them */
  | { readonly kind: 'paused'; readonly told: string }
  | { readonly kind: 'asleep' };
export type Ahead = { readonly call: ToolCall; readonly effects: readonly Effect[]; readonly decision: Decision };

export type CallTool = (call: ToolCall, signal: AbortSignal) => Promise<ToolResult>;

export function createToolCaller(ports: CallerPorts): CallTool {
  const byName = new Map(ports.tools.map((tool) => [tool.name, tool]));

  async function callTool(call: ToolCall, signal: AbortSignal): Promise<ToolResult> {
    const read = await readCall(call);
    if ('text' in read) return read;
    const { tool, checked, effects } = read;
    const way = await permit(checked, effects, signal);
    if ('text' in way) return way;
    const { permitted, confirm } = way;
    if (signal.aborted) return notBegun(`${tool.name} did not run: the turn was stopped.`, signal);
    const env = await ports.openEnv(permitted, signal);
    // Doing it twice would not be the same as doing it once; and what was approved starts once.
    const outward = confirm !== null || permitted.effects.some(({ kind }) => kind !== 'read');
    if (outward) await ports.prepare?.(permitted, permitted.effects);
    const changed = (await confirm?.()) ?? null;
    if (changed !== null)
      return refusal('APPROVAL_VOID', changed, 'call it again as it is now, and the owner is asked again');
    if (signal.aborted) return notBegun(`${tool.name} did not run: the turn was stopped.`, signal);
    if (outward) await ports.started(permitted, permitted.effects);
    try {
      const result = await tool.run(permitted, checked.args, env);
      const from = (await ports.labelled?.(permitted, result.label)) ?? result.label;
      // Here and nowhere else, so that no tool can forget it.
      const text = isOthers(from) ? setOff(result.text, from.sources.join(' ') || tool.name) : result.text;
      return { ...result, text, label: from };
    } finally {
      if (outward) ports.ended(permitted);
    }
  }

  /** What the call is, or what is wrong with it. */
  async function readCall(call: ToolCall): Promise<Read | ToolResult> {
    const tool = byName.get(call.name) ?? ports.toolOf?.(call.name);
    if (tool === undefined) {
      const names = (ports.offered?.(call) ?? ports.tools).map(({ name }) => name);
      return problem(`There is no tool called ${quoted(call.name)}. There are: ${names.join(', ')}.`);
    }
    const parsed = parseArgs(tool, call.args);
    if (!parsed.ok) return problem(`${tool.name} did not run, its arguments are wrong: ${parsed.problem}.`);
    const args = tool.look ? await tool.look(parsed.args, ports) : parsed.args;
    const checked: ToolCall = { ...call, args };
    const effects = tool.effects(args, ports.where(checked));
    if (hasNul(effects))
      return problem(`${tool.name} did not run, its arguments are wrong: there is a NUL character in them.`);
    return { tool, checked, effects };
  }

  /** What comes after a call that must be asked about; whatever is wrong with one of them shows when its turn comes. */
  async function lookAhead(calls: readonly ToolCall[]): Promise<Ahead[]> {
    const found: Ahead[] = [];
    for (const call of calls) {
      // What it names may be something else by then.
      if (byName.get(call.name)?.look) continue;
      try {
        const read = await readCall(call);
        if ('text' in read) continue;
        const { checked, effects } = read;
        found.push({ call: checked, effects, decision: await ports.decide(checked, effects, true) });
      } catch {}
    }
    return found;
  }

  async function permit(call: ToolCall, effects: readonly Effect[], signal: AbortSignal): Promise<Way | ToolResult> {
    const decision = await ports.decide(call, effects);
    ports.decided(call, decision, effects);
    if (decision.kind === 'allow') return { permitted: decision.call, confirm: null };
    if (decision.kind === 'deny') return denial(decision.code, decision.reason, decision.fix);
    const ahead = await lookAhead(call.ahead?.() ?? []);
    const word = await ports.askOwner(call, effects, decision, signal, ahead);
    if (word.kind === 'allowed') return { permitted: decision.approve(), confirm: word.confirm };
    if (word.kind === 'asleep') return notBegun(`${call.name} waits for the owner.`, signal);
    if (word.kind === 'paused') return { ...problem(PAUSED), paused: word.told };
    return denial(decision.code, `${decision.reason}; ${word.why}`, word.fix);
  }

  return async (call, signal) => {
    try {
      return await callTool(call, signal);
    } catch (error) {
      if (error instanceof HardshellError) return refusal(error.code, error.message, error.fix);
      ports.failed(call, error);
      return problem(`${quoted(call.name)} failed by an error of its own: ${reasonOf(error).slice(0, 200)}`);
    }
  };
}

/** For the model, once the owner goes on. */
const PAUSED =
  'Not run: the owner was asked often enough in this turn, so it pauses. Call it again once they say to go on.';

type Read = { readonly tool: AnyTool; readonly checked: ToolCall; readonly effects: readonly Effect[] };
type Way = { readonly permitted: PermittedCall; readonly confirm: (() => Promise<string | null>) | null };

/** When the gateway stops, the call is as it was before: it is made again once the turn goes on. */
const notBegun = (text: string, { reason }: AbortSignal): ToolResult =>
  reason === 'shutdown' ? { ...problem(text), isOutstanding: true } : problem(text);

/** Our own words, so it carries no more than what the call itself said. */
function problem(text: string): ToolResult {
  return { text, isError: true, label: label('tool-local', 'owner') };
}

function refusal(code: string, reason: string, fix: string | undefined): ToolResult {
  return problem(`Refused (${code}): ${reason}.${fix === undefined || fix === '' ? '' : ` What helps: ${fix}`}`);
}

/** A no that stays one, however often it is asked for. */
const denial = (code: string, reason: string, fix: string): ToolResult => ({
  ...refusal(code, reason, fix),
  refused: { code, reason, fix },
});

/** A NUL ends a name or a command where the system reads it, so what was judged would not be what runs. */
const hasNul = (effects: readonly Effect[]): boolean =>
  effects.some((effect) =>
    ['path', 'command', 'cwd', 'to'].some((key) =>
      String((effect as Record<string, unknown>)[key] ?? '').includes('\0'),
    ),
  );

const quoted = (name: string): string => JSON.stringify(name.slice(0, 64));
