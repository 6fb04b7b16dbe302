// When the log goes over into the database, and what becomes of a copy that was made over that moment.
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore, type Store } from '../open.ts';
import { keepCheckpoints } from './checkpoints.ts';
import { openOrRestore } from './restore.ts';
import { takeSnapshot } from './snapshots.ts';

let folder = '';
let store: Store;
let clock = 1_000_000;
let taken: Promise<string>[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-checkpoints-'));
  mkdirSync(join(folder, 'live'));
  store = openStore(join(folder, 'live', 'state.sqlite'));
  taken = [];
  seq = 0;
  let takenAt = Number.NEGATIVE_INFINITY;
  const take = async (): Promise<void> => {
    takenAt = clock;
    taken.push(takeSnapshot(store, join(folder, 'live', 'snapshots'), new Date(clock)));
    await taken.at(-1);
  };
  keepCheckpoints(store, { take, takenAt: () => takenAt }, () => clock);
});
afterEach(() => {
  store.db.close();
  rmSync(folder, { recursive: true, force: true });
});

let seq = 0;
/** Ninety pages or so each, one a second. */
function write(count: number, stepMs = 1_000): void {
  for (let n = 0; n < count; n++) {
    clock += stepMs;
    store.commit(
      () => void store.prepare(`INSERT INTO journal VALUES (?, 1, 'k', ?, '')`).run(++seq, 'x'.repeat(90_000)),
    );
  }
}
const size = (): number => statSync(store.path).size;

test('a log that grows gets a snapshot first, and goes over into the database only well after it', async () => {
  const empty = size();
  while (taken.length === 0) write(1);
  expect(store.logPages()).toBeGreaterThanOrEqual(6_000);
  await taken[0];
  expect(size()).toBe(empty);
  write(80, 100);
  expect([taken.length, size(), store.logPages() > 12_000]).toEqual([1, empty, true]);
  clock += 11_000;
  write(1);
  expect(size()).toBeGreaterThan(10_000_000);
  write(1);
  expect(store.logPages()).toBeLessThan(200);
  // The next one is due ten minutes later, however much is written.
  write(70, 1);
  expect(taken).toHaveLength(1);
  clock += 10 * 60_000;
  write(1);
  expect(taken).toHaveLength(2);
  await taken[1];
});

test('a log that cannot go over, as on a full disk, undoes nothing that was committed, and does nothing of it twice', () => {
  let done = 0;
  const full = (): never => {
    throw new Error('database or disk is full');
  };
  const failing: Store = { ...store, logPages: () => 20_000, checkpoint: full };
  keepCheckpoints(failing, { take: async () => {}, takenAt: () => clock - 60_000 }, () => clock);
  store.defer(() => {
    done += 1;
  });
  expect(() => write(2)).not.toThrow();
  expect([done, seq]).toEqual([1, 2]);
});

test('N11 a clock that was set back stops neither snapshots nor that the log goes over', async () => {
  while (taken.length === 0) write(1);
  await taken[0];
  clock -= 900_000;
  write(1);
  expect(taken).toHaveLength(2);
  await taken[1];
  write(80, 1_000);
  expect(store.logPages()).toBeLessThan(6_000);
});

test('S232 a copy that has the database of before and the log of after is torn: a start on it knows what the snapshot knew', async () => {
  while (taken.length === 0) write(1);
  const known = seq;
  await taken[0];
  write(50, 1);
  const copy = join(folder, 'copy');
  mkdirSync(copy);
  copyFileSync(store.path, join(copy, 'state.sqlite'));
  cpSync(join(folder, 'live', 'snapshots'), join(copy, 'snapshots'), { recursive: true });
  write(120, 100);
  expect(store.logPages()).toBeLessThan(6_000);
  copyFileSync(`${store.path}-wal`, join(copy, 'state.sqlite-wal'));
  const opened = openOrRestore(join(copy, 'state.sqlite'), join(copy, 'snapshots'), new Date(2_000));
  expect(opened.told).toMatch(/^the database was damaged .*: restored .*snapshots.*, kept the damaged one as/);
  expect(opened.store.prepare('SELECT count(*) AS n, max(seq) AS last FROM journal').get()).toEqual({
    n: known,
    last: known,
  });
  opened.store.close();
});
