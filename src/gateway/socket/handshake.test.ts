// The handshake from outside: who gets in, with what, and what everybody else is told. Rows B are of the attack catalogue.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bestOf } from '../../../test/support/measure.ts';
import { memoryBackend } from '../../../test/support/memory-backend.ts';
import {
  ALL_SCOPES,
  connectParams,
  dial,
  enter,
  newDevice,
  signedParams,
  startServer,
  type TestServer,
  TOKEN,
  tryConnect,
} from '../../../test/support/wire.ts';

let server: TestServer;
beforeEach(async () => {
  server = await startServer({
    allowedOrigins: ['https://claw.example.org'],
    limits: { wrongTokenDelayMs: 10, wrongTokenMaxDelayMs: 40 },
  });
});
afterEach(() => server.close());

const own = (): Record<string, string> => ({ Origin: `http://127.0.0.1:${server.port}` });
const detailOf = (answer: { error?: { details?: Record<string, unknown> } }): unknown =>
  answer.error?.details?.['code'];
const grants = (): Record<string, unknown>[] =>
  server.backend.journal.filter(({ kind }) => kind === 'gateway.grant').map(({ body }) => body);
const refusals = (): unknown[] =>
  server.backend.journal.filter(({ kind }) => kind === 'gateway.refused').map(({ body }) => body['reason']);

describe('hello', () => {
  test('a challenge comes first, with a nonce of its own for each socket', async () => {
    const [a, b] = [await dial(server.port), await dial(server.port)];
    const first = await a.event('connect.challenge');
    const second = await b.event('connect.challenge');
    expect(first).not.toHaveProperty('seq');
    expect(first.payload?.['nonce']).toMatch(/^[0-9a-f-]{36}$/);
    expect(first.payload?.['nonce']).not.toBe(second.payload?.['nonce']);
    await a.end();
    await b.end();
  });

  test('the token opens, and hello-ok has what clients need', async () => {
    const { answer, peer } = await tryConnect(server.port, {});
    expect(answer.payload).toMatchObject({
      type: 'hello-ok',
      protocol: 4,
      server: { version: '0.0.0-test' },
      snapshot: {
        stateVersion: { presence: expect.any(Number), health: expect.any(Number) },
        sessionDefaults: { mainSessionKey: 'agent:main:main' },
      },
      auth: { method: 'token', role: 'operator', scopes: ALL_SCOPES },
      policy: { maxPayload: 26_214_400, maxBufferedBytes: 52_428_800, tickIntervalMs: 30_000 },
    });
    expect(JSON.stringify(answer).length).toBeLessThan(2_560);
    await peer.end();
  });

  test('the right secret in auth.password opens too, and in both fields', async () => {
    for (const auth of [{ password: TOKEN }, { token: TOKEN, password: TOKEN }, { token: 'wrong', password: TOKEN }]) {
      const { answer, peer } = await tryConnect(server.port, { auth });
      expect(answer.ok).toBe(true);
      await peer.end();
    }
  });

  test('it lists only methods and events that exist and that the scopes can use', async () => {
    const reader = await enter(server.port, { scopes: ['operator.read'] });
    const features = reader.frames.find(({ ok }) => ok)?.payload?.['features'] as {
      methods: string[];
      events: string[];
    };
    expect(features.methods).toContain('chat.history');
    expect(features.methods).not.toContain('chat.send');
    expect(features.methods).not.toContain('exec.approval.list');
    expect(features.events).not.toContain('exec.approval.requested');
    for (const method of features.methods) {
      const answer = await reader.call(method, {});
      expect(answer.error?.message ?? '').not.toMatch(/unknown method|missing scope/);
    }
    await reader.end();
  });

  test('without scopes a client learns nothing about the house', async () => {
    const bare = await enter(server.port, { scopes: [] });
    const hello = bare.frames.find(({ ok }) => ok)?.payload as Record<string, Record<string, unknown>>;
    expect(hello['features']?.['methods']).toEqual(['health']);
    expect(hello['snapshot']?.['presence']).toEqual([]);
    expect(hello['snapshot']).not.toHaveProperty('sessionDefaults');
    await bare.end();
  });

  test('every grant is journalled with who, what and from where, never with the token', async () => {
    const peer = await enter(server.port, { scopes: ['operator.read'] });
    expect(grants()).toEqual([
      expect.objectContaining({
        clientId: 'cli',
        mode: 'cli',
        role: 'operator',
        scopes: ['operator.read'],
        ip: '127.0.0.1',
      }),
    ]);
    expect(JSON.stringify(server.backend.journal)).not.toContain(TOKEN);
    await peer.end();
  });

  test('nobody is let in when the grant cannot be journalled', async () => {
    server.backend.failRecord = true;
    const { answer, closed } = await tryConnect(server.port, {});
    expect(answer.error).toMatchObject({ code: 'UNAVAILABLE', details: { reason: 'journal' } });
    expect(closed?.code).toBe(1011);
    server.backend.failRecord = false;
  });

  test('a refusal stands when it cannot be journalled, and so does the gateway', async () => {
    server.backend.failRecord = true;
    const { answer } = await tryConnect(server.port, { auth: { token: 'wrong' } });
    expect(detailOf(answer)).toBe('AUTH_TOKEN_MISMATCH');
    server.backend.failRecord = false;
    const peer = await enter(server.port);
    await peer.end();
  });

  test('a backend that fails while somebody enters costs that socket only', async () => {
    const broken = await startServer(
      {},
      memoryBackend({
        models: {
          list: () => [],
          get primary(): string {
            throw new Error('no models');
          },
        },
      }),
    );
    const peer = await dial(broken.port);
    peer.send({ type: 'req', id: '1', method: 'connect', params: connectParams() });
    expect((await peer.closed).code).toBe(1011);
    const bare = await enter(broken.port, { scopes: [] });
    await bare.end();
    await broken.close();
  });

  test('while starting it says so, retryable', async () => {
    const starting = await startServer({ ready: () => false });
    const { answer, closed } = await tryConnect(starting.port, {});
    expect(answer.error).toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
      retryAfterMs: 500,
      details: { reason: 'startup-sidecars' },
    });
    expect(closed?.code).toBe(1013);
    await starting.close();
  });
});

describe('credentials', () => {
  test.each([
    ['B01 none', {}],
    ['B01 empty', { token: '' }],
    ['B01 no auth at all', undefined],
    ['only a device token', { deviceToken: TOKEN }],
    ['only a bootstrap token', { bootstrapToken: TOKEN }],
  ])('%s: refused, and no list of anything', async (_name, auth) => {
    const { answer, closed } = await tryConnect(server.port, { auth });
    expect(answer.ok).toBe(false);
    expect(detailOf(answer)).toBe('AUTH_TOKEN_MISSING');
    expect(closed?.code).toBe(1008);
    expect(JSON.stringify(answer)).not.toMatch(/methods|snapshot|presence/);
  });

  test('B19 every wrong secret gets the same words, whatever field, length or beginning', async () => {
    const guesses = [
      { token: 'x' },
      { password: 'x' },
      { token: TOKEN.slice(0, 63) },
      { token: `${TOKEN}x` },
      { token: 'x'.repeat(4_000) },
    ];
    const answers = new Set<string>();
    for (const auth of guesses) {
      const { answer, closed } = await tryConnect(server.port, { auth });
      answers.add(JSON.stringify(answer.error));
      expect(closed?.code).toBe(1008);
    }
    expect([...answers]).toEqual([
      JSON.stringify({
        code: 'INVALID_REQUEST',
        message: 'unauthorized',
        details: {
          code: 'AUTH_TOKEN_MISMATCH',
          authReason: 'token_mismatch',
          canRetryWithDeviceToken: false,
          recommendedNextStep: 'update_auth_credentials',
        },
      }),
    ]);
  });

  test('S074 S141 a wrong token leaves a line with "unauthorized" and the address, without the guess', async () => {
    await tryConnect(server.port, { auth: { token: 'guess-456' } });
    expect(server.log.map(({ message }) => message)).toEqual([
      'unauthorized ip=127.0.0.1 via=ws reason=token_mismatch',
    ]);
    expect(refusals()).toEqual(['token_mismatch']);
    expect(JSON.stringify([server.log, server.backend.journal])).not.toContain('guess-456');
  });

  test('B05 guesses wait longer and longer, with our own Origin too; the owner gets in at once', async () => {
    const slow = await startServer({ limits: { wrongTokenDelayMs: 50, wrongTokenMaxDelayMs: 1_500 } });
    const headers = { Origin: `http://127.0.0.1:${slow.port}` };
    const timed = async (token: string): Promise<number> => {
      const start = performance.now();
      const { peer } = await tryConnect(slow.port, { auth: { token } }, { headers });
      const took = performance.now() - start;
      await peer.end();
      return took;
    };
    expect(await timed('a')).toBeGreaterThanOrEqual(49);
    expect(await timed('b')).toBeGreaterThanOrEqual(99);
    expect(await timed('c')).toBeGreaterThanOrEqual(199);
    const inTheFlood = async (): Promise<number> => {
      const flood = Promise.allSettled(Array.from({ length: 30 }, () => timed('z')));
      const tookMs = await timed(TOKEN);
      await flood;
      return tookMs;
    };
    expect(await bestOf(3, (ms) => ms < 400, inTheFlood)).toBeLessThan(400);
    await slow.close();
  });
});

describe('what a connect may not say', () => {
  test.each([
    ['an unknown key', { surprise: 1 }, "at root: unexpected property 'surprise'"],
    [
      'an unknown key of the client',
      { client: { id: 'cli', version: '1', platform: 'l', mode: 'cli', x: 1 } },
      "at /client: unexpected property 'x'",
    ],
    [
      'an unknown client id',
      { client: { id: 'me', version: '1', platform: 'l', mode: 'cli' } },
      'at /client/id: must be one of',
    ],
    [
      'an unknown mode',
      { client: { id: 'cli', version: '1', platform: 'l', mode: 'operator' } },
      'at /client/mode: must be one of',
    ],
    ['no client', { client: undefined }, "must have required property 'client'"],
    ['a protocol as text', { minProtocol: '4' }, 'at /minProtocol: must be number'],
    ['an unknown key of auth', { auth: { token: TOKEN, admin: true } }, "at /auth: unexpected property 'admin'"],
    ['scopes as text', { scopes: 'operator.admin' }, 'at /scopes: must be array'],
  ])('%s: close 1008 with the reason', async (_name, changes, reason) => {
    const { answer, closed } = await tryConnect(server.port, changes);
    expect(answer.error?.code).toBe('INVALID_REQUEST');
    expect(answer.error?.message).toContain('invalid connect params: ');
    expect(answer.error?.message).toContain(reason);
    expect(closed?.code).toBe(1008);
    expect(refusals()).toEqual(['invalid_connect']);
  });

  test.each([[['operator.superadmin']], [['operator.read', '*']], [['admin']], [['node.role']]])(
    'B07 the unknown scopes %j are refused, not echoed in a hello',
    async (scopes) => {
      const { answer, closed } = await tryConnect(server.port, { scopes });
      expect(answer.ok).toBe(false);
      expect(detailOf(answer)).toBe('AUTH_SCOPE_MISMATCH');
      expect(closed?.code).toBe(1008);
      expect(grants()).toEqual([]);
    },
  );

  test.each([
    ['root', 'INVALID_REQUEST', 'invalid role'],
    ['worker', 'INVALID_REQUEST', 'invalid role'],
    ['node', 'NOT_PAIRED', 'pairing required'],
  ])('B09 the role %s is refused', async (role, code, words) => {
    const { answer, closed } = await tryConnect(server.port, { role });
    expect(answer.error?.code).toBe(code);
    expect(answer.error?.message).toContain(words);
    expect(closed?.code).toBe(1008);
  });

  test.each([
    [{ minProtocol: 5, maxProtocol: 6 }],
    [{ minProtocol: 1, maxProtocol: 3 }],
    [{ minProtocol: 6, maxProtocol: 4 }],
  ])('the version range %j is refused with 1002 and the range that works', async (range) => {
    const { answer, closed } = await tryConnect(server.port, range);
    expect(answer.error).toMatchObject({
      message: 'protocol mismatch',
      details: { code: 'PROTOCOL_MISMATCH', expectedProtocol: 4, minimumProbeProtocol: 3 },
    });
    expect(closed).toEqual({ code: 1002, reason: 'protocol mismatch' });
  });

  test('a probe may still speak version 3', async () => {
    const client = { id: 'cli', version: 'dev', platform: 'linux', mode: 'probe' };
    const { answer, peer } = await tryConnect(server.port, {
      client,
      minProtocol: 3,
      maxProtocol: 3,
      scopes: ['operator.read'],
    });
    expect(answer.payload).toMatchObject({ protocol: 3, auth: { scopes: [] } });
    await peer.end();
  });

  test.each(['config.get', 'health', 'chat.send', '__proto__'])(
    'B09 %s before connect: refused and closed',
    async (method) => {
      const peer = await dial(server.port);
      const answer = await peer.call(method, {});
      expect(answer.error).toMatchObject({
        code: 'INVALID_REQUEST',
        message: 'invalid handshake: first request must be connect',
      });
      expect((await peer.closed).code).toBe(1008);
    },
  );

  test.each(['not json', '[]', '42', '{"type":"req"}', '{"type":"event","event":"x"}', '\u0000'])(
    'the garbage %j gets no word, close 1000',
    async (text) => {
      const peer = await dial(server.port);
      await peer.event('connect.challenge');
      peer.send(text);
      expect((await peer.closed).code).toBe(1000);
      expect(peer.frames).toHaveLength(1);
    },
  );

  test('a second connect on the same socket is refused', async () => {
    const peer = await enter(server.port);
    const answer = await peer.call('connect', connectParams({ scopes: ['operator.pairing'] }));
    expect(answer.error?.message).toBe('already connected');
    expect(grants()).toHaveLength(1);
    await peer.end();
  });

  test('K03 control characters that a client says about itself reach nobody as they are', async () => {
    const client = {
      id: 'webchat-ui',
      version: '1',
      platform: '\u001b[2Jlinux\u202e',
      mode: 'webchat',
      displayName: 'a\nb',
    };
    const peer = await enter(server.port, { client });
    const shown = JSON.stringify(await peer.call('system-presence'));
    expect(shown).toContain('a\ufffdb');
    expect(shown).not.toMatch(/\\u001b|\u202e|\\n/);
    await peer.end();
  });
});

describe('origin', () => {
  test.each([
    'https://evil.example',
    'null',
    'http://localhost:9999',
    'chrome-extension://abc',
    'http://127.0.0.1',
    'file://',
  ])('B02 B03 Origin %s is refused before the handshake, with the right token and any client id', async (origin) => {
    await expect(dial(server.port, { headers: { Origin: origin } })).rejects.toThrow(/^HTTP 403 .*origin_not_allowed/);
    expect(refusals()).toEqual(['origin_not_allowed']);
  });
  test('B03 a rebinding pair, Host and Origin both evil, is refused', async () => {
    const host = `evil.example:${server.port}`;
    await expect(dial(server.port, { headers: { Host: host, Origin: `http://${host}` } })).rejects.toThrow(/^HTTP 421/);
  });
  test('A07 a foreign Host without an Origin is refused', async () => {
    await expect(dial(server.port, { headers: { Host: 'evil.example' } })).rejects.toThrow(/^HTTP 421/);
  });
  test('A08 B17 a forwarding header is refused at the upgrade', async () => {
    await expect(dial(server.port, { headers: { 'X-Forwarded-For': '127.0.0.1' } })).rejects.toThrow(
      /^HTTP 403 .*proxy_attribution_required/,
    );
  });
  test('A06 a token in the query is refused at the upgrade and never logged', async () => {
    await expect(dial(server.port, { path: `/?token=${TOKEN}` })).rejects.toThrow(/^HTTP 400 .*credential_in_query/);
    expect(JSON.stringify([server.log, server.backend.journal])).not.toContain(TOKEN);
  });
  test('another path than / is 404', async () => {
    await expect(dial(server.port, { path: '/__openclaw__/worker' })).rejects.toThrow(/^HTTP 404/);
  });
  test('no extension is negotiated', async () => {
    const peer = await enter(server.port);
    expect(peer.ws.extensions).toBe('');
    await peer.end();
  });
});

describe('scopes', () => {
  const scopesOf = async (changes: Record<string, unknown>, headers: Record<string, string> = {}): Promise<unknown> => {
    const { answer, peer } = await tryConnect(server.port, changes, { headers });
    await peer.end();
    return (answer.payload?.['auth'] as { scopes: unknown } | undefined)?.scopes;
  };
  test('a program on this machine keeps what it asked', async () => {
    expect(await scopesOf({ scopes: ['operator.read', 'operator.read'] })).toEqual(['operator.read']);
    expect(await scopesOf({})).toEqual(ALL_SCOPES);
  });
  test('who asks for nothing gets nothing', async () => {
    expect(await scopesOf({ scopes: undefined })).toEqual([]);
  });
  test('our own page keeps them', async () => {
    const client = { id: 'webchat-ui', version: '1', platform: 'web', mode: 'webchat' };
    expect(await scopesOf({ client }, own())).toEqual(ALL_SCOPES);
    expect(await scopesOf({ client }, { Origin: `http://localhost:${server.port}` })).toEqual(ALL_SCOPES);
  });
  test('B08 no client id or mode opens anything: a page from a listed origin gets in without scopes', async () => {
    for (const id of ['cli', 'gateway-client', 'openclaw-control-ui']) {
      const client = { id, version: '1', platform: 'l', mode: 'backend' };
      expect(await scopesOf({ client }, { Origin: 'https://claw.example.org' })).toEqual([]);
    }
  });
  test('a probe gets in without scopes', async () => {
    expect(await scopesOf({ client: { id: 'cli', version: 'dev', platform: 'l', mode: 'probe' } })).toEqual([]);
  });
});

describe('device proof', () => {
  const proven = async (
    version: 'v2' | 'v3',
    changes: Record<string, unknown> = {},
    headers: Record<string, string> = {},
  ) => {
    const device = newDevice();
    const peer = await dial(server.port, { headers });
    const { payload } = await peer.event('connect.challenge');
    const { nonce, ts } = payload as { nonce: string; ts: number };
    return { device, peer, nonce, ts, params: signedParams(device, { version, nonce, signedAt: ts, changes }) };
  };

  test.each(['v2', 'v3'] as const)(
    '%s: a device that proves its key keeps its scopes, from a listed origin too',
    async (version) => {
      const client = { id: 'openclaw-tui', version: '1', platform: 'Linux', deviceFamily: 'Linux', mode: 'ui' };
      const { device, peer, params } = await proven(version, { client }, { Origin: 'https://claw.example.org' });
      const answer = await peer.call('connect', params);
      expect(answer.payload?.['auth']).toEqual({ method: 'token', role: 'operator', scopes: ALL_SCOPES });
      expect(grants()[0]).toMatchObject({ deviceId: device.id, origin: 'https://claw.example.org' });
      await peer.end();
    },
  );

  test('a proof without the token opens nothing', async () => {
    const { peer, params } = await proven('v3', { auth: {} });
    expect(detailOf(await peer.call('connect', params))).toBe('AUTH_TOKEN_MISSING');
  });

  type Spoil = (device: Record<string, unknown>) => Record<string, unknown>;
  const other = newDevice();
  const failures: [string, string, Spoil][] = [
    ['another id', 'DEVICE_AUTH_DEVICE_ID_MISMATCH', (d) => ({ ...d, id: other.id })],
    ['a key that is none', 'DEVICE_AUTH_DEVICE_ID_MISMATCH', (d) => ({ ...d, publicKey: 'AAAA' })],
    ['an old signature', 'DEVICE_AUTH_SIGNATURE_EXPIRED', (d) => ({ ...d, signedAt: Number(d['signedAt']) - 120_001 })],
    [
      'a signature of tomorrow',
      'DEVICE_AUTH_SIGNATURE_EXPIRED',
      (d) => ({ ...d, signedAt: Number(d['signedAt']) + 120_001 }),
    ],
    ['no nonce', 'DEVICE_AUTH_NONCE_REQUIRED', ({ nonce: _, ...d }) => d],
    ['B16 the nonce of another socket', 'DEVICE_AUTH_NONCE_MISMATCH', (d) => ({ ...d, nonce: crypto.randomUUID() })],
    [
      'another time than was signed',
      'DEVICE_AUTH_SIGNATURE_INVALID',
      (d) => ({ ...d, signedAt: Number(d['signedAt']) + 1 }),
    ],
    ['a signature that is none', 'DEVICE_AUTH_SIGNATURE_INVALID', (d) => ({ ...d, signature: 'AAAA' })],
    [
      'the key of another device',
      'DEVICE_AUTH_SIGNATURE_INVALID',
      (d) => ({ ...d, id: other.id, publicKey: other.publicKey }),
    ],
  ];
  test.each(failures)('%s: %s and close 1008', async (_name, code, spoil) => {
    const { peer, params } = await proven('v3');
    const answer = await peer.call('connect', {
      ...params,
      device: spoil(params['device'] as Record<string, unknown>),
    });
    expect(answer.error?.code).toBe('INVALID_REQUEST');
    expect(detailOf(answer)).toBe(code);
    expect((await peer.closed).code).toBe(1008);
    expect(grants()).toEqual([]);
  });

  test('what was signed is what counts: scopes, role, client and token cannot be swapped afterwards', async () => {
    const swaps = [
      { scopes: ['operator.pairing'] },
      { client: { id: 'test', version: '1', platform: 'linux', mode: 'cli' } },
    ];
    for (const swap of swaps) {
      const { peer, params } = await proven('v3', { scopes: ['operator.read'] });
      expect(detailOf(await peer.call('connect', { ...params, ...swap }))).toBe('DEVICE_AUTH_SIGNATURE_INVALID');
    }
  });

  test('B16 a captured connect, replayed on a new socket, is refused', async () => {
    const { peer, params } = await proven('v2');
    expect((await peer.call('connect', params)).ok).toBe(true);
    const replay = await dial(server.port);
    expect(detailOf(await replay.call('connect', params))).toBe('DEVICE_AUTH_NONCE_MISMATCH');
    await peer.end();
  });
});

describe('strangers', () => {
  test('a frame over 64 KiB before the token closes with 1009', async () => {
    const peer = await dial(server.port);
    peer.send(JSON.stringify({ type: 'req', id: '1', method: 'connect', params: { pad: 'x'.repeat(65_536) } }));
    expect((await peer.closed).code).toBe(1009);
  });
  test('N02 a big frame in small pieces is cut as well', async () => {
    const peer = await dial(server.port);
    for (let i = 0; i < 100; i++) peer.ws.send('x'.repeat(1_000), { fin: false });
    expect((await peer.closed).code).toBe(1009);
  });
  test('who says nothing is let go with 1000', async () => {
    const strict = await startServer({ limits: { handshakeTimeoutMs: 60 } });
    const peer = await dial(strict.port);
    expect((await peer.closed).code).toBe(1000);
    await strict.close();
  });
  test('too many frames while the answer waits: 1008', async () => {
    const slow = await startServer({ limits: { wrongTokenDelayMs: 2_000 } });
    const peer = await dial(slow.port);
    for (let i = 0; i < 12; i++)
      peer.send({ type: 'req', id: String(i), method: 'connect', params: connectParams({ auth: { token: 'x' } }) });
    expect(await peer.closed).toEqual({ code: 1008, reason: 'too many pending handshake frames' });
    await slow.close();
  });
  test('N01 600 idle sockets: at most 32 stay, and the owner gets in', async () => {
    const open: Awaited<ReturnType<typeof dial>>[] = [];
    for (let i = 0; i < 600; i += 50) {
      open.push(...(await Promise.all(Array.from({ length: 50 }, () => dial(server.port)))));
    }
    const owner = await enter(server.port);
    expect((await owner.call('health')).ok).toBe(true);
    const alive = open.filter(({ ws }) => ws.readyState === ws.OPEN);
    expect(alive.length).toBeLessThanOrEqual(32);
    for (const peer of open) peer.ws.terminate();
    await owner.end();
  });
});

test('a gateway over another backend shares nothing with this one', async () => {
  const second = await startServer({}, memoryBackend());
  const peer = await enter(second.port);
  expect(grants()).toEqual([]);
  await peer.end();
  await second.close();
});
