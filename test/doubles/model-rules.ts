// Owns what the real model APIs refuse, so that a request which only works against a double is found out. Returns the
// complaint, or null.
import type { WireKind } from './model-wire.ts';

type Json = Record<string, unknown>;
const list = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : []);
const isBlank = (value: unknown): boolean => typeof value !== 'string' || value.trim() === '';
const hasLoneSurrogate = (raw: string): boolean => /\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f])/i.test(raw);
const ID = /^[a-zA-Z0-9_-]{1,64}$/;

export function complaintAbout(kind: WireKind, body: Json, raw: string): string | null {
  if (isBlank(body['model'])) return 'model: field required';
  if (hasLoneSurrogate(raw)) return 'The request body is not valid JSON: no low surrogate in string';
  return { messages: aboutMessages, responses: aboutResponses, chat: aboutChat }[kind](body);
}

function aboutMessages(body: Json): string | null {
  if (typeof body['max_tokens'] !== 'number') return 'max_tokens: field required';
  const messages = list(body['messages']);
  if (messages[0]?.['role'] !== 'user') return 'messages: first message must use the "user" role';
  const ids = new Set<string>();
  let open: string[] = [];
  let breakpoints = 0;
  for (const block of list(body['system'])) {
    if (isBlank(block['text'])) return 'system: text content blocks must contain non-whitespace text';
    if (block['cache_control']) breakpoints++;
  }
  for (const [at, message] of messages.entries()) {
    const content =
      typeof message['content'] === 'string' ? [{ type: 'text', text: message['content'] }] : list(message['content']);
    if (content.length === 0) return `messages.${at}: all messages must have non-empty content`;
    const answered = content
      .filter((block) => block['type'] === 'tool_result')
      .map((block) => String(block['tool_use_id']));
    const missing = open.filter((id) => !answered.includes(id));
    if (missing.length > 0)
      return `messages.${at}: tool_use ids were found without tool_result blocks immediately after: ${missing.join(', ')}`;
    const unknown = answered.filter((id) => !open.includes(id));
    if (unknown.length > 0)
      return `messages.${at}: unexpected tool_use_id found in tool_result blocks: ${unknown.join(', ')}`;
    open = [];
    for (const block of content as Json[]) {
      if (block['cache_control']) breakpoints++;
      if (block['type'] === 'text' && isBlank(block['text']))
        return `messages.${at}: text content blocks must contain non-whitespace text`;
      if (block['type'] !== 'tool_use') continue;
      const id = String(block['id']);
      if (!ID.test(id) || !ID.test(String(block['name'])))
        return `messages.${at}: tool_use id or name does not match the pattern`;
      if (ids.has(id)) return `messages.${at}: tool_use ids must be unique`;
      if (typeof block['input'] !== 'object' || block['input'] === null)
        return `messages.${at}: tool_use.input should be a valid dictionary`;
      ids.add(id);
      open.push(id);
    }
  }
  if (open.length > 0) return 'the last tool_use has no tool_result';
  if (messages.at(-1)?.['role'] !== 'user') return 'This model does not support assistant message prefill.';
  return breakpoints > 4 ? 'A maximum of 4 blocks with cache_control may be provided.' : null;
}

function aboutResponses(body: Json): string | null {
  const calls = new Set<string>();
  const answered = new Set<string>();
  for (const [at, item] of list(body['input']).entries()) {
    const id = String(item['call_id']);
    if (item['type'] === 'function_call') {
      if (!ID.test(id) || !ID.test(String(item['name']))) return `Invalid 'input[${at}]': expected an id and a name`;
      if (!isJson(item['arguments'])) return `Invalid 'input[${at}].arguments'`;
      calls.add(id);
    } else if (item['type'] === 'function_call_output') {
      if (!calls.has(id)) return `No tool call found for function call output with call_id ${id}.`;
      if (typeof item['output'] !== 'string') return `Invalid 'input[${at}].output'`;
      answered.add(id);
    } else if (!['user', 'assistant', 'developer', 'system'].includes(String(item['role'])))
      return `Invalid 'input[${at}].role'`;
  }
  const open = [...calls].find((id) => !answered.has(id));
  if (open !== undefined) return `No tool output found for function call ${open}.`;
  for (const tool of list(body['tools'])) if (!ID.test(String(tool['name']))) return 'Invalid tools: name';
  const key = body['prompt_cache_key'];
  return typeof key === 'string' && key.length > 64 ? 'Invalid prompt_cache_key: string too long' : null;
}

function aboutChat(body: Json): string | null {
  let open: string[] = [];
  for (const [at, message] of list(body['messages']).entries()) {
    const role = String(message['role']);
    if (role === 'tool') {
      const id = String(message['tool_call_id']);
      if (!open.includes(id))
        return `messages.[${at}]: messages with role "tool" must be a response to a preceding message with "tool_calls"`;
      open = open.filter((other) => other !== id);
      continue;
    }
    if (open.length > 0)
      return `An assistant message with "tool_calls" must be followed by tool messages: ${open.join(', ')}`;
    if (role === 'system' && at > 0) return 'System message must be at the beginning.';
    if (!['system', 'user', 'assistant'].includes(role)) return `messages.[${at}].role`;
    for (const call of list(message['tool_calls'])) {
      const target = call['function'] as Json;
      if (!ID.test(String(call['id'])) || !ID.test(String(target['name'])) || !isJson(target['arguments']))
        return `messages.[${at}].tool_calls`;
      open.push(String(call['id']));
    }
    if (Array.isArray(message['tool_calls']) && message['tool_calls'].length === 0)
      return `messages.[${at}].tool_calls: [] is too short`;
  }
  if (Array.isArray(body['tools']) && body['tools'].length === 0) return 'tools: [] is too short';
  return open.length > 0 ? 'tool_calls without tool messages' : null;
}

function isJson(value: unknown): boolean {
  try {
    JSON.parse(String(value));
    return typeof value === 'string';
  } catch {
    return false;
  }
}
