// What one connection can make the gateway do, and what happens when it asks for more.
import { afterEach, expect, test } from 'vitest';
import { dial, enter, type Peer, startServer, type TestServer } from '../../../test/support/wire.ts';
import { LIMITS } from '../limits.ts';
import type { GatewayOptions } from '../options.ts';
import { createStartBudget } from './start-budget.ts';

let server: TestServer;
afterEach(() => server.close());
const start = async (options: Partial<GatewayOptions> = {}): Promise<Peer> => {
  server = await startServer(options);
  return enter(server.port);
};
const big = (bytes: number): string =>
  JSON.stringify({ type: 'req', id: 'big', method: 'health', params: { pad: 'x'.repeat(bytes) } });

test('after the token a frame may have 25 MiB, and one byte more closes with 1009', async () => {
  const peer = await start({ limits: { maxPayloadBytes: 400_000 } });
  peer.send(big(300_000));
  expect((await peer.when(({ id }) => id === 'big')).ok).toBe(true);
  peer.send(big(400_000));
  expect((await peer.closed).code).toBe(1009);
});

test('the real limit of a frame is 26,214,400 bytes', async () => {
  const peer = await start();
  peer.send(big(20_000_000));
  expect((await peer.when(({ id }) => id === 'big')).ok).toBe(true);
  peer.send(big(26_214_400));
  expect((await peer.closed).code).toBe(1009);
});

test('the 65th request of one turn of the event loop waits for the next, and all are answered', async () => {
  const peer = await start();
  const answers = Array.from({ length: 150 }, () => peer.call('health'));
  expect((await Promise.all(answers)).every(({ ok }) => ok)).toBe(true);
});

test('a flood on one socket is told to come back, another socket is served', async () => {
  const peer = await start({ limits: { startsPerTurn: 1, queuedStartsPerConnection: 2 } });
  const other = await enter(server.port);
  const flood = Array.from({ length: 40 }, () => peer.call('health'));
  expect((await other.call('health')).ok).toBe(true);
  const answers = await Promise.all(flood);
  const refused = answers.filter(({ ok }) => !ok);
  expect(refused.length).toBeGreaterThan(0);
  for (const { error } of refused)
    expect(error).toMatchObject({ code: 'UNAVAILABLE', retryable: true, details: { reason: 'start-queue' } });
  await other.end();
});

test('the budget runs what fits, in order, and never more than that in one turn', async () => {
  server = await startServer();
  const budget = createStartBudget({ ...LIMITS, startsPerTurn: 3, startBudgetMs: 5_000, queuedStarts: 4 });
  const owner = { queued: 0 };
  const ran: number[] = [];
  const accepted = Array.from({ length: 8 }, (_, i) => budget.run(owner, () => ran.push(i)));
  expect(ran).toEqual([0, 1, 2]);
  expect(accepted).toEqual([true, true, true, true, true, true, true, false]);
  expect(owner.queued).toBe(4);
  await new Promise(setImmediate);
  expect(ran).toEqual([0, 1, 2, 3, 4, 5]);
  await new Promise(setImmediate);
  expect(ran).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(owner.queued).toBe(0);
});

test('more requests than may wait for an answer are refused, retryable', async () => {
  const peer = await start({ limits: { inFlightPerConnection: 3 } });
  server.backend.script = { kind: 'hold', text: '' };
  await peer.ask('chat.send', { sessionKey: 'main', message: 'hi', idempotencyKey: 'k' });
  for (let i = 0; i < 3; i++) peer.send({ type: 'req', id: `w${i}`, method: 'agent.wait', params: { runId: 'k' } });
  expect((await peer.call('health')).error).toMatchObject({
    code: 'UNAVAILABLE',
    retryable: true,
    details: { reason: 'in-flight' },
  });
  server.backend.release();
  await peer.when(({ id }) => id === 'w2');
  expect((await peer.call('health')).ok).toBe(true);
});

test('B10 a scan for methods beyond the scopes ends the connection', async () => {
  server = await startServer({ limits: { deniedCalls: 20 } });
  const peer = await enter(server.port, { scopes: ['operator.read'] });
  for (let i = 0; i < 14; i++) expect((await peer.call('config.set', {})).error?.code).toBe('FORBIDDEN');
  expect(peer.ws.readyState).toBe(peer.ws.OPEN);
  for (let i = 0; i < 10; i++) peer.send({ type: 'req', id: `d${i}`, method: 'exec.approval.list' });
  expect(await peer.closed).toEqual({ code: 1008, reason: 'repeated unauthorized calls' });
});

test('more than ten calls of another role in a row end the connection, a proper one in between forgives', async () => {
  const peer = await start();
  for (let i = 0; i < 10; i++)
    expect((await peer.call('node.event', {})).error?.message).toBe('unauthorized role: operator');
  expect((await peer.call('health')).ok).toBe(true);
  for (let i = 0; i < 11; i++) peer.send({ type: 'req', id: `n${i}`, method: 'node.invoke.result' });
  expect(await peer.closed).toEqual({ code: 1008, reason: 'repeated unauthorized calls' });
});

test('a reader who is too slow is cut off with 1008, the others go on', async () => {
  const peer = await start({ limits: { maxBufferedBytes: 3_000_000 } });
  const other = await enter(server.port);
  peer.ws.pause();
  const text = 'x'.repeat(500_000);
  for (let i = 0; i < 200; i++) {
    const error = { kind: 'unknown', message: text };
    const outcome = {
      runId: 'r',
      sessionKey: 'agent:main:main',
      status: 'error',
      text: '',
      stopReason: 'error',
      startedAtMs: 0,
      endedAtMs: 0,
      model: 'm',
      usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
      error,
    } as const;
    server.backend.emit({
      type: 'run.ended',
      runId: 'r',
      sessionKey: 'agent:main:main',
      seq: i + 1,
      outcome,
      message: null,
    });
    await new Promise(setImmediate);
  }
  const connections = async () => ((await other.ask('status'))['gateway'] as { connections: number }).connections;
  await expect.poll(connections, { timeout: 5_000 }).toBe(1);
  peer.ws.resume();
  expect([1006, 1008]).toContain((await peer.closed).code);
  await other.end();
});

test('ticks come with numbers, and who does not answer a ping is gone', async () => {
  const peer = await start({ limits: { tickIntervalMs: 40, pongTimeoutMs: 20 } });
  const deaf = await enter(server.port);
  deaf.ws.pause();
  await peer.event('tick', (payload) => typeof payload['ts'] === 'number');
  const seqs = (): (number | undefined)[] => peer.frames.filter(({ event }) => event === 'tick').map(({ seq }) => seq);
  await peer.when(() => seqs().length >= 4);
  expect(seqs().slice(0, 4)).toEqual([1, 2, 3, 4]);
  expect(((await peer.ask('status'))['gateway'] as { connections: number }).connections).toBe(1);
  deaf.ws.resume();
  expect((await deaf.closed).code).toBe(1006);
});

test('a connection may watch so many sessions and no more', async () => {
  const peer = await start({ limits: { messageSubscriptions: 2 } });
  const watch = (name: string) => peer.call('sessions.messages.subscribe', { key: `agent:main:${name}` });
  expect([(await watch('a')).ok, (await watch('b')).ok, (await watch('a')).ok]).toEqual([true, true, true]);
  expect((await watch('c')).error?.details?.['code']).toBe('TOO_MANY_SUBSCRIPTIONS');
  await peer.ask('sessions.messages.unsubscribe', { key: 'agent:main:a' });
  expect((await watch('c')).ok).toBe(true);
});

test('binary frames are not understood', async () => {
  const peer = await start();
  peer.ws.send(Buffer.from('{}'));
  expect((await peer.closed).code).toBe(1008);
});

test('N04 JSON that is 100,000 deep is answered, not obeyed', async () => {
  const peer = await start();
  peer.send(`{"type":"req","id":"deep","method":"health","params":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`);
  await peer.when(({ id }) => id === 'deep');
  expect((await peer.call('health')).ok).toBe(true);
});

test('stopping tells everybody, closes with 1012 and frees the port', async () => {
  const peer = await start();
  const guest = await dial(server.port);
  await server.gateway.close('update', 3_000);
  expect((await peer.event('shutdown')).payload).toEqual({ reason: 'update', restartExpectedMs: 3_000 });
  expect((await peer.closed).code).toBe(1012);
  expect((await guest.closed).code).toBe(1006);
  expect(server.backend.listeners).toBe(0);
  await expect(dial(server.port)).rejects.toThrow(/ECONNREFUSED/);
});
