// The offline model with the real tools, the real policy and a real folder: what it says must be what is on the disk.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createOffline } from '../../src/models/offline.ts';
import type { ModelMessage } from '../../src/models/provider.ts';
import { decide } from '../../src/policy/decide.ts';
import { judgeSteering } from '../../src/policy/steering.ts';
import { createProcesses } from '../../src/sandbox/background/processes.ts';
import { DEFAULT_LIMITS } from '../../src/sandbox/driver.ts';
import { label } from '../../src/store/label.ts';
import { createToolCaller } from '../../src/tools/call.ts';
import { TOOLS, toolSchemas } from '../../src/tools/registry.ts';
import { ask, requestOf } from '../support/model-run.ts';
import { reachOn } from '../support/reach.ts';
import { FORGETFUL } from '../support/remembering.ts';
import { OWNER_DM } from '../support/speaker.ts';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'offline-'));
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
});
const get = (name: string): string => readFileSync(join(folder, name), 'utf8');
const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);

/** One turn, as the agent makes it. */
async function say(text: string): Promise<string> {
  const nothing = (): void => {};
  const callTool = createToolCaller({
    tools: TOOLS,
    decide: (call, effects) => decide(call, effects, judgeSteering(effects)),
    where: () => 'sandbox',
    openEnv: async (_call, signal) => ({
      ...FORGETFUL,
      callServer: () => Promise.reject(new Error('there is no server')),
      browser: () => Promise.reject(new Error('there is no browser')),
      files: reachOn(folder),
      sandbox: null,
      sandboxReason: 'none is installed',
      limits: DEFAULT_LIMITS,
      environment: {},
      processes: createProcesses({ now: Date.now, record: nothing }),
      signal,
      web: () => Promise.reject(new Error('there is no web')),
      send: () => ({ ids: [1], leavesAtMs: 0 }),
      change: () => Promise.reject(new Error('not here')),
      mail: () => {
        throw new Error('not here');
      },
    }),
    askOwner: async () => ({ kind: 'no', why: 'the owner said no', fix: '' }),
    decided: nothing,
    started: nothing,
    ended: nothing,
    failed: (_call, error) => expect.fail(String(error)),
  });
  const { signal } = new AbortController();
  const messages: ModelMessage[] = [{ role: 'user', text }];
  for (let round = 0; round < 6; round++) {
    const reply = await ask(createOffline(), requestOf('', { messages, tools: toolSchemas(TOOLS) }));
    if (reply.stop !== 'tools') return reply.text;
    messages.push({ role: 'assistant', text: reply.text, toolCalls: reply.calls });
    for (const { id, name, args } of reply.calls) {
      const call = {
        turnId: 't',
        sessionKey: 's',
        callId: id,
        name,
        args,
        context: label('owner', 'owner'),
        agentId: 'main',
        speaker: OWNER_DM,
      };
      messages.push({ role: 'tool', results: [{ callId: id, name, ...(await callTool(call, signal)) }] });
    }
  }
  return expect.fail('it goes in circles');
}

test('lists, writes, reads, appends and edits what is asked', async () => {
  expect(await say('list the files in my workspace')).toContain('(empty)');
  expect(await say('write "buy milk" to todo.txt')).toBe('I wrote `todo.txt` (8 characters).');
  expect(await say('append "call Anna" to todo.txt')).toContain('I added `call Anna`');
  expect(await say('append "call Anna" to todo.txt')).toContain('I added');
  expect(get('todo.txt')).toBe('buy milk\ncall Anna\ncall Anna\n');
  expect(await say('replace "milk" with "bread" in todo.txt')).toBe('I changed `todo.txt`.');
  expect(await say('read todo.txt')).toContain('buy bread\ncall Anna\ncall Anna\n');
  expect(await say('ls')).toMatch(/todo\.txt {2}\d+/);
  expect(await say('append "new" to fresh/log.txt')).toContain('I added');
  expect(get('fresh/log.txt')).toBe('new\n');
});

test('remembers from the first fact on, and tells what it knows', async () => {
  expect(await say('what do you remember?')).toContain('Nothing yet');
  await say('remember that my sister is called Anna');
  await say('remember that tea is at four');
  expect(get('MEMORY.md')).toBe('# Memory\n\n- my sister is called Anna\n- tea is at four\n');
  put('MEMORY.md', '# Memory\n');
  expect(await say('remember that I like jam')).toContain('I will remember: I like jam');
  expect(get('MEMORY.md')).toBe('# Memory\n- I like jam\n');
  expect(await say('what do you remember?')).toContain('- I like jam');
});

test('adds to a file that is too long to be shown whole, and loses nothing of it', async () => {
  for (const ending of ['\n', '']) {
    const long = Array.from({ length: 9_000 }, (_, i) => `line ${i}`).join('\n') + ending;
    put('long.txt', long);
    expect(await say('append "the end" to long.txt')).toContain('I added');
    expect(get('long.txt').trimEnd()).toBe(`${long.trimEnd()}\nthe end`);
  }
});

test('says what was refused, and why, and the disk agrees', async () => {
  put('SOUL.md', 'calm');
  const denied = await say('write "obey" to SOUL.md');
  expect(denied).toMatch(/^I could not write `SOUL\.md`.*the owner said no/s);
  expect(get('SOUL.md')).toBe('calm');
  expect(await say('run ls')).toMatch(/^I could not run `ls`.*exec is off.*none is installed/s);
  expect(await say('read ../../etc/passwd')).toMatch(/^I could not read/);
  expect(await say('replace "x" with "y" in SOUL.md')).toMatch(/^I could not change `SOUL\.md`/);
  expect(await say('read nothing.txt')).toContain('there is no such file');
});
