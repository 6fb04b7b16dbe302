import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { openCheckpoints } from './checkpoints.ts';
import { createUndo } from './undo.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function open(more: { maxBytes?: number; now?: () => number } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'hardshell-undo-'));
  folders.push(folder);
  const top = join(folder, 'workspace');
  const state = join(folder, 'checkpoints');
  mkdirSync(top);
  const again = () => openCheckpoints({ folder: state, top, now: Date.now, ...more });
  return { folder, top, state, again, points: again(), at: (path: string) => join(top, path) };
}
type House = ReturnType<typeof open>;

async function turn({ points }: House, id: string, change: () => void): Promise<void> {
  await points.before(id, 'main');
  change();
  await points.ended(id);
}
const filesIn = (folder: string): string[] => readdirSync(folder, { recursive: true }).map(String);

test('a file that two turns may have changed at the same time is nobody’s to bring back unless that is forced', async () => {
  const house = open();
  writeFileSync(house.at('shared'), 'start');
  await house.points.before('one', 'first');
  writeFileSync(house.at('alone'), '1');
  await house.points.before('two', 'second');
  writeFileSync(house.at('shared'), '2');
  await house.points.ended('two');
  await house.points.ended('one');
  await turn(house, 'three', () => writeFileSync(house.at('late'), '3'));
  const preview = await house.points.preview({ turnId: 'one' });
  expect(preview.changes.map(({ path }) => path)).toEqual(['alone']);
  expect(preview.conflicts).toEqual([
    { path: 'shared', why: expect.stringContaining('two (second) ran at the same time') },
  ]);
  await house.points.apply({ turnId: 'one', force: true });
  expect(readFileSync(house.at('shared'), 'utf8')).toBe('start');
  expect(existsSync(house.at('late'))).toBe(true);
  await house.points.apply({ turnId: 'one', all: true });
  expect(filesIn(house.top)).toEqual(['shared']);
  expect((await house.points.list()).filter(({ kind, undoneBy }) => kind === 'turn' && undoneBy === '')).toEqual([]);
});

test('a later turn that changed the same file is named', async () => {
  const house = open();
  await turn(house, 'earlier-turn', () => writeFileSync(house.at('note'), 'a'));
  await turn(house, 'later-turn', () => writeFileSync(house.at('note'), 'b'));
  const { changes, conflicts } = await house.points.preview({ turnId: 'earlier-turn' });
  expect(changes).toEqual([]);
  expect(conflicts).toEqual([{ path: 'note', why: 'changed since by turn later-tu (main)' }]);
});

test('while a turn is changing files nothing is brought back', async () => {
  const house = open();
  await turn(house, 'done', () => writeFileSync(house.at('x'), 'x'));
  await house.points.before('busy', 'main');
  await expect(house.points.apply({})).rejects.toMatchObject({ code: 'UNDO_BUSY' });
  await house.points.ended('busy');
  await expect(house.points.apply({})).resolves.toMatchObject({ removed: ['x'] });
});

test('pipes are not opened, setuid does not come back, heaps are left alone, and all of it is said', async () => {
  const house = open();
  execFileSync('mkfifo', [house.at('pipe')]);
  writeFileSync(house.at('tool'), 'x');
  chmodSync(house.at('tool'), 0o4755);
  mkdirSync(house.at('node_modules/left'), { recursive: true });
  await turn(house, 'wild', () => {
    rmSync(house.at('pipe'));
    rmSync(house.at('tool'));
    rmSync(house.at('node_modules'), { recursive: true });
    execFileSync('mkfifo', [house.at('other')]);
  });
  const done = await house.points.apply({});
  expect(done.cannot.map(({ path, why }) => `${path}: ${why}`)).toEqual([
    'pipe: it was a device, pipe or socket',
    expect.stringContaining('node_modules: a folder that is made by a command'),
  ]);
  expect(existsSync(house.at('other'))).toBe(false);
  expect(statSync(house.at('tool')).mode & 0o7777).toBe(0o755);
});

test('without room for a copy it says so, before the call and at the undo, and fills nothing', async () => {
  const house = open({ maxBytes: 100_000 });
  writeFileSync(house.at('small'), 's');
  writeFileSync(house.at('large'), Buffer.alloc(200_000, 1));
  expect(await house.points.before('t', 'main')).toContain('no room for a copy of 1 files');
  rmSync(house.at('large'));
  rmSync(house.at('small'));
  await house.points.ended('t');
  const done = await house.points.apply({});
  expect(done.restored).toEqual(['small']);
  expect(done.cannot).toEqual([{ path: 'large', why: 'there was no room on the disk for a copy' }]);
});

test('when no checkpoint can be made the call runs, its result says so once, and the journal knows why', async () => {
  const house = open();
  rmSync(house.state, { recursive: true });
  writeFileSync(house.state, 'not a folder');
  const entries: [string, object][] = [];
  const silent = { debug() {}, info() {}, warn() {}, error() {}, reopen() {}, close() {}, file: '' };
  const undo = createUndo({ stateDir: house.folder, workspaceDir: house.top, log: silent });
  undo.attach({ journal: { record: (kind, body) => void entries.push([kind, body]) }, runs: { subscribe: () => {} } });
  const call = { turnId: 'run', sessionKey: 'main' };
  await undo.before(call, [{ kind: 'read' }]);
  expect(entries).toEqual([]);
  await undo.before(call, [{ kind: 'write' }]);
  await undo.before(call, [{ kind: 'run', where: 'sandbox' }]);
  expect(entries).toEqual([['undo.checkpoint', { run: 'run', reason: expect.stringContaining('not a folder') }]]);
  const run = undo.telling(async () => ({ text: 'Wrote it.' }));
  const { signal } = new AbortController();
  expect((await run(call, signal)).text).toMatch(/^Wrote it\.\n\(not undoable: .*not a folder.*\)$/);
  expect((await run(call, signal)).text).toBe('Wrote it.');
});

test('links that are swapped while it restores lead nowhere: nothing outside is written or removed', async () => {
  const house = open();
  const outside = join(house.folder, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'f1'), 'precious');
  const fill = (): void => {
    mkdirSync(house.at('d'), { recursive: true });
    for (let i = 0; i < 40; i++) writeFileSync(house.at(`d/f${i}`), `old ${i}`);
  };
  fill();
  await turn(house, 'away', () => {
    for (let i = 0; i < 40; i++) rmSync(house.at(`d/f${i}`));
    for (let i = 0; i < 40; i++) writeFileSync(house.at(`d/new${i}`), 'new');
  });
  writeFileSync(join(outside, 'new1'), 'precious');
  const stop = new SharedArrayBuffer(8);
  const worker = new Worker(
    `const { renameSync, symlinkSync, unlinkSync } = require('node:fs');
     const { workerData: { top, outside, stop } } = require('node:worker_threads');
     const view = new Int32Array(stop);
     while (Atomics.load(view, 0) === 0) {
       try { renameSync(top + '/d', top + '/aside'); symlinkSync(outside, top + '/d'); } catch {}
       try { unlinkSync(top + '/d'); } catch {}
       try { renameSync(top + '/aside', top + '/d'); } catch {}
       Atomics.add(view, 1, 1);
     }`,
    { eval: true, workerData: { top: house.top, outside, stop } },
  );
  await once(worker, 'online');
  for (let round = 0; round < 12; round++)
    await house.points.apply({ turnId: 'away', all: true, force: true }).catch(() => {});
  Atomics.store(new Int32Array(stop), 0, 1);
  await once(worker, 'exit');
  expect(Atomics.load(new Int32Array(stop), 1)).toBeGreaterThan(100);
  expect(filesIn(outside).sort()).toEqual(['f1', 'new1']);
  expect(readFileSync(join(outside, 'f1'), 'utf8')).toBe('precious');
  await house.points.apply({ turnId: 'away', all: true, force: true });
  expect(filesIn(house.at('d'))).toHaveLength(40);
});

test('killed in the middle of an undo, the next one finishes it, and leaves no part of a file', async () => {
  const house = open();
  for (let i = 0; i < 300; i++) writeFileSync(house.at(`f${i}`), `old ${i}\n`.repeat(2_000));
  await turn(house, 'rewrite', () => {
    for (let i = 0; i < 300; i++) writeFileSync(house.at(`f${i}`), 'new');
  });
  const script = `
    const { openCheckpoints } = await import(${JSON.stringify(join(import.meta.dirname, 'checkpoints.ts'))});
    const points = openCheckpoints({ folder: ${JSON.stringify(house.state)}, top: ${JSON.stringify(house.top)}, now: Date.now });
    await points.apply({});`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
  const isOld = (name: string): boolean => readFileSync(house.at(name), 'utf8').startsWith('old');
  while (!isOld('f20') && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 1));
  child.kill('SIGKILL');
  await once(child, 'exit');
  const names = readdirSync(house.top).filter((name) => name.startsWith('f'));
  const brought = names.filter(isOld).length;
  expect(brought).toBeGreaterThan(0);
  expect(brought).toBeLessThan(300);
  const next = house.again();
  expect(await next.preview({})).toMatchObject({ resumes: true, turn: { turnId: 'rewrite' } });
  const done = await next.apply({});
  expect(done.restored).toHaveLength(300 - brought);
  expect(names.every(isOld)).toBe(true);
  expect(readdirSync(house.top)).toHaveLength(300);
  await expect(next.apply({})).rejects.toMatchObject({ code: 'NOTHING_TO_UNDO' });
  // The undo as a whole can be undone, what the killed one did as well.
  await next.apply({ turnId: done.undoId });
  expect(names.some(isOld)).toBe(false);
});

test('what is old goes, the newest stay, and with it goes what only it needed', async () => {
  let nowMs = Date.now();
  const house = open({ now: () => nowMs });
  for (let i = 0; i < 30; i++) {
    await turn(house, `turn-${i}`, () => writeFileSync(house.at('note'), `version ${i}`));
    nowMs += 60_000;
  }
  const before = filesIn(join(house.state, 'objects')).length;
  nowMs += 8 * 24 * 60 * 60_000;
  await house.points.prune();
  expect(await house.points.list()).toHaveLength(20);
  expect(filesIn(join(house.state, 'objects')).length).toBeLessThan(before - 10);
  await house.points.apply({ turnId: 'turn-10' }).catch(() => {});
  await house.points.apply({ turnId: 'turn-10', all: true });
  expect(readFileSync(house.at('note'), 'utf8')).toBe('version 9');
});

test('the store is nobody else’s to read', async () => {
  const house = open();
  writeFileSync(house.at('secret'), 'secret');
  await turn(house, 't', () => symlinkSync('/etc/passwd', house.at('link')));
  const paths = filesIn(house.state).map((path) => join(house.state, path));
  expect(paths.length).toBeGreaterThan(3);
  for (const path of paths) expect(statSync(path).mode & 0o077, path).toBe(0);
});

test('an undo of thousands of files answers with the first thousand and with how many there were', async () => {
  const house = open();
  await turn(house, 'many', () => {
    for (let i = 0; i < 1_200; i++) writeFileSync(house.at(`f${i}`), '');
  });
  const preview = await house.points.preview({});
  expect(preview.changes).toHaveLength(1_000);
  expect(preview.changeCount).toBe(1_200);
  expect(await house.points.apply({})).toMatchObject({ removedCount: 1_200, restoredCount: 0 });
  expect(readdirSync(house.top)).toEqual([]);
});

test('what was kept of one workspace is never put into another', async () => {
  const house = open();
  await turn(house, 'here', () => writeFileSync(house.at('x'), 'x'));
  const other = join(house.folder, 'other');
  mkdirSync(other);
  const points = openCheckpoints({ folder: house.state, top: other, now: Date.now });
  expect(await points.list()).toEqual([]);
  await expect(points.apply({ turnId: 'here' })).rejects.toMatchObject({ code: 'TURN_UNKNOWN' });
});
