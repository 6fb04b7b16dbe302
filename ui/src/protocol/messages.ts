// Owns the reading of transcript messages as chat.history and session.message send them.
import { listOf, numberOf, objectOf, textOf } from './frames.ts';

export type Block =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'toolCall'; readonly id: string; readonly name: string; readonly args: unknown }
  | {
      readonly type: 'toolResult';
      readonly toolCallId: string;
      readonly name: string;
      readonly text: string;
      readonly isError: boolean;
    };

export type Role = 'user' | 'assistant' | 'tool' | 'notice';

export type Tokens = {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
};

export type Message = {
  /** position in the session, from 1; 0 when the gateway did not say */
  readonly seq: number;
  readonly role: Role;
  readonly blocks: readonly Block[];
  readonly atMs: number;
  readonly runId: string;
  readonly model: string;
  readonly tokens: Tokens | null;
  readonly stopReason: string;
};

export function readMessage(value: unknown): Message | null {
  const message = objectOf(value);
  const role = roleOf(textOf(message['role']));
  if (role === null) return null;
  const place = objectOf(message['__openclaw']);
  return {
    seq: numberOf(place['seq']) ?? numberOf(message['seq']) ?? 0,
    role,
    blocks: readBlocks(message['content']),
    atMs: numberOf(message['timestamp']) ?? 0,
    runId: textOf(message['runId']) || textOf(place['runId']),
    model: textOf(message['model']),
    tokens: readTokens(message['usage']),
    stopReason: textOf(message['stopReason']),
  };
}

function roleOf(role: string): Role | null {
  if (role === 'toolResult') return 'tool';
  if (role === 'system') return 'notice';
  return role === 'user' || role === 'assistant' || role === 'tool' || role === 'notice' ? role : null;
}

function readBlocks(content: unknown): Block[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return listOf(content).flatMap((value): Block[] => {
    const block = objectOf(value);
    switch (block['type']) {
      case 'text':
        return [{ type: 'text', text: textOf(block['text']) }];
      case 'toolCall':
        return [
          {
            type: 'toolCall',
            id: textOf(block['id']),
            name: textOf(block['name']),
            args: block['arguments'] ?? block['args'],
          },
        ];
      case 'toolResult':
        return [
          {
            type: 'toolResult',
            toolCallId: textOf(block['toolCallId']),
            name: textOf(block['name']),
            text: textOf(block['text']),
            isError: block['isError'] === true,
          },
        ];
      default:
        return [];
    }
  });
}

export function readTokens(value: unknown): Tokens | null {
  if (typeof value !== 'object' || value === null) return null;
  const usage = objectOf(value);
  const count = (name: string): number => numberOf(usage[name]) ?? 0;
  const tokens = {
    input: count('input'),
    output: count('output'),
    cacheRead: count('cacheRead'),
    cacheWrite: count('cacheWrite'),
  };
  return Object.values(tokens).every((n) => n === 0) ? null : tokens;
}

export function wordsOf(message: Message): string {
  return message.blocks.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n\n');
}
