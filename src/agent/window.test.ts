// What of a conversation reaches the model: it fits, it begins with the user, and no call is without its result.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { label } from '../store/label.ts';
import type { StoredMessage } from '../store/transcripts.ts';
import { fitWindow } from './window.ts';

const base = { runId: 'r', atMs: 0, meta: {}, label: label('owner', 'owner') };
const text = (role: 'user' | 'assistant' | 'notice', value: string): Omit<StoredMessage, 'seq'> => ({
  ...base,
  role,
  blocks: [{ type: 'text', text: value }],
});
const calls = (n: number, size: number): Omit<StoredMessage, 'seq'>[] => [
  {
    ...base,
    role: 'assistant',
    blocks: Array.from({ length: n }, (_, i) => ({ type: 'toolCall' as const, id: `c${i}`, name: 't', arguments: {} })),
  },
  ...Array.from({ length: n }, (_, i) => ({
    ...base,
    role: 'tool' as const,
    blocks: [{ type: 'toolResult' as const, toolCallId: `c${i}`, name: 't', text: 'r'.repeat(size), isError: false }],
  })),
];
const turn = fc
  .tuple(fc.nat(400), fc.nat(3), fc.nat(6_000), fc.boolean())
  .map(([size, n, result, failed]) => [
    text('user', 'u'.repeat(size + 1)),
    ...(n > 0 ? calls(n, result) : []),
    text(failed ? 'notice' : 'assistant', 'a'.repeat(size + 1)),
  ]);
const conversation = fc
  .array(turn, { minLength: 1, maxLength: 20 })
  .map((turns) => [...turns.flat(), text('user', 'last')].map((m, i): StoredMessage => ({ ...m, seq: i + 1 })));

test('property: it starts with the user, calls and results stay together, the last message is there', () => {
  fc.assert(
    fc.property(conversation, fc.integer({ min: 50, max: 20_000 }), (messages, budget) => {
      const shown = fitWindow(messages, budget);
      expect(shown[0]?.role).toBe('user');
      expect(shown.at(-1)).toMatchObject({ role: 'user', text: expect.stringContaining('last') });
      shown.forEach((m, i) => {
        const next = shown[i + 1];
        if (m.role === 'tool') expect(next?.role).not.toBe('tool');
        if (m.role === 'assistant' && m.toolCalls.length > 0) {
          expect(next?.role === 'tool' && next.results.map((r) => r.callId)).toEqual(m.toolCalls.map((c) => c.id));
        }
        if (m.role === 'tool') expect(shown[i - 1]?.role).toBe('assistant');
      });
    }),
    { numRuns: 300 },
  );
});

test('what does not fit is said, not silently gone', () => {
  const messages = Array.from({ length: 50 }, (_, i) => ({
    ...text(i % 2 ? 'assistant' : 'user', 'x'.repeat(1_000)),
    seq: i + 1,
  }));
  const [first] = fitWindow(messages, 3_000);
  expect(first).toMatchObject({ text: expect.stringMatching(/^\[40 earlier messages are not shown\]/) });
});

test('old tool output is cut to its head and tail before messages are dropped', () => {
  const messages = [
    text('user', 'go'),
    ...calls(1, 9_000),
    ...Array.from({ length: 14 }, (_, i) => text(i % 2 ? 'user' : 'assistant', 'x')),
  ].map((m, i): StoredMessage => ({ ...m, seq: i + 1 }));
  const tool = fitWindow(messages, 50_000).find((m) => m.role === 'tool');
  expect(tool?.role === 'tool' && tool.results[0]?.text.length).toBeLessThan(3_200);
});
