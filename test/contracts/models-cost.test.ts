// What a reply may cost: no memory that stays, and no stretch in which nothing else in the process gets its turn.
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAnthropic } from '../../src/models/anthropic.ts';
import { createOpenaiChat } from '../../src/models/openai-chat.ts';
import { createOpenaiResponses } from '../../src/models/openai-responses.ts';
import type { ModelProvider } from '../../src/models/provider.ts';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { streamOf } from '../doubles/model-wire.ts';
import { ask } from '../support/model-run.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;
/** Heap in use once everything that can go has gone; finalizers need a turn of the loop. */
async function settledHeap(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    gc();
    await sleep(5);
  }
  return process.memoryUsage().heapUsed;
}

const MB = 1_048_576;

describe.each([
  { name: 'anthropic', kind: 'messages' as const, create: createAnthropic, path: '' },
  { name: 'openai-responses', kind: 'responses' as const, create: createOpenaiResponses, path: '/v1' },
  { name: 'openai-chat', kind: 'chat' as const, create: createOpenaiChat, path: '/v1' },
])('$name', ({ name, kind, create, path }) => {
  let server: ModelServer;
  let provider: ModelProvider;
  beforeAll(async () => {
    server = await startModelServer({ keep: 1 });
    provider = create({ id: name, baseUrl: server.url + path, apiKey: 'k', fetch, idleTimeoutMs: 10_000 });
  });
  afterAll(() => server.close());

  test('200 replies, 20 aborts and 20 refusals leave nothing behind', { timeout: 60_000 }, async () => {
    const life = new AbortController();
    let arrived = (): void => {};
    const hanging = () => new Promise<void>((resolve) => (arrived = resolve));
    server.script(({ user }) => {
      if (user === 'hang') arrived();
      return user === 'fail' ? { status: 500 } : user === 'hang' ? 'hang' : undefined;
    });
    const rounds = async (count: number) => {
      for (let i = 0; i < count; i++) await ask(provider, '[[tokens:16]]', life.signal);
      for (let i = 0; i < count / 10; i++) {
        await ask(provider, 'fail', life.signal);
        const abort = new AbortController();
        const reading = ask(provider, 'hang', abort.signal);
        await hanging();
        abort.abort();
        await reading;
      }
    };
    await rounds(150);
    const before = await settledHeap();
    await rounds(200);
    expect((await settledHeap()) - before).toBeLessThan(2.5 * MB);
  });

  test('a long reply that is there all at once lets others have their turn', async () => {
    const { head, body, tail } = streamOf(kind, { tokens: 40_000 }, 'm', { reply: 'r', call: String });
    const bytes = new TextEncoder().encode([...head, ...body, ...tail].join(''));
    const atOnce = (): Promise<Response> => {
      const stream = new ReadableStream({
        start(controller) {
          for (let at = 0; at < bytes.length; at += 65_536) controller.enqueue(bytes.subarray(at, at + 65_536));
          controller.close();
        },
      });
      return Promise.resolve(new Response(stream, { headers: { 'content-type': 'text/event-stream' } }));
    };
    const flooded = create({ id: name, baseUrl: server.url, apiKey: 'k', fetch: atOnce, idleTimeoutMs: 10_000 });
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const { text, ms } = await ask(flooded, 'hello');
    clearInterval(timer);
    expect(text).toContain(' w39999');
    expect(turns).toBeGreaterThan(ms / 100);
  });

  test('an answer without end is cut off', async () => {
    const endless = (): Promise<Response> => {
      const piece = new Uint8Array(65_536).fill(120);
      const body = new ReadableStream({ pull: (controller) => controller.enqueue(piece) });
      return Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }));
    };
    const flooded = create({ id: name, baseUrl: server.url, apiKey: 'k', fetch: endless, idleTimeoutMs: 10_000 });
    const { failure, ms } = await ask(flooded, 'hello');
    expect(failure?.message).toContain('was cut off');
    expect(ms).toBeLessThan(5_000);
  });
});
