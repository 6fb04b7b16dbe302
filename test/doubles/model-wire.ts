// Owns the wire formats of the three model APIs as a server speaks them: events of a stream, whole replies, error bodies.
// The official SDKs must be able to read every byte of it.

export type WireKind = 'messages' | 'responses' | 'chat';

export type ScriptedCall = {
  readonly name: string;
  readonly args?: unknown;
  /** sent as it is instead of `args`: for arguments that are not JSON */
  readonly raw?: string;
  readonly id?: string;
};

export type ScriptedUsage = {
  readonly input?: number;
  readonly output?: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
};

/** Habits of OpenAI-compatible servers that are not OpenAI. */
export type ChatQuirks = {
  readonly noUsage?: boolean;
  /** name, id and arguments in one piece */
  readonly wholeCalls?: boolean;
  readonly noIndex?: boolean;
  /** every call says index 0 */
  readonly sameIndex?: boolean;
  readonly noIds?: boolean;
  /** arguments as an object, not as text */
  readonly objectArgs?: boolean;
  /** chunks without choices in between */
  readonly emptyChoices?: boolean;
  readonly finishReason?: string;
  readonly noFinishReason?: boolean;
  readonly noDone?: boolean;
};

export type Reply = {
  /** one delta for each element */
  readonly text?: string | readonly string[];
  /** instead of text: this many words */
  readonly tokens?: number;
  readonly toolCalls?: readonly ScriptedCall[];
  /** into how many pieces the arguments of a call are cut */
  readonly fragments?: number;
  readonly reasoning?: string;
  readonly usage?: ScriptedUsage;
  readonly stop?: 'end' | 'length' | 'refusal';
  readonly quirks?: ChatQuirks;
};

/** `head` goes out at once, `body` event by event, `tail` completes the reply. */
export type WireStream = { readonly head: string[]; readonly body: string[]; readonly tail: string[] };

export type Ids = { readonly reply: string; readonly call: (index: number) => string };

export const wordsOf = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => (i === 0 ? 'w0' : ` w${i}`));

export const deltasOf = (reply: Reply): readonly string[] => {
  if (reply.tokens !== undefined) return wordsOf(reply.tokens);
  return typeof reply.text === 'string' ? [reply.text] : (reply.text ?? []);
};

export const rawArgs = (call: ScriptedCall): string => call.raw ?? JSON.stringify(call.args ?? {});

function cut(text: string, pieces: number): string[] {
  const size = Math.max(1, Math.ceil(text.length / pieces));
  return Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size));
}

export const counts = (reply: Reply): Required<ScriptedUsage> => ({
  input: reply.usage?.input ?? 10,
  output: reply.usage?.output ?? Math.max(1, deltasOf(reply).length),
  cacheRead: reply.usage?.cacheRead ?? 0,
  cacheWrite: reply.usage?.cacheWrite ?? 0,
});

export const sse = (data: unknown, event?: string): string =>
  `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;

export function streamOf(kind: WireKind, reply: Reply, model: string, ids: Ids): WireStream {
  return { messages: messagesStream, responses: responsesStream, chat: chatStream }[kind](reply, model, ids);
}

function messagesStream(reply: Reply, model: string, ids: Ids): WireStream {
  const event = (type: string, rest: object): string => sse({ type, ...rest }, type);
  const { input, output, cacheRead, cacheWrite } = counts(reply);
  const body: string[] = [];
  let index = 0;
  const block = (content: object, deltas: readonly object[]): void => {
    body.push(event('content_block_start', { index, content_block: content }));
    for (const delta of deltas) body.push(event('content_block_delta', { index, delta }));
    body.push(event('content_block_stop', { index }));
    index++;
  };
  if (reply.reasoning !== undefined) {
    block({ type: 'thinking', thinking: '', signature: '' }, [
      { type: 'thinking_delta', thinking: reply.reasoning },
      { type: 'signature_delta', signature: 'c2lnbmF0dXJl' },
    ]);
  }
  const texts = deltasOf(reply);
  if (texts.length > 0 || reply.toolCalls === undefined) {
    block(
      { type: 'text', text: '' },
      texts.map((text) => ({ type: 'text_delta', text })),
    );
  }
  for (const [i, call] of (reply.toolCalls ?? []).entries()) {
    const id = call.id ?? ids.call(i);
    // The real API sends an empty first piece.
    const pieces = ['', ...cut(rawArgs(call), reply.fragments ?? 3)];
    block(
      { type: 'tool_use', id, name: call.name, input: {} },
      pieces.map((partial_json) => ({ type: 'input_json_delta', partial_json })),
    );
  }
  const stop = { end: reply.toolCalls?.length ? 'tool_use' : 'end_turn', length: 'max_tokens', refusal: 'refusal' }[
    reply.stop ?? 'end'
  ];
  const details = stop === 'refusal' ? { type: 'refusal', category: null, explanation: 'not this' } : null;
  const usage = {
    input_tokens: input,
    cache_creation_input_tokens: cacheWrite,
    cache_read_input_tokens: cacheRead,
    output_tokens: 1,
  };
  const message = {
    id: ids.reply,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
  };
  return {
    head: [event('message_start', { message }), sse({ type: 'ping' }, 'ping')],
    body,
    tail: [
      event('message_delta', {
        delta: { stop_reason: stop, stop_sequence: null, stop_details: details },
        usage: { output_tokens: output },
      }),
      event('message_stop', {}),
    ],
  };
}

function responsesStream(reply: Reply, model: string, ids: Ids): WireStream {
  let sequence_number = 0;
  const event = (type: string, rest: object): string =>
    sse({ type, sequence_number: sequence_number++, ...rest }, type);
  const { input, output, cacheRead } = counts(reply);
  const usage = {
    input_tokens: input + cacheRead,
    input_tokens_details: { cached_tokens: cacheRead },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + cacheRead + output,
  };
  const items: object[] = [];
  const response = (status: string, extra: object = {}): object => ({
    id: ids.reply,
    object: 'response',
    created_at: 1,
    model,
    status,
    error: null,
    incomplete_details: null,
    output: status === 'in_progress' ? [] : items,
    usage: status === 'in_progress' ? null : usage,
    ...extra,
  });
  const head = [
    event('response.created', { response: response('in_progress') }),
    event('response.in_progress', { response: response('in_progress') }),
  ];
  const body: string[] = [];
  if (reply.reasoning !== undefined) {
    const item = { id: 'rs_1', type: 'reasoning', summary: [] };
    body.push(
      event('response.output_item.added', { output_index: items.length, item }),
      event('response.output_item.done', { output_index: items.length, item }),
    );
    items.push(item);
  }
  const texts = deltasOf(reply);
  if (texts.length > 0 || reply.toolCalls === undefined) {
    const at = { item_id: 'msg_1', output_index: items.length, content_index: 0 };
    const refusal = reply.stop === 'refusal';
    const part = (text: string): object =>
      refusal ? { type: 'refusal', refusal: text } : { type: 'output_text', text, annotations: [], logprobs: [] };
    const item = (status: string, content: object[]): object => ({
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      status,
      content,
    });
    const type = refusal ? 'response.refusal' : 'response.output_text';
    const whole = texts.join('');
    body.push(event('response.output_item.added', { output_index: at.output_index, item: item('in_progress', []) }));
    body.push(event('response.content_part.added', { ...at, part: part('') }));
    for (const delta of texts)
      body.push(event(`${type}.delta`, { ...at, delta, ...(refusal ? {} : { logprobs: [] }) }));
    body.push(event(`${type}.done`, { ...at, [refusal ? 'refusal' : 'text']: whole }));
    body.push(event('response.content_part.done', { ...at, part: part(whole) }));
    items.push(item('completed', [part(whole)]));
    body.push(event('response.output_item.done', { output_index: at.output_index, item: items.at(-1) }));
  }
  for (const [i, call] of (reply.toolCalls ?? []).entries()) {
    const output_index = items.length;
    const item = {
      id: `fc_${i}`,
      type: 'function_call',
      call_id: call.id ?? ids.call(i),
      name: call.name,
      arguments: rawArgs(call),
      status: 'completed',
    };
    body.push(
      event('response.output_item.added', { output_index, item: { ...item, arguments: '', status: 'in_progress' } }),
    );
    for (const delta of cut(item.arguments, reply.fragments ?? 3)) {
      body.push(event('response.function_call_arguments.delta', { item_id: item.id, output_index, delta }));
    }
    body.push(
      event('response.function_call_arguments.done', {
        item_id: item.id,
        output_index,
        name: item.name,
        arguments: item.arguments,
      }),
    );
    body.push(event('response.output_item.done', { output_index, item }));
    items.push(item);
  }
  const tail =
    reply.stop === 'length'
      ? event('response.incomplete', {
          response: response('incomplete', { incomplete_details: { reason: 'max_output_tokens' } }),
        })
      : event('response.completed', { response: response('completed') });
  return { head, body, tail: [tail] };
}

function chatStream(reply: Reply, model: string, ids: Ids): WireStream {
  const quirks = reply.quirks ?? {};
  const base = { id: ids.reply, object: 'chat.completion.chunk', created: 1, model, system_fingerprint: 'fp_double' };
  const chunk = (delta: object, finish_reason: string | null = null): string =>
    sse({ ...base, choices: [{ index: 0, delta, logprobs: null, finish_reason }] });
  const { input, output, cacheRead } = counts(reply);
  const usage = {
    prompt_tokens: input + cacheRead,
    completion_tokens: output,
    total_tokens: input + cacheRead + output,
    prompt_tokens_details: { cached_tokens: cacheRead },
  };
  const body: string[] = [];
  if (quirks.emptyChoices)
    body.push(sse({ ...base, choices: [] }), sse({ ...base, choices: null }), ': still working\n\n');
  if (reply.reasoning !== undefined)
    body.push(chunk({ reasoning_content: reply.reasoning }), chunk({ reasoning: reply.reasoning, content: null }));
  const refusal = reply.stop === 'refusal';
  for (const text of deltasOf(reply)) body.push(chunk(refusal ? { refusal: text } : { content: text }));
  for (const [i, call] of (reply.toolCalls ?? []).entries()) {
    const place = quirks.noIndex ? {} : { index: quirks.sameIndex ? 0 : i };
    const id = quirks.noIds ? {} : { id: call.id ?? ids.call(i) };
    const named = { ...place, ...id, type: 'function' };
    if (quirks.wholeCalls) {
      const args = quirks.objectArgs ? call.args : rawArgs(call);
      body.push(chunk({ tool_calls: [{ ...named, function: { name: call.name, arguments: args } }] }));
      continue;
    }
    body.push(chunk({ tool_calls: [{ ...named, function: { name: call.name, arguments: '' } }] }));
    for (const piece of cut(rawArgs(call), reply.fragments ?? 3))
      body.push(chunk({ tool_calls: [{ ...place, function: { arguments: piece } }] }));
  }
  const natural = { end: reply.toolCalls?.length ? 'tool_calls' : 'stop', length: 'length', refusal: 'content_filter' }[
    reply.stop ?? 'end'
  ];
  const tail = quirks.noFinishReason ? [] : [chunk({}, quirks.finishReason ?? natural)];
  if (!quirks.noUsage) tail.push(sse({ ...base, choices: [], usage }));
  if (!quirks.noDone) tail.push('data: [DONE]\n\n');
  return { head: [chunk({ role: 'assistant', content: '' })], body, tail };
}
