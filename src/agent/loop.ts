// Owns the loop: ask the model, run the calls it makes, show it the results, until it answers. It never touches a tool,
// a file or the network by itself, and whatever happens becomes a TurnEnd.
import type { ModelEvent, Models, ModelToolCall, ToolSchema, Usage } from '../models/provider.ts';
import type { Turn, TurnEnd } from '../sessions/turn.ts';
import { type Label, label } from '../store/label.ts';
import { createLoopWatch, MAX_STEPS } from './limits.ts';
import type { Prompt } from './prompt.ts';
import type { ToolCall } from './tool-call.ts';
import { estimateTokens, fitWindow } from './window.ts';

export type AgentPorts = {
  readonly models: Models;
  readonly tools: readonly ToolSchema[];
  readonly maxOutputTokens: number;
  prompt(turn: Turn): Promise<Prompt>;
  callTool(
    call: ToolCall,
    signal: AbortSignal,
  ): Promise<{ readonly text: string; readonly isError: boolean; readonly label: Label }>;
};

type Reply = { text: string; calls: ModelToolCall[]; model: string; end: Extract<ModelEvent, { type: 'end' }> };

export async function runTurn(turn: Turn, ports: AgentPorts): Promise<TurnEnd> {
  const watch = createLoopWatch();
  const prompt = await ports.prompt(turn);
  const used = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  let model = '';
  let contextTokens = 0;

  const end = (status: TurnEnd['status'], text: string, stopReason: string, error?: TurnEnd['error']): TurnEnd => ({
    status,
    text,
    stopReason,
    model,
    usage: used,
    contextTokens,
    label: turn.conversation.context(),
    ...(error ? { error } : {}),
  });

  for (let step = 0; step < MAX_STEPS; step++) {
    const reply = await askModel(turn, ports, prompt);
    model = reply.model || model;
    contextTokens = addUsage(used, reply.end.usage);
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
    const looping = await runCalls(turn, ports, reply, watch);
    if (turn.signal.aborted) return stopped(turn, end, '');
    if (looping) {
      return end('error', '', 'loop', {
        kind: 'loop',
        message: 'stopped: the assistant kept repeating the same call with the same result',
        fix: 'say what you want in other words, or start a new session',
      });
    }
    turn.takeSteering();
  }
  return end('error', '', 'steps', {
    kind: 'loop',
    message: `stopped after ${MAX_STEPS} steps without an answer`,
    fix: 'send "continue" to go on',
  });
}

async function askModel(turn: Turn, ports: AgentPorts, prompt: Prompt): Promise<Reply> {
  const name = turn.modelOverride ?? ports.models.primary;
  const info = ports.models.list().find((m) => `${m.provider}/${m.id}` === name);
  const fixed = estimateTokens(prompt.stable) + estimateTokens(JSON.stringify(ports.tools)) + ports.maxOutputTokens;
  const window = fitWindow(turn.conversation.messages(), Math.max(2_000, (info?.contextTokens ?? 32_000) - fixed));
  const reply: Reply = {
    text: '',
    calls: [],
    model: '',
    end: { type: 'end', stop: 'error', usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 } },
  };
  const stream = ports.models.stream(
    {
      model: name,
      system: prompt,
      messages: window.messages,
      tools: ports.tools,
      maxOutputTokens: ports.maxOutputTokens,
      cacheKey: turn.sessionId,
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
      case 'end':
        reply.end = event;
    }
  }
  return reply;
}

/** Runs the calls in order and stores their results. True when the turn is going in circles. */
async function runCalls(
  turn: Turn,
  ports: AgentPorts,
  reply: Reply,
  watch: ReturnType<typeof createLoopWatch>,
): Promise<boolean> {
  const context = turn.conversation.context();
  // Ids come from the model; two equal ones in a turn would merge two calls into one record.
  const calls = reply.calls.map((call, index) => ({ ...call, id: uniqueId(turn, call.id, index) }));
  turn.conversation.append({
    role: 'assistant',
    blocks: [
      ...(reply.text === '' ? [] : [{ type: 'text' as const, text: reply.text }]),
      ...calls.map((c) => ({ type: 'toolCall' as const, id: c.id, name: c.name, arguments: c.args })),
    ],
    meta: { model: reply.model },
    label: context,
  });
  let looping = false;
  for (const call of calls) {
    turn.emit({ type: 'run.tool', phase: 'start', callId: call.id, name: call.name, args: call.args });
    const result = await oneCall(turn, ports, call, context);
    const verdict = watch.observe(call.name, call.args, result.text);
    looping ||= verdict === 'stop';
    const text =
      verdict === 'warn'
        ? `${result.text}\n[This call has now given the same result several times. Do something else.]`
        : result.text;
    turn.emit({ type: 'run.tool', phase: 'end', callId: call.id, name: call.name, text, isError: result.isError });
    turn.conversation.append({
      role: 'tool',
      blocks: [{ type: 'toolResult', toolCallId: call.id, name: call.name, text, isError: result.isError }],
      label: result.label,
    });
  }
  turn.conversation.persist();
  return looping;
}

function oneCall(
  turn: Turn,
  ports: AgentPorts,
  call: ModelToolCall,
  context: Label,
): ReturnType<AgentPorts['callTool']> {
  const local = label('tool-local', 'owner');
  if (turn.signal.aborted)
    return Promise.resolve({ text: 'Not run: the turn was stopped.', isError: true, label: local });
  if (call.malformed !== undefined) {
    return Promise.resolve({
      text: `The arguments were not valid JSON, so ${call.name} did not run. Send them again.`,
      isError: true,
      label: local,
    });
  }
  return ports.callTool(
    { turnId: turn.runId, sessionKey: turn.sessionKey, callId: call.id, name: call.name, args: call.args, context },
    turn.signal,
  );
}

function uniqueId(turn: Turn, id: string, index: number): string {
  const safe = id.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64) || `call_${index}`;
  const taken = turn.conversation.messages().some((m) => m.blocks.some((b) => b.type === 'toolCall' && b.id === safe));
  return taken ? `${safe.slice(0, 40)}_${turn.conversation.messages().length}_${index}` : safe;
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

/** Adds up and returns the size of what the model was shown. */
function addUsage(sum: { input: number; output: number; cacheRead: number; cacheWrite: number }, u: Usage): number {
  sum.input += u.input;
  sum.output += u.output;
  sum.cacheRead += u.cacheRead;
  sum.cacheWrite += u.cacheWrite;
  return u.input + u.cacheRead + u.cacheWrite + u.output;
}
