// Upstream's clients, as they were seen to speak, and its official client package: both must find a gateway here.
import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { GatewayClient, type GatewayClientOptions } from '@openclaw/gateway-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CLIENTS, EVENT_KEYS, EXCHANGES, HELLO, SESSION } from '../../test/support/upstream-shapes.ts';
import {
  dial,
  newDevice,
  type Peer,
  signedParams,
  startServer,
  type TestServer,
  TOKEN,
} from '../../test/support/wire.ts';

let server: TestServer;
beforeEach(async () => {
  server = await startServer({ limits: { wrongTokenDelayMs: 10 } });
});
afterEach(() => server.close());

/** With the proof that the real client would send: v3 from the terminal, v2 from the page, none from the command line. */
async function introduce(name: keyof typeof CLIENTS): Promise<{ peer: Peer; hello: Record<string, unknown> }> {
  const headers: Record<string, string> = name === 'page' ? { Origin: `http://127.0.0.1:${server.port}` } : {};
  const peer = await dial(server.port, { headers });
  const { payload } = await peer.event('connect.challenge');
  const { nonce, ts } = payload as { nonce: string; ts: number };
  const auth = name === 'page' ? { token: TOKEN, password: TOKEN } : { token: TOKEN };
  const changes = { ...CLIENTS[name], auth };
  const version = name === 'tui' ? 'v3' : 'v2';
  const signed = signedParams(newDevice(), { version, nonce, signedAt: ts, changes });
  const { device: _, ...unsigned } = signed;
  const answer = await peer.call('connect', name === 'cli' ? unsigned : signed);
  expect(answer.error).toBeUndefined();
  return { peer, hello: answer.payload ?? {} };
}

describe('replay', () => {
  test.each(['cli', 'tui', 'page'] as const)('%s is greeted with the keys that it reads', async (name) => {
    const { peer, hello } = await introduce(name);
    expect(Object.keys(hello).sort()).toEqual(HELLO.keys.filter((key) => !HELLO.left.includes(key)).sort());
    expect((hello['auth'] as { scopes: string[] }).scopes).toEqual(CLIENTS[name].scopes);
    await peer.end();
  });

  test('every request that upstream sends is answered with the keys that upstream answers', async () => {
    const peers = { cli: await introduce('cli'), tui: await introduce('tui'), page: await introduce('page') };
    for (const { client, method, params, keys, left = [] } of EXCHANGES) {
      const answer = await peers[client].peer.call(method, params);
      const name = `${client} ${method}`;
      expect(answer.error, name).toBeUndefined();
      if (keys === 'null') expect(answer.payload, name).toBeNull();
      else if (keys === 'list') expect(Array.isArray(answer.payload), name).toBe(true);
      else
        expect(Object.keys(answer.payload ?? {}), name).toEqual(
          expect.arrayContaining(keys.filter((key) => !left.includes(key))),
        );
    }
    for (const { peer } of Object.values(peers)) await peer.end();
  });

  test('the events of a turn have the keys that upstream sends', async () => {
    const { peer } = await introduce('tui');
    await peer.ask('sessions.subscribe', {});
    await peer.ask('sessions.messages.subscribe', { key: SESSION });
    await peer.ask('chat.send', { sessionKey: SESSION, message: 'one two', idempotencyKey: 'e1' });
    await peer.event('chat', ({ state }) => state === 'final');
    const seen = new Map(
      peer.frames.flatMap(({ event, payload }) => {
        const kind = payload?.['state'] ?? payload?.['stream'];
        return payload
          ? [[kind === undefined ? event : `${event} ${String(kind)}`, Object.keys(payload)] as const]
          : [];
      }),
    );
    for (const [name, keys] of Object.entries(EVENT_KEYS)) {
      expect(seen.get(name), name).toEqual(expect.arrayContaining([...keys]));
    }
    await peer.end();
  });
});

describe('the official client', () => {
  type Told = { event: string; payload?: unknown };
  const started: GatewayClient[] = [];
  afterEach(async () => {
    for (const client of started.splice(0)) await client.stopAndWait();
  });

  const connect = (options: Partial<GatewayClientOptions> = {}) => {
    const events: Told[] = [];
    const hello = Promise.withResolvers<Record<string, unknown>>();
    const client = new GatewayClient({
      url: `ws://127.0.0.1:${server.port}`,
      token: TOKEN,
      deviceIdentity: null,
      onHelloOk: (payload) => hello.resolve(payload as unknown as Record<string, unknown>),
      onConnectError: (error) => hello.reject(error),
      onEvent: (event) => void events.push(event),
      ...options,
    });
    started.push(client);
    client.start();
    return { client, events, hello: hello.promise };
  };

  test('connects, chats and reads history', async () => {
    const { client, events, hello } = connect();
    expect(await hello).toMatchObject({ protocol: 4, auth: { scopes: ['operator.admin'] } });
    const sent = { sessionKey: 'main', message: 'hello official client', idempotencyKey: 'o1' };
    expect(await client.request('chat.send', sent)).toEqual({ runId: 'o1', status: 'started' });
    expect(await client.request('agent.wait', { runId: 'o1', timeoutMs: 5_000 })).toMatchObject({ status: 'ok' });
    const history = (await client.request('chat.history', { sessionKey: 'main' })) as {
      messages: { role: string; content: { text: string }[] }[];
    };
    expect(history.messages.map(({ role, content }) => [role, content[0]?.text])).toEqual([
      ['user', 'hello official client'],
      ['assistant', 'hello official client'],
    ]);
    expect(
      events.some(({ event, payload }) => event === 'chat' && (payload as { state: string }).state === 'final'),
    ).toBe(true);
  });

  test('waits for the second answer of agent', async () => {
    const { client, hello } = connect();
    await hello;
    const accepted: unknown[] = [];
    const params = { message: 'hi', idempotencyKey: 'o2', deliver: false };
    const final = await client.request('agent', params, {
      expectFinal: true,
      onAccepted: (payload) => void accepted.push(payload),
    });
    expect(accepted).toMatchObject([{ runId: 'o2', status: 'accepted' }]);
    expect(final).toMatchObject({ runId: 'o2', status: 'ok', result: { payloads: [{ text: 'hi' }] } });
  });

  test('with a device identity of its own is accepted, and copes without a device token', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519', {
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const raw = (pem: string): Buffer => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64').subarray(-32);
    const deviceId = createHash('sha256').update(raw(publicKey)).digest('hex');
    const { client, hello } = connect({
      deviceIdentity: { deviceId, publicKeyPem: publicKey, privateKeyPem: privateKey },
      hostDeps: {
        signDevicePayload: (pem: string, payload: string) =>
          sign(null, Buffer.from(payload), createPrivateKey(pem)).toString('base64url'),
        publicKeyRawBase64UrlFromPem: (pem: string) => raw(pem).toString('base64url'),
      },
    });
    expect((await hello)['auth']).toEqual({ method: 'token', role: 'operator', scopes: ['operator.admin'] });
    expect(await client.request('health', {})).toMatchObject({ ok: true });
    expect(server.backend.journal[0]?.body['deviceId']).toBe(deviceId);
  });

  test('stops asking when the token is wrong, and says why', async () => {
    const paused = Promise.withResolvers<unknown>();
    const { hello } = connect({ token: 'wrong', onReconnectPaused: (info) => paused.resolve(info) });
    await expect(hello).rejects.toThrow('unauthorized');
    expect(await paused.promise).toMatchObject({ code: 1008, detailCode: 'AUTH_TOKEN_MISMATCH' });
  });

  test('comes back by itself after a restart', async () => {
    let hellos = 0;
    const again = Promise.withResolvers<void>();
    const { hello } = connect({
      onHelloOk: () => {
        hellos += 1;
        if (hellos === 2) again.resolve();
      },
      onConnectError: () => {},
    });
    hello.catch(() => {});
    await new Promise<void>((resolve) => {
      const look = setInterval(() => {
        if (hellos !== 1) return;
        clearInterval(look);
        resolve();
      }, 5);
    });
    const { port } = server;
    await server.close();
    server = await startServer({ port });
    await again.promise;
    expect(hellos).toBe(2);
  });
});
