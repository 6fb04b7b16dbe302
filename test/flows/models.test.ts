// Providers end to end: a real gateway with its own adapters, retry and failover, in front of doubles that speak all three
// wire formats, fail, limit and answer with web pages. Each adapter alone is tested in test/contracts.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { newHome, startTestGateway, type TestGateway } from '../support/gateway.ts';
import type { WsClient } from '../support/ws-client.ts';

type Json = Record<string, unknown>;

const newKey = (): string => `agent:main:${crypto.randomUUID()}`;
const provider = (server: ModelServer, more: Json = {}): Json => ({
  baseUrl: `${server.url}/v1`,
  api: 'openai-completions',
  models: [{ id: 'm' }],
  ...more,
});

describe('one gateway, every provider', () => {
  let first: ModelServer;
  let second: ModelServer;
  let gateway: TestGateway;
  let client: WsClient;

  beforeAll(async () => {
    first = await startModelServer({ apiKey: 'key-of-the-first' });
    second = await startModelServer();
    gateway = await startTestGateway({
      env: { KEY_OF_FIRST: 'key-of-the-first' },
      config: {
        models: {
          providers: {
            first: provider(first, { apiKey: '${KEY_OF_FIRST}' }),
            messages: provider(first, { baseUrl: first.url, api: 'anthropic-messages', apiKey: '${KEY_OF_FIRST}' }),
            responses: provider(first, { api: 'openai-responses', apiKey: '${KEY_OF_FIRST}' }),
            second: provider(second),
          },
        },
        agents: { defaults: { model: { primary: 'first/m', fallbacks: ['second/m'] } } },
      },
    });
    client = await gateway.connect();
  });
  afterAll(async () => {
    await client?.close();
    await gateway?.dispose();
    await first?.close();
    await second?.close();
  });

  test.each([
    ['first', 'chat'],
    ['messages', 'messages'],
    ['responses', 'responses'],
  ])('%s is asked in its own format, with the key that ${VAR} stands for, and drives a tool', async (id, kind) => {
    const key = newKey();
    await client.chat(key, 'make the session');
    await gateway.rpc('sessions.patch', { key, model: `${id}/m` });
    const turn = await client.chat(key, '[[tool:ls {"path":"."}]] [[tokens:4]] look');
    expect([turn.state, turn.text]).toEqual(['final', 'w0 w1 w2 w3']);
    const request = first.requests.at(-1);
    expect(request?.kind).toBe(kind);
    expect(request?.result).toContain('AGENTS.md');
    expect(JSON.stringify(request?.headers)).toContain('key-of-the-first');
  });

  test('retry-after is waited out, and the caller sees one clean answer', async () => {
    const before = first.requests.length;
    first.script({ status: 429, headers: { 'retry-after-ms': '300' } }, { text: 'after the wait' });
    const turn = await client.chat(newKey(), 'hurry');
    expect([turn.state, turn.text]).toEqual(['final', 'after the wait']);
    const [limited, again] = first.requests.slice(before);
    expect(Number(again?.receivedAtMs) - Number(limited?.receivedAtMs)).toBeGreaterThanOrEqual(295);
  });

  test('tokens are counted for the session, the day and all time, the cache apart', async () => {
    const total = async (): Promise<Json> => (await gateway.rpc('status'))['usage'] as Json;
    const before = await total();
    const key = newKey();
    for (let n = 0; n < 2; n += 1) {
      first.script({ text: 'counted', usage: { input: 100, output: 10, cacheRead: 1_000 } });
      await client.chat(key, 'count this');
    }
    const { session } = (await gateway.rpc('sessions.describe', { key })) as { session: Json };
    expect(session['tokens']).toEqual({ input: 200, output: 20, cacheRead: 2_000, cacheWrite: 0 });
    expect(session).toMatchObject({ model: 'm', modelProvider: 'first', contextTokens: 1_110, totalTokens: 2_220 });
    const after = await total();
    for (const span of ['today', 'total']) {
      const [then, now] = [before[span] as Record<string, number>, after[span] as Record<string, number>];
      expect(Number(now['input']) - Number(then['input'])).toBe(200);
      expect(Number(now['cacheRead']) - Number(then['cacheRead'])).toBe(2_000);
    }
  });

  test('a provider that answers HTML is one clear line that names the setting, and the message is kept', async () => {
    const page = { status: 200, headers: { 'content-type': 'text/html' }, body: '<html><h1>Welcome</h1></html>' };
    const key = newKey();
    await client.chat(key, 'make the session');
    // The session's own choice has no fallback to hide behind.
    await gateway.rpc('sessions.patch', { key, model: 'second/m' });
    second.script(page);
    const turn = await client.chat(key, 'anybody there?');
    expect(turn.state).toBe('error');
    expect(turn.error).toBe(
      `the provider at ${new URL(second.url).host} answered with a web page, not with an API reply; check models.providers.second.baseUrl`,
    );
    const history = JSON.stringify(await gateway.rpc('chat.history', { sessionKey: key }));
    expect(history).toContain('anybody there?');
    expect(history).not.toContain('Welcome');
    expect((await client.chat(key, 'and now?')).state).toBe('final');
  });

  test('a fallback answers when the first model cannot, says who answered, and the first is left alone for a while', async () => {
    first.script({ status: 401 });
    second.script({ text: 'the second says' });
    const key = newKey();
    const turn = await client.chat(key, 'who answers?');
    expect([turn.state, turn.text]).toEqual(['final', 'the second says']);
    const { session } = (await gateway.rpc('sessions.describe', { key })) as { session: Json };
    expect(session).toMatchObject({ model: 'm', modelProvider: 'second', modelOverride: null });
    const asked = first.requests.length;
    expect((await client.chat(key, 'and again')).state).toBe('final');
    expect(first.requests.length).toBe(asked);
    const log = JSON.stringify(await gateway.rpc('logs.tail', { limit: 5_000 }));
    expect(log).toContain('model failed, going to the next one');
    expect(log).not.toContain('key-of-the-first');
  });

  test('when nobody can, the first reason is told, and no key with it', async () => {
    const key = newKey();
    await client.chat(key, 'make the session');
    await gateway.rpc('sessions.patch', { key, model: 'messages/m' });
    first.script({ status: 401, message: 'bad key key-of-the-first' });
    const turn = await client.chat(key, 'hello');
    expect(turn.state).toBe('error');
    expect(turn.error).toMatch(/refused the API key \(HTTP 401\).*check models\.providers\.messages\.apiKey$/);
    expect(turn.error).not.toContain('key-of-the-first');
    // Whoever looks into the log a day later finds why, not only that.
    const log = JSON.stringify(await gateway.rpc('logs.tail', { limit: 5_000 }));
    expect(log).toMatch(/run ended[^}]*status[^}]*error[^}]*refused the API key \(HTTP 401\)/);
    expect(log).not.toContain('key-of-the-first');
  });
});

describe('where a key comes from', () => {
  let server: ModelServer;
  beforeAll(async () => {
    server = await startModelServer();
  });
  afterAll(() => server?.close());

  async function keySent(home: string, config: Json, env: Record<string, string> = {}): Promise<string> {
    const gateway = await startTestGateway({ home, config, env });
    const client = await gateway.connect();
    try {
      expect((await client.chat('main', 'hello')).state).toBe('final');
      const headers = server.requests.at(-1)?.headers;
      return String(headers?.['x-api-key'] ?? headers?.authorization);
    } finally {
      await client.close();
      await gateway.dispose();
    }
  }

  test('ANTHROPIC_API_KEY and OPENAI_API_KEY need no setting but where the provider is', async () => {
    const env = { ANTHROPIC_API_KEY: 'sk-from-the-air', OPENAI_API_KEY: 'sk-open-air' };
    const config = {
      models: { providers: { anthropic: { baseUrl: server.url }, openai: { baseUrl: `${server.url}/v1` } } },
    };
    expect(await keySent(newHome(), config, env)).toBe('sk-from-the-air');
    expect(server.requests.at(-1)?.kind).toBe('messages');
    const { ANTHROPIC_API_KEY: _, ...rest } = env;
    const openaiOnly = { models: { providers: { openai: config.models.providers.openai } } };
    expect(await keySent(newHome(), openaiOnly, rest)).toBe('Bearer sk-open-air');
    expect(server.requests.at(-1)?.kind).toBe('responses');
  });

  test('a file in credentials/ is enough', async () => {
    const home = newHome();
    const folder = join(home, '.openclaw', 'credentials');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, 'anthropic-key'), 'sk-from-a-file\n', { mode: 0o600 });
    const config = { models: { providers: { anthropic: { baseUrl: server.url } } } };
    expect(await keySent(home, config)).toBe('sk-from-a-file');
  });
});
