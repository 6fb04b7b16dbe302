// Owns the translation to and from Anthropic's Messages API (streaming, official SDK). Nothing but wire format is decided
// here. The SDK must never look into the environment for keys or addresses and never log; both are switched off below.
import type {
  ContentBlockParam,
  MessageCreateParamsStreaming,
  MessageParam,
  RawMessageStreamEvent,
  Tool,
} from '@anthropic-ai/sdk/resources/messages/messages';
import type { ModelProvider, ModelRequest, Usage } from './provider.ts';
import { tokens } from './usage.ts';
import type { AdapterOptions, Connection } from './wire/connection.ts';
import { argsObject, toolCall, wellFormed } from './wire/history.ts';
import { type Finish, type Output, SDK_TIMEOUT_MS, SILENT_LOGGER, speaking, type Tally } from './wire/reply.ts';

const CACHED = { cache_control: { type: 'ephemeral' } } as const;

export function createAnthropic(options: AdapterOptions): ModelProvider {
  // The SDK appends /v1/messages; people give the address with and without /v1.
  const baseUrl = options.baseUrl.replace(/\/+$/, '').replace(/\/v1$/, '');
  return speaking({ ...options, baseUrl, auth: 'x-api-key' }, talk);
}

async function* talk(
  request: ModelRequest,
  connection: Connection,
  tally: Tally,
): AsyncGenerator<Output, Finish | null> {
  const { Anthropic } = await import('@anthropic-ai/sdk');
  const client = new Anthropic({
    apiKey: connection.endpoint.apiKey || 'none',
    authToken: null,
    webhookKey: null,
    baseURL: connection.endpoint.baseUrl,
    fetch: connection.fetch,
    maxRetries: 0,
    timeout: SDK_TIMEOUT_MS,
    logger: SILENT_LOGGER,
    logLevel: 'off',
    openTelemetry: false,
  });
  // Not messages.create(): that prints a warning to the console for models near their end.
  const stream = await client.post<AsyncIterable<RawMessageStreamEvent>>('/v1/messages', {
    body: bodyOf(request),
    stream: true,
    signal: connection.signal,
  });
  return yield* translate(stream, connection, tally);
}

async function* translate(
  stream: AsyncIterable<RawMessageStreamEvent>,
  connection: Connection,
  tally: Tally,
): AsyncGenerator<Output, Finish | null> {
  const open = new Map<number, { id: string; name: string; json: string }>();
  const close = function* (index: number): Generator<Output> {
    const block = open.get(index);
    open.delete(index);
    if (block !== undefined) yield { type: 'toolCall', call: toolCall(block.id, block.name, block.json) };
  };
  let called = false;
  let finish: Finish | null = null;
  for await (const event of stream) {
    switch (event.type) {
      case 'message_start':
        tally.usage = usageOf(event.message?.usage, tally.usage);
        break;
      case 'content_block_start':
        if (event.content_block.type === 'text' && event.content_block.text) {
          yield { type: 'text', delta: event.content_block.text };
        } else if (event.content_block.type === 'tool_use') {
          const { id, name, input } = event.content_block;
          // Compatible servers may send the whole input here and no deltas.
          const whole = typeof input === 'object' && input !== null && Object.keys(input).length > 0;
          open.set(event.index, { id, name, json: whole ? JSON.stringify(input) : '' });
          called = true;
        }
        break;
      case 'content_block_delta':
        if (event.delta.type === 'text_delta' && event.delta.text !== '') {
          yield { type: 'text', delta: event.delta.text };
        } else if (event.delta.type === 'input_json_delta') {
          const block = open.get(event.index);
          if (block !== undefined) block.json += event.delta.partial_json;
        }
        break;
      case 'content_block_stop':
        yield* close(event.index);
        break;
      case 'message_delta':
        tally.usage = usageOf(event.usage, tally.usage);
        if (event.delta.stop_reason !== null) {
          finish = finishOf(event.delta.stop_reason, event.delta.stop_details?.explanation ?? '', called);
        }
        break;
      case 'message_stop':
        connection.settle();
        finish ??= finishOf('end_turn', '', called);
        break;
    }
    if (event.type === 'message_stop') break;
  }
  if (finish !== null) for (const index of [...open.keys()]) yield* close(index);
  return finish;
}

function finishOf(reason: string, explanation: string, called: boolean): Finish {
  if (reason === 'refusal') {
    const message = `the model declined to answer${explanation === '' ? '' : `: ${explanation}`}`.slice(0, 300);
    return { stop: 'refusal', failure: { kind: 'refusal', message } };
  }
  if (reason === 'max_tokens' || reason === 'model_context_window_exceeded') return { stop: 'length' };
  return { stop: called ? 'tools' : 'end' };
}

/** message_start has the input, message_delta the output and, on newer servers, everything again; both are cumulative. */
function usageOf(wire: unknown, before: Usage): Usage {
  const counts = (wire ?? {}) as Record<string, unknown>;
  return {
    input: tokens(counts['input_tokens']) || before.input,
    output: tokens(counts['output_tokens']) || before.output,
    cacheRead: tokens(counts['cache_read_input_tokens']) || before.cacheRead,
    cacheWrite: tokens(counts['cache_creation_input_tokens']) || before.cacheWrite,
  };
}

function bodyOf(request: ModelRequest): MessageCreateParamsStreaming {
  const { stable, volatile } = request.system;
  const system = [
    ...(stable.trim() === '' ? [] : [{ type: 'text' as const, text: stable.toWellFormed(), ...CACHED }]),
    ...(volatile.trim() === '' ? [] : [{ type: 'text' as const, text: volatile.toWellFormed() }]),
  ];
  const messages = messagesOf(request);
  const last = messages.at(-1)?.content;
  const lastBlock = Array.isArray(last) ? last.at(-1) : undefined;
  // The second breakpoint: the next request reads the conversation up to here from the cache.
  if (lastBlock !== undefined) Object.assign(lastBlock, CACHED);
  return {
    model: request.model,
    max_tokens: request.maxOutputTokens,
    stream: true,
    messages,
    ...(system.length === 0 ? {} : { system }),
    ...(request.tools.length === 0 ? {} : { tools: toolsOf(request) }),
  };
}

const toolsOf = (request: ModelRequest): Tool[] =>
  request.tools.map(({ name, description, parameters }) => ({
    name,
    description,
    input_schema: { ...parameters, type: 'object' as const },
  }));

function messagesOf(request: ModelRequest): MessageParam[] {
  return wellFormed(request.messages).map((message): MessageParam => {
    if (message.role === 'user') return { role: 'user', content: [{ type: 'text', text: message.text }] };
    if (message.role === 'tool') {
      return {
        role: 'user',
        content: message.results.map(({ callId, text, isError }) => ({
          type: 'tool_result' as const,
          tool_use_id: callId,
          ...(text === '' ? {} : { content: [{ type: 'text' as const, text }] }),
          ...(isError ? { is_error: true } : {}),
        })),
      };
    }
    const content: ContentBlockParam[] = message.text.trim() === '' ? [] : [{ type: 'text', text: message.text }];
    for (const call of message.toolCalls) {
      content.push({ type: 'tool_use', id: call.id, name: call.name, input: argsObject(call) });
    }
    return { role: 'assistant', content };
  });
}
