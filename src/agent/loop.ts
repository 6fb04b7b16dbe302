// Owns the loop: ask the model, run the calls it makes, show it the results, until it answers. It never touches a tool,
// a file or the network by itself, and whatever happens becomes a TurnEnd.

import {
  type ModelEvent,
  type Models,
  type ModelToolCall,
  NO_USAGE,
  type ToolSchema,
  type Usage,
} from '../models/provider.ts';
import { addUsage, totalTokens } from '../models/usage.ts';
import { withoutFrames } from '../platform/outside-text.ts';
import type { Turn, TurnEnd } from '../sessions/turn.ts';
import { type Label, label } from '../store/label.ts';
import { heardIn } from './heard.ts';
import { createLoopWatch, createRefusalWatch, MAX_STEPS, type Refused } from './limits.ts';
import type { Prompt } from './prompt.ts';
import type { ToolCall } from './tool-call.ts';
import { estimateTokens, fitWindow } from './window.ts';

/** `isOutstanding`: the gateway stops, and the call has not begun; it is made when the turn goes on. */
type CallResult = {
  readonly text: string;
  readonly isError: boolean;
  readonly label: Label;
  readonly isOutstanding?: true;
  /** the turn ends with these words, until the owner lets it go on */
  readonly paused?: string;
  /** policy or the owner said no, which stays a no */
  readonly refused?: Refused;
};
type Watch = {
  readonly loop: ReturnType<typeof createLoopWatch>;
  readonly refusals: ReturnType<typeof createRefusalWatch>;
};
/** Why a turn ends before its answer: it goes in circles, or was paused with these words. */
type Circle = { readonly message: string; readonly fix: string } | { readonly paused: string };

export type AgentPorts = {
  readonly models: Models;
  /** why no model may be asked for so many tokens now, such as a budget, or null */
  whyNot?(turn: Turn, model: string, tokensIn: number): { readonly message: string; readonly fix: string } | null;
  /** a request to this model is over, and has used this */
  spent?(turn: Turn, model: string, usage: Usage): void;
  /** what this turn may use; nothing else is shown to the model */
  tools(turn: Turn): readonly ToolSchema[];
  readonly maxOutputTokens: number;
  prompt(turn: Turn): Promise<Prompt>;
  callTool(call: ToolCall, signal: AbortSignal): Promise<CallResult>;
};

/** Of a model that nobody knows; small, since a request that is too long is refused. */
const UNKNOWN_MODEL_TOKENS = 32_000;
const LEAST_WINDOW_TOKENS = 2_000;

type Reply = {
  text: string;
  calls: ModelToolCall[];
  model: string;
  /** by attempts before the one that answered */
  lost: Usage;
  end: Extract<ModelEvent, { type: 'end' }>;
  readonly askedTokens: () => number;
};

export async function runTurn(turn: Turn, ports: AgentPorts): Promise<TurnEnd> {
  const watch: Watch = { loop: createLoopWatch(), refusals: createRefusalWatch() };
  const prompt = await ports.prompt(turn);
  // What stands in the files that steer was written by somebody too.
  if (prompt.label !== null) turn.conversation.observe(prompt.label);
  const tools = ports.tools(turn);
  const fixedTokens = estimateTokens(prompt.stable + JSON.stringify(tools)) + ports.maxOutputTokens;
  let usage = NO_USAGE;
  let model = '';
  let contextTokens = 0;

  const end = (status: TurnEnd['status'], text: string, stopReason: string, error?: TurnEnd['error']): TurnEnd => ({
    status,
    text,
    stopReason,
    model,
    usage,
    contextTokens,
    label: turn.conversation.context(),
    ...(error ? { error } : {}),
  });

  const ended = (circle: Circle): TurnEnd =>
    'paused' in circle ? end('ok', circle.paused, 'paused') : end('error', '', 'loop', { kind: 'loop', ...circle });

  if (turn.outstanding.length > 0) {
    const calls = turn.outstanding.map(({ id, name, arguments: args }) => ({ id, name, args }));
    const circle = await carryOut(turn, ports, calls, turn.conversation.context(), watch);
    if (turn.signal.aborted) return stopped(turn, end, '');
    if (circle) return ended(circle);
  }
  for (let step = 0; step < MAX_STEPS; step++) {
    const tokensIn = contextTokens || fixedTokens;
    const whyNot = (ref: string) => ports.whyNot?.(turn, ref, tokensIn) ?? null;
    const over = whyNot(turn.modelOverride ?? ports.models.primary);
    if (over) return end('error', '', 'budget', { kind: 'budget', ...over });
    const reply = await askModel(turn, ports, { prompt, tools, fixedTokens, isBarred: (ref) => whyNot(ref) !== null });
    const took = usageOf(reply);
    ports.spent?.(turn, reply.end.model ?? (reply.model || (turn.modelOverride ?? ports.models.primary)), took);
    model = reply.model || model;
    usage = addUsage(usage, addUsage(reply.lost, took));
    contextTokens = totalTokens(reply.end.usage);
    if (turn.signal.aborted) return stopped(turn, end, reply.text);
    if (reply.end.stop === 'error' || reply.end.stop === 'aborted') {
      const failure = reply.end.failure;
      return end('error', '', 'error', {
        kind: failure?.kind ?? 'unknown',
        message: failure?.message ?? 'the model stopped without an answer',
      });
    }
    if (reply.calls.length === 0) {
      if (reply.end.stop === 'refusal' && reply.text === '')
        return end('error', '', 'refusal', { kind: 'refusal', message: 'the model refused to answer' });
      if (reply.text === '')
        return end('error', '', 'error', { kind: 'bad_response', message: 'the model gave an empty answer' });
      return end('ok', reply.text, reply.end.stop === 'length' ? 'length' : 'stop');
    }
    const circle = await runCalls(turn, ports, reply, watch);
    if (turn.signal.aborted) return stopped(turn, end, '');
    if (circle) return ended(circle);
    turn.takeSteering();
  }
  return end('error', '', 'steps', {
    kind: 'loop',
    message: `stopped after ${MAX_STEPS} steps without an answer`,
    fix: 'send "continue" to go on',
  });
}

/** An answer without a number, or one that was stopped before it came, is no reason to count nothing: no budget would hold. */
function usageOf({ model, text, calls, end, askedTokens }: Reply): Usage {
  const isNothing = (end.stop === 'error' && text === '' && calls.length === 0) || model.startsWith('offline/');
  if (isNothing) return end.usage;
  const output = estimateTokens(calls.length === 0 ? text : text + JSON.stringify(calls));
  if (totalTokens(end.usage) === 0) return { ...NO_USAGE, input: askedTokens(), output };
  // What was written is only told at the end, so whoever stops before it would pay for the question alone.
  const isCutOff = end.stop === 'aborted' || end.stop === 'error';
  return isCutOff ? { ...end.usage, output: Math.max(end.usage.output, output) } : end.usage;
}

type Given = {
  readonly prompt: Prompt;
  readonly tools: readonly ToolSchema[];
  readonly fixedTokens: number;
  isBarred(model: string): boolean;
};

async function askModel(
  turn: Turn,
  ports: AgentPorts,
  { prompt, tools, fixedTokens, isBarred }: Given,
): Promise<Reply> {
  const name = turn.modelOverride ?? ports.models.primary;
  const info = ports.models.list().find((m) => `${m.provider}/${m.id}` === name);
  const room = Math.max(LEAST_WINDOW_TOKENS, (info?.contextTokens ?? UNKNOWN_MODEL_TOKENS) - fixedTokens);
  const messages = fitWindow(turn.conversation.messages(), room);
  const reply: Reply = {
    text: '',
    calls: [],
    model: '',
    lost: NO_USAGE,
    end: { type: 'end', stop: 'error', usage: NO_USAGE },
    askedTokens: () => fixedTokens + estimateTokens(JSON.stringify(messages)),
  };
  const stream = ports.models.stream(
    {
      model: name,
      system: prompt,
      messages,
      tools,
      maxOutputTokens: ports.maxOutputTokens,
      cacheKey: turn.sessionId,
      isBarred,
    },
    turn.signal,
  );
  for await (const event of stream) {
    switch (event.type) {
      case 'start':
        reply.model = `${event.provider}/${event.model}`;
        turn.emit({ type: 'run.model', provider: event.provider, model: event.model });
        break;
      case 'text':
        reply.text += event.delta;
        turn.emit({ type: 'run.text', delta: event.delta });
        break;
      case 'toolCall':
        reply.calls.push(event.call);
        break;
      case 'spent':
        reply.lost = addUsage(reply.lost, event.usage);
        ports.spent?.(turn, event.model, event.usage);
        break;
      case 'end':
        reply.end = event;
    }
  }
  return reply;
}

/** Runs the calls in order and stores their results. Says so when the turn is going in circles. */
async function runCalls(turn: Turn, ports: AgentPorts, reply: Reply, watch: Watch): Promise<Circle | null> {
  const context = turn.conversation.context();
  const calls = withOwnIds(turn, reply.calls);
  turn.conversation.append({
    role: 'assistant',
    blocks: [
      ...(reply.text === '' ? [] : [{ type: 'text' as const, text: reply.text }]),
      ...calls.map((c) => ({ type: 'toolCall' as const, id: c.id, name: c.name, arguments: c.args })),
    ],
    meta: { model: reply.model },
    label: context,
  });
  // What cannot run is told first: a call that waits over a restart is found again by having no result.
  const unfit = calls.filter((call) => call.malformed !== undefined || call.withheld);
  return carryOut(turn, ports, [...unfit, ...calls.filter((call) => !unfit.includes(call))], context, watch);
}

async function carryOut(
  turn: Turn,
  ports: AgentPorts,
  calls: readonly ModelToolCall[],
  context: Label,
  watch: Watch,
): Promise<Circle | null> {
  let circle: Circle | null = null;
  for (const [at, call] of calls.entries()) {
    turn.emit({ type: 'run.tool', phase: 'start', callId: call.id, name: call.name, args: call.args });
    const result: CallResult = circle
      ? notRun('paused' in circle ? PAUSED : NO_MORE)
      : await oneCall(turn, ports, call, context, calls.slice(at + 1));
    if (result.isOutstanding) break;
    const { text, ends }: Seen = circle ? { text: result.text, ends: null } : seen(call, result, watch);
    circle ??= ends;
    const told = { text: withoutFrames(text), isError: result.isError };
    turn.emit({ type: 'run.tool', phase: 'end', callId: call.id, name: call.name, ...told });
    turn.conversation.append({
      role: 'tool',
      blocks: [{ type: 'toolResult', toolCallId: call.id, name: call.name, text, isError: result.isError }],
      label: result.label,
    });
  }
  turn.conversation.persist();
  return circle;
}

const PAUSED = 'Not run: the turn pauses until the owner says to go on. Call it again then.';
const NO_MORE = 'Not run: the turn ends, since it goes in circles.';
const notRun = (text: string): CallResult => ({ text, isError: true, label: label('tool-local', 'owner') });

type Seen = { readonly text: string; readonly ends: Circle | null };
/** What the model is told of a result, given what it was told before, and whether the turn should end over it. */
function seen(call: ModelToolCall, { text, refused, paused }: CallResult, watch: Watch): Seen {
  if (paused !== undefined) return { text, ends: { paused } };
  if (refused) {
    const verdict = watch.refusals.observe(call.name, refused);
    if (verdict === 'full') return { text, ends: null };
    const { code, reason, fix } = refused;
    const again = `Refused again (${code}), as before. Do something else, or say what you cannot do.`;
    if (verdict === 'short') return { text: again, ends: null };
    const message = `stopped: the assistant kept asking for ${call.name}, which is refused: ${reason}`;
    return { text: again, ends: { message, fix: fix || 'say what you want in other words' } };
  }
  const verdict = watch.loop.observe(call.name, call.args, withoutFrames(text));
  if (verdict === 'stop') {
    const message = 'stopped: the assistant kept repeating the same call with the same result';
    return { text, ends: { message, fix: 'say what you want in other words, or start a new session' } };
  }
  const warned = `${text}\n[This call has now given the same result several times. Do something else.]`;
  return { text: verdict === 'warn' ? warned : text, ends: null };
}

function oneCall(
  turn: Turn,
  ports: AgentPorts,
  call: ModelToolCall,
  context: Label,
  rest: readonly ModelToolCall[],
): Promise<CallResult> {
  if (turn.signal.aborted) {
    const result = notRun('Not run: the turn was stopped.');
    return Promise.resolve(turn.signal.reason === 'shutdown' ? { ...result, isOutstanding: true } : result);
  }
  if (call.malformed !== undefined) {
    const why = call.why ?? 'were not valid JSON';
    return Promise.resolve(notRun(`The arguments ${why}, so ${call.name} did not run. Send them again, mended.`));
  }
  if (call.withheld)
    return Promise.resolve(
      notRun(
        `${call.name} did not run: a secret, or what looks like one, was in the arguments. Do it without the secret, or ask the owner to do it.`,
      ),
    );
  const toolCall = ({ id, name, args }: ModelToolCall): ToolCall => ({
    ...{ turnId: turn.runId, sessionKey: turn.sessionKey, agentId: turn.agentId, speaker: turn.speaker, context },
    ...{ callId: id, name, args },
    heard: () => heardIn(turn.conversation, turn.runId),
  });
  // What is unfit is never among those that come after one that runs.
  return ports.callTool({ ...toolCall(call), ahead: () => rest.map(toolCall) }, turn.signal);
}

/** Longer ones name nothing, and would be stored and shown in full. */
const MAX_NAME_CHARS = 64;

/** Ids come from the model; two equal ones in a conversation would merge two calls into one record. */
function withOwnIds(turn: Turn, calls: readonly ModelToolCall[]): ModelToolCall[] {
  const messages = turn.conversation.messages();
  const taken = new Set(messages.flatMap((m) => m.blocks.flatMap((b) => (b.type === 'toolCall' ? [b.id] : []))));
  return calls.map((call, index) => {
    const safe = call.id.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64) || `call_${index}`;
    const id = taken.has(safe) ? `${safe.slice(0, 40)}_${messages.length}_${index}` : safe;
    taken.add(id);
    return { ...call, id, name: call.name.slice(0, MAX_NAME_CHARS).toWellFormed() };
  });
}

function stopped(
  turn: Turn,
  end: (status: TurnEnd['status'], text: string, stop: string, error?: TurnEnd['error']) => TurnEnd,
  text: string,
): TurnEnd {
  if (turn.signal.reason === 'timeout') {
    return end('error', '', 'timeout', {
      kind: 'timeout',
      message: 'stopped: the turn took longer than its time limit',
      fix: 'raise agents.defaults.timeoutSeconds, or ask for less at once',
    });
  }
  return end('aborted', text, String(turn.signal.reason ?? 'aborted'));
}
