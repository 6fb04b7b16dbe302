// When the record cannot be written, nothing that has an effect happens: a real database that may grow no further, a real
// head that cannot be written, and a tool that would tell.
import { mkdirSync, rmSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { verifyChain } from '../../src/journal/chain.ts';
import { readHead } from '../../src/journal/head.ts';
import { decide } from '../../src/policy/decide.ts';
import { label } from '../../src/store/label.ts';
import { createToolCaller } from '../../src/tools/call.ts';
import type { Tool } from '../../src/tools/tool.ts';
import { type CoreOptions, callFor, say, startCore } from '../support/core.ts';

const ran: string[] = [];
const tool: Tool<{ text: string }> = {
  name: 'write',
  description: 'changes something',
  parameters: z.object({ text: z.string() }),
  effects: () => [{ kind: 'write', path: 'a.md' }],
  async run(_call, { text }) {
    ran.push(text.slice(0, 3));
    return { text: 'done', isError: false, label: label('tool-local', 'owner') };
  },
};
const toolCaller: NonNullable<CoreOptions['toolCaller']> = (hooks) =>
  createToolCaller({
    ...hooks,
    tools: [tool],
    where: () => 'sandbox',
    decide: (call, effects) => decide(call, effects, []),
    openEnv: async () => ({}) as never,
    askOwner: async () => ({ kind: 'no', why: '', fix: '' }),
    failed: (_call, error) => expect.fail(String(error)),
  });

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
  ran.length = 0;
});
function house(before: (core: ReturnType<typeof startCore>) => void) {
  const core = startCore({
    toolCaller,
    model(request) {
      if (request.messages.some(({ role }) => role === 'tool')) return say('it is done');
      before(core);
      return callFor('write', { text: `one ${'x'.repeat(100_000)}` });
    },
  });
  ends.push(() => {
    core.store.db.close();
    rmSync(core.folder, { recursive: true });
  });
  return core;
}

test('S217 on a full disk a tool with an effect does not run, and the person is told why', async () => {
  const core = house(({ store }) => {
    const pages = Number(store.prepare('PRAGMA page_count').get()?.['page_count']);
    store.db.exec(`PRAGMA max_page_count = ${pages}`);
  });
  const outcome = await core.send('change it').ended;
  expect(ran).toEqual([]);
  expect(outcome).toMatchObject({
    status: 'error',
    error: { message: expect.stringContaining('cannot write'), fix: expect.stringContaining('free space') },
  });
  expect(core.store.prepare('SELECT * FROM tool_calls').all()).toEqual([]);
  // With room again, all that had happened is on record, and the chain holds.
  core.store.db.exec('PRAGMA max_page_count = 1000000');
  core.store.commit(() => {});
  const kinds = core.store
    .prepare('SELECT kind FROM journal')
    .all()
    .map((row) => row['kind']);
  expect(kinds).toContain('tool.decided');
  expect(await verifyChain(core.store, readHead(core.journal.headPath), { isLive: true })).toMatchObject({
    whole: true,
  });
});

test('the same call runs when there is room', async () => {
  const core = house(() => {});
  expect(await core.send('change it').ended).toMatchObject({ status: 'ok' });
  expect(ran).toEqual(['one']);
});

test('a head that cannot be written stops everything before it begins', async () => {
  const core = startCore({ toolCaller, model: () => callFor('write', { text: 'two' }) });
  ends.push(() => {
    core.store.db.close();
    rmSync(core.folder, { recursive: true });
  });
  mkdirSync(core.journal.headPath);
  expect(() => core.send('change it')).toThrow('state.sqlite-head');
  expect(ran).toEqual([]);
});
