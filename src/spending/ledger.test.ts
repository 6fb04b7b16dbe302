// What was spent stands with the model that took it, and no crash in the middle of a turn forgets it.
import { afterEach, expect, test } from 'vitest';
import { type CoreOptions, callFor, say, startCore } from '../../test/support/core.ts';
import { createModels } from '../models/failover.ts';
import type { ModelEvent, ModelProvider } from '../models/provider.ts';

const cores: ReturnType<typeof startCore>[] = [];
const start = (options: CoreOptions) => {
  const core = startCore(options);
  cores.push(core);
  return core;
};
afterEach(() => {
  for (const core of cores.splice(0)) core.end();
});
const spent = (core: ReturnType<typeof startCore>) =>
  Object.fromEntries(core.usage.byModel('2000-01-01').map(({ model, tokens }) => [model, tokens]));

const tokens = (input: number) => ({ input, output: 0, cacheRead: 0, cacheWrite: 0 });
const provider = (id: string, ...answers: ModelEvent[][]): ModelProvider => ({
  id,
  async *stream() {
    yield* answers.shift() ?? [];
  },
});
const failed = (input: number): ModelEvent[] => [
  { type: 'end', stop: 'error', usage: tokens(input), failure: { kind: 'auth', message: 'the key was taken back' } },
];
const called = (input: number): ModelEvent[] => [
  { type: 'toolCall', call: { id: `c${input}`, name: 'x', args: {} } },
  { type: 'end', stop: 'tools', usage: tokens(input) },
];

test('after a failover each model is billed for what it took, and the session and the turn for all of it', async () => {
  const models = createModels({
    providers: [
      provider('script', called(1_000), failed(200)),
      provider('other', [
        { type: 'text', delta: 'done' },
        { type: 'end', stop: 'end', usage: tokens(30) },
      ]),
    ],
    primary: 'script/one',
    fallbacks: ['other/two'],
  });
  const core = start({ model: (request, signal) => models.stream(request, signal) });
  const { usage } = await core.send('hi').ended;
  expect(spent(core)).toEqual({ 'script/one': 1_200, 'other/two': 30 });
  expect(usage.input).toBe(1_230);
  expect(core.sessions.get('agent:main:main')?.input).toBe(1_230);
});

test('an answer that was stopped before its first word is billed to the model that was asked for it', async () => {
  const models = createModels({
    providers: [
      provider('script', failed(200)),
      {
        id: 'other',
        async *stream(_, signal) {
          core.lanes.abort('agent:main:main');
          await new Promise((resolve) => (signal.aborted ? resolve(0) : signal.addEventListener('abort', resolve)));
          yield { type: 'end', stop: 'aborted', usage: tokens(30) };
        },
      },
    ],
    primary: 'script/one',
    fallbacks: ['other/two'],
  });
  const core = start({ model: (request, signal) => models.stream(request, signal) });
  await core.send('hi').ended;
  expect(spent(core)).toEqual({ 'script/one': 200, 'other/two': 30 });
});

test('what a turn had spent when the gateway was killed is not forgotten, and not counted twice when it goes on', async () => {
  let atTool = (): void => {};
  const reached = new Promise<void>((resolve) => {
    atTool = resolve;
  });
  const first = start({
    model: () => callFor('x', {}, 'c1'),
    tool: async () => {
      atTool();
      return new Promise(() => {});
    },
  });
  first.send('hi', { id: 'a' });
  await reached;
  first.crash();
  const second = start({ folder: first.folder, model: () => say('went on') });
  expect(spent(second)).toEqual({ 'script/one': 5 });
  expect(second.sessions.get('agent:main:main')).toMatchObject({ input: 3, output: 2 });
  second.intake.resume();
  await second.waitFor('a');
  expect(spent(second)).toEqual({ 'script/one': 10 });
  expect(second.sessions.get('agent:main:main')).toMatchObject({ input: 6, output: 4 });
  expect(second.ledger.report(1).today.tokens).toBe(10);
});
