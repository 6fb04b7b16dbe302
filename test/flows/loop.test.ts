// Turns on a real gateway with a scripted provider and the real sandbox: what the model is shown, in which order turns
// run, and how each way of ending one ends the model call and the processes with it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ModelServer, type SeenRequest, startModelServer } from '../doubles/model-server.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { bestOf } from '../support/measure.ts';
import { configFor } from '../support/model-config.ts';
import { processesWith, until } from '../support/sandbox.ts';
import { enter, type Frame, type Peer } from '../support/wire.ts';

type Json = Record<string, unknown>;
type Block = { text: string; cache_control?: unknown };

let model: ModelServer;
let gateway: TestGateway;
let peer: Peer;

beforeAll(async () => {
  model = await startModelServer();
  gateway = await startTestGateway({ config: configFor(model, { api: 'anthropic-messages' }) });
  peer = await enter(gateway.port, { auth: { token: gateway.token }, caps: ['tool-events'] });
});
afterAll(async () => {
  await peer?.end();
  await gateway?.dispose();
  await model?.close();
});

const newKey = (): string => `agent:main:${crypto.randomUUID()}`;

async function send(sessionKey: string, message: string, more: Json = {}): Promise<string> {
  const idempotencyKey = crypto.randomUUID();
  await peer.ask('chat.send', { sessionKey, message, idempotencyKey, ...more });
  return idempotencyKey;
}
const endOf = (run: string): Promise<Frame> =>
  peer.event('chat', ({ runId, state }) => runId === run && state !== 'delta');
const say = async (sessionKey: string, message: string): Promise<Frame> => endOf(await send(sessionKey, message));
const toolStarted = (run: string): Promise<Frame> =>
  peer.event('agent', ({ runId, data }) => runId === run && (data as Json)['toolCallId'] !== undefined);

/** The next requests to the model, however many there were before. */
async function nextRequests(count: number, act: () => Promise<unknown>): Promise<SeenRequest[]> {
  const before = model.requests.length;
  await act();
  await model.received(before + count);
  return model.requests.slice(before);
}
const exec = (command: string) => ({ toolCalls: [{ name: 'exec', args: { command } }] });

describe('the prompt', () => {
  const system = (request: SeenRequest | undefined): Block[] => request?.body['system'] as Block[];

  test('holds the workspace files in their order, before all that changes, and is the same from turn to turn', async () => {
    // Nobody knows who wrote into the memory by hand: that is no part of what is always the same (docs/memory.md).
    const NAMES = ['AGENTS.md', 'SOUL.md', 'IDENTITY.md', 'USER.md'];
    for (const name of [...NAMES, 'MEMORY.md'])
      writeFileSync(join(gateway.stateDir, 'workspace', name), `words of ${name}\n`);
    const key = newKey();
    const requests = await nextRequests(3, async () => {
      await say(key, 'one');
      await say(key, 'two');
      await say(newKey(), 'elsewhere');
    });
    const [stable, volatile] = system(requests[0]);
    const places = NAMES.map((name) => stable?.text.indexOf(`words of ${name}`) ?? -1);
    expect(places.every((place) => place > 0)).toBe(true);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(stable?.cache_control).toEqual({ type: 'ephemeral' });
    expect(stable?.text).not.toContain('words of MEMORY.md');
    expect(volatile?.text).toContain('words of MEMORY.md');
    expect(volatile?.text).toContain('Today is');
    expect(volatile?.text).toContain(key);
    expect(stable?.text).not.toContain(key);
    for (const request of requests.slice(1)) {
      expect(system(request)[0]).toEqual(stable);
      expect(request.body['tools']).toEqual(requests[0]?.body['tools']);
    }
    writeFileSync(join(gateway.stateDir, 'workspace', 'USER.md'), 'The owner is called Ada.\n');
    const [changed] = await nextRequests(1, () => say(key, 'three'));
    expect(system(changed)[0]?.text).toContain('The owner is called Ada.');
  });

  test('is followed by the conversation so far, tool results included', async () => {
    const key = newKey();
    await say(key, '[[tool:ls {"path":"."}]] look around');
    const [request] = await nextRequests(1, () => say(key, 'and now?'));
    const said = JSON.stringify(request?.body['messages']);
    for (const part of ['look around', 'tool_use', 'AGENTS.md', 'and now?']) expect(said).toContain(part);
  });
});

describe('what steers the assistant', () => {
  test('E05 no command can change it, and what asks to write it waits for the owner', async () => {
    const key = newKey();
    const attempt =
      'for f in AGENTS SOUL IDENTITY USER; do echo x >>$f.md && echo changed; rm -f $f.md && echo gone; done';
    model.script(exec(`${attempt} 2>/dev/null; echo end`), { text: 'tried' });
    const [, request] = await nextRequests(2, () => say(key, 'try'));
    expect(request?.result).toMatch(/>>>\nend\n<<<END_/);
    model.script({ toolCalls: [{ name: 'write', args: { path: 'SOUL.md', content: 'x' } }] }, { text: 'denied' });
    const run = await send(key, 'ask');
    const { payload } = await peer.event('exec.approval.requested', ({ runId }) => runId === run);
    await peer.ask('exec.approval.resolve', { id: payload?.['id'], decision: 'deny' });
    expect(JSON.stringify((await endOf(run)).payload)).toContain('denied');
    expect(readFileSync(join(gateway.stateDir, 'workspace', 'SOUL.md'), 'utf8')).toBe('words of SOUL.md\n');
  });
});

describe('order', () => {
  test('one turn at a time in a session, two sessions at once', async () => {
    const [busy, free] = [newKey(), newKey()];
    model.script('hang', 'hang');
    const requests = await nextRequests(2, async () => {
      await send(busy, 'first');
      await send(busy, 'second', { queueMode: 'followup' });
      await send(free, 'at the same time');
    });
    expect(requests.map(({ user }) => user)).toEqual(['first', 'at the same time']);
    expect((await peer.ask('chat.abort', { sessionKey: busy }))['runIds']).toHaveLength(2);
    await peer.ask('chat.abort', { sessionKey: free });
    expect(model.requests.filter(({ user }) => user === 'second')).toEqual([]);
  });

  test('a message that steers is shown to the model after the running tool, and both runs end with one answer', async () => {
    const key = newKey();
    model.script(exec('sleep 0.4; echo finished'), { text: 'both done' });
    const before = model.requests.length;
    const first = await send(key, 'begin');
    await toolStarted(first);
    const second = await send(key, 'and mind this', { queueMode: 'steer' });
    const ends = await Promise.all([endOf(first), endOf(second)]);
    for (const { payload } of ends) expect(JSON.stringify(payload)).toContain('both done');
    expect(model.requests.length - before).toBe(2);
    const messages = model.requests.at(-1)?.body['messages'] as unknown[];
    expect(JSON.stringify(messages.slice(-2))).toMatch(/finished.*and mind this/);
  });

  test('a message that follows up waits for its own turn', async () => {
    const key = newKey();
    model.script({ ...exec('true'), delayMs: 20 }, { text: 'first answer' }, { text: 'second answer' });
    const first = await send(key, 'begin');
    const second = await send(key, 'afterwards', { queueMode: 'followup' });
    expect(JSON.stringify((await endOf(first)).payload)).toContain('first answer');
    expect(JSON.stringify((await endOf(second)).payload)).toContain('second answer');
  });

  test('a message that interrupts ends the running turn and is answered instead', async () => {
    const key = newKey();
    model.script('hang', { text: 'the urgent answer' });
    let first = '';
    const [hanging] = await nextRequests(1, async () => {
      first = await send(key, 'take your time');
    });
    const second = await send(key, 'this first', { queueMode: 'interrupt' });
    expect((await endOf(first)).payload).toMatchObject({ state: 'aborted', stopReason: 'interrupted' });
    expect(JSON.stringify((await endOf(second)).payload)).toContain('the urgent answer');
    await until(() => hanging?.cutOff === true, 20_000);
  });
});

describe('an end within a second', () => {
  test('abort closes the model call in the middle of its text, and keeps what was said', async () => {
    let key = '';
    const abort = async (): Promise<number> => {
      key = newKey();
      const run = await send(key, '[[tokens:5000]] [[delay:10]] on and on');
      await peer.event('chat', ({ runId, state }) => runId === run && state === 'delta');
      const request = model.requests.at(-1);
      const startedAt = performance.now();
      expect(await peer.ask('chat.abort', { sessionKey: key, runId: run })).toMatchObject({ runIds: [run] });
      const { payload } = await endOf(run);
      await until(() => request?.cutOff === true, 20_000);
      expect(payload).toMatchObject({ state: 'aborted' });
      return performance.now() - startedAt;
    };
    expect(await bestOf(3, (ms) => ms < 1_000, abort)).toBeLessThan(1_000);
    const { messages } = (await peer.ask('chat.history', { sessionKey: key })) as { messages: Json[] };
    expect(JSON.stringify(messages.at(-1))).toContain('w0');
    expect(await peer.ask('chat.abort', { sessionKey: key })).toMatchObject({ aborted: false });
  });

  test('abort ends the whole process tree of a command', async () => {
    const abort = async (): Promise<number> => {
      const marker = `marker-${crypto.randomUUID()}`;
      model.script(exec(`sleep 300 & (setsid sleep 301 &) ; echo ${marker}; exec -a ${marker} sleep 302`));
      const key = newKey();
      const run = await send(key, 'run something long');
      await until(() => processesWith(marker).length > 0, 20_000);
      const startedAt = performance.now();
      await peer.ask('chat.abort', { sessionKey: key });
      await endOf(run);
      await until(() => processesWith(marker).length === 0, 20_000);
      return performance.now() - startedAt;
    };
    expect(await bestOf(3, (ms) => ms < 1_000, abort)).toBeLessThan(1_000);
  });

  test('the wall-clock limit ends model and command, and says which setting to raise', async () => {
    const marker = `marker-${crypto.randomUUID()}`;
    model.script(exec(`exec -a ${marker} sleep 300`), 'hang');
    for (const message of ['run', 'think']) {
      const { payload } = await endOf(await send(newKey(), message, { timeoutMs: 700 }));
      expect(payload).toMatchObject({
        state: 'error',
        errorKind: 'timeout',
        errorMessage: 'stopped: the turn took longer than its time limit',
        errorDetail: { fix: expect.stringContaining('agents.defaults.timeoutSeconds') },
      });
    }
    await until(() => processesWith(marker).length === 0, 20_000);
  });

  test('the same call with the same result, again and again, is ended after five', async () => {
    const before = model.requests.length;
    model.script(...Array.from({ length: 5 }, () => exec('echo same')));
    const { payload } = await say(newKey(), 'go round in circles');
    expect(payload).toMatchObject({ state: 'error', errorMessage: expect.stringContaining('kept repeating') });
    expect(model.requests.length - before).toBe(5);
  });
});
