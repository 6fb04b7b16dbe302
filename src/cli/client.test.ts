import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { msWithin } from '../../test/support/measure.ts';
import { connect } from './client.ts';
import type { Target } from './target.ts';

type Frame = { id: string; method: string; params: Record<string, unknown> };
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A gateway double: challenges, records what it is asked, answers as it is told. */
async function listen(answer: (frame: Frame, socket: WebSocket) => void, greet = true) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  closers.push(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const frames: Frame[] = [];
  server.on('connection', (socket) => {
    if (greet) socket.send('{"type":"event","event":"connect.challenge","payload":{"nonce":"n","ts":1}}');
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as Frame;
      frames.push(frame);
      answer(frame, socket);
    });
  });
  await once(server, 'listening');
  return { target: targetAt((server.address() as AddressInfo).port), frames };
}

function targetAt(port: number): Target {
  const address = `127.0.0.1:${port}`;
  const paths = { stateDir: '/state', credentialsDir: '/state/credentials' } as Target['paths'];
  const urls = { httpUrl: `http://${address}`, wsUrl: `ws://${address}` };
  return {
    address,
    ...urls,
    port,
    local: true,
    token: 'tok',
    tokenWithheld: false,
    paths,
    lock: null,
    configError: null,
  };
}

const ok = (frame: Frame, payload: unknown): string => JSON.stringify({ type: 'res', id: frame.id, ok: true, payload });
const no = (frame: Frame, error: unknown): string => JSON.stringify({ type: 'res', id: frame.id, ok: false, error });
const open = (target: Target) => connect({ target, version: '1.2.3', scopes: ['operator.read'] });

describe('connecting', () => {
  it('says who it is, shows the token and asks for the scopes it was told, no more', async () => {
    const { target, frames } = await listen((frame, socket) => socket.send(ok(frame, { type: 'hello-ok' })));
    const client = await open(target);
    expect(frames[0]).toMatchObject({
      method: 'connect',
      params: {
        minProtocol: 4,
        maxProtocol: 4,
        client: { id: 'cli', mode: 'cli', version: '1.2.3', platform: process.platform },
        role: 'operator',
        scopes: ['operator.read'],
        auth: { token: 'tok' },
      },
    });
    client.close();
  });
  it('says within half a second that nobody listens, with the command that mends it', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const refused = () =>
      expect(open(targetAt(port))).rejects.toMatchObject({
        exitCode: 69,
        message: `the gateway is not running on 127.0.0.1:${port}`,
        fix: 'openclaw gateway start   (here, until Ctrl-C: openclaw gateway run)',
      });
    expect(await msWithin(500, refused)).toBeLessThan(500);
  });
  it.each([
    ['AUTH_TOKEN_MISMATCH', 'TOKEN_REFUSED'],
    ['AUTH_TOKEN_MISSING', 'TOKEN_REFUSED'],
  ])('turns %s into %s with exit code 77', async (detail, code) => {
    const { target } = await listen((frame, socket) => {
      socket.send(no(frame, { code: 'INVALID_REQUEST', message: 'unauthorized', details: { code: detail } }));
      socket.close(1008, 'unauthorized');
    });
    await expect(open(target)).rejects.toMatchObject({ exitCode: 77, code });
  });
  it('names another protocol version for what it is', async () => {
    const { target } = await listen((frame, socket) =>
      socket.send(
        no(frame, { code: 'INVALID_REQUEST', message: 'protocol mismatch', details: { code: 'PROTOCOL_MISMATCH' } }),
      ),
    );
    await expect(open(target)).rejects.toMatchObject({ code: 'PROTOCOL_MISMATCH', exitCode: 69 });
  });
  it('says that another program has the port when it is not a WebSocket', async () => {
    const server = createServer((_request, response) => response.end('<html>')).listen(0, '127.0.0.1');
    closers.push(
      () => server.closeAllConnections(),
      () => server.close(),
    );
    await once(server, 'listening');
    await expect(open(targetAt((server.address() as AddressInfo).port))).rejects.toMatchObject({
      code: 'NOT_A_GATEWAY',
      exitCode: 69,
    });
  });
});

describe('requests', () => {
  const greetThen = (rest: (frame: Frame, socket: WebSocket) => void) =>
    listen((frame, socket) => (frame.method === 'connect' ? socket.send(ok(frame, {})) : rest(frame, socket)));

  it('matches answers that come in another order', async () => {
    const waiting: Frame[] = [];
    const { target } = await greetThen((frame, socket) => {
      waiting.push(frame);
      if (waiting.length === 2) for (const one of waiting.reverse()) socket.send(ok(one, one.method));
    });
    const client = await open(target);
    await expect(Promise.all([client.request('first'), client.request('second')])).resolves.toEqual([
      'first',
      'second',
    ]);
    client.close();
  });
  it('shows the first answer of `agent` and resolves with the second', async () => {
    const { target } = await greetThen((frame, socket) => {
      socket.send(ok(frame, { status: 'accepted', runId: 'r' }));
      socket.send(ok(frame, { status: 'ok', runId: 'r' }));
    });
    const client = await open(target);
    const accepted: unknown[] = [];
    const answer = await client.request('agent', {}, { onAccepted: (payload) => accepted.push(payload) });
    expect(accepted).toEqual([{ status: 'accepted', runId: 'r' }]);
    expect(answer).toEqual({ status: 'ok', runId: 'r' });
    client.close();
  });
  it('carries the reason, the code and the fix of a refusal', async () => {
    const { target } = await greetThen((frame, socket) =>
      socket.send(
        no(frame, {
          code: 'FORBIDDEN',
          message: 'missing scope: operator.write',
          details: { code: 'MISSING_SCOPE', fix: 'ask' },
        }),
      ),
    );
    const client = await open(target);
    await expect(client.request('agent')).rejects.toMatchObject({
      code: 'MISSING_SCOPE',
      message: 'missing scope: operator.write',
      fix: 'ask',
      exitCode: 77,
    });
    client.close();
  });
  it('gives up after its time and says for what it waited', async () => {
    const { target } = await greetThen(() => {});
    const client = await open(target);
    await expect(client.request('health', {}, { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'REQUEST_TIMEOUT',
      message: expect.stringContaining('did not answer health within 0.02 s'),
    });
    client.close();
  });
  it('fails everything that waits when the connection goes, and everything after', async () => {
    const { target } = await greetThen((_frame, socket) => socket.close(1012, 'restart'));
    const client = await open(target);
    await expect(client.request('health')).rejects.toMatchObject({ code: 'CONNECTION_LOST', exitCode: 69 });
    await expect(client.closed).resolves.toMatchObject({ code: 'CONNECTION_LOST' });
    await expect(client.request('health')).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  });
  it('hands on events and survives frames that are no JSON', async () => {
    const { target } = await greetThen((frame, socket) => {
      socket.send('garbage');
      socket.send('[]');
      socket.send('{"type":"event","event":"tick","payload":{"ts":1},"seq":7}');
      socket.send(ok(frame, null));
    });
    const client = await open(target);
    const events: unknown[] = [];
    client.onEvent((event) => events.push(event));
    await client.request('health');
    expect(events).toEqual([{ event: 'tick', payload: { ts: 1 }, seq: 7 }]);
    client.close();
  });
});
