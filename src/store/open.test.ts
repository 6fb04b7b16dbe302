// The database as files on disk: durable commits, damage, restoring, a disk that refuses.
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HardshellError } from '../platform/errors.ts';
import { markRunning, openStore } from './open.ts';
import { openOrRestore } from './rescue/restore.ts';
import { takeSnapshot } from './rescue/snapshots.ts';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-store-'));
  path = join(folder, 'state.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const put = (store: ReturnType<typeof openStore>, key: string): void =>
  store.commit(() => void store.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(key, 'v'));
const has = (store: ReturnType<typeof openStore>, key: string): boolean =>
  store.prepare('SELECT 1 AS found FROM meta WHERE key = ?').get(key) !== undefined;

test('what commit() returned from is there after the process is gone, and the file is private', () => {
  const store = openStore(path);
  put(store, 'a');
  store.db.close();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const again = openStore(path);
  expect(has(again, 'a')).toBe(true);
  again.close();
});

test('a transaction that throws leaves nothing, and what was deferred rides with the next one', () => {
  const store = openStore(path);
  store.defer(() => void store.prepare(`INSERT INTO meta VALUES ('late', '1')`).run());
  expect(() => store.commit(() => { put2(); throw new Error('no'); })).toThrow('no'); // biome-ignore format: short
  expect([has(store, 'half'), has(store, 'late')]).toEqual([false, false]);
  put(store, 'b');
  expect(has(store, 'late')).toBe(true);
  store.close();
  function put2(): void {
    store.prepare(`INSERT INTO meta VALUES ('half', '1')`).run();
  }
});

test('a damaged database is replaced by the newest sound snapshot, and the damaged file is kept', async () => {
  const store = openStore(path);
  markRunning(store);
  put(store, 'kept');
  await takeSnapshot(store, join(folder, 'snapshots'), new Date(1_000));
  store.db.close();
  scribble(path);
  const { store: restored, restoredFrom, brokenKept } = openOrRestore(path, join(folder, 'snapshots'), new Date(2_000));
  expect(has(restored, 'kept')).toBe(true);
  expect(restoredFrom).toContain('snapshots');
  expect(existsSync(brokenKept ?? '')).toBe(true);
  restored.close();
});

test('a damaged database without a snapshot is left as it is, with one line that says what to do', () => {
  writeFileSync(path, 'this is not a database, and long enough to be looked at as one'.repeat(20));
  const before = statSync(path).size;
  let error: unknown;
  try {
    openOrRestore(path, join(folder, 'snapshots'), new Date());
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(HardshellError);
  expect((error as HardshellError).message).toMatch(/is damaged \(.*\), and there is no snapshot to restore$/);
  expect((error as HardshellError).fix).toContain('mv ');
  expect(statSync(path).size).toBe(before);
});

test('three snapshots are kept, no half one among them', async () => {
  const store = openStore(path);
  for (let n = 1; n <= 5; n++) await takeSnapshot(store, join(folder, 'snapshots'), new Date(n * 1_000));
  expect(readdirSync(join(folder, 'snapshots'))).toHaveLength(3);
  store.close();
});

test('a snapshot that could not be finished leaves nothing behind', async () => {
  const store = openStore(path);
  // The place of the finished copy is taken by a folder, so that only the last step fails.
  const stamp = new Date(9_000).toISOString().replace(/[-:.]/g, '');
  mkdirSync(join(folder, 'snapshots', `state-${stamp}.sqlite`, 'taken'), { recursive: true });
  await expect(takeSnapshot(store, join(folder, 'snapshots'), new Date(9_000))).rejects.toThrow(/cannot move/);
  expect(readdirSync(join(folder, 'snapshots'))).toEqual([`state-${stamp}.sqlite`]);
  store.close();
});

test('a disk that refuses is said as such, and the store works again when there is room', () => {
  const store = openStore(path);
  store.db.exec('PRAGMA max_page_count = 60');
  const big = 'x'.repeat(100_000);
  expect(() => store.commit(() => void store.prepare('INSERT INTO meta VALUES (?, ?)').run('big', big))).toThrow(
    /cannot write .*full/,
  );
  store.db.exec('PRAGMA max_page_count = 1000000');
  put(store, 'after');
  expect([has(store, 'big'), has(store, 'after')]).toEqual([false, true]);
  store.close();
});

test('what cannot be opened is said with the file and what to look at, not as a bug of ours', () => {
  mkdirSync(path);
  expect(() => openStore(path)).toThrow(/^cannot open .*state\.sqlite: unable to open database file$/);
});

test('what was deferred is not lost to a transaction that another program kept from beginning', () => {
  const store = openStore(path);
  store.db.exec('PRAGMA busy_timeout = 1');
  const other = openStore(path);
  other.db.exec('BEGIN IMMEDIATE');
  store.defer(() => void store.prepare(`INSERT INTO meta VALUES ('late', '1')`).run());
  expect(() => store.commit(() => {})).toThrow(/another program holds/);
  other.db.exec('ROLLBACK');
  other.db.close();
  put(store, 'next');
  expect(has(store, 'late')).toBe(true);
  store.close();
});

test('a database of a newer version is refused, not changed', () => {
  const store = openStore(path);
  store.db.exec('PRAGMA user_version = 99');
  store.db.close();
  expect(() => openStore(path)).toThrow(/newer version/);
});

/** Overwrites pages in the middle, as a bad disk does. */
function scribble(file: string): void {
  const fd = openSync(file, 'r+');
  for (let at = 1_024; at < statSync(file).size; at += 1_024) writeSync(fd, Buffer.alloc(200, 0xa5), 0, 200, at);
  closeSync(fd);
  for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true });
}
