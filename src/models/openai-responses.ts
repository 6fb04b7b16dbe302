// Owns the translation to and from OpenAI's Responses API (streaming, official SDK). Nothing but wire format is decided
// here. Nothing is stored at the provider: every request carries its whole conversation.
import type {
  FunctionTool,
  Response,
  ResponseCreateParamsStreaming,
  ResponseInputItem,
  ResponseOutputItem,
  ResponseStreamEvent,
} from 'openai/resources/responses/responses';
import { sha256 } from '../platform/ids.ts';
import type { ModelProvider, ModelRequest, ToolSchema } from './provider.ts';
import { openaiUsage } from './usage.ts';
import type { AdapterOptions, Connection } from './wire/connection.ts';
import { answeredFailure, ModelFailed } from './wire/failures.ts';
import { argsObject, resultText, toolCall, wellFormed } from './wire/history.ts';
import { openaiClient, openaiEndpoint } from './wire/openai-client.ts';
import { type Finish, type Output, speaking, type Tally } from './wire/reply.ts';

export function createOpenaiResponses(options: AdapterOptions): ModelProvider {
  return speaking(openaiEndpoint(options), talk);
}

async function* talk(
  request: ModelRequest,
  connection: Connection,
  tally: Tally,
): AsyncGenerator<Output, Finish | null> {
  const client = await openaiClient(connection);
  const stream = await client.post<AsyncIterable<ResponseStreamEvent>>('/responses', {
    body: bodyOf(request),
    stream: true,
    signal: connection.signal,
  });
  const seen = { text: false, refused: false, calls: new Set<string>() };
  for await (const event of stream) {
    switch (event.type) {
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        if (typeof event.delta !== 'string' || event.delta === '') break;
        if (event.type === 'response.refusal.delta') seen.refused = true;
        seen.text = true;
        yield { type: 'text', delta: event.delta };
        break;
      case 'response.output_item.done':
        yield* callIn(event.item, seen.calls);
        break;
      case 'response.completed':
      case 'response.incomplete': {
        const { response } = event;
        connection.settle();
        tally.usage = usageOf(response);
        // Compatible servers may leave out the deltas or the item events; the whole is here again.
        for (const item of response.output ?? []) {
          yield* callIn(item, seen.calls);
          if (!seen.text) yield* textIn(item);
        }
        return finishOf(response, seen);
      }
      case 'response.failed':
        tally.usage = usageOf(event.response);
        throw new ModelFailed(answeredFailure(undefined, { error: event.response.error }, null, connection.where));
      case 'error':
        throw new ModelFailed(answeredFailure(undefined, event, null, connection.where));
    }
  }
  return null;
}

function* callIn(item: ResponseOutputItem, done: Set<string>): Generator<Output> {
  if (item.type !== 'function_call' || done.has(item.call_id)) return;
  done.add(item.call_id);
  yield { type: 'toolCall', call: toolCall(item.call_id, item.name, item.arguments ?? '') };
}

function* textIn(item: ResponseOutputItem): Generator<Output> {
  if (item.type !== 'message') return;
  for (const part of item.content ?? []) {
    const delta = part.type === 'output_text' ? part.text : part.type === 'refusal' ? part.refusal : '';
    if (delta) yield { type: 'text', delta };
  }
}

function finishOf(response: Response, seen: { refused: boolean; calls: Set<string> }): Finish {
  const reason = response.incomplete_details?.reason;
  if (seen.refused || reason === 'content_filter') {
    return { stop: 'refusal', failure: { kind: 'refusal', message: 'the model declined to answer' } };
  }
  if (reason !== undefined) return { stop: 'length' };
  return { stop: seen.calls.size > 0 ? 'tools' : 'end' };
}

const usageOf = ({ usage }: Response) =>
  openaiUsage(usage?.input_tokens, usage?.input_tokens_details?.cached_tokens, usage?.output_tokens);

function bodyOf(request: ModelRequest): ResponseCreateParamsStreaming {
  const instructions = [request.system.stable, request.system.volatile]
    .filter((text) => text.trim() !== '')
    .join('\n\n');
  return {
    model: request.model,
    instructions: instructions.toWellFormed(),
    input: wellFormed(request.messages).flatMap(itemsOf),
    max_output_tokens: request.maxOutputTokens,
    store: false,
    stream: true,
    // Groups requests for the provider's cache. Hashed: a session key can hold a phone number.
    prompt_cache_key: sha256(request.cacheKey).slice(0, 32),
    ...(request.tools.length === 0 ? {} : { tools: request.tools.map(toolOf) }),
  };
}

const toolOf = ({ name, description, parameters }: ToolSchema): FunctionTool => ({
  type: 'function',
  strict: false,
  name,
  description,
  parameters,
});

function itemsOf(message: ReturnType<typeof wellFormed>[number]): ResponseInputItem[] {
  switch (message.role) {
    case 'user':
      return [{ role: 'user', content: message.text }];
    case 'tool':
      return message.results.map((result) => ({
        type: 'function_call_output',
        call_id: result.callId,
        output: resultText(result),
      }));
    case 'assistant':
      return [
        ...(message.text.trim() === '' ? [] : [{ role: 'assistant' as const, content: message.text }]),
        ...message.toolCalls.map((call) => ({
          type: 'function_call' as const,
          call_id: call.id,
          name: call.name,
          arguments: JSON.stringify(argsObject(call)),
        })),
      ];
  }
}
