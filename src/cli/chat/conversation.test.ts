import { describe, expect, it } from 'vitest';
import type { Client } from '../client.ts';
import { createConversation } from './conversation.ts';
import type { Link } from './link.ts';
import type { Screen } from './screen.ts';

/** A conversation over answers that the test writes, on a screen that only remembers. */
function open(answers: Record<string, unknown>) {
  let text = '';
  const calls: { method: string; params: unknown }[] = [];
  const screen: Screen = {
    interactive: true,
    write: (piece) => {
      text += piece;
    },
    endText: () => {
      if (text !== '' && !text.endsWith('\n')) text += '\n';
    },
    line: (...parts) => {
      screen.endText();
      text += `${parts.map((part) => (typeof part === 'string' ? part : part.text)).join('')}\n`;
    },
    prompt: () => {},
    typed: '',
    close: () => {},
  };
  const request: Link['request'] = async (method, params) => {
    calls.push({ method, params });
    const answer = answers[method];
    if (answer instanceof Error) throw answer;
    return answer ?? {};
  };
  const link: Link = { client: { request } as unknown as Client, request, stop: () => {} };
  const talk = createConversation({ screen, link: () => link, columns: 60 });
  return { talk, calls, answers, said: () => text };
}

const KEY = 'agent:main:main';
const run = { runId: 'r1', sessionKey: KEY };
const event = (name: string, payload: object) => ({ event: name, payload });
const delta = (deltaText: string, replace = false) => event('chat', { ...run, state: 'delta', deltaText, replace });
const message = (seq: number, role: string, text: string, runId = 'r1') => ({
  role,
  content: [{ type: 'text', text }],
  __openclaw: { seq, runId },
});

describe('a gap in the connection', () => {
  it('is closed with the rest of the answer, and only the rest', async () => {
    const { talk, answers, said } = open({});
    await talk.open(KEY);
    talk.heard(delta('the beg'));
    answers['chat.history'] = {
      messages: [message(2, 'assistant', 'the beginning and the end')],
    };
    await talk.resume();
    expect(said()).toContain('the beginning and the end\n');
    expect(said().match(/the beg/g)).toHaveLength(1);
    expect(talk.busy).toBe(false);
  });
  it('goes on with a turn that is still under way', async () => {
    const { talk, answers, said } = open({});
    await talk.open(KEY);
    talk.heard(delta('one '));
    answers['chat.history'] = { messages: [], inFlightRun: { runId: 'r1', text: 'one two ' } };
    await talk.resume();
    talk.heard(delta('three'));
    expect(said()).toContain('one two three');
    expect(talk.busy).toBe(true);
  });
  it('asks only for what came after the last message that was seen', async () => {
    const { talk, calls } = open({ 'chat.history': { messages: [message(7, 'assistant', 'old')] } });
    await talk.open(KEY);
    await talk.resume();
    expect(calls.findLast((call) => call.method === 'chat.history')?.params).toEqual({
      sessionKey: KEY,
      afterSeq: 7,
      limit: 200,
    });
  });
});

describe('text', () => {
  it('is taken back and said again when the gateway replaces it', async () => {
    const { talk, said } = open({});
    await talk.open(KEY);
    talk.heard(delta('wrong'));
    talk.heard(delta('right', true));
    expect(said()).toContain('wrong\nright');
  });
  it('that was left out of the stream is there at the end', async () => {
    const { talk, said } = open({});
    await talk.open(KEY);
    talk.heard(delta('one '));
    talk.heard(event('chat', { ...run, state: 'final', message: message(2, 'assistant', 'one two') }));
    expect(said()).toContain('one two\n');
  });
  it('of another session is not shown', async () => {
    const { talk, said } = open({});
    await talk.open(KEY);
    talk.heard(event('chat', { runId: 'r2', sessionKey: 'agent:main:other', state: 'delta', deltaText: 'secret' }));
    expect(said()).not.toContain('secret');
  });
});

describe('a message', () => {
  it('that the gateway refuses comes back into the typed line', async () => {
    const { talk, said } = open({ 'chat.send': new Error('the queue is full') });
    await talk.open(KEY);
    talk.send('hello');
    await talk.settled();
    expect(said()).toContain('not sent: the queue is full');
    expect(talk.busy).toBe(false);
  });
  it('that was answered while the connection was gone is over once the gateway says so', async () => {
    const { talk } = open({ 'chat.send': { status: 'done', outcome: 'ok' } });
    await talk.open(KEY);
    talk.send('hello');
    await talk.settled();
    expect(talk.busy).toBe(false);
  });
  it('that was taken into another turn ends without a word of its own', async () => {
    const { talk, calls, said } = open({ 'chat.send': { status: 'started' } });
    await talk.open(KEY);
    talk.heard(delta('working'));
    talk.send('and this');
    await Promise.resolve();
    const sent = calls.findLast((call) => call.method === 'chat.send');
    const steered = {
      runId: (sent?.params as { idempotencyKey?: string } | undefined)?.idempotencyKey ?? '',
      sessionKey: KEY,
    };
    talk.heard(event('agent', { ...steered, stream: 'lifecycle', data: { phase: 'steered', intoRunId: 'r1' } }));
    talk.heard(event('chat', { ...run, state: 'final', message: message(3, 'assistant', 'working') }));
    talk.heard(event('chat', { ...steered, state: 'final', message: message(3, 'assistant', 'working') }));
    await talk.settled();
    expect(said().match(/working/g)).toHaveLength(1);
  });
});
