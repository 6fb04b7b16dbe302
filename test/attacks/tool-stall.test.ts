// Files, arguments and output that are made to keep a tool busy: a hijacked model could stop the gateway with one call,
// since no time limit and no abort reaches a loop that never waits (N12).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PermittedCall } from '../../src/policy/decide.ts';
import { DEFAULT_LIMITS } from '../../src/sandbox/driver.ts';
import { editTool } from '../../src/tools/edit.ts';
import { execTool } from '../../src/tools/exec.ts';
import { readTool } from '../../src/tools/read.ts';
import type { AnyTool, ToolEnv, ToolResult } from '../../src/tools/tool.ts';
import { reachOn } from '../support/reach.ts';
import { FORGETFUL } from '../support/remembering.ts';
import { longestStall } from '../support/stall.ts';

/** What they took before: from two seconds to a quarter of an hour. Other work shares the machine. */
const MOST_MS = 700;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-stall-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
});

const put = (text: string): void => writeFileSync(join(folder, 'file'), text);

async function run(tool: AnyTool, args: object, printed = ''): Promise<{ said: string; stallMs: number }> {
  let said = '';
  const result = { exitCode: 0, stdout: printed, stderr: '', truncated: false, durationMs: 1 };
  const sandbox = { driver: 'none', exec: async () => result, close: async () => {} };
  const signal = new AbortController().signal;
  const env = {
    ...FORGETFUL,
    files: reachOn(folder),
    sandbox,
    sandboxReason: '',
    limits: DEFAULT_LIMITS,
    signal,
  } as unknown as ToolEnv;
  const stallMs = await longestStall(async () => {
    said = await tool.run({} as PermittedCall, args, env).then(
      ({ text }: ToolResult) => text,
      (error: Error) => error.message,
    );
  });
  return { said, stallMs };
}

const edits: readonly [name: string, file: string, oldText: string][] = [
  ['hundred thousand lines that match but for the last', 'a\n'.repeat(200_000), `${'a \n'.repeat(100_000)}b`],
  [
    'a difference in the middle of a repetition',
    '\na'.repeat(400_000),
    `${'\na'.repeat(90_000)}\nb${'\na'.repeat(90_000)}`,
  ],
  ['empty lines', '\n'.repeat(900_000), `${'\n'.repeat(150_000)}x${'\n'.repeat(150_000)}`],
];
test.each(edits)('edit says no at once: %s', async (_, file, oldText) => {
  put(file);
  const { said, stallMs } = await run(editTool, { path: 'file', oldText, newText: 'x' });
  expect(said).toContain('oldText does not occur in file');
  expect(stallMs).toBeLessThan(MOST_MS);
});

test('edit does not build a text that it would refuse', async () => {
  put('a'.repeat(1_000));
  const { said, stallMs } = await run(editTool, {
    path: 'file',
    oldText: 'a',
    newText: 'b'.repeat(400_000),
    all: true,
  });
  expect(said).toContain('would become larger');
  expect(stallMs).toBeLessThan(MOST_MS);
});

test('read finds its lines in a file of sixteen million', async () => {
  put('\n'.repeat(15_999_000));
  const heapBefore = process.memoryUsage().heapUsed;
  const { said, stallMs } = await run(readTool, { path: 'file', offset: 10_000_000, limit: 5 });
  expect(said).toBe('\n\n\n\n\n[lines 10000000-10000004 of 15999000; go on with offset=10000005]');
  expect(stallMs).toBeLessThan(MOST_MS);
  expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(50_000_000);
});

const prints: readonly [name: string, printed: string][] = [
  ['one long line', 'a'.repeat(50_000)],
  ['an unfinished escape', `\x1b]${'a'.repeat(49_000)}`],
  ['an unfinished colour', `\x1b[${'0'.repeat(49_000)}`],
  ['line feeds before one letter', `${'\n'.repeat(49_000)}x`],
  ['returns', `${'a\r'.repeat(24_000)}b`],
];
test.each(prints)('exec shows at once what a command printed: %s', async (_, printed) => {
  const { stallMs } = await run(execTool, { command: 'true' }, printed);
  expect(stallMs).toBeLessThan(MOST_MS);
});
