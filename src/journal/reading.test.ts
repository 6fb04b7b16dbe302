// What the record answers: by day, session, sender and tool, with the arguments that are kept, and what is unusual.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { label } from '../store/label.ts';
import { openStore, type Store } from '../store/open.ts';
import { openToolCalls } from '../store/tool-calls.ts';
import { openJournal } from './journal.ts';
import { hashOfArgs, KEEP_CALLS_MS, readLog } from './reading.ts';
import { readReport } from './report.ts';

const DAY = 86_400_000;
/** Noon, so that no time zone makes it night. */
const NOON = new Date(2026, 10, 21, 12).getTime();
let folder: string;
let store: Store;
let atMs: number;
let record: (kind: string, body: Record<string, unknown>) => void;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-record-'));
  store = openStore(join(folder, 'state.sqlite'));
  atMs = NOON;
  const journal = openJournal(store, () => atMs);
  store.commit(() => {});
  record = (kind, body) => store.commit(() => journal.record(kind, body));
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

let calls = 0;
function call(tool: string, args: Record<string, unknown>, more: Record<string, unknown> = {}): string {
  const id = `c${++calls}`;
  const known = { run: 'r1', call: id, tool, session: 'agent:main:main', sender: 'webchat:page' };
  record('tool.decided', {
    ...known,
    decision: 'allow',
    args: hashOfArgs(args),
    sources: ['web:evil.example'],
    ...more,
  });
  return id;
}
function keep(id: string, name: string, args: unknown, state: 'done' | 'unknown' = 'done'): void {
  const table = openToolCalls(store);
  store.commit(() => {
    table.start({ runId: 'r1', callId: id, name, args, effects: [], atMs, label: label('owner', 'owner') });
    table.close('r1', id, state, atMs);
  });
}
const today = (more: object = {}) =>
  readLog(store, { fromMs: NOON - DAY / 2, toMs: NOON + DAY / 2, limit: 100, ...more }, NOON);
const report = (whose: object = {}) =>
  readReport(store, { fromMs: NOON - DAY / 2, toMs: NOON + DAY / 2, ...whose }, NOON);

test('the log has of each decision its arguments, what became of it, and its sources', async () => {
  keep(call('exec', { command: 'git status' }, { effects: ['run:sandbox'] }), 'exec', { command: 'git status' });
  call('read', { path: 'a' }, { effects: ['read:a'] });
  call('exec', { command: 'rm x' }, { effects: ['run:sandbox'], decision: 'deny', code: 'X', key: 'tools.deny' });
  keep(call('write', { path: 'b' }, { effects: ['write:b'] }), 'write', { path: 'c' });
  const { entries } = await today({ kind: 'decision' });
  expect(entries.map((one) => one.call)).toEqual([
    { state: 'done', args: { command: 'git status' }, isSame: true },
    { state: 'only read', args: null, isSame: true },
    { state: 'did not run', args: null, isSame: true },
    { state: 'done', args: { path: 'c' }, isSame: false },
  ]);
  expect((await today({ tool: 'exec' })).entries).toHaveLength(2);
  expect((await today({ denied: true })).entries).toMatchObject([{ body: { code: 'X' } }]);
  expect(await today({ limit: 1, kind: 'decision' })).toMatchObject({
    total: 4,
    entries: [{ body: { tool: 'write' } }],
  });
});

test('arguments that are kept no longer are said to be, and what is of a run is found by session and sender', async () => {
  atMs = NOON - KEEP_CALLS_MS - DAY;
  call('exec', { command: 'old' }, { effects: ['run:sandbox'] });
  const old = await readLog(store, { fromMs: atMs - 1, toMs: atMs + 1, limit: 9, kind: 'decision' }, NOON);
  expect(old.entries).toMatchObject([{ call: { state: 'kept no longer', args: null } }]);
  atMs = NOON;
  record('message.accepted', { channel: 'telegram', sender: '42', session: 'agent:main:telegram:42', run: 'r2' });
  record('approval.requested', { id: 'a', run: 'r2', tool: 'exec' });
  record('approval.requested', { id: 'b', run: 'r3', tool: 'exec' });
  expect((await today({ sender: 'telegram:42' })).entries).toHaveLength(2);
  expect((await today({ session: 'agent:main:telegram:42', kind: 'approval' })).entries).toMatchObject([
    { body: { id: 'a' } },
  ]);
  expect((await today({ sender: 'telegram:4' })).entries).toEqual([]);
});

test('S217 the report answers which commands, files and requests there were, and names what is unusual', async () => {
  atMs = NOON - 3 * DAY;
  record('message.accepted', { channel: 'telegram', sender: '42', session: 's', run: 'r0' });
  keep(call('exec', { command: 'git log' }, { effects: ['run:sandbox'] }), 'exec', { command: 'git log' });
  call('web_fetch', {}, { effects: ['fetch:https://known.example/a'] });
  atMs = NOON;
  for (const command of ['git status', '/usr/bin/curl x'])
    keep(call('exec', { command }, { effects: ['run:sandbox'] }), 'exec', { command });
  keep(call('web_fetch', {}, { effects: ['fetch:https://known.example/b'] }), 'web_fetch', {});
  keep(call('web_fetch', {}, { effects: ['fetch:https://new.example/?q'] }), 'web_fetch', {}, 'unknown');
  for (let n = 0; n < 3; n++)
    call('exec', {}, { decision: 'deny', code: 'TOOL_DENIED', key: 'tools.deny', effects: ['run:sandbox'] });
  call('read', {}, { effects: ['read:notes.md'] });
  record('message.accepted', { channel: 'telegram', sender: '43', session: 's', run: 'r9' });
  record('config.changed', { changed: ['tools.deny'] });
  record('pairing.approved', { channel: 'telegram', kind: 'person', subject: '43', by: { command: 'openclaw' } });
  const found = await report();
  expect(found.commands.list.map(({ what }) => what)).toEqual(['git status', '/usr/bin/curl x']);
  expect(found.filesRead.list).toEqual([{ what: 'notes.md', count: 1 }]);
  expect(found.requests.list.map(({ what }) => what)).toEqual(['known.example', 'new.example']);
  expect(found.refusals.list).toEqual([{ what: 'exec: TOOL_DENIED (tools.deny)', count: 3 }]);
  expect(found.changes.list.map(({ what }) => what)).toEqual([expect.stringContaining('tools.deny')]);
  expect(found.access.list).toHaveLength(1);
  const unusual = found.unusual.map(({ what }) => what);
  for (const part of [
    'curl was run for the first',
    'new.example was asked',
    'nobody knows how',
    'refused 3 times',
    'telegram:43 wrote',
  ])
    expect(unusual).toContainEqual(expect.stringContaining(part));
  expect(unusual.join()).not.toMatch(/git|known\.example|telegram:42/);
});

test('S217 the report answers for one session or one sender, and what another did before is not the first time', async () => {
  atMs = NOON - 3 * DAY;
  record('config.changed', { changed: [] });
  atMs = NOON;
  const theirs = { session: 'agent:main:telegram:42', sender: 'telegram:42', effects: ['run:sandbox'] };
  keep(call('exec', { command: 'make' }, theirs), 'exec', { command: 'make' });
  for (const command of ['make all', 'tar x'])
    keep(call('exec', { command }, { effects: ['run:sandbox'] }), 'exec', { command });
  call('read', {}, { effects: ['read:mine.md'] });
  record('run.ended', { session: 'agent:main:main', run: 'r1' });
  const mine = await report({ session: 'agent:main:main' });
  expect(mine.commands.list.map(({ what }) => what)).toEqual(['make all', 'tar x']);
  expect(mine.unusual.map(({ what }) => what)).toEqual(['tar was run for the first time']);
  expect(mine.turns).toBe(1);
  const others = await report({ sender: 'telegram:42' });
  expect(others.commands.list.map(({ what }) => what)).toEqual(['make']);
  expect(others).toMatchObject({ turns: 0, filesRead: { total: 0 } });
});

test('acts at night are named, and with nothing to compare nothing is called new', async () => {
  atMs = new Date(2026, 10, 21, 3).getTime();
  keep(call('exec', { command: 'ls' }, { effects: ['run:sandbox'] }), 'exec', { command: 'ls' });
  const found = await report();
  expect(found.comparedSinceMs).toBeNull();
  expect(found.unusual.map(({ what }) => what)).toEqual(['1 acts between 0 and 5 at night']);
});
