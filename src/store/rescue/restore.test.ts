// A start over a database that is cut, gone or damaged: what is sound is used, what is broken is kept, all of it is told.
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore, type Store } from '../open.ts';
import { openOrRestore } from './restore.ts';
import { takeSnapshot } from './snapshots.ts';
import { walDamage } from './wal.ts';

let folder = '';
let path = '';
let snapshots = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-restore-'));
  path = join(folder, 'live', 'state.sqlite');
  snapshots = join(folder, 'snapshots');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const entries = (store: Store): number => Number(store.prepare('SELECT count(*) AS n FROM journal').get()?.['n']);
const write = (store: Store, from: number, to: number): void => {
  for (let seq = from; seq <= to; seq++) {
    store.commit(() => void store.prepare(`INSERT INTO journal VALUES (?, 1, 'k', ?, '')`).run(seq, 'x'.repeat(900)));
  }
};

/** The files as a killed gateway leaves them: `count` entries, of which the newest snapshot has `inSnapshot`. */
async function killedAfter(count: number, inSnapshot = 0): Promise<void> {
  const work = join(folder, 'work');
  rmSync(work, { recursive: true, force: true });
  for (const dir of [work, join(folder, 'live')]) mkdirSync(dir, { recursive: true });
  const store = openStore(join(work, 'state.sqlite'));
  write(store, 1, inSnapshot);
  if (inSnapshot > 0) await takeSnapshot(store, snapshots, new Date(1_000));
  write(store, inSnapshot + 1, count);
  for (const part of ['', '-wal', '-shm']) copyFileSync(join(work, `state.sqlite${part}`), path + part);
  store.close();
}

const scribble = (file: string, at: number, length = 64): void => {
  const fd = openSync(file, 'r+');
  writeSync(fd, Buffer.alloc(length, 0xa5), 0, length, at);
  closeSync(fd);
};
const start = () => openOrRestore(path, snapshots, new Date(2_000));

test('what a killed gateway leaves is sound: nothing is told, nothing is kept, nothing is lost', async () => {
  await killedAfter(20, 5);
  expect(walDamage(path)).toBeNull();
  const opened = start();
  expect({ ...opened, store: entries(opened.store) }).toEqual({
    store: 20,
    told: null,
    restoredFrom: null,
    brokenKept: null,
  });
  opened.store.close();
});

test('a log that lacks its unfinished end is sound, and so is one with leftovers of an earlier round', async () => {
  await killedAfter(20);
  truncateSync(`${path}-wal`, statSync(`${path}-wal`).size - 700);
  expect(walDamage(path)).toBeNull();
  const store = openStore(path);
  store.db.exec('PRAGMA wal_checkpoint(FULL)');
  write(store, 100, 101);
  expect(walDamage(path)).toBeNull();
  store.close();
});

test('a database that is cut to nothing or gone is taken from the newest snapshot, never begun anew over it', async () => {
  for (const spoil of [() => truncateSync(path, 0), () => rmSync(path)]) {
    await killedAfter(20, 20);
    for (const part of ['-wal', '-shm']) rmSync(path + part);
    spoil();
    const opened = start();
    expect(entries(opened.store)).toBe(20);
    expect(opened.told).toMatch(/^the database was gone or empty: restored .*snapshots/);
    expect(opened.brokenKept).toBeNull();
    opened.store.close();
  }
});

test('N11 what is taken after the clock was set back is the newest snapshot all the same, and stays', async () => {
  await killedAfter(20, 5);
  const store = openStore(path);
  for (const year of ['2036', '2037', '2038']) await takeSnapshot(store, snapshots, new Date(year));
  write(store, 21, 25);
  await takeSnapshot(store, snapshots, new Date('2026'));
  store.close();
  for (const part of ['', '-wal', '-shm']) rmSync(path + part, { force: true });
  const opened = start();
  expect(entries(opened.store)).toBe(25);
  expect(readdirSync(snapshots)).toHaveLength(3);
  opened.store.close();
});

test('a log damaged in the middle: the sound part is in use, the whole is kept, and the loss is told', async () => {
  await killedAfter(20, 3);
  const whole = readFileSync(`${path}-wal`);
  scribble(`${path}-wal`, Math.floor(whole.length * 0.75));
  const spoilt = readFileSync(`${path}-wal`);
  const opened = start();
  expect(entries(opened.store)).toBeGreaterThan(3);
  expect(entries(opened.store)).toBeLessThan(20);
  expect(opened.told).toMatch(/damaged \(\d+ changes at the end of its write-ahead log are damaged\): what is sound/);
  expect(readFileSync(`${opened.brokenKept}-wal`).equals(spoilt)).toBe(true);
  opened.store.close();
  const again = start();
  expect(again.told).toBeNull();
  again.store.close();
});

test('a log without its head, or none at all: the snapshot knows more, so it is taken', async () => {
  for (const spoil of [() => scribble(`${path}-wal`, 0, 32), () => rmSync(`${path}-wal`)]) {
    await killedAfter(20, 15);
    spoil();
    const opened = start();
    expect(entries(opened.store)).toBe(15);
    expect(opened.told).toMatch(
      /^the database was damaged \(.*write-ahead log.*\): restored .*, kept the damaged one as/,
    );
    expect(existsSync(opened.brokenKept ?? '')).toBe(true);
    opened.store.close();
  }
});

test('when no snapshot is sound either, every file stays as it was, and the command to begin anew takes all of them', async () => {
  await killedAfter(20, 5);
  scribble(path, 0, 100);
  scribble(`${path}-wal`, 0, 32);
  for (const name of readdirSync(snapshots)) writeFileSync(join(snapshots, name), 'x'.repeat(5_000));
  const before = readFileSync(`${path}-wal`);
  expect(start).toThrow(/damaged.*and no snapshot is sound/);
  expect(readdirSync(join(folder, 'live')).sort()).toEqual(['state.sqlite', 'state.sqlite-shm', 'state.sqlite-wal']);
  expect(readFileSync(`${path}-wal`).equals(before)).toBe(true);
  rmSync(snapshots, { recursive: true });
  let fix = '';
  try {
    start();
  } catch (error) {
    fix = (error as { fix: string }).fix;
  }
  expect(fix).toContain(`${path} ${path}-wal`);
});
