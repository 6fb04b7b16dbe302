// The protocol as a client meets it, on a real gateway in front of a scripted provider: each method and event that the
// gateway lists, with what it really stores. Shapes and limits of single frames are tested beside the code.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayClient } from '@openclaw/gateway-client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { configFor, DOUBLE_KEY } from '../support/model-config.ts';
import { enter, type Frame, type Peer } from '../support/wire.ts';

type Json = Record<string, unknown>;

let model: ModelServer;
let gateway: TestGateway;
const peers: Peer[] = [];

beforeAll(async () => {
  model = await startModelServer();
  gateway = await startTestGateway({ config: configFor(model) });
});
afterEach(async () => {
  for (const peer of peers.splice(0)) await peer.end();
});
afterAll(async () => {
  await gateway?.dispose();
  await model?.close();
});

async function come(changes: Json = {}): Promise<Peer> {
  const peer = await enter(gateway.port, { auth: { token: gateway.token }, caps: ['tool-events'], ...changes });
  peers.push(peer);
  return peer;
}

const PATIENT = { timeout: 10_000 };
const helloOf = (peer: Peer): Json => peer.frames.find((frame) => frame.type === 'res')?.payload ?? {};
const newKey = (): string => `agent:main:${crypto.randomUUID()}`;

/** Says something and waits for the end of its turn. */
async function say(peer: Peer, sessionKey: string, message: string, more: Json = {}): Promise<Frame> {
  const idempotencyKey = crypto.randomUUID();
  await peer.ask('chat.send', { sessionKey, message, idempotencyKey, ...more });
  return peer.event('chat', ({ runId, state }) => runId === idempotencyKey && state !== 'delta');
}

async function sessionOf(peer: Peer, key: string): Promise<Json> {
  return ((await peer.ask('sessions.describe', { key }))['session'] ?? {}) as Json;
}

async function historyOf(peer: Peer, sessionKey: string, query: Json = {}): Promise<Json & { messages: Json[] }> {
  return (await peer.ask('chat.history', { sessionKey, ...query })) as Json & { messages: Json[] };
}
const textsOf = (messages: Json[]): string[] =>
  messages.map(({ content }) => ((content as { text?: string }[])[0]?.text ?? '').slice(0, 40));

describe('what hello lists', () => {
  const PROMISED = [
    ...['health', 'status', 'system-presence', 'agent', 'agent.wait', 'chat.send', 'chat.history', 'chat.abort'],
    ...['sessions.list', 'sessions.describe', 'sessions.patch', 'sessions.reset', 'sessions.delete'],
    ...['sessions.subscribe', 'models.list', 'agents.list', 'config.get', 'logs.tail'],
  ];

  test('every promised method and event is there, and every listed method exists', async () => {
    const peer = await come();
    const { methods, events } = helloOf(peer)['features'] as { methods: string[]; events: string[] };
    expect(methods).toEqual(expect.arrayContaining(PROMISED));
    expect(events).toEqual(expect.arrayContaining(['chat', 'agent', 'tick', 'sessions.changed', 'shutdown']));
    for (const name of methods) {
      expect((await peer.call(name, {})).error?.message ?? '', name).not.toContain('unknown method');
    }
    expect((await peer.call('sessions.invented', {})).error?.message).toContain('unknown method');
  });

  test('a field that a read method does not know is ignored, one that a write method does not know is refused', async () => {
    const peer = await come();
    expect((await peer.call('sessions.list', { fromTheFuture: 1 })).ok).toBe(true);
    const answer = await peer.call('sessions.patch', { key: 'main', elevated: true });
    expect(answer.error?.message).toBe("invalid sessions.patch params: at root: unexpected property 'elevated'");
  });
});

describe('agent', () => {
  test('is answered twice under one id: accepted at once, the outcome with text, model and tokens at the end', async () => {
    const peer = await come();
    model.script({ text: 'the answer', usage: { input: 70, output: 7 }, delayMs: 50 });
    const first = await peer.call('agent', { message: 'a question', idempotencyKey: 'twice-1', sessionKey: newKey() });
    expect(first.payload).toMatchObject({ runId: 'twice-1', status: 'accepted' });
    const second = await peer.when((frame) => frame.id === first.id && frame.payload?.['status'] !== 'accepted');
    expect(second.payload).toMatchObject({
      runId: 'twice-1',
      status: 'ok',
      summary: 'completed',
      result: {
        payloads: [{ text: 'the answer' }],
        meta: { agentMeta: { provider: 'double', model: 'double', usage: { input: 70, output: 7, total: 77 } } },
      },
    });
  });

  test('agent.wait says that the time is over while the run goes on, and how it ended afterwards', async () => {
    const peer = await come();
    const idempotencyKey = crypto.randomUUID();
    const message = '[[tokens:20]] [[delay:15]] slowly';
    await peer.ask('chat.send', { sessionKey: newKey(), message, idempotencyKey });
    expect(await peer.ask('agent.wait', { runId: idempotencyKey, timeoutMs: 1 })).toEqual({
      runId: idempotencyKey,
      status: 'timeout',
    });
    const ended = await peer.ask('agent.wait', { runId: idempotencyKey, timeoutMs: 10_000 });
    expect(ended).toMatchObject({ runId: idempotencyKey, status: 'ok', stopReason: 'stop' });
    expect(Number(ended['endedAt'])).toBeGreaterThanOrEqual(Number(ended['startedAt']));
  });
});

describe('chat', () => {
  test('one key is one message: in flight, then done with its outcome, and the model is asked once', async () => {
    const peer = await come();
    const sessionKey = newKey();
    const send = { sessionKey, message: '[[tokens:10]] [[delay:20]] once', idempotencyKey: crypto.randomUUID() };
    const asked = model.requests.length;
    expect(await peer.ask('chat.send', send)).toMatchObject({ status: 'started' });
    expect(await peer.ask('chat.send', send)).toMatchObject({ status: 'in_flight' });
    await peer.event('chat', ({ runId, state }) => runId === send.idempotencyKey && state === 'final');
    expect(await peer.ask('chat.send', send)).toMatchObject({ status: 'done', outcome: 'ok' });
    expect((await historyOf(peer, sessionKey)).messages).toHaveLength(2);
    expect(model.requests.length - asked).toBe(1);
    const elsewhere = await peer.call('chat.send', { ...send, sessionKey: newKey() });
    expect(elsewhere.error?.details).toMatchObject({ code: 'MESSAGE_ID_REUSED' });
  });

  test('history pages back from the newest without a gap, by place and by offset', async () => {
    const peer = await come();
    const sessionKey = newKey();
    for (const n of [1, 2, 3]) {
      model.script({ text: `answer ${n}` });
      await say(peer, sessionKey, `question ${n}`);
    }
    const all = await historyOf(peer, sessionKey);
    expect(textsOf(all.messages)).toEqual([1, 2, 3].flatMap((n) => [`question ${n}`, `answer ${n}`]));
    expect(all).toMatchObject({ hasMore: false, totalMessages: 6 });
    const newest = await historyOf(peer, sessionKey, { limit: 4 });
    expect([textsOf(newest.messages), newest['hasMore']]).toEqual([
      ['question 2', 'answer 2', 'question 3', 'answer 3'],
      true,
    ]);
    const older = await historyOf(peer, sessionKey, { limit: 4, beforeSeq: 3 });
    expect([textsOf(older.messages), older['hasMore']]).toEqual([['question 1', 'answer 1'], false]);
    expect((await historyOf(peer, sessionKey, { limit: 4, offset: 4 })).messages).toEqual(older.messages);
  });

  test('a turn with a tool is told as it happens, and is in the history as it was told', async () => {
    const peer = await come();
    const sessionKey = newKey();
    const { payload } = await say(peer, sessionKey, '[[tool:ls {"path":"."}]] [[tokens:3]] look');
    expect(payload).toMatchObject({ state: 'final', stopReason: 'stop' });
    await peer.event('agent', ({ runId, data }) => runId === payload?.['runId'] && (data as Json)['phase'] === 'end');
    const mine = peer.frames.filter(({ payload: body }) => body?.['runId'] === payload?.['runId']);
    const steps = mine.filter(({ event }) => event === 'agent').map(({ payload: body }) => body as { data: Json });
    expect(steps.flatMap(({ data }) => data['phase'] ?? [])).toEqual([
      'start',
      'model',
      'start',
      'result',
      'model',
      'end',
    ]);
    expect(steps.find(({ data }) => data['phase'] === 'result')?.data['result']).toContain('AGENTS.md');
    const { messages } = await historyOf(peer, sessionKey);
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'toolResult', 'assistant']);
    expect(JSON.stringify(messages[2])).toContain('AGENTS.md');
  });
});

describe('sessions', () => {
  test('patch names, pins, archives and chooses a model; the list and the next turn obey', async () => {
    const peer = await come();
    const key = newKey();
    await say(peer, key, 'something to keep');
    const patch = (fields: Json): Promise<Frame> => peer.call('sessions.patch', { key, ...fields });
    expect((await patch({ label: 'Kept', pinned: true, model: 'offline/hardshell' })).payload).toMatchObject({
      ok: true,
      entry: { label: 'Kept', pinned: true, modelOverride: 'offline/hardshell' },
    });
    const list = async (query: Json): Promise<Json[]> => (await peer.ask('sessions.list', query))['sessions'] as Json[];
    expect((await list({}))[0]).toMatchObject({ key, label: 'Kept' });
    const asked = model.requests.length;
    expect(JSON.stringify((await say(peer, key, 'help')).payload)).toContain('I am the offline model');
    expect(model.requests.length).toBe(asked);
    await patch({ archived: true, model: null, label: null });
    expect((await list({ search: key })).length).toBe(0);
    expect((await list({ search: key, archived: true }))[0]).toMatchObject({ key, modelOverride: null });
    await say(peer, key, 'and back');
    expect(model.requests.length).toBe(asked + 1);
  });

  test('patch refuses a model that nobody knows, and a session that nobody started', async () => {
    const peer = await come();
    const key = newKey();
    await say(peer, key, 'hello');
    const unknown = await peer.call('sessions.patch', { key, model: 'double/invented' });
    expect(unknown.error).toMatchObject({ details: { code: 'UNKNOWN_MODEL', fix: 'openclaw models list' } });
    const nobody = await peer.call('sessions.patch', { key: newKey(), label: 'x' });
    expect(nobody.error?.details).toMatchObject({ code: 'UNKNOWN_SESSION' });
  });

  test('reset starts clean under the same key and keeps name and model; delete leaves nothing', async () => {
    const peer = await come();
    const key = newKey();
    await say(peer, key, 'the old days');
    await peer.ask('sessions.patch', { key, label: 'Diary' });
    const { sessionId } = await sessionOf(peer, key);
    await peer.ask('sessions.reset', { key });
    const fresh = await sessionOf(peer, key);
    expect(fresh).toMatchObject({ label: 'Diary', messageCount: 0 });
    expect(fresh['sessionId']).not.toBe(sessionId);
    model.script({ text: 'new days' });
    await say(peer, key, 'what do you know?');
    expect(JSON.stringify(model.requests.at(-1)?.body['messages'])).not.toContain('the old days');
    expect(await peer.ask('sessions.delete', { key })).toMatchObject({ deleted: true });
    expect(await peer.ask('sessions.describe', { key })).toEqual({ session: null });
    expect((await historyOf(peer, key)).messages).toEqual([]);
    expect(await peer.ask('sessions.delete', { key })).toMatchObject({ deleted: false });
  });

  test('what cannot be undone needs operator.admin, and is refused while a turn runs', async () => {
    const [peer, writer] = [await come(), await come({ scopes: ['operator.write'] })];
    const key = newKey();
    const idempotencyKey = crypto.randomUUID();
    await peer.ask('chat.send', { sessionKey: key, message: '[[tokens:200]] [[delay:20]] on', idempotencyKey });
    for (const method of ['sessions.reset', 'sessions.delete']) {
      expect((await writer.call(method, { key })).error?.message).toBe('missing scope: operator.admin');
      expect((await peer.call(method, { key })).error).toMatchObject({ details: { code: 'SESSION_BUSY' } });
    }
    expect(await peer.ask('chat.abort', { sessionKey: key })).toMatchObject({ aborted: true });
  });

  test('sessions.changed comes to who subscribed, with the row, and to nobody else', async () => {
    const [watcher, other] = [await come(), await come()];
    await watcher.ask('sessions.subscribe', {});
    const key = newKey();
    await say(other, key, 'news');
    await other.ask('sessions.patch', { key, label: 'Named' });
    const named = await watcher.event('sessions.changed', ({ session }) => (session as Json)?.['label'] === 'Named');
    expect(named.payload).toMatchObject({ sessionKey: key, session: { key, messageCount: 2 } });
    await other.ask('sessions.delete', { key });
    await watcher.event('sessions.changed', ({ sessionKey, reason }) => sessionKey === key && reason === 'deleted');
    expect(other.frames.filter(({ event }) => event === 'sessions.changed')).toEqual([]);
  });
});

describe("upstream's own client package", () => {
  test('connects, chats with a real model call, reads history, and waits for the second answer of agent', async () => {
    const hello = Promise.withResolvers<unknown>();
    const client = new GatewayClient({
      url: `ws://127.0.0.1:${gateway.port}`,
      token: gateway.token,
      deviceIdentity: null,
      onHelloOk: hello.resolve,
      onConnectError: hello.reject,
    });
    client.start();
    try {
      expect(await hello.promise).toMatchObject({ protocol: 4, auth: { role: 'operator' } });
      const sessionKey = newKey();
      model.script({ text: 'hello upstream' });
      const sent = { sessionKey, message: 'hello from upstream', idempotencyKey: crypto.randomUUID(), deliver: false };
      expect(await client.request('chat.send', sent)).toMatchObject({ status: 'started' });
      const wait = { runId: sent.idempotencyKey, timeoutMs: 10_000 };
      expect(await client.request('agent.wait', wait)).toMatchObject({ status: 'ok' });
      const { messages } = (await client.request('chat.history', { sessionKey })) as { messages: Json[] };
      expect(textsOf(messages)).toEqual(['hello from upstream', 'hello upstream']);
      const asked = { message: '[[tokens:2]] again', idempotencyKey: crypto.randomUUID(), sessionKey };
      const final = await client.request('agent', asked, { expectFinal: true });
      expect(final).toMatchObject({ status: 'ok', result: { payloads: [{ text: 'w0 w1' }] } });
    } finally {
      await client.stopAndWait();
    }
  });
});

describe('the house itself', () => {
  test('models.list has the configured model as the default, the known ones as not available, and no key', async () => {
    const answer = await (await come()).ask('models.list', {});
    const models = answer['models'] as Json[];
    expect(models.find(({ provider }) => provider === 'double')).toMatchObject({
      id: 'double',
      contextWindow: 128_000,
      available: true,
      tags: ['default'],
    });
    expect(models.find(({ provider }) => provider === 'anthropic')).toMatchObject({ available: false });
    expect(models.find(({ provider }) => provider === 'offline')).toMatchObject({ available: true });
    expect(JSON.stringify(answer)).not.toContain(DOUBLE_KEY);
  });

  test('agents.list, health, status and system-presence tell what runs', async () => {
    const peer = await come({ client: { id: 'openclaw-tui', version: '9', platform: 'linux', mode: 'ui' } });
    expect((await peer.ask('agents.list', {}))['agents']).toEqual([
      expect.objectContaining({ id: 'main', workspace: join(gateway.stateDir, 'workspace') }),
    ]);
    expect(await peer.ask('health', {})).toMatchObject({ ok: true, agents: [{ agentId: 'main' }] });
    const status = await peer.ask('status', {});
    const { received, answered, declined, queued, failed } = status['messages'] as Record<string, number>;
    expect(received).toBe(Number(answered) + Number(declined) + Number(queued) + Number(failed));
    expect(status).toMatchObject({ pid: gateway.pid, model: { primary: 'double/double', offline: false } });
    const present = (await peer.call('system-presence')).payload as unknown as Json[];
    expect(present.map(({ mode }) => mode)).toEqual(['gateway', 'ui']);
  });

  test('B12 config.get shows the configuration without the key, and never the text of the file', async () => {
    const answer = await (await come()).ask('config.get', {});
    expect(answer).toMatchObject({ path: join(gateway.stateDir, 'openclaw.json'), exists: true, raw: null });
    const provider = (answer['config'] as { models: { providers: { double: Json } } }).models.providers.double;
    expect(provider).toMatchObject({ baseUrl: `${model.url}/v1`, apiKey: '__OPENCLAW_REDACTED__' });
    expect(JSON.stringify(answer)).not.toContain(DOUBLE_KEY);
  });

  test('logs.tail goes on from its cursor, and the log holds neither token nor key', async () => {
    const peer = await come();
    const key = newKey();
    const first = await peer.ask('logs.tail', { limit: 2 });
    expect(first['lines']).toHaveLength(2);
    await say(peer, key, 'leave a line');
    await expect
      .poll(async () => JSON.stringify((await peer.ask('logs.tail', { cursor: first['cursor'] }))['lines']), PATIENT)
      .toContain(key);
    const all = JSON.stringify(await peer.ask('logs.tail', { limit: 5_000 }));
    expect(all).toContain('gateway ready');
    expect(all).not.toContain(gateway.token);
    expect(all).not.toContain(DOUBLE_KEY);
    expect(readFileSync(String(first['file']), 'utf8')).not.toContain(gateway.token);
  });
});
