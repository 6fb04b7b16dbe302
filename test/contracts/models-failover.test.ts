// Retry and failover with a clock that is moved by hand: who is asked, how long is waited, what the caller gets to see.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createModels, type ModelsOptions } from '../../src/models/failover.ts';
import { createOffline } from '../../src/models/offline.ts';
import type { ModelEvent, ModelFailure, ModelProvider, Usage } from '../../src/models/provider.ts';
import { createProviders } from '../../src/models/providers.ts';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { outcomeOf, requestOf } from '../support/model-run.ts';

type Answer = ModelFailure | 'ok' | 'partial' | 'tool-then-fail' | 'throws' | 'no-end' | 'length';
const USAGE: Usage = { input: 1, output: 1, cacheRead: 0, cacheWrite: 0 };
const fail = (kind: ModelFailure['kind'], more: Partial<ModelFailure> = {}): ModelFailure => ({
  kind,
  message: `it was ${kind}`,
  ...more,
});

/** A provider that answers from a list, and from its last entry for ever. */
function scripted(id: string, ...answers: Answer[]): ModelProvider & { asked: string[] } {
  const asked: string[] = [];
  return {
    id,
    asked,
    async *stream(request): AsyncGenerator<ModelEvent> {
      asked.push(request.model);
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      const failed: ModelEvent = { type: 'end', stop: 'error', usage: USAGE, failure: fail('overloaded') };
      // Against the contract, on purpose: a start that is followed by nothing must not reach the caller.
      yield { type: 'start', provider: id, model: request.model };
      if (answer === 'throws') throw new Error('with a secret');
      if (answer === 'no-end') return;
      if (typeof answer === 'object') return yield { type: 'end', stop: 'error', usage: USAGE, failure: answer };
      if (answer === 'tool-then-fail') yield { type: 'toolCall', call: { id: '1', name: 'exec', args: {} } };
      else yield { type: 'text', delta: `from ${id}` };
      yield answer === 'ok'
        ? { type: 'end', stop: 'end', usage: USAGE }
        : answer === 'length'
          ? { type: 'end', stop: 'length', usage: USAGE }
          : failed;
    },
  };
}

function handClock() {
  let now = 1_000;
  const waits: number[] = [];
  return {
    waits,
    advance: (ms: number) => {
      now += ms;
    },
    clock: {
      now: () => now,
      random: () => 1,
      sleep: async (ms: number, signal: AbortSignal) => {
        waits.push(ms);
        now += ms;
        signal.throwIfAborted();
      },
    },
  };
}

const open = (providers: ModelProvider[], more: Partial<ModelsOptions> = {}) => {
  const time = handClock();
  const notices: string[] = [];
  const models = createModels({
    providers,
    primary: 'a/one',
    fallbacks: ['b/two'],
    clock: time.clock,
    onNotice: (text, fields) => notices.push(`${text}: ${String(fields['model'])}`),
    ...more,
  });
  const run = (model = '', signal = new AbortController().signal) =>
    outcomeOf(models.stream(requestOf('hi', { model }), signal));
  return { models, run, notices, ...time };
};

describe('retry', () => {
  test('a passing overload is waited out: 1, 2, 4 seconds, and the caller sees one clean reply', async () => {
    const a = scripted('a', fail('overloaded'), fail('timeout'), fail('network'), 'ok');
    const { run, waits, notices } = open([a]);
    const outcome = await run();
    expect(outcome).toMatchObject({ text: 'from a', stop: 'end', startedBy: 'a/one' });
    expect(waits).toEqual([1_000, 2_000, 4_000]);
    expect(notices).toHaveLength(3);
    expect(outcome.usage.input).toBe(1);
    expect(outcome.events.filter(({ type }) => type === 'spent')).toEqual(
      Array.from({ length: 3 }, () => ({ type: 'spent', model: 'a/one', usage: USAGE })),
    );
  });

  test('waits are halved at most by chance, never above 30 seconds, and all of them stay within 90', async () => {
    const a = scripted('a', fail('rate_limit'));
    const time = handClock();
    const low = createModels({ providers: [a], primary: 'a/one', clock: { ...time.clock, random: () => 0 } });
    expect(
      (await outcomeOf(low.stream(requestOf('hi', { model: '' }), new AbortController().signal))).failure?.kind,
    ).toBe('rate_limit');
    expect(time.waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000, 15_000]);
    const { run, waits } = open([scripted('a', fail('rate_limit'))], { fallbacks: [] });
    await run();
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
  });

  test('8 attempts for an overload, 10 for a rate limit', async () => {
    for (const [kind, attempts] of [
      ['overloaded', 8],
      ['rate_limit', 10],
    ] as const) {
      const a = scripted('a', fail(kind));
      await open([a], { fallbacks: [], retryBudgetMs: 1e9 }).run();
      expect(a.asked).toHaveLength(attempts);
    }
  });

  test('a provider that is down is left after ten seconds when another model can answer, and waited for when none can', async () => {
    const down = (): ModelProvider => scripted('a', fail('network'));
    const withOther = open([down(), scripted('b', 'ok')]);
    expect((await withOther.run()).text).toBe('from b');
    expect(withOther.waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(10_000);
    const alone = open([down()], { fallbacks: [] });
    await alone.run();
    expect(alone.waits.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(60_000);
  });

  test('budget: a fallback whose own budget is used up is not asked, also while the first model cools', async () => {
    const [a, b] = [scripted('a', fail('auth')), scripted('b', 'ok')];
    const { models } = open([a, b]);
    const request = requestOf('hi', { model: '', isBarred: (ref) => ref === 'b/two' });
    for (const _ of [1, 2])
      expect((await outcomeOf(models.stream(request, new AbortController().signal))).failure?.message).toMatch(
        /auth|the budget for b\/two is used up/,
      );
    expect(b.asked).toEqual([]);
  });

  test('budget: what an attempt that failed has cost counts before the same model is asked again', async () => {
    const a = scripted('a', fail('overloaded'), fail('overloaded'), 'ok');
    let spent = 0;
    const request = requestOf('hi', { model: '', isBarred: () => spent > 2 });
    const events: ModelEvent[] = [];
    for await (const event of open([a], { fallbacks: [] }).models.stream(request, new AbortController().signal)) {
      if (event.type === 'spent') spent += event.usage.input + event.usage.output;
      events.push(event);
    }
    expect(events.at(-1)).toMatchObject({
      failure: { message: expect.stringContaining('the budget for a/one is used up') },
    });
    expect(a.asked).toHaveLength(2);
  });

  test('retry-after is a floor; above a minute the fallback is asked at once', async () => {
    const a = scripted('a', fail('rate_limit', { retryAfterMs: 20_000 }), 'ok');
    const first = open([a]);
    expect((await first.run()).text).toBe('from a');
    expect(first.waits).toEqual([20_000]);
    const second = open([scripted('a', fail('rate_limit', { retryAfterMs: 61_000 })), scripted('b', 'ok')]);
    expect((await second.run()).startedBy).toBe('b/two');
    expect(second.waits).toEqual([]);
    const alone = open([scripted('a', fail('rate_limit', { retryAfterMs: 61_000 }))], { fallbacks: [] });
    expect((await alone.run()).failure).toMatchObject({ kind: 'rate_limit', retryAfterMs: 61_000 });
    expect(alone.waits).toEqual([]);
  });

  test('once there was text or a tool call, nothing is sent again', async () => {
    for (const answer of ['partial', 'tool-then-fail'] as const) {
      const [a, b] = [scripted('a', answer), scripted('b', 'ok')];
      const { run, waits } = open([a, b]);
      expect(await run()).toMatchObject({ stop: 'error', failure: { kind: 'overloaded' }, startedBy: 'a/one' });
      expect([a.asked.length, b.asked.length, waits.length]).toEqual([1, 0, 0]);
    }
  });

  test('an abort while waiting ends at once', async () => {
    const abort = new AbortController();
    const a = scripted('a', fail('overloaded'));
    const { run } = open([a], { onNotice: () => abort.abort() });
    expect(await run('', abort.signal)).toMatchObject({ stop: 'aborted' });
    expect(a.asked).toHaveLength(1);
  });
});

describe('failover', () => {
  test.each([
    fail('auth', { httpStatus: 401 }),
    fail('billing', { httpStatus: 402 }),
    fail('unknown', { httpStatus: 404 }),
    fail('bad_response', { httpStatus: 200 }),
  ])('$kind goes to the fallback without another try', async (failure) => {
    const a = scripted('a', failure);
    const { run, waits, notices } = open([a, scripted('b', 'ok')]);
    expect(await run()).toMatchObject({ startedBy: 'b/two', text: 'from b' });
    expect([a.asked.length, waits.length]).toEqual([1, 0]);
    expect(notices).toEqual(['model failed, going to the next one: a/one']);
  });

  test.each([fail('context_length', { httpStatus: 400 }), fail('refusal')])(
    '$kind is neither retried nor failed over',
    async (failure) => {
      const b = scripted('b', 'ok');
      const { run, waits } = open([scripted('a', failure), b]);
      expect(await run()).toMatchObject({ stop: 'error', failure: { kind: failure.kind } });
      expect([b.asked.length, waits.length]).toEqual([0, 0]);
    },
  );

  test("a session's own choice is strict, and may be any provider that is there", async () => {
    const b = scripted('b', 'ok');
    const { run } = open([scripted('a', fail('auth')), b]);
    expect(await run('a/other')).toMatchObject({ stop: 'error', failure: { kind: 'auth' } });
    expect(b.asked).toEqual([]);
    expect(await run('b/some/slashed')).toMatchObject({ startedBy: 'b/some/slashed' });
    expect((await run('c/nowhere')).failure?.message).toContain('no provider for the model c/nowhere');
    expect(await run('a/one')).toMatchObject({ startedBy: 'b/two' });
  });

  test('a failing provider is left alone for 30 seconds, 1 minute, 5 minutes, and asked again after that', async () => {
    const a = scripted('a', fail('auth'));
    const { run, advance } = open([a, scripted('b', 'ok')]);
    const asks = async () => {
      const before = a.asked.length;
      expect((await run()).text).toBe('from b');
      return a.asked.length > before;
    };
    expect(await asks()).toBe(true);
    for (const cooldownMs of [30_000, 60_000, 300_000, 300_000]) {
      advance(cooldownMs - 1);
      expect(await asks()).toBe(false);
      advance(1);
      expect(await asks()).toBe(true);
    }
  });

  test('success forgets the cooldown', async () => {
    const a = scripted('a', fail('auth'), 'ok', fail('auth'), 'ok');
    const { run, advance } = open([a, scripted('b', 'ok')]);
    for (const expected of ['from b', 'from a', 'from b', 'from a']) {
      expect((await run()).text).toBe(expected);
      advance(30_000);
    }
  });

  test('with nobody else left, a cooling provider is asked all the same', async () => {
    const { run } = open([scripted('a', fail('auth'), 'ok')], { fallbacks: [] });
    expect((await run()).stop).toBe('error');
    expect((await run()).text).toBe('from a');
  });

  test('one model of a provider may be overloaded while another one answers', async () => {
    const a = scripted('a', fail('overloaded', { retryAfterMs: 100_000 }), 'ok', 'ok');
    const { run } = open([a], { fallbacks: ['a/small'] });
    expect((await run()).startedBy).toBe('a/small');
    expect((await run()).startedBy).toBe('a/small');
    expect(a.asked).toEqual(['one', 'small', 'small']);
  });

  test('when all fail, the first failure is told and the others are named', async () => {
    const { run } = open([scripted('a', fail('auth', { message: 'x'.repeat(300) })), scripted('b', fail('billing'))]);
    const { failure } = await run();
    expect(failure?.kind).toBe('auth');
    expect(failure?.message).toMatch(/^x{200,}.*\(fallbacks failed too: b\/two billing\)$/);
  });

  test('a provider that breaks the contract does not break the caller, and its words stay inside', async () => {
    const { run } = open([scripted('a', 'throws'), scripted('b', 'no-end')], { retryBudgetMs: 0 });
    const { failure, stop } = await run();
    expect(stop).toBe('error');
    expect(failure?.message).not.toContain('secret');
  });

  test('a reply cut by its length is a reply', async () => {
    expect(await open([scripted('a', 'length'), scripted('b', 'ok')]).run()).toMatchObject({
      stop: 'length',
      startedBy: 'a/one',
    });
  });
});

describe('with real adapters', () => {
  let server: ModelServer;
  beforeAll(async () => {
    server = await startModelServer();
  });
  afterAll(() => server.close());

  test('a 429 is waited out and a 529 goes on to the fallback, in the formats of both', async () => {
    const settings = {
      anthropic: { baseUrl: server.url, apiKey: 'k' },
      openai: { baseUrl: `${server.url}/v1`, apiKey: 'k' },
    };
    const time = handClock();
    const models = createModels({
      providers: [...createProviders(settings, { fetch }), createOffline()],
      settings,
      primary: 'anthropic/claude-sonnet-5-5',
      fallbacks: ['openai/gpt-6.1-sol'],
      clock: time.clock,
    });
    server.script(
      { status: 429, headers: { 'retry-after': '3' } },
      { status: 529, headers: { 'retry-after': '120' } },
      { text: 'here' },
    );
    const outcome = await outcomeOf(
      models.stream(requestOf('hi', { model: models.primary }), new AbortController().signal),
    );
    expect(outcome).toMatchObject({ text: 'here', startedBy: 'openai/gpt-6.1-sol' });
    expect(time.waits).toEqual([3_000]);
    expect(server.requests.map(({ kind }) => kind)).toEqual(['messages', 'messages', 'responses']);
    expect(models.list().find(({ id }) => id === 'claude-sonnet-5-5')).toMatchObject({
      contextTokens: 1_000_000,
      available: true,
    });
  });

  test('the list names what is configured, what is known and what is in use', () => {
    const list = createModels({
      providers: [],
      settings: { local: { models: [{ id: 'qwen', name: 'Qwen', contextTokens: 32_000 }, { id: 'plain' }] } },
      primary: 'local/unlisted',
    }).list();
    const find = (ref: string) => list.find(({ provider, id }) => `${provider}/${id}` === ref);
    expect(find('local/qwen')).toEqual({
      provider: 'local',
      id: 'qwen',
      name: 'Qwen',
      contextTokens: 32_000,
      available: true,
    });
    expect(find('local/plain')?.contextTokens).toBe(128_000);
    expect(find('local/unlisted')).toBeDefined();
    expect(find('anthropic/claude-opus-5-5')?.available).toBe(false);
    expect(find('offline/hardshell')?.available).toBe(true);
    expect(new Set(list.map(({ provider, id }) => `${provider}/${id}`)).size).toBe(list.length);
  });
});
