// Each method from outside: what it answers, what it refuses and with which words, whom it lets.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { memoryBackend } from '../../test/support/memory-backend.ts';
import { enter, type Peer, startServer, type TestServer } from '../../test/support/wire.ts';
import { HardshellError } from '../platform/errors.ts';

let server: TestServer;
let peer: Peer;
beforeAll(async () => {
  server = await startServer();
  peer = await enter(server.port);
});
afterAll(() => server.close());
beforeEach(() => {
  server.backend.script = { kind: 'echo' };
});

const KEY = 'agent:main:methods';
const say = async (message: string, id: string = crypto.randomUUID(), key = KEY): Promise<void> => {
  await peer.ask('chat.send', { sessionKey: key, message, idempotencyKey: id });
  await peer.event('chat', ({ runId, state }) => runId === id && state === 'final');
};

describe('scope before existence', () => {
  test.each([
    ['chat.send', 'operator.write'],
    ['chat.abort', 'operator.write'],
    ['agent', 'operator.write'],
    ['agent.wait', 'operator.write'],
    ['sessions.patch', 'operator.write'],
    ['sessions.reset', 'operator.admin'],
    ['sessions.delete', 'operator.admin'],
    ['exec.approval.list', 'operator.approvals'],
    ['exec.approval.resolve', 'operator.approvals'],
    ['config.set', 'operator.admin'],
    ['nope.x', 'operator.admin'],
    ['__proto__', 'operator.admin'],
    ['constructor', 'operator.admin'],
  ])('B10 a reader who calls %s is told that %s is missing', async (method, scope) => {
    const reader = await enter(server.port, { scopes: ['operator.read'] });
    expect((await reader.call(method, { nonsense: true })).error).toEqual({
      code: 'FORBIDDEN',
      message: `missing scope: ${scope}`,
      details: { code: 'MISSING_SCOPE', missingScope: scope, requiredScopes: [scope] },
    });
    await reader.end();
  });
  test('an admin is told that a method does not exist', async () => {
    for (const method of ['nope.x', '__proto__', 'constructor', 'toString']) {
      expect((await peer.call(method)).error).toEqual({
        code: 'INVALID_REQUEST',
        message: `unknown method: ${method}`,
      });
    }
  });
  test('write includes read, admin includes all, approvals include nothing else', async () => {
    const writer = await enter(server.port, { scopes: ['operator.write'] });
    expect((await writer.call('sessions.list')).ok).toBe(true);
    const admin = await enter(server.port, { scopes: ['operator.admin'] });
    expect((await admin.call('exec.approval.list')).ok).toBe(true);
    const approver = await enter(server.port, { scopes: ['operator.approvals'] });
    expect((await approver.call('sessions.list')).error?.code).toBe('FORBIDDEN');
    for (const one of [writer, admin, approver]) await one.end();
  });
  test('health answers without any scope, and then says nothing about sessions', async () => {
    await say('hi');
    const bare = await enter(server.port, { scopes: [] });
    expect(await bare.ask('health')).toMatchObject({ ok: true, sessions: { count: 0, recent: [] } });
    expect((await peer.ask('health'))['sessions']).toMatchObject({ count: expect.any(Number), recent: [{ key: KEY }] });
    for (const method of ['status', 'system-presence', 'config.get', 'logs.tail', 'last-heartbeat', 'models.list']) {
      expect((await bare.call(method)).error?.message).toBe('missing scope: operator.read');
    }
    await bare.end();
  });
});

describe('parameters', () => {
  test.each([
    ['chat.send', { sessionKey: 'main', message: 'x' }, "must have required property 'idempotencyKey'"],
    ['chat.send', { message: 'x', idempotencyKey: 'k' }, "must have required property 'sessionKey'"],
    ['chat.send', { sessionKey: 'main', message: 7, idempotencyKey: 'k' }, 'at /message: must be string'],
    [
      'chat.send',
      { sessionKey: 'main', message: 'x', idempotencyKey: 'a b' },
      'at /idempotencyKey: must be 1 to 256 visible ASCII characters',
    ],
    [
      'chat.send',
      { sessionKey: 'main', message: 'x', idempotencyKey: 'k', bad: 1 },
      "at root: unexpected property 'bad'",
    ],
    [
      'chat.send',
      { sessionKey: 'main', message: 'x', idempotencyKey: 'k', originatingChannel: 'telegram' },
      "unexpected property 'originatingChannel'",
    ],
    [
      'chat.send',
      { sessionKey: 'main', message: 'x', idempotencyKey: 'k', deliver: true },
      'at /deliver: must be equal to false',
    ],
    [
      'chat.send',
      { sessionKey: 'main', message: 'x', idempotencyKey: 'k', attachments: [{}] },
      'at /attachments: must NOT have more than 0 items',
    ],
    [
      'chat.send',
      { sessionKey: 'main', message: 'x', idempotencyKey: 'k', queueMode: 'now' },
      'at /queueMode: must be one of steer, followup, collect, interrupt',
    ],
    [
      'chat.send',
      { sessionKey: 'main', message: 'x', idempotencyKey: 'k', agentId: 'other' },
      'at /agentId: must be the agent of the session key',
    ],
    ['chat.history', { sessionKey: 'main', limit: 0 }, 'at /limit: must be >= 1'],
    ['chat.history', { sessionKey: 'main', limit: 1_001 }, 'at /limit: must be <= 1000'],
    ['chat.history', { sessionKey: 'main', limit: 1.5 }, 'at /limit: must be integer'],
    ['chat.history', {}, "must have required property 'sessionKey'"],
    ['agent', { message: '', idempotencyKey: 'k' }, 'at /message: must NOT have fewer than 1 characters'],
    [
      'agent',
      { message: 'x', idempotencyKey: 'k', extraSystemPrompt: 'obey' },
      "unexpected property 'extraSystemPrompt'",
    ],
    ['agent', { message: 'x', idempotencyKey: 'k', to: '+1' }, "unexpected property 'to'"],
    ['agent.wait', {}, "must have required property 'runId'"],
    ['sessions.patch', { key: 'main', execSecurity: 'full' }, "unexpected property 'execSecurity'"],
    ['sessions.patch', { key: 'main', pinned: 'yes' }, 'at /pinned: must be boolean'],
    ['sessions.patch', {}, "must have required property 'key'"],
    ['sessions.reset', { key: 'main', force: true }, "unexpected property 'force'"],
    ['sessions.delete', { key: 'main', emitLifecycleHooks: false }, "unexpected property 'emitLifecycleHooks'"],
    ['exec.approval.resolve', { decision: 'deny' }, "must have required property 'id'"],
    [
      'exec.approval.resolve',
      { id: 'x', decision: 'yes' },
      'at /decision: must be one of allow-once, allow-always, allow-task, deny',
    ],
    [
      'exec.approval.resolve',
      { id: 'x', decision: 'deny', grantExpiresInDays: 30 },
      "unexpected property 'grantExpiresInDays'",
    ],
    ['logs.tail', { limit: 5_001 }, 'at /limit: must be <= 5000'],
  ])('%s %o is refused: %s', async (method, params, words) => {
    const { error } = await peer.call(method, params);
    expect(error?.code).toBe('INVALID_REQUEST');
    expect(error?.message).toContain(`invalid ${method} params: `);
    expect(error?.message).toContain(words);
  });

  test.each([
    'main2',
    'agent:main',
    'agent::x',
    'agent:Main:x',
    'agent:main:',
    'agent:main:../../etc',
    'agent:main:a b',
    'agent:main:x\u0000',
    'agent:main:\u202ex',
    `agent:main:${'x'.repeat(300)}`,
    '',
  ])('the session key %j is refused by every method that takes one', async (key) => {
    const calls: [string, object][] = [
      ['chat.send', { sessionKey: key, message: 'x', idempotencyKey: 'k' }],
      ['chat.history', { sessionKey: key }],
      ['chat.abort', { sessionKey: key }],
      ['agent', { sessionKey: key, message: 'x', idempotencyKey: 'k' }],
      ['sessions.describe', { key }],
      ['sessions.patch', { key, label: 'x' }],
      ['sessions.reset', { key }],
      ['sessions.delete', { key }],
      ['sessions.messages.subscribe', { key }],
    ];
    for (const [method, params] of calls) {
      const { error } = await peer.call(method, params);
      expect(error?.code).toBe('INVALID_REQUEST');
      expect(error?.message).toContain('must be a session key');
    }
    expect(server.backend.sent.some(({ sessionKey }) => sessionKey === key)).toBe(false);
  });

  test('main is an alias of agent:main:main', async () => {
    await say('hi', 'alias-1', 'main');
    expect(server.backend.sent.at(-1)?.sessionKey).toBe('agent:main:main');
    expect((await peer.ask('chat.history', { sessionKey: 'main' }))['sessionKey']).toBe('agent:main:main');
  });

  test('a field that a read method does not know is ignored and counted', async () => {
    const ignored = async (): Promise<number> =>
      ((await peer.ask('status'))['gateway'] as { ignoredFields: number }).ignoredFields;
    const before = await ignored();
    const list = { includeGlobal: true, includeUnknown: true, configuredAgentsOnly: true, ownerFirst: true };
    expect((await peer.call('sessions.list', list)).ok).toBe(true);
    expect(await ignored()).toBe(before + 4);
  });

  test.each([
    [{ type: 'req', id: 'a', method: 'health', surprise: 1 }, "unexpected property 'surprise'"],
    [{ type: 'req', id: 'b', method: 'health', params: [] }, 'at /params: must be object'],
    [{ type: 'req', id: 'c', method: 7 }, 'at /method'],
    [{ type: 'req', id: 'd', method: 'x'.repeat(129) }, 'at /method'],
  ])('the frame %o is refused under its id', async (frame, words) => {
    peer.send(frame);
    const { error } = await peer.when(({ id }) => id === frame.id);
    expect(error?.code).toBe('INVALID_REQUEST');
    expect(error?.message).toContain(words);
  });
  test.each([
    'not json',
    '[]',
    '{"type":"req"}',
    '{"type":"req","id":7,"method":"health"}',
    '{"type":"res","id":"1","ok":true}',
  ])('the frame %s cannot be answered, so the connection ends with 1008', async (text) => {
    const other = await enter(server.port);
    other.send(text);
    expect((await other.closed).code).toBe(1008);
  });
});

describe('chat', () => {
  test('the same idempotency key is one message, before and after its end', async () => {
    server.backend.script = { kind: 'hold', text: 'x' };
    const params = { sessionKey: KEY, message: 'once', idempotencyKey: 'same' };
    expect(await peer.ask('chat.send', params)).toEqual({ runId: 'same', status: 'started' });
    expect(await peer.ask('chat.send', params)).toEqual({ runId: 'same', status: 'in_flight' });
    server.backend.release();
    await peer.event('chat', ({ runId, state }) => runId === 'same' && state === 'final');
    expect(await peer.ask('chat.send', params)).toMatchObject({ runId: 'same', status: 'done', outcome: 'ok' });
    expect(server.backend.sent.filter(({ idempotencyKey }) => idempotencyKey === 'same')).toHaveLength(1);
  });

  test('the backend is told who asked', async () => {
    await say('hi');
    expect(server.backend.sent.at(-1)?.actor).toEqual({
      connId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      clientId: 'cli',
    });
  });

  test('what the backend refuses comes with its code and what to do', async () => {
    expect(
      (await peer.call('chat.send', { sessionKey: 'agent:other:x', message: 'x', idempotencyKey: 'u1' })).error,
    ).toEqual({
      code: 'INVALID_REQUEST',
      message: 'there is no such agent',
      details: { code: 'UNKNOWN_AGENT', fix: 'openclaw status' },
    });
    expect(
      (await peer.call('chat.send', { sessionKey: 'main', message: ' ', idempotencyKey: 'u2' })).error?.details,
    ).toEqual({ code: 'MESSAGE_EMPTY' });
  });

  test('a full queue is retryable, our own mistake is not shown', async () => {
    const failing = memoryBackend();
    let thrown: Error = new HardshellError({ code: 'QUEUE_FULL', message: '20 messages wait', httpStatus: 429 });
    failing.chat.send = () => Promise.reject(thrown);
    const second = await startServer({}, failing);
    const other = await enter(second.port);
    const params = { sessionKey: 'main', message: 'x', idempotencyKey: 'k' };
    expect((await other.call('chat.send', params)).error).toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
      details: { code: 'QUEUE_FULL' },
    });
    thrown = new Error('SELECT secret FROM credentials');
    const { error } = await other.call('chat.send', params);
    expect(error).toEqual({
      code: 'UNAVAILABLE',
      message: 'internal error; the log has the reason',
      details: { code: 'INTERNAL' },
    });
    expect(second.log.at(-1)).toMatchObject({
      level: 'error',
      message: 'chat.send failed',
      fields: { reason: 'SELECT secret FROM credentials' },
    });
    await other.end();
    await second.close();
  });

  test('history pages from the newest back, without a limit on how far', async () => {
    const key = 'agent:main:paging';
    for (let i = 1; i <= 6; i++) await say(`m${i}`, `p${i}`, key);
    const seqs = async (params: object): Promise<number[]> => {
      const { messages } = (await peer.ask('chat.history', { sessionKey: key, ...params })) as {
        messages: { __openclaw: { seq: number } }[];
      };
      return messages.map(({ __openclaw }) => __openclaw.seq);
    };
    expect(await seqs({ limit: 3 })).toEqual([10, 11, 12]);
    expect(await seqs({ limit: 3, offset: 3 })).toEqual([7, 8, 9]);
    expect(await seqs({ limit: 3, offset: 11 })).toEqual([1]);
    expect(await seqs({ limit: 3, offset: 12 })).toEqual([]);
    expect(await seqs({ limit: 3, offset: 5_000 })).toEqual([]);
    expect(await seqs({ limit: 2, beforeSeq: 5 })).toEqual([3, 4]);
    expect(await seqs({ limit: 2, beforeSeq: 5, offset: 1 })).toEqual([2, 3]);
    expect(await seqs({ afterSeq: 10 })).toEqual([11, 12]);
  });

  test('history keeps to the bytes that were asked for, newest first, and says that there is more', async () => {
    const key = 'agent:main:bytes';
    for (let i = 1; i <= 4; i++) await say('x'.repeat(900), `b${i}`, key);
    const page = (await peer.ask('chat.history', { sessionKey: key, maxBytes: 3_000 })) as {
      messages: { __openclaw: { seq: number } }[];
      hasMore: boolean;
    };
    expect(page.messages.map(({ __openclaw }) => __openclaw.seq)).toEqual([7, 8]);
    expect(page.hasMore).toBe(true);
    const cut = (await peer.ask('chat.history', { sessionKey: key, maxChars: 10 })) as {
      messages: { content: { text: string }[] }[];
    };
    expect(cut.messages[0]?.content[0]?.text).toBe(`${'x'.repeat(10)}…`);
  });

  test('aborting what does not run says so', async () => {
    expect(await peer.ask('chat.abort', { sessionKey: KEY, runId: 'nothing' })).toEqual({
      ok: true,
      aborted: false,
      runIds: [],
    });
  });
});

describe('agent', () => {
  test('is answered twice under one id: accepted, then ended', async () => {
    peer.send({
      type: 'req',
      id: 'two',
      method: 'agent',
      params: { message: 'hello you', sessionKey: KEY, deliver: false, timeout: 600, idempotencyKey: 'a1' },
    });
    const final = await peer.when(({ id, payload }) => id === 'two' && payload?.['status'] === 'ok');
    const answers = peer.frames.filter(({ id }) => id === 'two');
    expect(answers.map(({ payload }) => payload?.['status'])).toEqual(['accepted', 'ok']);
    expect(answers[0]?.payload).toMatchObject({
      runId: 'a1',
      sessionKey: KEY,
      agentId: 'main',
      acceptedAt: expect.any(Number),
    });
    expect(final.payload).toMatchObject({
      summary: 'completed',
      result: {
        payloads: [{ text: 'hello you', mediaUrl: null }],
        meta: {
          aborted: false,
          agentMeta: { provider: 'test', model: 'echo', usage: { input: 5, output: 7, total: 12 } },
        },
      },
    });
  });
  test('a failed turn is an answer with the reason and what to do', async () => {
    server.backend.script = { kind: 'fail', error: { kind: 'timeout', message: 'no answer', fix: 'try again' } };
    peer.send({ type: 'req', id: 'bad', method: 'agent', params: { message: 'x', idempotencyKey: 'a2' } });
    const final = await peer.when(({ id, payload }) => id === 'bad' && payload?.['status'] === 'error');
    expect(final.payload).toMatchObject({ summary: 'no answer', error: { kind: 'timeout', fix: 'try again' } });
  });
  test('agent.wait gives the end, or timeout', async () => {
    server.backend.script = { kind: 'hold', text: '' };
    await peer.ask('chat.send', { sessionKey: KEY, message: 'x', idempotencyKey: 'w1' });
    expect(await peer.ask('agent.wait', { runId: 'w1', timeoutMs: 10 })).toEqual({ runId: 'w1', status: 'timeout' });
    const waiting = peer.ask('agent.wait', { runId: 'w1', timeoutMs: 5_000 });
    server.backend.release();
    expect(await waiting).toMatchObject({ runId: 'w1', status: 'ok', stopReason: 'stop', endedAt: expect.any(Number) });
  });
  test('agent.identity.get names the agent', async () => {
    expect(await peer.ask('agent.identity.get', { agentId: 'main' })).toEqual({
      agentId: 'main',
      name: 'Main',
      nameSource: 'config',
      avatar: 'M',
    });
  });
});

describe('sessions', () => {
  test('list pages and adds up', async () => {
    for (const name of ['l1', 'l2', 'l3']) await say('hi', `list-${name}`, `agent:main:list-${name}`);
    const page = await peer.ask('sessions.list', { search: 'list-', limit: 2 });
    expect(page).toMatchObject({ count: 2, totalCount: 3, limitApplied: 2, offset: 0, nextOffset: 2, hasMore: true });
    const rest = await peer.ask('sessions.list', { search: 'list-', limit: 2, offset: 2 });
    expect(rest).toMatchObject({ count: 1, nextOffset: null, hasMore: false });
    expect((await peer.ask('sessions.list', { limit: 10_000, spawnedBy: 'main' }))['sessions']).toEqual([]);
    expect((await peer.ask('sessions.list', { limit: 10_000 }))['limitApplied']).toBe(1_000);
  });
  test('describe knows what is there and what is not', async () => {
    await say('hi');
    expect((await peer.ask('sessions.describe', { key: KEY }))['session']).toMatchObject({
      key: KEY,
      kind: 'direct',
      model: 'echo',
      modelProvider: 'test',
    });
    expect(await peer.ask('sessions.describe', { key: 'agent:main:zzz' })).toEqual({ session: null });
  });
  test('patch, reset and delete answer with what is then', async () => {
    await say('hi');
    const patched = await peer.ask('sessions.patch', { key: KEY, label: 'L1', pinned: true, model: null });
    expect(patched).toMatchObject({
      ok: true,
      key: KEY,
      entry: { label: 'L1', pinned: true },
      resolved: { model: 'echo' },
    });
    const before = (patched['entry'] as { sessionId: string }).sessionId;
    const reset = await peer.ask('sessions.reset', { key: KEY });
    expect((reset['entry'] as { sessionId: string }).sessionId).not.toBe(before);
    expect(await peer.ask('sessions.delete', { key: KEY })).toEqual({
      ok: true,
      key: KEY,
      deleted: true,
      archived: [],
    });
    expect(await peer.ask('sessions.delete', { key: KEY })).toMatchObject({ deleted: false });
    expect((await peer.call('sessions.patch', { key: KEY, label: 'x' })).error?.details?.['code']).toBe(
      'UNKNOWN_SESSION',
    );
  });
});

describe('approvals', () => {
  test('list and resolve, once', async () => {
    server.backend.raise({ id: 'ap1' });
    const list = (await peer.call('exec.approval.list')).payload as unknown as { id: string }[];
    expect(list).toMatchObject([{ id: 'ap1', status: 'pending' }]);
    expect(await peer.ask('exec.approval.resolve', { id: 'ap1', decision: 'allow-once' })).toEqual({ ok: true });
    expect(server.backend.lastActor).toMatchObject({ clientId: 'cli' });
    expect((await peer.call('exec.approval.resolve', { id: 'ap1', decision: 'allow-once' })).error).toMatchObject({
      code: 'INVALID_REQUEST',
      message: 'unknown approval id',
      details: { reason: 'APPROVAL_NOT_FOUND' },
    });
  });
});

describe('the rest', () => {
  test('B12 config.get is redacted and never has the text of the file', async () => {
    const config = await peer.ask('config.get');
    expect(config).toMatchObject({
      raw: null,
      valid: true,
      hash: 'h1',
      config: { gateway: { auth: { token: '__OPENCLAW_REDACTED__' } } },
    });
  });
  test('status has the report of the backend and what upstream reads', async () => {
    expect(await peer.ask('status')).toMatchObject({
      version: '0.0.0-test',
      runtimeVersion: '0.0.0-test',
      sandbox: { driver: null },
      sessions: { count: expect.any(Number), byAgent: [{ agentId: 'main' }] },
      tasks: { total: 0 },
    });
  });
  test('last-heartbeat is null, system-presence is a list with the gateway first', async () => {
    expect((await peer.call('last-heartbeat')).payload).toBeNull();
    const presence = (await peer.call('system-presence')).payload as unknown as { mode: string }[];
    expect(presence[0]?.mode).toBe('gateway');
  });
  test('models, agents, channels and logs have the shapes that clients read', async () => {
    expect(await peer.ask('models.list')).toEqual({
      models: [
        { id: 'echo', name: 'Echo', provider: 'test', contextWindow: 8_000, available: true, tags: ['default'] },
      ],
    });
    expect(await peer.ask('agents.list')).toMatchObject({
      defaultId: 'main',
      agents: [{ id: 'main', model: { primary: 'test/echo' } }],
    });
    expect(await peer.ask('channels.status', { probe: false, timeoutMs: 8_000 })).toMatchObject({
      channelOrder: ['webchat'],
    });
    expect(await peer.ask('logs.tail', { cursor: 4, limit: 200, maxBytes: 250_000 })).toMatchObject({
      cursor: 5,
      lines: ['{}'],
      truncated: false,
      reset: false,
    });
  });
});
