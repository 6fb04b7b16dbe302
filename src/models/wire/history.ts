// Owns the form of a conversation as providers demand it. One stored oddity (a call without a result after a crash, an id
// or name from another provider, half a surrogate pair) must not make every later request of a session fail.
import type { ModelMessage, ModelToolCall } from '../provider.ts';

type ToolMessage = Extract<ModelMessage, { role: 'tool' }>;
type Result = ToolMessage['results'][number];

const NO_RESULT = 'no result: the call was interrupted before it finished';

/**
 * Every call is followed by exactly one result, in order; ids are unique and, like names, made of letters that all
 * providers take; the first message is the user's and no two of them follow each other; no text is blank where a provider refuses blank text. The same
 * input gives the same output, so provider caches keep hitting.
 */
export function wellFormed(messages: readonly ModelMessage[]): ModelMessage[] {
  const out: ModelMessage[] = [];
  const ids = new Set<string>();
  for (let i = 0; i < messages.length; i++) {
    const message = messages[i];
    if (message === undefined || message.role === 'tool') continue; // results are taken together with their calls, below
    if (out.length === 0 && message.role === 'assistant')
      out.push({ role: 'user', text: '(earlier messages are left out)' });
    const text = message.text.toWellFormed();
    if (message.role === 'user') {
      const said = text.trim() === '' ? '(empty message)' : text;
      // A turn that failed leaves two in a row; the chat templates of many local models want them to alternate.
      const previous = out.at(-1);
      if (previous?.role === 'user') out[out.length - 1] = { role: 'user', text: `${previous.text}\n\n${said}` };
      else out.push({ role: 'user', text: said });
      continue;
    }
    if (message.toolCalls.length === 0) {
      if (text.trim() !== '') out.push({ role: 'assistant', text, toolCalls: [] });
      continue;
    }
    const results: Result[] = [];
    for (let next = messages[i + 1]; next?.role === 'tool'; next = messages[++i + 1]) results.push(...next.results);
    const calls = message.toolCalls.map((call) => ({
      ...call,
      id: uniqueId(call.id, ids),
      name: safe(call.name, 'unknown'),
    }));
    out.push({ role: 'assistant', text, toolCalls: calls });
    out.push({ role: 'tool', results: calls.map((call, n) => resultFor(call, message.toolCalls[n]?.id, results)) });
  }
  return out;
}

function resultFor(call: ModelToolCall, storedId: string | undefined, results: Result[]): Result {
  const at = results.findIndex((result) => result.callId === storedId);
  const found = at < 0 ? undefined : results.splice(at, 1)[0];
  return {
    callId: call.id,
    name: call.name,
    text: found?.text.toWellFormed() ?? NO_RESULT,
    isError: found?.isError ?? true,
  };
}

const safe = (word: string, instead: string): string => word.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 56) || instead;

function uniqueId(wanted: string, taken: Set<string>): string {
  const base = safe(wanted, 'call');
  let id = base;
  for (let n = 2; taken.has(id); n++) id = `${base}_${n}`;
  taken.add(id);
  return id;
}

/** More than any tool takes; whatever is longer is neither parsed nor kept. */
const MAX_ARGS_CHARS = 2_000_000;
/** No tool nests its arguments; what looks at them later goes down level by level. */
const MAX_ARGS_DEPTH = 64;
const KEPT_CHARS = 4_000;

/** What the model sent as arguments, or why they are of no use. No text at all means no arguments. */
export function toolCall(id: string, name: string, raw: string): ModelToolCall {
  const unusable = (why?: string): ModelToolCall => {
    const malformed = raw.slice(0, KEPT_CHARS).toWellFormed();
    return { id, name, args: null, malformed, ...(why === undefined ? {} : { why }) };
  };
  if (raw.length > MAX_ARGS_CHARS)
    return unusable(`have ${raw.length} characters, and at most ${MAX_ARGS_CHARS} are read`);
  if (raw.trim() === '') return { id, name, args: {} };
  if (isDeep(raw)) return unusable(`are nested more than ${MAX_ARGS_DEPTH} levels deep`);
  try {
    const args = JSON.parse(raw) as unknown;
    // Such a text becomes another one wherever it is written down, and no provider takes it back.
    if (/\\u[dD][89a-fA-F]/.test(raw) && hasHalves(args)) return unusable('hold half a character (a lone surrogate)');
    return { id, name, args };
  } catch {
    return unusable();
  }
}

function isDeep(raw: string): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < raw.length; at++) {
    const code = raw.charCodeAt(at);
    if (inText) {
      if (code === 0x5c) at++;
      else if (code === 0x22) inText = false;
    } else if (code === 0x22) inText = true;
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > MAX_ARGS_DEPTH) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}

function hasHalves(value: unknown): boolean {
  if (typeof value === 'string') return !value.isWellFormed();
  if (value === null || typeof value !== 'object') return false;
  return Object.entries(value).some(([key, inner]) => !key.isWellFormed() || hasHalves(inner));
}

/** Arguments as an object, which is all that providers take back; a malformed call is shown to the model as it was. */
export function argsObject(call: ModelToolCall): Record<string, unknown> {
  if (call.malformed !== undefined) return { malformed: call.malformed };
  if (typeof call.args === 'object' && call.args !== null && !Array.isArray(call.args))
    return call.args as Record<string, unknown>;
  return call.args === null || call.args === undefined ? {} : { value: call.args };
}

/** For formats that have no field for it: the model must be able to tell a failure from a result. */
export const resultText = (result: Result): string => (result.isError ? `error: ${result.text}` : result.text);
