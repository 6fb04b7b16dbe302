// Owns what of a conversation fits into the model's window. It keeps calls and their results together, cuts old tool
// output before it drops messages, and says what it left out.
import type { ModelMessage } from '../models/provider.ts';
import type { StoredMessage } from '../store/transcripts.ts';

/** A cautious guess for any tokenizer. */
const BYTES_PER_TOKEN = 3.5;
const KEEP_WHOLE_MESSAGES = 12;
const OLD_RESULT_MAX_CHARS = 4_000;
const OLD_RESULT_KEEP_CHARS = 1_500;

export const estimateTokens = (text: string): number => Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);

/** The newest part of the conversation that fits `budgetTokens`, beginning with a message of the user. */
export function fitWindow(conversation: readonly StoredMessage[], budgetTokens: number): ModelMessage[] {
  const recent = conversation.length - KEEP_WHOLE_MESSAGES;
  const kept: ModelMessage[] = [];
  let tokens = 0;
  let cut = conversation.length;
  for (let index = conversation.length - 1; index >= 0; index--) {
    const stored = conversation[index];
    if (!stored) break;
    const message = toModel(stored, index < recent);
    const cost = message === null ? 0 : estimateTokens(JSON.stringify(message));
    if (tokens + cost > budgetTokens && kept.some((m) => m.role === 'user')) break;
    tokens += cost;
    cut = index;
    if (message) kept.unshift(message);
  }
  while (kept.length > 0 && kept[0]?.role !== 'user') kept.shift();
  const first = kept[0];
  if (cut > 0 && first?.role === 'user') {
    kept[0] = { role: 'user', text: `[${cut} earlier messages are not shown]\n\n${first.text}` };
  }
  return merged(kept);
}

function toModel(message: StoredMessage, old: boolean): ModelMessage | null {
  const text = message.blocks.map((b) => (b.type === 'text' ? b.text : '')).join('');
  switch (message.role) {
    case 'user':
      return { role: 'user', text };
    case 'assistant': {
      const toolCalls = message.blocks.flatMap((b) =>
        b.type === 'toolCall' ? [{ id: b.id, name: b.name, args: b.arguments }] : [],
      );
      return { role: 'assistant', text, toolCalls };
    }
    case 'tool': {
      const results = message.blocks.flatMap((b) =>
        b.type === 'toolResult'
          ? [{ callId: b.toolCallId, name: b.name, isError: b.isError, text: old ? shorten(b.text) : b.text }]
          : [],
      );
      return { role: 'tool', results };
    }
    case 'notice':
      return null;
  }
}

function shorten(text: string): string {
  if (text.length <= OLD_RESULT_MAX_CHARS) return text;
  return `${text.slice(0, OLD_RESULT_KEEP_CHARS)}\n[${text.length - 2 * OLD_RESULT_KEEP_CHARS} characters left out]\n${text.slice(-OLD_RESULT_KEEP_CHARS)}`;
}

/** Results are stored one by one; a reply with several calls wants them together. */
function merged(messages: readonly ModelMessage[]): ModelMessage[] {
  const out: ModelMessage[] = [];
  for (const message of messages) {
    const previous = out.at(-1);
    if (message.role === 'tool' && previous?.role === 'tool') {
      out[out.length - 1] = { role: 'tool', results: [...previous.results, ...message.results] };
    } else out.push(message);
  }
  return out;
}
