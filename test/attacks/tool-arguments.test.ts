// Calls that a broken or hijacked model sends: each is answered with what is wrong, nothing runs, no later request of the
// conversation fails over it, and whoever goes on asking for what is refused is stopped with one line for the person.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ModelServer, type ScriptedCall, startModelServer } from '../doubles/model-server.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';
import { enter, type Peer } from '../support/wire.ts';

type Json = Record<string, unknown>;

let model: ModelServer;
let gateway: TestGateway;
let peer: Peer;
beforeAll(async () => {
  model = await startModelServer();
  const config = { ...configFor(model), tools: { deny: ['cron'], policies: { dm: { ls: 'deny' } } } };
  gateway = await startTestGateway({ config });
  peer = await enter(gateway.port, { auth: { token: gateway.token }, caps: ['tool-events'] });
});
afterAll(async () => {
  await peer?.end();
  await gateway?.dispose();
  await model?.close();
});

const newKey = (): string => `agent:main:${crypto.randomUUID()}`;
async function say(sessionKey: string, message: string): Promise<Json> {
  const idempotencyKey = crypto.randomUUID();
  await peer.ask('chat.send', { sessionKey, message, idempotencyKey });
  const { payload } = await peer.event('chat', ({ runId, state }) => runId === idempotencyKey && state !== 'delta');
  return payload ?? {};
}
const workspace = (): string[] => readdirSync(join(gateway.stateDir, 'workspace')).sort();
/** What the model was answered, and what the person was. */
async function tried(...toolCalls: ScriptedCall[]): Promise<{ results: string; end: Json; after: Json }> {
  const key = newKey();
  const before = model.requests.length;
  model.script({ toolCalls }, { text: 'understood' }, { text: 'still here' });
  const end = await say(key, 'go');
  const results = JSON.stringify(model.requests.at(before + 1)?.body['messages'] ?? null);
  // What was said badly must not be what every later request of the conversation fails over.
  const after = await say(key, 'and now?');
  return { results, end, after };
}

const deep = '['.repeat(200_000);
describe('a call with bad arguments is answered with what is wrong, and nothing runs', () => {
  test('what is said to be there is what is offered, and nothing that is switched off', async () => {
    const { results } = await tried({ name: 'rm_rf', args: {} });
    const offered = ((model.requests.at(-1)?.body['tools'] ?? []) as { function: { name: string } }[]).map(
      (one) => one.function.name,
    );
    expect(offered).not.toContain('browser');
    expect(results).toContain(`There are: ${offered.join(', ')}.`);
  });
  test.each<[string, ScriptedCall, RegExp]>([
    ['a number for a text', { name: 'write', args: { path: 7, content: 'x' } }, /write did not run.*path/],
    ['a list', { name: 'write', args: ['a', 'b'] }, /write did not run/],
    ['a text', { name: 'write', raw: '"a"' }, /write did not run/],
    ['a field that there is not', { name: 'write', args: { path: 'a', content: 'x', mode: 777 } }, /mode/],
    ['no JSON', { name: 'write', raw: '{"path":' }, /not valid JSON, so write did not run/],
    ['an unknown tool', { name: 'rm_rf', args: {} }, /There is no tool called .{0,3}rm_rf/],
    ['a name of an object', { name: 'constructor', args: {} }, /There is no tool called .{0,3}constructor/],
    ['a NUL in a path', { name: 'write', args: { path: 'a\0.md', content: 'x' } }, /NAME|NUL|control/i],
    ['a NUL in a command', { name: 'exec', args: { command: 'touch bad\0; true' } }, /NUL character/],
    ['half a character in a command', { name: 'exec', raw: '{"command":"touch bad\\ud800"}' }, /half a character/],
    ['half a character in a name', { name: 'write', raw: '{"\\udc00":"x"}' }, /half a character/],
    ['arguments without a floor', { name: 'write', raw: `{"path":${deep}` }, /more than 64 levels/],
    [
      'nested and closed',
      { name: 'write', raw: `{"path":${'['.repeat(5_000)}${']'.repeat(5_000)}}` },
      /more than 64 levels/,
    ],
  ])('%s', async (_name, call, expected) => {
    const there = workspace();
    const { results, end, after } = await tried(call);
    expect(results).toMatch(expected);
    expect([end['state'], after['state']]).toEqual(['final', 'final']);
    expect(workspace()).toEqual(there);
  });

  test('5 MB of arguments are neither parsed nor kept', async () => {
    const there = workspace();
    const bytes = (): number => JSON.stringify(model.requests.at(-1)?.body).length;
    const { results, end } = await tried({ name: 'write', args: { path: 'big.txt', content: 'x'.repeat(5_000_000) } });
    expect(results).toMatch(/have 50000\d\d characters, and at most 2000000 are read, so write did not run/);
    expect(end['state']).toBe('final');
    expect(bytes()).toBeLessThan(100_000);
    expect(workspace()).toEqual(there);
  });

  test('a name of a megabyte is kept as far as a name goes', async () => {
    const { results, end } = await tried({ name: 'x'.repeat(1_000_000), args: {} });
    expect(results).toMatch(/There is no tool called/);
    expect([end['state'], results.length < 20_000]).toEqual(['final', true]);
  });
});

describe('a call that is refused over and over', () => {
  const wrote = { toolCalls: [{ name: 'ls', args: { path: '.' } }] };
  const endOf = (payload: Json): string => JSON.stringify(payload);
  const told = (n: number): string => JSON.stringify(model.requests.at(n)?.body['messages']);

  test('is explained once, then in short, then the turn ends with the setting that says no', async () => {
    const before = model.requests.length;
    model.script(({ user }) => (user === 'list it for ever' ? wrote : undefined));
    const end = await say(newKey(), 'list it for ever');
    const asked = model.requests.length - before;
    expect(asked).toBe(4);
    expect(told(-1).match(/tools\.policies\.dm\.ls/g)).toHaveLength(2);
    expect(told(-1).match(/Refused again \(TOOL_DENIED\)/g)).toHaveLength(2);
    expect(end['state']).toBe('error');
    expect(endOf(end)).toMatch(/kept asking for ls, which is refused: .*tools\.policies\.dm\.ls/);
  });

  test('a hundred of them in one answer end the turn as well, and what comes after them does not run', async () => {
    const before = model.requests.length;
    const calls = Array.from({ length: 100 }, (_, n) => ({ name: 'ls', args: { path: `folder-${n}` } }));
    model.script({ toolCalls: [...calls, { name: 'exec', args: { command: 'touch after' } }] }, ({ user }) =>
      user === 'list them' ? { text: 'never said' } : undefined,
    );
    const end = await say(newKey(), 'list them');
    expect(model.requests.length - before).toBe(1);
    expect(endOf(end)).toContain('kept asking for ls');
    expect(existsSync(join(gateway.stateDir, 'workspace', 'after'))).toBe(false);
  });

  test('whoever does something else after the first no is not stopped', async () => {
    model.script(wrote, wrote, { text: 'I cannot list it' });
    const end = await say(newKey(), 'list it');
    expect(end['state']).toBe('final');
  });
});
