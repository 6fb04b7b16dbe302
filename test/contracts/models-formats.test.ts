// What only one of the wire formats has: Anthropic's cache breakpoints, OpenAI's cache key, and the habits of the many
// servers that speak Chat Completions almost right.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAnthropic } from '../../src/models/anthropic.ts';
import { createOpenaiChat } from '../../src/models/openai-chat.ts';
import { createOpenaiResponses } from '../../src/models/openai-responses.ts';
import type { ModelMessage, ModelProvider } from '../../src/models/provider.ts';
import { createProviders } from '../../src/models/providers.ts';
import { retryAfter } from '../../src/models/wire/failures.ts';
import { type ChatQuirks, type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { ask, requestOf } from '../support/model-run.ts';

let server: ModelServer;
beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.close());

const options = (id: string, baseUrl: string) => ({ id, baseUrl, apiKey: '', fetch, idleTimeoutMs: 5_000 });
const sentBody = () => server.requests.at(-1)?.body ?? {};

const ROUND: readonly ModelMessage[] = [
  { role: 'user', text: 'look' },
  { role: 'assistant', text: '', toolCalls: [{ id: 'a', name: 'ls', args: {} }] },
  { role: 'tool', results: [{ callId: 'a', name: 'ls', text: 'gone', isError: true }] },
];

describe('anthropic', () => {
  test('the stable prompt and the last message carry cache breakpoints, the changing part does not', async () => {
    const provider = createAnthropic(options('anthropic', server.url));
    const cached = { cache_control: { type: 'ephemeral' } };
    server.script({ text: 'ok' }, { text: 'ok' });
    await ask(provider, 'hello');
    expect(sentBody()['system']).toEqual([
      { type: 'text', text: 'You are a test.', ...cached },
      { type: 'text', text: 'It is Monday.' },
    ]);
    expect(sentBody()['messages']).toEqual([{ role: 'user', content: [{ type: 'text', text: 'hello', ...cached }] }]);
    await ask(provider, requestOf('', { messages: ROUND }));
    const sent = sentBody()['messages'] as { content: object[] }[];
    expect(sent.at(-1)?.content).toEqual([
      { type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: 'gone' }], is_error: true, ...cached },
    ]);
    expect(JSON.stringify(sent.slice(0, -1))).not.toContain('cache_control');
  });

  test('what was written to and read from the cache is counted apart from the input', async () => {
    server.script({ text: 'ok', usage: { input: 3, output: 4, cacheRead: 100, cacheWrite: 20 } });
    const { usage } = await ask(createAnthropic(options('anthropic', `${server.url}/v1/`)), 'hello');
    expect(usage).toEqual({ input: 3, output: 4, cacheRead: 100, cacheWrite: 20 });
  });
});

describe('openai-responses', () => {
  test('nothing is stored there, and the cache key tells nothing about the conversation', async () => {
    const provider = createOpenaiResponses(options('openai', `${server.url}/v1`));
    server.script({ text: 'ok' });
    await ask(provider, requestOf('', { messages: ROUND }));
    const { store, prompt_cache_key: key, instructions } = sentBody();
    expect(store).toBe(false);
    expect(instructions).toBe('You are a test.\n\nIt is Monday.');
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    expect(JSON.stringify(sentBody())).not.toContain('491700000000');
    expect(JSON.stringify(sentBody()['input'])).toContain('error: gone');
  });
});

describe('openai-chat', () => {
  let provider: ModelProvider;
  beforeAll(() => {
    provider = createOpenaiChat(options('ollama', `${server.url}/v1`));
  });
  const CALLS = [
    { name: 'ls', args: { path: 'a' } },
    { name: 'read', args: { path: 'b' } },
    { name: 'read', args: { path: 'b' } },
  ];
  const HABITS: readonly [string, ChatQuirks][] = [
    ['fragments with an index (OpenAI)', {}],
    ['whole calls with an index', { wholeCalls: true }],
    ['whole calls, all with index 0 (Ollama)', { wholeCalls: true, sameIndex: true, finishReason: 'stop' }],
    ['whole calls without an index', { wholeCalls: true, noIndex: true }],
    ['whole calls without index and id', { wholeCalls: true, noIndex: true, noIds: true, noUsage: true }],
    ['whole calls, all with index 0, without ids', { wholeCalls: true, sameIndex: true, noIds: true }],
    ['fragments without an index', { noIndex: true }],
    ['arguments as an object', { wholeCalls: true, objectArgs: true, finishReason: 'STOP' }],
    ['chunks without choices in between', { emptyChoices: true, finishReason: 'function_call' }],
    ['no finish reason, only [DONE]', { noFinishReason: true }],
    ['a finish reason, but no [DONE] and no usage', { noDone: true, noUsage: true }],
  ];
  test.each(HABITS)('puts tool calls together: %s', async (_habit, quirks) => {
    server.script({ text: 'ok', toolCalls: CALLS, quirks, reasoning: 'hm', fragments: 4 });
    const outcome = await ask(provider, 'look');
    expect(outcome).toMatchObject({ stop: 'tools', text: 'ok', failure: undefined });
    expect(outcome.calls.map(({ name, args }) => ({ name, args }))).toEqual(CALLS);
    expect(new Set(outcome.calls.map(({ id }) => id)).size).toBe(3);
    expect(outcome.calls.every(({ id }) => id.length > 3)).toBe(true);
    expect(outcome.usage.input).toBe(quirks.noUsage ? 0 : 10);
  });

  test('a finish reason is enough, even when the connection then stays open or breaks', async () => {
    const quirks = { noUsage: true, noDone: true };
    server.script({ text: 'ok', quirks, ending: 'tail-hang' }, { text: 'ok', quirks, ending: 'tail-destroy' });
    const open = await ask(provider, 'hello');
    expect(open).toMatchObject({ stop: 'end', text: 'ok' });
    expect(open.ms).toBeLessThan(4_000);
    expect(await ask(provider, 'hello')).toMatchObject({ stop: 'end', text: 'ok' });
  });

  test('an error inside the stream has the kind of the status in it (OpenRouter)', async () => {
    server.script({ text: 'a', ending: { error: 'Rate limited upstream', code: '429' } });
    expect(await ask(provider, 'hello')).toMatchObject({ text: 'a', failure: { kind: 'rate_limit', httpStatus: 429 } });
  });

  test('there is one system message, no key when there is none, and the older name of the token limit', async () => {
    server.script({ text: 'ok' });
    await ask(provider, 'hello');
    expect(sentBody()).toMatchObject({ max_tokens: 1_000, stream_options: { include_usage: true } });
    expect((sentBody()['messages'] as { role: string }[]).map(({ role }) => role)).toEqual(['system', 'user']);
    expect(server.requests.at(-1)?.headers.authorization).toBeUndefined();
  });
});

describe('providers', () => {
  const made = (settings: Parameters<typeof createProviders>[0]) => () => createProviders(settings, { fetch });
  test('settings become providers, each asking where it was told to', async () => {
    const baseUrl = `${server.url}/v1`;
    const providers = createProviders(
      { anthropic: { baseUrl: server.url, apiKey: ' k\n' }, openai: { baseUrl, apiKey: 'k' }, local: { baseUrl } },
      { fetch },
    );
    for (const [i, kind] of ['messages', 'responses', 'chat'].entries()) {
      const provider = providers[i];
      if (provider === undefined) expect.fail('a provider is missing');
      expect((await ask(provider, '[[tokens:1]]')).text).toBe('w0');
      expect(server.requests.at(-1)?.kind).toBe(kind);
    }
  });

  test('settings that cannot work are refused by name, without repeating a password in them', () => {
    expect(made({ mine: {} })).toThrow('models.providers.mine has no baseUrl');
    expect(made({ mine: { baseUrl: 'not a url' } })).toThrow('models.providers.mine.baseUrl is not a URL');
    expect(made({ mine: { baseUrl: 'file:///etc' } })).toThrow('not http or https');
    expect(made({ mine: { baseUrl: 'https://user:hunter2@host/v1' } })).toThrow(
      /^(?!.*hunter2).*holds more than an address/,
    );
    expect(made({ offline: { baseUrl: 'http://127.0.0.1/v1' } })).toThrow('not a name that can be used');
  });
});

test('retry-after: nonsense is no wish, the past is now', () => {
  const of = (value: string) => retryAfter(new Headers({ 'retry-after': value }), Date.parse('2026-01-01T00:00:00Z'));
  expect(of('soon')).toBeUndefined();
  expect(of('-5')).toBeUndefined();
  expect(of('0.5')).toBe(500);
  expect(of('Thu, 01 Jan 2026 00:00:30 GMT')).toBe(30_000);
  expect(of('Wed, 31 Dec 2025 23:00:00 GMT')).toBe(0);
  expect(retryAfter(new Headers(), 0)).toBeUndefined();
});
