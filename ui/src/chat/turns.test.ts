import { describe, expect, test } from 'vitest';
import type { Block, Message } from '../protocol/messages.ts';
import { afterReconnect, nextToSend, type Outgoing, withoutDelivered } from './outbox.ts';
import * as t from './transcript.ts';
import { buildTurns, NO_TURNS } from './turns.ts';

const words = (text: string): Block[] => [{ type: 'text', text }];
const message = (seq: number, role: Message['role'], runId: string, blocks: Block[], stopReason = ''): Message => ({
  seq,
  role,
  blocks,
  atMs: seq * 1_000,
  runId,
  model: '',
  tokens: null,
  stopReason,
});
const loaded = (...messages: Message[]): t.Transcript =>
  t.withLatest(t.EMPTY, { sessionId: 's', messages, hasMore: false }, [], null, 0);
const outgoing = (id: string, state: Outgoing['state'] = 'waiting', sessionKey = 'k'): Outgoing => ({
  id,
  sessionKey,
  text: `text of ${id}`,
  createdAtMs: 0,
  state,
  error: null,
});

describe('turns', () => {
  test('an answer with its calls is one turn, and a steering message divides it', () => {
    const transcript = loaded(
      message(1, 'user', 'a', words('go')),
      message(2, 'assistant', 'a', [{ type: 'toolCall', id: 'c', name: 'ls', args: {} }]),
      message(3, 'tool', 'a', [{ type: 'toolResult', toolCallId: 'c', name: 'ls', text: 'x', isError: true }]),
      message(4, 'user', 'b', words('and this')),
      message(5, 'assistant', 'a', words('done')),
    );
    const { turns } = buildTurns(transcript, [], NO_TURNS);
    expect(turns.map((turn) => turn.key)).toEqual(['asked:a', 'answer:a:0', 'asked:b', 'answer:a:1']);
    const [, call] = turns;
    expect(call?.kind === 'assistant' && call.parts[0]).toMatchObject({
      state: 'failed',
      output: 'x',
      durationMs: 1_000,
    });
  });

  test('a turn that did not change is the same object', () => {
    const before = loaded(message(1, 'user', 'a', words('go')), message(2, 'assistant', 'a', words('one')));
    const first = buildTurns(before, [], NO_TURNS);
    const after = t.withText(t.withMessage(before, message(3, 'user', 'b', words('more'))), 'b', 'two', false, 0);
    const second = buildTurns(after, [], first);
    expect(second.turns).toHaveLength(4);
    expect(second.turns[0]).toBe(first.turns[0]);
    expect(second.turns[1]).toBe(first.turns[1]);
  });

  test('a message keeps its place and key from the outbox into the transcript', () => {
    const sent = outgoing('b', 'accepted');
    const before = loaded(message(1, 'user', 'a', words('go')), message(2, 'assistant', 'a', words('one')));
    const waiting = buildTurns(before, [sent], NO_TURNS);
    const stored = t.withMessage(before, message(3, 'user', 'b', words(sent.text)));
    const both = buildTurns(stored, [sent], waiting);
    expect(waiting.turns.at(-1)?.key).toBe('asked:b');
    expect(both.turns.map((turn) => turn.key)).toEqual(waiting.turns.map((turn) => turn.key));
    expect(both.turns.at(-1)).toMatchObject({ kind: 'user', outgoing: null });
  });

  test('what a failed run had said stays in sight, before the notice of its failure', () => {
    let transcript = loaded(message(1, 'user', 'a', words('go')));
    transcript = t.withText(transcript, 'a', 'half an ans', false, 0);
    transcript = t.withMessage(transcript, message(2, 'notice', 'a', words('the connection broke'), 'error'));
    transcript = t.withRunEnded(transcript, 'a');
    const { turns } = buildTurns(transcript, [], NO_TURNS);
    expect(turns.map((turn) => turn.kind)).toEqual(['user', 'assistant', 'notice']);
    expect(turns[2]).toMatchObject({ retryText: 'go', calm: false });
  });

  test('older messages join without a hole, a fresh session drops the old ones', () => {
    const page = (messages: Message[], hasMore: boolean, sessionId = 's'): t.Page => ({ sessionId, messages, hasMore });
    const at = (seq: number): Message => message(seq, 'user', `r${seq}`, words(`m${seq}`));
    let transcript = t.withLatest(t.EMPTY, page([at(5), at(6)], true), [], null, 0);
    transcript = t.withOlder(transcript, page([at(3), at(4)], true));
    expect(transcript.messages.map((m) => m.seq)).toEqual([3, 4, 5, 6]);
    const joined = t.withLatest(transcript, page([at(6), at(7)], true), [], null, 0);
    expect(joined.messages.map((m) => m.seq)).toEqual([3, 4, 5, 6, 7]);
    const hole = t.withLatest(transcript, page([at(9), at(10)], true), [], null, 0);
    expect(hole.messages.map((m) => m.seq)).toEqual([9, 10]);
    expect(hole.hasMore).toBe(true);
    const reset = t.withLatest(transcript, page([at(1)], false, 'other'), [], null, 0);
    expect(reset.messages.map((m) => m.seq)).toEqual([1]);
  });
});

describe('outbox', () => {
  test('sends one after the other in a session, sessions beside each other', () => {
    const box = [outgoing('a'), outgoing('b'), outgoing('c', 'waiting', 'other')];
    expect(nextToSend(box).map((o) => o.id)).toEqual(['a', 'c']);
    expect(nextToSend([outgoing('a', 'sending'), outgoing('b')])).toEqual([]);
    expect(nextToSend([outgoing('a', 'failed'), outgoing('b')]).map((o) => o.id)).toEqual(['b']);
  });

  test('asks again with the same key after a lost connection, and never about what was refused', () => {
    const after = afterReconnect([outgoing('a', 'sending'), outgoing('b', 'failed'), outgoing('c', 'accepted')]);
    expect(after.map((o) => [o.id, o.state])).toEqual([
      ['a', 'waiting'],
      ['b', 'failed'],
      ['c', 'accepted'],
    ]);
  });

  test('a message leaves once the transcript has it, in its own session only', () => {
    const box = [outgoing('a', 'accepted'), outgoing('a', 'accepted', 'other')];
    const kept = withoutDelivered(box, 'k', [message(1, 'user', 'a', words('x'))]);
    expect(kept.map((o) => o.sessionKey)).toEqual(['other']);
    expect(withoutDelivered(box, 'k', [])).toBe(box);
  });
});
