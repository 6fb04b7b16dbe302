// The promises of the model contract, kept by every adapter, each driven by its official SDK against a double that speaks
// its wire format.
import { getEventListeners } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAnthropic } from '../../src/models/anthropic.ts';
import { createOpenaiChat } from '../../src/models/openai-chat.ts';
import { createOpenaiResponses } from '../../src/models/openai-responses.ts';
import type { ModelMessage, ModelProvider } from '../../src/models/provider.ts';
import { type HttpBehaviour, type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { ask, outcomeOf, requestOf } from '../support/model-run.ts';

const KEY = 'sk-test-0123456789abcdef';

const ADAPTERS = [
  { name: 'anthropic', create: createAnthropic, base: (url: string) => url },
  { name: 'openai-responses', create: createOpenaiResponses, base: (url: string) => `${url}/v1` },
  { name: 'openai-chat', create: createOpenaiChat, base: (url: string) => `${url}/v1/` },
] as const;

describe.each(ADAPTERS)('$name', ({ name, create, base }) => {
  let server: ModelServer;
  let provider: ModelProvider;
  const make = (
    more: { baseUrl?: string; apiKey?: string; idleTimeoutMs?: number; fetch?: typeof fetch } = {},
  ): ModelProvider =>
    create({ id: name, baseUrl: base(server.url), apiKey: KEY, fetch, idleTimeoutMs: 5_000, ...more });

  beforeAll(async () => {
    server = await startModelServer({ apiKey: KEY });
    provider = make();
  });
  afterAll(() => server.close());
  const last = () => server.requests.at(-1) ?? expect.fail('no request arrived');

  test('text arrives in pieces and in order, between one start and one end', async () => {
    server.script({ text: ['Grü', 'ße', ' 👋', ' from', ' afar'], usage: { input: 20, output: 5, cacheRead: 7 } });
    const outcome = await ask(provider, 'hello');
    expect(outcome.text).toBe('Grüße 👋 from afar');
    expect(outcome.events.filter((event) => event.type === 'text')).toHaveLength(5);
    expect(outcome).toMatchObject({ stop: 'end', failure: undefined, startedBy: `${name}/test-model` });
    expect(outcome.usage).toMatchObject({ input: 20, output: 5, cacheRead: 7 });
  });

  test('a whole tool round goes there and back', async () => {
    server.script(
      {
        text: 'Let me look.',
        toolCalls: [{ name: 'ls', args: { path: 'notes', deep: [1, { x: 'ü' }] }, id: 'call_abc' }],
        fragments: 7,
      },
      { text: 'There is one file.' },
    );
    const first = await ask(provider, 'what is there?');
    expect(first).toMatchObject({ stop: 'tools', text: 'Let me look.' });
    expect(first.calls).toEqual([{ id: 'call_abc', name: 'ls', args: { path: 'notes', deep: [1, { x: 'ü' }] } }]);
    const messages: ModelMessage[] = [
      { role: 'user', text: 'what is there?' },
      { role: 'assistant', text: first.text, toolCalls: first.calls },
      { role: 'tool', results: [{ callId: 'call_abc', name: 'ls', text: 'a.txt', isError: false }] },
    ];
    const second = await ask(provider, requestOf('', { messages }));
    expect(second).toMatchObject({ stop: 'end', text: 'There is one file.' });
    expect(last()).toMatchObject({ user: 'what is there?', rounds: 1, result: 'a.txt' });
  });

  test('two calls in one reply stay two calls, also with the same arguments', async () => {
    server.script({
      toolCalls: [
        { name: 'ls', args: { path: 'a' } },
        { name: 'ls', args: { path: 'a' } },
      ],
    });
    const { calls, stop } = await ask(provider, 'look twice');
    expect(stop).toBe('tools');
    expect(calls.map(({ name: tool, args }) => [tool, args])).toEqual([
      ['ls', { path: 'a' }],
      ['ls', { path: 'a' }],
    ]);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
  });

  test('arguments that are not JSON come out as they were sent, and can be shown to the model again', async () => {
    server.script({ toolCalls: [{ name: 'ls', raw: '{"path": "a' }] }, { text: 'sorry' });
    const { calls } = await ask(provider, 'look');
    expect(calls[0]).toMatchObject({ name: 'ls', args: null, malformed: '{"path": "a' });
    const messages: ModelMessage[] = [
      { role: 'user', text: 'look' },
      { role: 'assistant', text: '', toolCalls: calls },
      { role: 'tool', results: [{ callId: calls[0]?.id ?? '', name: 'ls', text: 'not JSON', isError: true }] },
    ];
    expect((await ask(provider, requestOf('', { messages }))).stop).toBe('end');
    expect(JSON.stringify(last().body)).toContain('malformed');
  });

  test('a call without arguments has none', async () => {
    server.script({ toolCalls: [{ name: 'ls', raw: '' }] });
    expect((await ask(provider, 'look')).calls[0]?.args).toEqual({});
  });

  test('what a crash or another provider left in the history does not break the next request', async () => {
    const messages: ModelMessage[] = [
      { role: 'assistant', text: 'I was first', toolCalls: [] },
      { role: 'user', text: 'half a pair: \ud83d' },
      {
        role: 'assistant',
        text: '',
        toolCalls: [
          { id: 'odd id/1', name: 'no such.tool', args: [1] },
          { id: 'lost', name: 'ls', args: null },
        ],
      },
      {
        role: 'tool',
        results: [
          { callId: 'odd id/1', name: 'x', text: '', isError: false },
          { callId: 'nobody', name: 'x', text: 'y', isError: false },
        ],
      },
      { role: 'assistant', text: ' ', toolCalls: [] },
      { role: 'user', text: '  ' },
      { role: 'assistant', text: 'again', toolCalls: [{ id: 'lost', name: 'ls', args: {} }] },
      { role: 'user', text: 'go on' },
      { role: 'user', text: 'please' },
    ];
    server.script({ text: 'fine' });
    expect(await ask(provider, requestOf('', { messages }))).toMatchObject({ stop: 'end', text: 'fine' });
    expect(JSON.stringify(last().body)).toMatch(/no result: the call was interrupted.*go on\\n\\nplease/);
  });

  test('thinking is not text', async () => {
    server.script({ reasoning: 'let me think', text: 'done' });
    expect((await ask(provider, 'think')).text).toBe('done');
  });

  test('the limit of tokens and a refusal are told apart from an end', async () => {
    server.script({ text: 'cut', stop: 'length' }, { text: 'no.', stop: 'refusal' });
    expect((await ask(provider, 'long')).stop).toBe('length');
    expect(await ask(provider, 'bad')).toMatchObject({ stop: 'refusal', failure: { kind: 'refusal' } });
  });

  test('an abort ends the stream within a second, in the middle of text and before the first byte', async () => {
    for (const behaviour of [{ tokens: 1_000, delayMs: 20 }, 'hang'] as const) {
      const abort = new AbortController();
      server.script(behaviour);
      const seen = server.requests.length;
      const reading = outcomeOf(provider.stream(requestOf('slow'), abort.signal));
      await server.received(seen + 1);
      if (behaviour !== 'hang') await expect.poll(() => last().firstByteAtMs).toBeGreaterThan(0);
      const abortedAt = performance.now();
      abort.abort();
      expect(await reading).toMatchObject({ stop: 'aborted', failure: undefined });
      expect(performance.now() - abortedAt).toBeLessThan(1_000);
      await expect.poll(() => last().cutOff).toBe(true);
    }
  });

  test('an abort is obeyed even when fetch does not care', async () => {
    const abort = new AbortController();
    const deaf = make({ fetch: () => new Promise(() => {}) });
    setImmediate(() => abort.abort());
    expect((await ask(deaf, 'hello', abort.signal)).stop).toBe('aborted');
    const before = new AbortController();
    before.abort();
    expect((await ask(deaf, 'hello', before.signal)).events).toHaveLength(1);
  });

  test('a reader who leaves closes the connection', async () => {
    server.script({ tokens: 1_000, delayMs: 10 });
    for await (const event of provider.stream(requestOf('slow'), new AbortController().signal))
      if (event.type === 'text') break;
    await expect.poll(() => last().cutOff).toBe(true);
  });

  test('silence is a timeout, before the headers and in the middle; steady slowness is not', async () => {
    const impatient = make({ idleTimeoutMs: 1_000 });
    server.script('hang', { text: ['a'], ending: 'hang' }, { tokens: 8, delayMs: 200 });
    const before = await ask(impatient, 'hello');
    expect(before).toMatchObject({ stop: 'error', failure: { kind: 'timeout' } });
    expect(before.failure?.message).toContain('sent nothing for 1 s');
    const middle = await ask(impatient, 'hello');
    expect(middle).toMatchObject({ stop: 'error', text: 'a', failure: { kind: 'timeout' } });
    expect(await ask(impatient, 'hello')).toMatchObject({ stop: 'end' });
  });

  test('a reader who takes long is not taken for silence', async () => {
    const impatient = make({ idleTimeoutMs: 1_000 });
    server.script({ tokens: 5_000 });
    let paused = false;
    let text = '';
    for await (const event of impatient.stream(requestOf('hello'), new AbortController().signal)) {
      if (event.type === 'text') text += event.delta;
      if (event.type === 'end') expect(event.stop).toBe('end');
      if (!paused && event.type === 'text') await new Promise((resolve) => setTimeout(resolve, 1_500));
      paused ||= event.type === 'text';
    }
    expect(text).toContain(' w4999');
  });

  const REFUSALS: readonly [string, HttpBehaviour, string, number][] = [
    ['a wrong key', { status: 401 }, 'auth', 401],
    ['a forbidden model', { status: 403 }, 'auth', 403],
    ['no credit', { status: 402 }, 'billing', 402],
    [
      'no credit, as OpenAI says it',
      { status: 429, code: 'insufficient_quota', message: 'You exceeded your current quota' },
      'billing',
      429,
    ],
    ['no credit, as Anthropic says it', { status: 400, message: 'Your credit balance is too low' }, 'billing', 400],
    ['too many requests', { status: 429 }, 'rate_limit', 429],
    ['overload (529)', { status: 529 }, 'overloaded', 529],
    ['overload (503)', { status: 503 }, 'overloaded', 503],
    ['an error of theirs', { status: 500, message: 'it broke' }, 'bad_response', 500],
    ['a gateway that waited too long', { status: 504 }, 'timeout', 504],
    [
      'too long a conversation (Anthropic)',
      { status: 400, message: 'prompt is too long: 210000 tokens > 200000 maximum' },
      'context_length',
      400,
    ],
    ['too long a conversation (OpenAI)', { status: 400, code: 'context_length_exceeded' }, 'context_length', 400],
    [
      'too long a conversation (llama.cpp)',
      { status: 400, message: 'the request exceeds the available context size' },
      'context_length',
      400,
    ],
    ['an unknown model', { status: 404, message: 'model: nope' }, 'unknown', 404],
    ['a bad request', { status: 400, message: 'temperature: too hot' }, 'unknown', 400],
  ];
  test.each(REFUSALS)('%s has its kind and says why', async (_what, behaviour, kind, httpStatus) => {
    server.script({ message: 'the reason', ...behaviour });
    const outcome = await ask(provider, 'hello');
    expect(outcome).toMatchObject({ stop: 'error', failure: { kind, httpStatus } });
    expect(outcome.events).toHaveLength(1);
    expect(outcome.failure?.message).toContain(behaviour.message ?? 'the reason');
    expect(outcome.failure?.message).toContain('127.0.0.1');
  });

  test('retry-after is read as seconds, milliseconds and date', async () => {
    const inAMinute = new Date(Date.now() + 60_000).toUTCString();
    const headers: readonly [Record<string, string>, number, number][] = [
      [{ 'retry-after': '7' }, 7_000, 7_000],
      [{ 'retry-after-ms': '1500', 'retry-after': '9' }, 1_500, 1_500],
      [{ 'retry-after': inAMinute }, 50_000, 60_000],
    ];
    for (const [given, least, most] of headers) {
      server.script({ status: 429, headers: given });
      const wait = (await ask(provider, 'hello')).failure?.retryAfterMs;
      expect(wait).toBeGreaterThanOrEqual(least);
      expect(wait).toBeLessThanOrEqual(most);
    }
  });

  test('a web page, a redirect and a reply without a stream name the setting to look at', async () => {
    const page = '<!doctype html><title>Login</title>';
    const html = { 'content-type': 'text/html; charset=utf-8' };
    server.script(
      { status: 200, headers: html, body: page },
      { status: 404, headers: html, body: page },
      { status: 200, headers: { 'content-type': 'text/plain' }, body: `\n${page}` },
      { status: 308, headers: { location: 'https://elsewhere.example/v1' }, body: '' },
      { status: 200, body: '{"object":"whatever"}' },
      { status: 200, body: '{"error":"Unexpected endpoint or method."}' },
    );
    const host = new URL(server.url).host;
    for (const status of [200, 404, 200]) {
      const { failure } = await ask(provider, 'hello');
      expect(failure).toMatchObject({ kind: 'bad_response', httpStatus: status });
      expect(failure?.message).toBe(
        `the provider at ${host} answered with a web page, not with an API reply; check models.providers.${name}.baseUrl`,
      );
    }
    expect((await ask(provider, 'hello')).failure?.message).toMatch(
      /redirects: https:\/\/elsewhere\.example\/v1; set models\.providers\./,
    );
    expect((await ask(provider, 'hello')).failure?.message).toContain('did not stream');
    expect((await ask(provider, 'hello')).failure?.message).toContain('Unexpected endpoint');
  });

  test('what breaks in the middle keeps the text and says how it broke', async () => {
    server.script(
      { text: ['a', 'b'], ending: 'destroy' },
      { text: ['a', 'b'], ending: 'truncate' },
      { text: ['a', 'b'], ending: 'garbage' },
      { text: ['a', 'b'], ending: { error: 'Overloaded', code: 'overloaded_error' } },
    );
    for (const kind of ['network', 'bad_response', 'bad_response', 'overloaded']) {
      expect(await ask(provider, 'hello')).toMatchObject({ text: 'ab', stop: 'error', failure: { kind } });
    }
  });

  test('a host that does not answer is a network failure with its code', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => probe.once('listening', resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    const { failure } = await ask(make({ baseUrl: `http://127.0.0.1:${port}/v1` }), 'hello');
    expect(failure).toMatchObject({ kind: 'network' });
    expect(failure?.message).toContain(`127.0.0.1:${port} failed (ECONNREFUSED)`);
    server.script('destroy');
    expect((await ask(provider, 'hello')).failure?.kind).toBe('network');
  });

  test('no key gets into a message, whole, masked or in a header error', async () => {
    for (const wrong of ['sk-live-SECRETSECRETSECRET', 'SECRET-of-no-known-shape']) {
      const { failure } = await ask(make({ apiKey: wrong }), 'hello');
      expect(failure).toMatchObject({ kind: 'auth' });
      expect(failure?.message).toContain('Incorrect API key provided');
      expect(failure?.message).not.toContain('SECRET');
    }
    server.script({ status: 401, message: 'bad key: SECR***CRET, sk_SECRETSECRET' });
    expect((await ask(provider, 'hello')).failure?.message).not.toMatch(/CRET/);
    const broken = await ask(make({ apiKey: 'two\nlines' }), 'hello');
    expect(broken.failure?.kind).toBe('auth');
    expect(broken.failure?.message).not.toContain('two');
  });

  test('the environment cannot redirect a request or slip headers into it, and machine details stay here', async () => {
    const poison: Record<string, string> = {
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:9',
      ANTHROPIC_AUTH_TOKEN: 'stolen',
      ANTHROPIC_API_KEY: 'stolen',
      ANTHROPIC_LOG: 'debug',
      ANTHROPIC_CUSTOM_HEADERS: 'x-api-key: stolen\nx-evil: yes',
      OPENAI_CUSTOM_HEADERS: 'authorization: stolen\nx-evil: yes',
      OPENAI_BASE_URL: 'http://127.0.0.1:9',
      OPENAI_API_KEY: 'stolen',
      OPENAI_ORG_ID: 'stolen',
      OPENAI_PROJECT_ID: 'stolen',
      OPENAI_LOG: 'debug',
    };
    const before = { ...process.env };
    try {
      Object.assign(process.env, poison);
      server.script({ text: 'ok' });
      expect((await ask(make(), 'hello')).text).toBe('ok');
    } finally {
      for (const key of Object.keys(poison)) if (before[key] === undefined) delete process.env[key];
      Object.assign(process.env, before);
    }
    const { headers } = last();
    expect(JSON.stringify(headers)).not.toMatch(/stolen|evil|stainless/);
    expect(headers['x-api-key'] ?? headers.authorization).toContain(KEY);
    expect(headers['user-agent']).toBe('hardshell');
  });

  test('the connection is kept for the next request, also when its end comes late', async () => {
    const from = server.requests.length;
    for (let i = 0; i < 5; i++) {
      server.script({ text: 'ok', ending: 'late' });
      expect((await ask(provider, 'hello')).text).toBe('ok');
      await expect.poll(() => last().endedAtMs).toBeGreaterThan(0);
    }
    expect(new Set(server.requests.slice(from).map(({ connection }) => connection)).size).toBeLessThan(3);
  });

  test('nothing stays attached to the signal of a caller who lives on', async () => {
    const { signal } = new AbortController();
    server.script({ text: 'ok' }, { status: 500 }, { text: 'a', ending: 'truncate' });
    for (let i = 0; i < 3; i++) await ask(provider, 'hello', signal);
    for await (const event of provider.stream(requestOf('[[tokens:50]]'), signal)) if (event.type === 'text') break;
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('the stable part of the prompt is first and the same in every request', async () => {
    const sent = async (volatile: string) => {
      server.script({ text: 'ok' });
      await ask(provider, requestOf('hello', { system: { stable: 'STABLE', volatile } }));
      return JSON.stringify(last().body['system'] ?? last().body['instructions'] ?? last().body['messages']);
    };
    const [monday, tuesday] = [await sent('monday'), await sent('tuesday')];
    expect(monday.split('monday')[0]).toBe(tuesday.split('tuesday')[0]);
    expect(monday.indexOf('STABLE')).toBeLessThan(monday.indexOf('monday'));
  });
});
