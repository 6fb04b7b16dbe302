// Owns the translation to and from the Chat Completions format (streaming, official SDK), which Ollama, LM Studio,
// OpenRouter, vLLM and many others speak, each a little differently. Be strict in what is sent, forgiving in what comes.
import type {
  ChatCompletionChunk,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionFunctionTool,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions/completions';
import { newId } from '../platform/ids.ts';
import type { ModelProvider, ModelRequest, ToolSchema } from './provider.ts';
import { openaiUsage } from './usage.ts';
import type { AdapterOptions, Connection } from './wire/connection.ts';
import { answeredFailure, ModelFailed } from './wire/failures.ts';
import { argsObject, resultText, toolCall, wellFormed } from './wire/history.ts';
import { OPENAI_BASE_URL, openaiClient, openaiEndpoint } from './wire/openai-client.ts';
import { type Finish, type Output, speaking, type Tally } from './wire/reply.ts';

export function createOpenaiChat(options: AdapterOptions): ModelProvider {
  return speaking(openaiEndpoint(options), talk);
}

/** What servers really send: any part of a chunk may be missing. */
type Chunk = {
  readonly choices?:
    | readonly ({ readonly delta?: Delta | null; readonly finish_reason?: string | null } | null)[]
    | null;
  readonly usage?: ChatCompletionChunk['usage'];
  readonly error?: unknown;
};
type Delta = {
  readonly content?: string | null;
  readonly refusal?: string | null;
  readonly tool_calls?: readonly Fragment[] | null;
};
type Fragment = {
  readonly index?: number | null;
  readonly id?: string | null;
  readonly function?: { readonly name?: string | null; readonly arguments?: unknown } | null;
};

async function* talk(
  request: ModelRequest,
  connection: Connection,
  tally: Tally,
): AsyncGenerator<Output, Finish | null> {
  const client = await openaiClient(connection);
  const stream = await client.post<AsyncIterable<Chunk>>('/chat/completions', {
    body: bodyOf(request, connection.endpoint.baseUrl === OPENAI_BASE_URL),
    stream: true,
    signal: connection.signal,
  });
  const calls = callCollector();
  let reason: string | null = null;
  let refused = false;
  try {
    for await (const chunk of stream) {
      if (chunk?.error) throw new ModelFailed(answeredFailure(undefined, chunk, null, connection.where));
      if (chunk?.usage) tally.usage = usageOf(chunk.usage);
      const choice = chunk?.choices?.[0];
      const text = choice?.delta?.content || choice?.delta?.refusal;
      if (choice?.delta?.refusal) refused = true;
      if (typeof text === 'string' && text !== '') yield { type: 'text', delta: text };
      for (const fragment of choice?.delta?.tool_calls ?? []) calls.add(fragment);
      if (choice?.finish_reason) {
        reason = choice.finish_reason.toLowerCase();
        connection.settle();
      }
    }
  } catch (error) {
    // The answer was complete; only the token count that should have followed is lost.
    if (reason === null) throw error;
  }
  if (reason === null && !connection.sawDone()) return null;
  connection.settle();
  const made = calls.all();
  for (const call of made) yield { type: 'toolCall', call };
  if (refused || reason === 'content_filter') {
    return { stop: 'refusal', failure: { kind: 'refusal', message: 'the model declined to answer' } };
  }
  if (reason === 'length' || reason === 'max_tokens') return { stop: 'length' };
  // Many servers say `stop` after tool calls; what was sent counts, not what it was called.
  return { stop: made.length > 0 ? 'tools' : 'end' };
}

/**
 * Puts tool calls together. Known habits: fragments with an index; whole calls without one; every call with index 0 and
 * its own id; later fragments without an id, or with the id repeated; arguments as an object; no id, or one id for all.
 */
function callCollector() {
  const parts: { key: number | null; id: string; name: string; json: string }[] = [];
  return {
    add(fragment: Fragment): void {
      const id = fragment.id ?? '';
      const key = fragment.index ?? null;
      const name = fragment.function?.name ?? '';
      const given = fragment.function?.arguments ?? '';
      const json = typeof given === 'string' ? given : JSON.stringify(given);
      const same = parts.findLast((part) => (key === null ? part === parts.at(-1) : part.key === key));
      const another =
        id === '' || same?.id === '' ? name !== '' && (name !== same?.name || isComplete(same.json)) : id !== same?.id;
      if (same === undefined || another) {
        parts.push({ key, id, name, json });
        return;
      }
      same.id ||= id;
      same.name ||= name;
      same.json += json;
    },
    all() {
      const taken = new Set<string>();
      return parts.map((part) => {
        if (part.id === '' || taken.has(part.id)) part.id = `call_${newId()}`;
        taken.add(part.id);
        return toolCall(part.id, part.name, part.json);
      });
    },
  };
}

function isComplete(json: string): boolean {
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
}

const usageOf = (usage: NonNullable<Chunk['usage']>) =>
  openaiUsage(usage.prompt_tokens, usage.prompt_tokens_details?.cached_tokens, usage.completion_tokens);

function bodyOf(request: ModelRequest, isOpenai: boolean): ChatCompletionCreateParamsStreaming {
  const { model, maxOutputTokens, tools } = request;
  // One system message, first: the chat templates of many local models accept no other.
  const system = [request.system.stable, request.system.volatile].filter((text) => text.trim() !== '').join('\n\n');
  return {
    model,
    stream: true,
    stream_options: { include_usage: true },
    // OpenAI's own models refuse the old name, other servers often do not know the new one.
    ...(isOpenai ? { max_completion_tokens: maxOutputTokens } : { max_tokens: maxOutputTokens }),
    messages: [
      ...(system === '' ? [] : [{ role: 'system' as const, content: system.toWellFormed() }]),
      ...wellFormed(request.messages).flatMap(messagesOf),
    ],
    ...(tools.length === 0 ? {} : { tools: tools.map(toolOf) }),
  };
}

const toolOf = ({ name, description, parameters }: ToolSchema): ChatCompletionFunctionTool => ({
  type: 'function',
  function: { name, description, parameters },
});

function messagesOf(message: ReturnType<typeof wellFormed>[number]): ChatCompletionMessageParam[] {
  switch (message.role) {
    case 'user':
      return [{ role: 'user', content: message.text }];
    case 'tool':
      return message.results.map((result) => ({
        role: 'tool',
        tool_call_id: result.callId,
        content: resultText(result),
      }));
    case 'assistant': {
      const calls = message.toolCalls.map((call) => ({
        id: call.id,
        type: 'function' as const,
        function: { name: call.name, arguments: JSON.stringify(argsObject(call)) },
      }));
      return [{ role: 'assistant', content: message.text, ...(calls.length === 0 ? {} : { tool_calls: calls }) }];
    }
  }
}
