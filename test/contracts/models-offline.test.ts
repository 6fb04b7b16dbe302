// The offline model: what it understands, what it asks the tools for, how honestly it reports, and that nothing at all can
// make it throw, hang or answer out of form.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createOffline } from '../../src/models/offline.ts';
import { type OfflineRequest, understand } from '../../src/models/offline-request.ts';
import type { ModelMessage } from '../../src/models/provider.ts';
import { ask, LS_TOOL, requestOf } from '../support/model-run.ts';

const TOOLS = ['ls', 'read', 'write', 'edit', 'exec'].map((name) => ({ ...LS_TOOL, name }));
const offline = createOffline();
/** Processor time, so that a busy machine does not make a test fail. */
const cpuMs = (): number => process.cpuUsage().user / 1_000;
type Answer = { readonly text: string; readonly isError?: boolean };

/** Talks with the model as the agent does: runs the tools by `answer` until it has nothing more to call. */
async function converse(text: string, ...answers: Answer[]) {
  const messages: ModelMessage[] = [{ role: 'user', text }];
  const calls: { name: string; args: unknown }[] = [];
  for (;;) {
    const outcome = await ask(offline, requestOf('', { messages, tools: TOOLS }));
    calls.push(...outcome.calls.map(({ name, args }) => ({ name, args })));
    if (outcome.stop !== 'tools') return { said: outcome.text, calls, outcome };
    messages.push({ role: 'assistant', text: outcome.text, toolCalls: outcome.calls });
    const results = outcome.calls.map(({ id, name }) => ({
      callId: id,
      name,
      isError: false,
      text: '',
      ...answers.shift(),
    }));
    messages.push({ role: 'tool', results });
  }
}

const SENTENCES: readonly [string, OfflineRequest][] = [
  ['hello', { kind: 'hello' }],
  ['Hi there!', { kind: 'hello' }],
  ['thanks!', { kind: 'thanks' }],
  ['help', { kind: 'help' }],
  ['What can you do?', { kind: 'help' }],
  ['list the files in my workspace', { kind: 'list', path: null }],
  ['Hi, can you please list my files?', { kind: 'list', path: null }],
  ["what's in the workspace?", { kind: 'list', path: null }],
  ['ls', { kind: 'list', path: null }],
  ['ls notes/2026', { kind: 'list', path: 'notes/2026' }],
  ['show me the files in the folder Notes.', { kind: 'list', path: 'Notes' }],
  ['which files are in "My Docs"?', { kind: 'list', path: 'My Docs' }],
  ['read notes.md', { kind: 'read', paths: ['notes.md'] }],
  ['please show me the contents of the file notes.md', { kind: 'read', paths: ['notes.md'] }],
  ['[Telegram Anna 10:30] cat a.txt and b.txt', { kind: 'read', paths: ['a.txt', 'b.txt'] }],
  ['[12 earlier messages are not shown]\n\nread a.txt', { kind: 'read', paths: ['a.txt'] }],
  ['read "my notes.md"', { kind: 'read', paths: ['my notes.md'] }],
  ['write "buy milk" to todo.txt', { kind: 'write', path: 'todo.txt', text: 'buy milk' }],
  [
    'create a file called notes.md with the content hello world',
    { kind: 'write', path: 'notes.md', text: 'hello world' },
  ],
  ['create notes.md with content:\nline 1\nline 2', { kind: 'write', path: 'notes.md', text: 'line 1\nline 2' }],
  ['write run.sh:\n```sh\necho hi\n```', { kind: 'write', path: 'run.sh', text: 'echo hi' }],
  ['write notes.md: hello', { kind: 'write', path: 'notes.md', text: 'hello' }],
  [
    'save I love it with all my heart to diary.txt',
    { kind: 'write', path: 'diary.txt', text: 'I love it with all my heart' },
  ],
  ['create empty.txt', { kind: 'write', path: 'empty.txt', text: '' }],
  ['append "call Anna" to todo.txt', { kind: 'append', path: 'todo.txt', text: 'call Anna' }],
  ['add to todo.txt: bread', { kind: 'append', path: 'todo.txt', text: 'bread' }],
  ['replace "milk" with "bread" in todo.txt', { kind: 'edit', path: 'todo.txt', oldText: 'milk', newText: 'bread' }],
  ['replace "a with b" with "c" in x.txt', { kind: 'edit', path: 'x.txt', oldText: 'a with b', newText: 'c' }],
  ['in todo.txt, change milk to bread', { kind: 'edit', path: 'todo.txt', oldText: 'milk', newText: 'bread' }],
  ['edit todo.txt: replace milk with ""', { kind: 'edit', path: 'todo.txt', oldText: 'milk', newText: '' }],
  ['run wc -l todo.txt', { kind: 'run', command: 'wc -l todo.txt' }],
  ['Run the command `ls -la | head`', { kind: 'run', command: 'ls -la | head' }],
  ["run 'a' && 'b'", { kind: 'run', command: "'a' && 'b'" }],
  ['$ for i in 1 2; do\n  echo $i\ndone', { kind: 'run', command: 'for i in 1 2; do\n  echo $i\ndone' }],
  ['remember that my sister is called Anna', { kind: 'remember', text: 'my sister is called Anna' }],
  ['What do you remember?', { kind: 'recall' }],
  ['write me a poem', { kind: 'unclear', example: 'write "buy milk" to todo.txt' }],
  ['read me a bedtime story', { kind: 'unclear', example: 'read notes.md' }],
  ['what is the capital of France?', { kind: 'unclear', example: null }],
  ['add some colour', { kind: 'unclear', example: 'append "call Anna" to todo.txt' }],
  ['', { kind: 'hello' }],
];
test.each(SENTENCES)('understands: %s', (sentence, request) => {
  expect(understand(sentence)).toEqual(request);
});

describe('reports', () => {
  test('it says what it is, what it can do and how to get a real model', async () => {
    const { said, outcome } = await converse('hello');
    for (const words of [
      'not a language model',
      'ANTHROPIC_API_KEY',
      'OPENAI_API_KEY',
      'models.providers',
      'openclaw.json',
      'remember',
    ]) {
      expect(said).toContain(words);
    }
    expect(outcome.events.filter(({ type }) => type === 'text').length).toBeGreaterThan(5);
    expect((await converse('who won the election?')).said).toMatch(/^I did not understand that, so I did nothing\./);
  });

  test('it shows what the tools found', async () => {
    const list = await converse('list the files in my workspace', { text: 'AGENTS.md\nSOUL.md' });
    expect(list.calls).toEqual([{ name: 'ls', args: {} }]);
    expect(list.said).toContain('AGENTS.md\nSOUL.md');
    const read = await converse(
      'read a.md and b.md',
      { text: 'x ``` y' },
      { text: 'b.md is not there', isError: true },
    );
    expect(read.calls).toEqual([
      { name: 'read', args: { path: 'a.md' } },
      { name: 'read', args: { path: 'b.md' } },
    ]);
    expect(read.said).toContain('````\nx ``` y\n````');
    expect(read.said).toContain('I could not read `b.md`');
    const run = await converse('$ echo hi', { text: 'hi\n' });
    expect(run.calls).toEqual([{ name: 'exec', args: { command: 'echo hi' } }]);
    expect(run.said).toContain('```\nhi\n```');
  });

  test('a refusal, a denied approval and a failed command are reported with their reason, never as done', async () => {
    for (const [sentence, reason] of [
      ['write x to SOUL.md', 'denied by the owner: SOUL.md steers every later conversation'],
      ['run rm -rf notes', 'exec is off: no sandbox driver could be opened'],
      ['replace a with b in todo.txt', 'oldText was not found'],
      ['remember that I am tall', 'the disk is full'],
      ['what do you remember', 'permission denied'],
    ] as const) {
      const { said } = await converse(sentence, { text: reason, isError: true });
      expect(said).toContain(reason);
      expect(said).toMatch(/could not/);
      expect(said).not.toMatch(/I wrote|I ran|I changed|I will remember/);
    }
  });

  test('remembering adds to MEMORY.md and leaves what is there alone', async () => {
    const begun = await converse('remember that tea is at four', { text: 'MEMORY.md does not exist', isError: true });
    expect(begun.calls).toEqual([
      { name: 'read', args: { path: 'MEMORY.md' } },
      { name: 'write', args: { path: 'MEMORY.md', content: '# Memory\n\n- tea is at four\n' } },
    ]);
    expect(begun.said).toContain('I will remember: tea is at four');
    const more = await converse('remember that I like jam', { text: '# Memory\n\n- a\n- a\n' });
    expect(more.calls[1]).toEqual({
      name: 'edit',
      args: { path: 'MEMORY.md', oldText: '- a\n- a\n', newText: '- a\n- a\n- I like jam\n' },
    });
    const failed = await converse(
      'remember that I like jam',
      { text: '- a\n' },
      { text: 'MEMORY.md changed meanwhile', isError: true },
    );
    expect(failed.said).toContain('MEMORY.md changed meanwhile');
    expect((await converse('what do you remember?', { text: '- tea is at four' })).said).toContain('tea is at four');
  });

  test('a command that ran and failed is told apart from one that did not run', async () => {
    const { said } = await converse('run false', { text: '[exit code 1]', isError: true });
    expect(said).toMatch(/^I ran `false` in the sandbox, and it failed \(exit code 1\)/);
  });

  test('a tool that is not there is said to be missing, not called', async () => {
    const outcome = await ask(offline, requestOf('run ls', { tools: [LS_TOOL] }));
    expect(outcome).toMatchObject({ stop: 'end', calls: [] });
    expect(outcome.text).toContain('`exec` is not available');
  });

  test('an abort ends it', async () => {
    const abort = new AbortController();
    let seen = 0;
    for await (const event of offline.stream(requestOf('hello'), abort.signal)) {
      if (event.type === 'end') expect(event.stop).toBe('aborted');
      if (++seen === 3) abort.abort();
    }
    expect(seen).toBeLessThan(6);
  });
});

describe('survives', () => {
  const verbs = [
    'read ',
    'ls ',
    'write ',
    'append ',
    'replace ',
    'run ',
    '$ ',
    'remember ',
    'create ',
    'in ',
    'edit ',
    '[x] ',
    'list ',
    '',
  ];
  const anyText = fc
    .tuple(fc.constantFrom(...verbs), fc.string({ unit: 'binary', maxLength: 300 }))
    .map(([verb, rest]) => verb + rest);
  const anyMessage: fc.Arbitrary<ModelMessage> = fc.oneof(
    fc.record({ role: fc.constant('user' as const), text: anyText }),
    fc.record({
      role: fc.constant('assistant' as const),
      text: anyText,
      toolCalls: fc.array(fc.record({ id: fc.string(), name: fc.string(), args: fc.jsonValue() })),
    }),
    fc.record({
      role: fc.constant('tool' as const),
      results: fc.array(fc.record({ callId: fc.string(), name: fc.string(), text: anyText, isError: fc.boolean() })),
    }),
  );

  test('any text in any history: a well-formed stream that ends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyMessage, { maxLength: 8 }), fc.subarray(TOOLS), async (messages, tools) => {
        const { stop, calls } = await ask(offline, requestOf('', { messages, tools }));
        expect(['end', 'tools']).toContain(stop);
        expect(stop === 'tools').toBe(calls.length > 0);
        for (const call of calls) expect(tools.some(({ name }) => name === call.name)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  test('pieces put together are the text, and no piece breaks a character', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 2_000 }), async (text) => {
        const { outcome, said } = await converse('read a.txt', { text });
        expect(said).toContain(text);
        for (const event of outcome.events) if (event.type === 'text') expect(event.delta.isWellFormed()).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  const HOSTILE = [
    'a',
    ' ',
    '"',
    '`',
    '\n',
    ' in ',
    ' with ',
    ': ',
    'a with b in ',
    '[',
    '$',
    '```\n',
    ' to x.txt',
    "'",
  ];
  test.each(HOSTILE)('100 kB of %j is understood within 50 ms, whatever it begins with', (unit) => {
    const body = unit.repeat(Math.ceil(100_000 / unit.length));
    for (const verb of verbs) {
      const began = cpuMs();
      understand(verb + body);
      expect(cpuMs() - began).toBeLessThan(50);
    }
  });

  test('adding to a long file takes no time either', async () => {
    for (const text of [
      'a\n'.repeat(50_000),
      '\n'.repeat(100_000),
      'a'.repeat(100_000),
      `${'ab\n'.repeat(33_000)}end`,
    ]) {
      const began = cpuMs();
      const { calls } = await converse('append x to a.txt', { text });
      expect(cpuMs() - began).toBeLessThan(200);
      expect(calls).toHaveLength(2);
    }
  });
});
