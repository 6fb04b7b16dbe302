// What goes out while a turn runs: the right events, in order, once, to who may see them, and no more than needed.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { enter, type Frame, type Peer, startServer, type TestServer } from '../../test/support/wire.ts';
import type { BackendEvent } from './backend.ts';

let server: TestServer;
beforeEach(async () => {
  server = await startServer({ limits: { presenceIntervalMs: 10 } });
});
afterEach(() => server.close());

const KEY = 'agent:main:main';
const send = (peer: Peer, message = 'hello there', id: string = crypto.randomUUID()) =>
  peer.ask('chat.send', { sessionKey: KEY, message, idempotencyKey: id });
const ended = (peer: Peer): Promise<Frame> => peer.event('chat', ({ state }) => state !== 'delta');
const events = (peer: Peer, name: string): Record<string, unknown>[] =>
  peer.frames.filter(({ event }) => event === name).map(({ payload }) => payload ?? {});
const deltas = (peer: Peer): Record<string, unknown>[] => events(peer, 'chat').filter(({ state }) => state === 'delta');
const textOf = (payload: Record<string, unknown>): unknown =>
  (payload['message'] as { content: { text: string }[] } | undefined)?.content[0]?.text;
/** An answer to a later request means that everything before it has arrived. */
const settled = (peer: Peer): Promise<unknown> => peer.call('health');

describe('a turn', () => {
  test('starts, names its model, streams, ends; seq counts up without a gap', async () => {
    const peer = await enter(server.port);
    await send(peer);
    await ended(peer);
    await settled(peer);
    const told = peer.frames.filter(({ type }) => type === 'event').slice(1);
    expect(told.map(({ seq }) => seq)).toEqual(told.map((_, i) => i + 1));
    const steps = told
      .filter(({ event }) => event !== 'presence')
      .map(({ event, payload }) => {
        const data = payload?.['data'] as { phase?: string } | undefined;
        return `${event} ${payload?.['state'] ?? payload?.['stream']} ${data?.phase ?? ''}`.trim();
      });
    expect(steps.slice(0, 2)).toEqual(['agent lifecycle start', 'agent lifecycle model']);
    expect(steps.slice(-2)).toEqual(['chat final', 'agent lifecycle end']);
    await peer.end();
  });

  test('upstream clients get the whole text with every delta, ours only what is new', async () => {
    const theirs = await enter(server.port);
    const ours = await enter(server.port, { caps: ['compact-deltas'] });
    await send(theirs, 'one two three');
    const final = await ended(ours);
    await ended(theirs);
    expect(textOf(deltas(theirs).at(-1) ?? {})).toBe('one two three');
    expect(
      deltas(ours)
        .map(({ deltaText }) => deltaText)
        .join(''),
    ).toBe('one two three');
    expect(deltas(ours).every((delta) => !('message' in delta) && !('replace' in delta))).toBe(true);
    expect(events(ours, 'agent').filter(({ stream }) => stream === 'assistant')).toEqual([]);
    expect(textOf(final.payload ?? {})).toBe('one two three');
    await theirs.end();
    await ours.end();
  });

  test('the last piece of a text leaves before the message that the text became', async () => {
    const peer = await enter(server.port, { caps: ['compact-deltas'] });
    await peer.call('sessions.messages.subscribe', { key: KEY });
    server.backend.script = { kind: 'tokens', tokens: Array.from({ length: 32 }, (_, i) => `t${i} `) };
    await send(peer);
    await ended(peer);
    await settled(peer);
    const order = peer.frames.map(({ event, payload }) =>
      event === 'session.message' ? (payload?.['message'] as { role?: string } | undefined)?.role : payload?.['state'],
    );
    expect(order.lastIndexOf('delta')).toBeLessThan(order.indexOf('assistant'));
    await peer.end();
  });

  test('32 tokens at once are a handful of frames, and final follows at once with all of it', async () => {
    const peer = await enter(server.port, { caps: ['compact-deltas'] });
    server.backend.script = { kind: 'tokens', tokens: Array.from({ length: 32 }, (_, i) => `t${i} `) };
    await send(peer);
    const final = await ended(peer);
    expect(deltas(peer).length).toBeLessThanOrEqual(2);
    expect(
      deltas(peer)
        .map(({ deltaText }) => deltaText)
        .join(''),
    ).toBe(textOf(final.payload ?? {}));
    await peer.end();
  });

  test('a slow stream is sent on after a few milliseconds, not held until the end', async () => {
    const peer = await enter(server.port, { caps: ['compact-deltas'] });
    const ref = { runId: 'slow', sessionKey: KEY };
    server.backend.emit({ type: 'run.started', startedAtMs: 1, seq: 1, ...ref });
    server.backend.emit({ type: 'run.text', delta: 'a', seq: 2, ...ref });
    server.backend.emit({ type: 'run.text', delta: 'b', seq: 3, ...ref });
    server.backend.emit({ type: 'run.text', delta: 'c', seq: 4, ...ref });
    const second = await peer.event('chat', ({ deltaText }) => deltaText === 'bc');
    expect(second.payload?.['seq']).toBe(4);
    expect(deltas(peer).map(({ deltaText }) => deltaText)).toEqual(['a', 'bc']);
    await peer.end();
  });

  test('tools are told to who asks for them, with arguments and result', async () => {
    const shown = await enter(server.port, { caps: ['tool-events', 'compact-deltas'] });
    const plain = await enter(server.port);
    server.backend.script = { kind: 'tool', before: 'let me look', after: 'there is a.txt' };
    await send(shown);
    await ended(shown);
    await ended(plain);
    const tools = (peer: Peer) =>
      events(peer, 'agent')
        .filter(({ stream }) => stream === 'tool')
        .map(({ data }) => data);
    expect(tools(shown)).toEqual([
      { phase: 'start', toolCallId: 'c1', name: 'ls', args: { path: '.' } },
      { phase: 'result', toolCallId: 'c1', name: 'ls', result: 'a.txt', isError: false },
    ]);
    expect(tools(plain)).toEqual([]);
    await shown.end();
    await plain.end();
  });

  test('text before a tool call is sent before the tool is; after it a new text begins', async () => {
    const peer = await enter(server.port, { caps: ['tool-events'] });
    server.backend.script = { kind: 'tool', before: 'before', after: 'after' };
    await send(peer);
    await ended(peer);
    const order = peer.frames.flatMap(({ event, payload }) => {
      if (event === 'chat' && payload?.['state'] === 'delta') return [textOf(payload)];
      return event === 'agent' && payload?.['stream'] === 'tool' ? [(payload['data'] as { phase: string }).phase] : [];
    });
    expect(order).toEqual(['before', 'start', 'result', 'after']);
    await peer.end();
  });

  test('an aborted turn says so, with what had been said', async () => {
    const peer = await enter(server.port);
    server.backend.script = { kind: 'hold', text: 'half of ' };
    await send(peer, 'x', 'k1');
    await peer.event('chat', ({ state }) => state === 'delta');
    expect(await peer.ask('chat.abort', { sessionKey: KEY, runId: 'k1' })).toEqual({
      ok: true,
      aborted: true,
      runIds: ['k1'],
    });
    const end = await ended(peer);
    expect(end.payload).toMatchObject({ runId: 'k1', state: 'aborted', stopReason: 'rpc' });
    expect(textOf(end.payload ?? {})).toBe('half of ');
    const lifecycle = await peer.event('agent', ({ data }) => (data as { aborted?: boolean }).aborted === true);
    expect(lifecycle.payload?.['data']).toMatchObject({ phase: 'end', status: 'cancelled', aborted: true });
    await peer.end();
  });

  test('a failed turn says why and what to do, in the kinds that clients know', async () => {
    const peer = await enter(server.port);
    server.backend.script = {
      kind: 'fail',
      error: { kind: 'auth', message: 'the key was refused', fix: 'openclaw doctor' },
    };
    await send(peer);
    expect((await ended(peer)).payload).toMatchObject({
      state: 'error',
      errorMessage: 'the key was refused',
      errorKind: 'unknown',
      errorDetail: { kind: 'auth', fix: 'openclaw doctor' },
    });
    await peer.end();
  });
});

describe('who comes late', () => {
  test('gets the whole text of a running turn with its first delta, and loses not a word', async () => {
    const early = await enter(server.port, { caps: ['compact-deltas'] });
    const ref = { runId: 'r', sessionKey: KEY };
    const say = (delta: string, seq: number) => server.backend.emit({ type: 'run.text', delta, seq, ...ref });
    server.backend.emit({ type: 'run.started', startedAtMs: 7, seq: 1, ...ref });
    say('once upon ', 2);
    await early.event('chat');
    const late = await enter(server.port, { caps: ['compact-deltas'] });
    say('a time', 3);
    await late.event('chat');
    say(' there was', 4);
    await late.event('chat', ({ deltaText }) => deltaText === ' there was');
    expect(deltas(late)).toMatchObject([{ deltaText: 'once upon a time', replace: true }, { deltaText: ' there was' }]);
    await early.event('chat', ({ deltaText }) => deltaText === ' there was');
    expect(deltas(early).some((delta) => 'replace' in delta)).toBe(false);
    await early.end();
    await late.end();
  });

  test('finds the running turn and its open tool calls in chat.history', async () => {
    const peer = await enter(server.port, { caps: ['tool-events'] });
    const ref = { runId: 'r', sessionKey: KEY };
    server.backend.emit({ type: 'run.started', startedAtMs: 7, seq: 1, ...ref });
    server.backend.emit({ type: 'run.text', delta: 'I look', seq: 2, ...ref });
    expect((await peer.ask('chat.history', { sessionKey: 'main' }))['inFlightRun']).toEqual({
      runId: 'r',
      text: 'I look',
      startedAt: 7,
      events: [],
    });
    server.backend.emit({ type: 'run.tool', phase: 'start', callId: 'c', name: 'ls', args: {}, seq: 3, ...ref });
    const history = await peer.ask('chat.history', { sessionKey: 'main' });
    expect(history['inFlightRun']).toMatchObject({
      text: '',
      events: [{ runId: 'r', stream: 'tool', data: { phase: 'start', toolCallId: 'c' } }],
    });
    expect((await peer.ask('chat.history', { sessionKey: 'agent:main:other' }))['inFlightRun']).toBeUndefined();
    await peer.end();
  });

  test('who lags gets the whole text once it reads again', async () => {
    const tight = await startServer({ limits: { laggingBytes: 0, deltaIntervalMs: 1 } });
    const peer = await enter(tight.port, { caps: ['compact-deltas'] });
    const ref = { runId: 'r', sessionKey: KEY };
    tight.backend.emit({ type: 'run.started', startedAtMs: 7, seq: 1, ...ref });
    peer.ws.pause();
    const chunk = 'x'.repeat(400_000);
    let seq = 1;
    const say = async (delta: string): Promise<void> => {
      seq += 1;
      tight.backend.emit({ type: 'run.text', delta, seq, ...ref });
      await new Promise((resolve) => setTimeout(resolve, 3));
    };
    for (let i = 0; i < 40; i++) await say(chunk);
    peer.ws.resume();
    const whole = (): boolean => deltas(peer).some(({ replace }) => replace === true);
    while (!whole()) await say('y');
    const text = deltas(peer).reduce(
      (all, { deltaText, replace }) => (replace ? String(deltaText) : all + String(deltaText)),
      '',
    );
    expect(text).toBe(`${chunk.repeat(40)}${'y'.repeat(text.length - chunk.length * 40)}`);
    await peer.end();
    await tight.close();
  });
});

describe('sessions', () => {
  test('changes go to subscribers with the row, and to nobody else', async () => {
    const watching = await enter(server.port);
    const other = await enter(server.port);
    await watching.ask('sessions.subscribe');
    await send(watching);
    const change = await watching.event('sessions.changed');
    expect(change.payload).toMatchObject({
      sessionKey: KEY,
      agentId: 'main',
      reason: 'created',
      session: { key: KEY, kind: 'direct' },
    });
    await ended(other);
    expect(events(other, 'sessions.changed')).toEqual([]);
    await watching.ask('sessions.unsubscribe');
    await watching.end();
    await other.end();
  });

  test('a storm of changes is told at most ten times a second, the last one for certain', async () => {
    const peer = await enter(server.port);
    await peer.ask('sessions.subscribe');
    await send(peer);
    await ended(peer);
    const before = events(peer, 'sessions.changed').length;
    const startMs = performance.now();
    for (let i = 0; i < 300; i++) {
      server.backend.sessions.patch(KEY, { label: `n${i}` }, { connId: 'c', clientId: 'test' });
      if (i % 30 === 29) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await peer.event('sessions.changed', ({ session }) => (session as { label?: string }).label === 'n299');
    const rounds = Math.ceil((performance.now() - startMs) / 100);
    expect(events(peer, 'sessions.changed').length - before).toBeLessThanOrEqual(rounds + 1);
    await peer.end();
  });

  test('a deleted session is told without a row', async () => {
    const peer = await enter(server.port);
    await send(peer);
    await ended(peer);
    await new Promise((resolve) => setTimeout(resolve, 250));
    await peer.ask('sessions.subscribe');
    await peer.ask('sessions.delete', { key: KEY });
    expect((await peer.event('sessions.changed')).payload).toMatchObject({ reason: 'deleted', session: null });
    await peer.end();
  });

  test('messages go to who watches that session', async () => {
    const peer = await enter(server.port);
    await peer.ask('sessions.messages.subscribe', { key: 'main' });
    await send(peer, 'hi', 'k1');
    const said = await peer.event(
      'session.message',
      ({ message }) => (message as { role: string }).role === 'assistant',
    );
    expect(said.payload).toMatchObject({
      sessionKey: KEY,
      messageSeq: 2,
      messageId: 'k1:2',
      message: { __openclaw: { runId: 'k1', seq: 2 } },
    });
    await peer.ask('sessions.messages.unsubscribe', { key: 'main' });
    const before = events(peer, 'session.message').length;
    await send(peer, 'hi again', 'k2');
    await peer.event('chat', ({ runId, state }) => runId === 'k2' && state === 'final');
    expect(events(peer, 'session.message')).toHaveLength(before);
    await peer.end();
  });
});

describe('who may see what', () => {
  test('without operator.read nothing of a conversation arrives', async () => {
    const approver = await enter(server.port, { scopes: ['operator.approvals'], caps: ['tool-events'] });
    const bare = await enter(server.port, { scopes: [], caps: ['tool-events'] });
    const reader = await enter(server.port);
    await send(reader);
    await ended(reader);
    await settled(approver);
    await settled(bare);
    for (const peer of [approver, bare]) {
      expect(peer.frames.filter(({ event }) => event !== undefined && event !== 'connect.challenge')).toEqual([]);
      await peer.end();
    }
    await reader.end();
  });

  test('approvals go to operator.approvals, with machine facts, and their answer too', async () => {
    const approver = await enter(server.port, { scopes: ['operator.approvals'] });
    const reader = await enter(server.port, { scopes: ['operator.read'] });
    const raised = server.backend.raise({ id: 'a9' });
    const asked = await approver.event('exec.approval.requested');
    expect(asked.payload).toMatchObject({
      id: 'a9',
      status: 'pending',
      facts: raised.facts,
      sourceSessionKey: KEY,
      presentation: { kind: 'exec', commandText: 'rm -rf build', allowedDecisions: ['allow-once', 'deny'] },
    });
    await approver.ask('exec.approval.resolve', { id: 'a9', decision: 'deny' });
    expect((await approver.event('exec.approval.resolved')).payload).toMatchObject({ id: 'a9', decision: 'deny' });
    await settled(reader);
    expect(events(reader, 'exec.approval.requested')).toEqual([]);
    await approver.end();
    await reader.end();
  });

  test('presence tells readers of pages that come and go, not of every command', async () => {
    const page = { id: 'webchat-ui', version: '1', platform: 'web', mode: 'webchat' };
    const reader = await enter(server.port, { client: page });
    const count = (n: number) => reader.event('presence', ({ presence }) => (presence as unknown[]).length === n);
    await count(2);
    const command = await enter(server.port);
    await command.end();
    const second = await enter(server.port, { client: page });
    expect((await count(3)).payload).not.toHaveProperty('token');
    await second.end();
    const told = events(reader, 'presence').length;
    expect(told).toBeLessThanOrEqual(3);
    await reader.end();
  });
});

test('a listener that is not there costs nothing: events without a connection are taken quietly', () => {
  const ref = { runId: 'r', sessionKey: KEY, seq: 1 };
  const all: BackendEvent[] = [
    { type: 'run.text', delta: 'x', ...ref },
    { type: 'run.tool', phase: 'end', callId: 'c', name: 'ls', text: '', isError: false, ...ref },
    { type: 'run.steered', intoRunId: 'q', ...ref },
    { type: 'session.changed', sessionKey: 'agent:main:gone', reason: 'updated' },
  ];
  expect(() => all.forEach(server.backend.emit)).not.toThrow();
});

test('a backend that fails while an event is told ends neither the gateway nor the turn', async () => {
  const broken = await startServer();
  const peer = await enter(broken.port);
  await peer.ask('sessions.subscribe');
  broken.backend.sessions.describe = () => {
    throw new Error('disk failed');
  };
  const change = { type: 'session.changed', sessionKey: KEY, reason: 'updated' } as const;
  expect(() => broken.backend.emit(change)).not.toThrow();
  broken.backend.emit(change);
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect((await peer.call('last-heartbeat')).ok).toBe(true);
  expect(broken.log.filter(({ level }) => level === 'error')).toHaveLength(2);
  await peer.end();
  await broken.close();
});
