// The chain and its head: every way of tampering with the record is found, a start that comes after it does not cover it
// up, and what the disk refuses is not told as done.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../store/open.ts';
import { chain, type Noted, verifyChain } from './chain.ts';
import { headPathOf, readHead, writeHead } from './head.ts';
import { openJournal } from './journal.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-journal-'));
  path = join(folder, 'state.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** One run of a program that writes, ended well. */
function writes(...kinds: string[]): void {
  const store = openStore(path);
  const journal = openJournal(store, () => 1_000);
  for (const kind of kinds) store.commit(() => journal.record(kind, { of: kind }));
  store.close();
}
async function walk(noted: Noted | null = null) {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return await verifyChain({ prepare: (sql) => db.prepare(sql) }, readHead(headPathOf(path)), { noted });
  } finally {
    db.close();
  }
}
function tamper(...sql: string[]): void {
  const db = new DatabaseSync(path);
  for (const one of sql) db.exec(one);
  db.close();
}
const first = async () => (await walk()).breaks[0];

test('what was written is whole, over several programs', async () => {
  writes('a', 'b', 'c');
  writes('d');
  expect(await walk()).toMatchObject({ whole: true, records: 5, first: { seq: 1 }, last: { seq: 5 } });
});

describe('S217 tampering is found, and stays found after the next start', () => {
  const TABLE: [string, string[], number, string][] = [
    ['a record is removed', ['DELETE FROM journal WHERE seq = 3'], 3, 'missing'],
    ['the first is removed', ['DELETE FROM journal WHERE seq = 1'], 1, 'missing'],
    ['a text is changed', [`UPDATE journal SET body = '{"of":"x"}' WHERE seq = 3`], 3, 'changed'],
    ['a time is changed', ['UPDATE journal SET at = 999 WHERE seq = 4'], 4, 'changed'],
    ['a hash is changed', [`UPDATE journal SET hash = 'x' WHERE seq = 2`], 2, 'changed'],
    ['two are swapped', ['UPDATE journal SET seq = 99 WHERE seq = 2', 'UPDATE journal SET seq = 2 WHERE seq = 3', 'UPDATE journal SET seq = 3 WHERE seq = 99'], 2, 'changed'], // biome-ignore format: one row a line
    ['one is put between', ['UPDATE journal SET seq = seq + 100 WHERE seq > 2', 'UPDATE journal SET seq = seq - 99 WHERE seq > 100', `INSERT INTO journal VALUES (3, 1000, 'x', '{}', 'x')`], 3, 'changed'], // biome-ignore format: one row a line
    ['the end is cut off', ['DELETE FROM journal WHERE seq > 3'], 4, 'cut'],
    ['everything is removed', ['DELETE FROM journal'], 1, 'cut'],
  ];
  test.each(TABLE)('%s', async (_name, sql, seq, what) => {
    writes('a', 'b', 'c', 'd');
    tamper(...sql);
    expect(await first()).toMatchObject({ seq, what });
    writes('e');
    expect((await walk()).whole).toBe(false);
    writes('f');
    expect((await walk()).whole).toBe(false);
  });

  test('one is added at the end, with the right hash', async () => {
    writes('a', 'b');
    const { last } = await walk();
    const hash = chain(last?.hash ?? '', 4, 1_000, 'x', '{}');
    tamper(`INSERT INTO journal VALUES (4, 1000, 'x', '{}', '${hash}')`);
    expect(await first()).toMatchObject({ seq: 4, what: 'added' });
    writes('c');
    expect(await first()).toMatchObject({ seq: 5, what: 'recorded', known: expect.stringContaining('1 records') });
  });

  test('an older copy of the whole database is put back', async () => {
    writes('a', 'b');
    copyFileSync(path, `${path}.old`);
    writes('c');
    copyFileSync(`${path}.old`, path);
    expect(await first()).toMatchObject({ seq: 4, what: 'cut' });
    writes('d');
    expect(await first()).toMatchObject({ what: 'recorded', known: expect.stringContaining('ended at 3') });
  });

  test('the head is removed with the end', async () => {
    writes('a', 'b', 'c');
    tamper('DELETE FROM journal WHERE seq > 2');
    rmSync(headPathOf(path));
    expect(await first()).toMatchObject({ what: 'no head' });
    writes('d');
    expect(await first()).toMatchObject({ what: 'recorded', known: expect.stringContaining('was gone') });
  });

  test('all of it is written anew, head included: only a head that was noted elsewhere tells', async () => {
    writes('a', 'b');
    const { last } = await walk();
    let hash = '';
    for (const seq of [1, 2, 3]) {
      const [kind, body] = [seq === 1 ? 'journal.opened' : 'x', '{}'];
      hash = chain(hash, seq, 1, kind, body);
      tamper(`UPDATE journal SET at = 1, kind = '${kind}', body = '${body}', hash = '${hash}' WHERE seq = ${seq}`);
    }
    writeHead(headPathOf(path), { seq: 3, hash, isOpen: false });
    expect((await walk()).whole).toBe(true);
    expect((await walk({ seq: last?.seq ?? 0, hash: last?.hash ?? '' })).breaks).toMatchObject([
      { seq: 3, what: 'replaced' },
    ]);
  });
});

test('a program that was killed leaves a journal that is whole, though its head is behind', async () => {
  writes('a');
  const store = openStore(path);
  const journal = openJournal(store, () => 1_000);
  store.commit(() => journal.record('b', {}));
  store.commit(() => journal.record('c', {}));
  expect(await walk()).toMatchObject({ whole: true, last: { seq: 4 }, head: { seq: 2, isOpen: true } });
  store.db.close();
  writes('d');
  expect(await walk()).toMatchObject({ whole: true, last: { seq: 5 }, head: { seq: 5, isOpen: false } });
});

test('what came to nothing is not told, and what waited for its transaction is told once', () => {
  const store = openStore(path);
  const journal = openJournal(store, () => 1_000);
  journal.record('waits', {});
  expect(() =>
    store.commit(() => {
      journal.record('undone', {});
      throw new Error('no');
    }),
  ).toThrow('no');
  store.commit(() => {});
  const kinds = store
    .prepare('SELECT kind FROM journal ORDER BY seq')
    .all()
    .map((row) => row['kind']);
  expect(kinds).toEqual(['journal.opened', 'waits']);
  store.close();
});

test('nothing is committed with an entry while its head cannot be written', () => {
  const store = openStore(path);
  const journal = openJournal(store, () => 1_000);
  mkdirSync(journal.headPath);
  expect(() => store.commit(() => journal.record('a', {}))).toThrow('state.sqlite-head');
  expect(store.prepare('SELECT * FROM journal').all()).toEqual([]);
  store.db.close();
});
