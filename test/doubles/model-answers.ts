// Owns what a model server says outside of a stream: whole replies, HTTP error bodies and error events.
import { counts, deltasOf, type Ids, type Reply, rawArgs, sse, type WireKind } from './model-wire.ts';

/** The same reply for a request that did not ask for a stream. */
export function wholeOf(kind: WireKind, reply: Reply, model: string, ids: Ids): object {
  const text = deltasOf(reply).join('');
  const calls = (reply.toolCalls ?? []).map((call, i) => ({
    id: call.id ?? ids.call(i),
    name: call.name,
    raw: rawArgs(call),
  }));
  const { input, output, cacheRead, cacheWrite } = counts(reply);
  if (kind === 'messages') {
    const content = [
      ...(text === '' ? [] : [{ type: 'text', text }]),
      ...calls.map(({ id, name, raw }) => ({ type: 'tool_use', id, name, input: JSON.parse(raw) as unknown })),
    ];
    const usage = {
      input_tokens: input,
      cache_creation_input_tokens: cacheWrite,
      cache_read_input_tokens: cacheRead,
      output_tokens: output,
    };
    return {
      id: ids.reply,
      type: 'message',
      role: 'assistant',
      model,
      content,
      stop_reason: calls.length > 0 ? 'tool_use' : 'end_turn',
      stop_sequence: null,
      usage,
    };
  }
  if (kind === 'responses') {
    const message = {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text, annotations: [] }],
    };
    const outputs = calls.map(({ id, name, raw }, i) => ({
      id: `fc_${i}`,
      type: 'function_call',
      call_id: id,
      name,
      arguments: raw,
      status: 'completed',
    }));
    const usage = {
      input_tokens: input + cacheRead,
      input_tokens_details: { cached_tokens: cacheRead },
      output_tokens: output,
      total_tokens: input + output,
    };
    return {
      id: ids.reply,
      object: 'response',
      created_at: 1,
      model,
      status: 'completed',
      error: null,
      output: [...(text === '' && calls.length > 0 ? [] : [message]), ...outputs],
      usage,
    };
  }
  const tool_calls = calls.map(({ id, name, raw }) => ({ id, type: 'function', function: { name, arguments: raw } }));
  const message = {
    role: 'assistant',
    content: calls.length > 0 && text === '' ? null : text,
    refusal: null,
    ...(calls.length > 0 ? { tool_calls } : {}),
  };
  return {
    id: ids.reply,
    object: 'chat.completion',
    created: 1,
    model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: calls.length > 0 ? 'tool_calls' : 'stop' }],
    usage: { prompt_tokens: input + cacheRead, completion_tokens: output, total_tokens: input + cacheRead + output },
  };
}

/** An HTTP error body, or the data of an error event, as each provider writes it. */
export function errorBody(kind: WireKind, status: number, message: string, code?: string): object {
  if (kind === 'messages') {
    const type =
      code ??
      {
        400: 'invalid_request_error',
        401: 'authentication_error',
        402: 'billing_error',
        403: 'permission_error',
        404: 'not_found_error',
        413: 'request_too_large',
        429: 'rate_limit_error',
        529: 'overloaded_error',
      }[status] ??
      'api_error';
    return { type: 'error', error: { type, message }, request_id: 'req_double' };
  }
  const type = status === 429 ? 'requests' : status >= 500 ? 'server_error' : 'invalid_request_error';
  return {
    error: {
      message,
      type,
      param: null,
      code: code ?? { 401: 'invalid_api_key', 429: 'rate_limit_exceeded' }[status] ?? null,
    },
  };
}

/** A failure that the provider reports in the middle of its stream. */
export function errorEvent(kind: WireKind, message: string, code: string): string {
  if (kind === 'messages') return sse({ type: 'error', error: { type: code, message } }, 'error');
  if (kind === 'responses') return sse({ type: 'error', sequence_number: 99, code, message, param: null }, 'error');
  return sse({ error: { message, type: 'server_error', code } });
}
