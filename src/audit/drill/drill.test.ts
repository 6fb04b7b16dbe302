// What the drill says of a world is tested with worlds that are made up; that worlds are real is tested in test/flows.
import { expect, test } from 'vitest';
import { drill, GRANTS } from './drill.ts';
import { layerOf, type OpenWorld, type Step, stopOf } from './play.ts';
import type { Order, Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios/all.ts';
import { callIdOf, createStub, fill, fillAll, orderWords } from './stub-model.ts';
import { shownPath, withoutPaths, writtenPaths } from './written.ts';

const scenario: Scenario = {
  id: 'test-file',
  wants: 'write a file',
  rows: ['E04'],
  turns: [{ say: 'Do it {order:0}' }],
  orders: [{ tool: 'write', args: { path: 'x', content: 'won' } }],
  harm: { kind: 'file', path: '/x', has: 'won' },
};
const step = (more: Partial<Step> = {}): Step => ({
  ...{ callId: callIdOf('order', 0), tool: 'write', decision: 'allow', code: '', key: '', reason: '' },
  ...{ text: 'done', isError: false },
  ...more,
});
/** A world in which the file is there when `isThere`. */
const worldWith =
  (isThere: boolean, steps: readonly Step[] = []): OpenWorld =>
  async () => ({
    ...{ words: {}, steps, called: [], left: [], problem: null, sandbox: () => null, hear: async () => null },
    ...{ fileAt: () => (isThere ? 'won' : null), sendings: () => [], believed: () => [] },
    ...{ isConfigChanged: () => false, rightsMore: () => false, takeBack: async () => false, close: async () => {} },
  });

test('what counts is what happened: a call that was refused and has its effect all the same got through', async () => {
  const denied = step({ decision: 'deny', code: 'PATH_DENIED', key: 'built in', reason: 'closed' });
  const [through] = await drill([scenario], { open: () => worldWith(true, [denied]), written: [] });
  expect(through).toMatchObject({ effect: '/x was written', stop: null, let: [] });
  const [stopped] = await drill([scenario], { open: () => worldWith(false, [denied]), written: [] });
  expect(stopped).toMatchObject({ effect: null, stop: { layer: 'path policy', rule: 'PATH_DENIED', key: 'built in' } });
});

test.each<[string, string[], (without: readonly string[], isBare: boolean) => boolean, string[]]>([
  ['the one setting', ['a', 'b', 'c'], (without) => without.includes('b'), ['b']],
  ['either of two', ['a', 'b', 'c'], (without) => without.includes('a') || without.includes('c'), ['a', 'c']],
  ['two that open it each', ['a', 'b', 'c'], (without) => ['a', 'b'].every((one) => without.includes(one)), ['a', 'b']],
  ['what was allowed for good', ['a'], (_without, isBare) => isBare, [GRANTS]],
  ['nothing of the owner', ['a'], () => false, []],
  ['no setting of what has nothing to do with it', ['gateway.port'], (without) => without.includes('gateway.port'), []],
])('says which setting let it through: %s', async (_what, written, isStopped, expected) => {
  const open = (without: readonly string[], isBare: boolean): OpenWorld => worldWith(!isStopped(without, isBare));
  const [result] = await drill([scenario], { open, written });
  expect(result?.let).toEqual(expected);
});

test('a world that breaks is no layer', async () => {
  const open = (): OpenWorld => async () => {
    throw new Error('broken');
  };
  await expect(drill([scenario], { open, written: [] })).rejects.toThrow('broken');
});

test('names the layer that was first in the way of an order, and else of what would have carried it', () => {
  const declined = { code: 'DM_NOT_PAIRED', at: 'channels.x', reason: 'no' };
  const asked = step({ callId: callIdOf('asked', 1), decision: 'deny', code: 'WEB_OFF' });
  expect(stopOf([asked, step({ decision: 'ask', code: 'REACHES_PEOPLE' })], null, false).layer).toBe(
    'approval pending',
  );
  expect(stopOf([asked], null, false)).toMatchObject({ layer: 'net', rule: 'WEB_OFF' });
  expect(stopOf([step({ text: 'Refused (PATH_LINK): it is a link.' })], null, false)).toMatchObject({
    layer: 'path policy',
    rule: 'PATH_LINK',
  });
  expect(stopOf([], declined, false)).toMatchObject({ layer: 'access', rule: 'DM_NOT_PAIRED', key: 'channels.x' });
  expect(stopOf([step({ tool: 'exec', isError: true })], null, false).rule).toBe('IN_THE_BOX');
  expect(stopOf([step({ isError: true, decision: 'none' })], null, false).rule).toBe('ARGUMENTS_REFUSED');
  expect(stopOf([], null, true).rule).toBe('TAKEN_OUT');
  expect(stopOf([step()], null, false).rule).toBe('LABELLED');
  expect(stopOf([], null, false).rule).toBe('NOT_SHOWN');
  const layers = ['TOOL_DENIED', 'STEERING_FILE', 'COMMAND_NOT_LISTED', 'HOST_EXEC_AS_ROOT', 'HOST_BLOCKED', 'TARGET_NOT_NAMED']; // biome-ignore format: one row
  expect(layers.map(layerOf)).toEqual(['tool policy', 'path policy', 'shell', 'sandbox', 'net', 'flow']);
});

test('the model obeys whatever it is shown, each order once and in its turn, and nothing that it was not shown', async () => {
  const orders: Order[] = [
    { tool: 'read', args: { path: '{home}/a' } },
    { say: 'It is {last}' },
    { turn: 1, tool: 'exec', args: { command: 'true' } },
  ];
  const stub = createStub({ orders, turns: [{ say: '' }, { say: '' }] }, () => ({ home: '/h' }));
  const ask = async (text: string, result = '') => {
    const messages = [
      { role: 'user' as const, text },
      { role: 'tool' as const, results: [{ callId: 'x', name: 'read', text: result, isError: false }] },
    ];
    const request = { model: '', system: { stable: '', volatile: '' }, messages, tools: [], maxOutputTokens: 1 };
    const events = [];
    for await (const event of stub.models.stream({ ...request, cacheKey: '' }, new AbortController().signal))
      events.push(event);
    return events[1];
  };
  expect(await ask('nothing')).toEqual({ type: 'text', delta: 'Done.' });
  expect(await ask(`${orderWords(0)} ${orderWords(2)}`)).toEqual({
    type: 'toolCall',
    call: { id: 'order-0', name: 'read', args: { path: '/h/a' } },
  });
  expect(await ask(orderWords(0))).toEqual({ type: 'text', delta: 'Done.' });
  expect(await ask('x', `secret ${orderWords(1)}`)).toEqual({ type: 'text', delta: `It is secret ${orderWords(1)}` });
  expect(stub.hasSpoken()).toBe(true);
  stub.begin(1);
  expect(await ask(orderWords(2))).toMatchObject({ type: 'toolCall', call: { name: 'exec' } });
});

test('words are put in wherever they stand, and what is unknown stays', () => {
  expect(fill('{order:1} {home} {other}', { home: '/h' })).toBe('obey-1-now /h {other}');
  expect(fillAll({ a: ['{home}'], b: { '{home}': 1 } }, { home: '/h' })).toEqual({ a: ['/h'], b: { '/h': 1 } });
});

test('settings are taken away one by one, also those with dots in their names', () => {
  const tree = { tools: { policies: { 'telegram:1.2': { exec: 'allow' } }, allow: ['a'] } };
  const paths = writtenPaths(tree);
  expect(paths.map(shownPath)).toEqual(['tools.policies.telegram:1.2.exec', 'tools.allow']);
  expect(withoutPaths(tree, paths.slice(0, 1))).toEqual({ tools: { policies: { 'telegram:1.2': {} }, allow: ['a'] } });
  expect(writtenPaths({})).toEqual([]);
});

test('S192 S195 S209 S211 S214 S215 S216 S231 S264 the scenarios are many, each of its own, and each can be carried out', () => {
  expect(SCENARIOS.length).toBeGreaterThanOrEqual(60);
  expect(new Set(SCENARIOS.map(({ id }) => id)).size).toBe(SCENARIOS.length);
  const rows = new Set(SCENARIOS.flatMap(({ rows }) => rows));
  for (const row of [
    'S192',
    'S195',
    'S209',
    'S211',
    'S214',
    'S215',
    'S216',
    'S231',
    'S264',
    'I10',
    'I13',
    'H04',
    'G08',
  ])
    expect([row, rows.has(row)]).toEqual([row, true]);
  for (const { id, turns, orders, props } of SCENARIOS) {
    const carriers = JSON.stringify([turns, props ?? {}, orders]);
    for (const [n, { turn = 0 }] of orders.entries())
      expect([id, n, carriers.includes(`{order:${n}}`), turn < turns.length]).toEqual([id, n, true, true]);
  }
});
