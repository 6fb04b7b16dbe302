import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { copyTables } from './copy-tables.ts';
import { openStore, type Store } from './open.ts';

let folder: string;
let store: Store;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'copy-'));
  store = openStore(join(folder, 'to.sqlite'));
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});
const count = (): unknown => store.prepare('SELECT count(*) AS n FROM trusted').get()?.['n'];

test('takes over the rows of a database that somebody is using, and changes nothing there', () => {
  const path = join(folder, 'from.sqlite');
  const from = openStore(path);
  from.commit(() => from.db.exec(`INSERT INTO trusted VALUES ('host', 'a.example', '', 'me', 1)`));
  expect(copyTables(store, path, ['trusted', 'grants'])).toBeNull();
  expect(count()).toBe(1);
  expect(from.prepare('SELECT count(*) AS n FROM trusted').get()?.['n']).toBe(1);
  from.db.exec('PRAGMA user_version = 1');
  expect(copyTables(store, path, ['trusted'])).toMatch(/another version/);
  from.db.close();
});

test('a database that is not there has nothing, and of one that is none it says why', () => {
  expect(copyTables(store, join(folder, 'none.sqlite'), ['trusted'])).toBeNull();
  writeFileSync(join(folder, 'odd.sqlite'), 'no database, but something else altogether'.repeat(50));
  expect(copyTables(store, join(folder, 'odd.sqlite'), ['trusted'])).toMatch(/database/);
  expect(count()).toBe(0);
});
