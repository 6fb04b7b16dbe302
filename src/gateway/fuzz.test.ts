// Whatever arrives, in whatever order: the gateway answers with an error frame or a close, and goes on for everybody else.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  connectParams,
  dial,
  enter,
  type Peer,
  rawHttp,
  startServer,
  statusOf,
  type TestServer,
} from '../../test/support/wire.ts';
import { createRequestGuard } from './http/request-guard.ts';
import { allMethods } from './methods/table.ts';
import { isBad, parseRequest } from './protocol/frames.ts';
import { check } from './protocol/params.ts';

let server: TestServer;
let witness: Peer;
beforeAll(async () => {
  server = await startServer({ limits: { wrongTokenDelayMs: 1, wrongTokenMaxDelayMs: 1, handshakeTimeoutMs: 2_000 } });
  witness = await enter(server.port);
});
afterAll(async () => {
  await witness.end();
  await server.close();
});

const methods = [...allMethods().keys()];
const junk = fc.oneof(
  fc.anything({ maxDepth: 3 }),
  fc.constantFrom(null, '', 'main', 'agent:main:main', -1, 1e300, '__proto__', '\u0000', '\u202e', [], {}),
);
const knownKeys = fc.constantFrom(
  'sessionKey',
  'key',
  'message',
  'idempotencyKey',
  'limit',
  'offset',
  'id',
  'decision',
  'runId',
  'cursor',
  'agentId',
  '__proto__',
);
const params = fc.oneof(junk, fc.dictionary(knownKeys, junk, { maxKeys: 6 }));
const frame = fc.oneof(
  fc.record({
    type: fc.constant('req'),
    id: fc.string({ minLength: 1, maxLength: 8 }),
    method: fc.oneof(fc.constantFrom(...methods), fc.string()),
    params,
  }),
  fc.record({ type: junk, id: junk, method: junk, params: junk }),
  junk,
);
const text = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? 'undefined';
  } catch {
    return 'not JSON';
  }
};

test('an authenticated peer gets an answer for each frame, or a close', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 5 }), async (frames) => {
      const peer = await enter(server.port);
      for (const one of frames) if (peer.ws.readyState === peer.ws.OPEN) peer.send(text(one));
      const end = await Promise.race([peer.closed, peer.call('last-heartbeat').then(() => 'answered')]);
      if (end === 'answered') {
        for (const one of frames) {
          const request = parseRequest(text(one));
          const { id } = request;
          if (id !== null) await peer.when((answer) => answer.type === 'res' && answer.id === id);
        }
      } else expect(end).toMatchObject({ code: 1008 });
      await peer.end();
    }),
    { numRuns: 150 },
  );
  expect((await witness.call('health')).ok).toBe(true);
  expect(server.log.filter(({ level }) => level === 'error')).toEqual([]);
});

test('a stranger gets a refusal or a close, never a hello, never a crash', { timeout: 60_000 }, async () => {
  const changes = fc.dictionary(
    fc.constantFrom(
      'minProtocol',
      'maxProtocol',
      'client',
      'role',
      'scopes',
      'caps',
      'auth',
      'device',
      'x',
      '__proto__',
    ),
    junk,
    { minKeys: 1 },
  );
  const first = fc.oneof(
    frame.map(text),
    fc.string(),
    changes.map((change) =>
      text({ type: 'req', id: '1', method: 'connect', params: connectParams({ ...change, auth: { token: 'wrong' } }) }),
    ),
  );
  await fc.assert(
    fc.asyncProperty(first, async (message) => {
      const peer = await dial(server.port);
      peer.send(message);
      expect([1000, 1002, 1007, 1008]).toContain((await peer.closed).code);
      expect(peer.frames.some(({ ok }) => ok === true)).toBe(false);
    }),
    { numRuns: 150 },
  );
  expect((await witness.call('health')).ok).toBe(true);
});

test('bytes that are no HTTP never crash the listener', { timeout: 60_000 }, async () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'GET / HTTP/1.1',
      `Host: 127.0.0.1:${server.port}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Transfer-Encoding: chunked',
      'Content-Length: 3',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: x',
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 6 }), async (lines) => {
      const answer = await rawHttp(server.port, `${lines.join('\r\n')}\r\nConnection: close\r\n\r\n\r\n\r\n`);
      if (answer !== '') expect(statusOf(answer)).toBeGreaterThanOrEqual(200);
      expect(statusOf(answer)).not.toBe(101);
    }),
    { numRuns: 100 },
  );
  expect((await witness.call('health')).ok).toBe(true);
});

test('a frame is read or refused, never thrown over', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), frame.map(text)), (raw) => {
      const request = parseRequest(raw);
      if (!isBad(request)) {
        expect(request.id.length).toBeGreaterThan(0);
        expect(typeof request.params).toBe('object');
      }
    }),
    { numRuns: 2_000 },
  );
});

test('no parameters make a schema throw, and every refusal has words', () => {
  const table = allMethods();
  fc.assert(
    fc.property(fc.constantFrom(...methods), params, (name, value) => {
      const method = table.get(name);
      if (!method) return;
      const checked = check(method.params, name, value);
      if (!checked.ok)
        expect(checked.message).toMatch(new RegExp(`^invalid ${name.replaceAll('.', '\\.')} params: .+`));
    }),
    { numRuns: 3_000 },
  );
});

test('no request target or header makes the guard throw, and only our names pass', () => {
  const guard = createRequestGuard({
    port: 18_789,
    hosts: ['127.0.0.1'],
    allowedHosts: [],
    allowedOrigins: [],
    isPagePath: () => true,
  });
  const headers = fc.dictionary(
    fc.constantFrom('host', 'origin', 'sec-fetch-site', 'x-forwarded-for', 'transfer-encoding'),
    fc.oneof(fc.string(), fc.constant('127.0.0.1:18789')),
  );
  fc.assert(
    fc.property(fc.oneof(fc.webPath(), fc.string()), headers, (url, given) => {
      const rawHeaders = Object.entries(given).flat();
      const seen = guard({ url, method: 'GET', headers: given, rawHeaders } as never);
      if (seen.allow) {
        expect(given['host']).toBe('127.0.0.1:18789');
        expect(seen.path).toMatch(/^\/[^/]?/);
        expect(seen.path).not.toMatch(/\.\.|%2f|%5c|%00|\\/i);
      }
    }),
    { numRuns: 2_000 },
  );
});
