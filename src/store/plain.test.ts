// A pipe in the place of the database, of what belongs to it, or of the lock: whoever opens one waits for ever for a writer.
// In a process of its own, since one that hangs could not even say so.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plain-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const USES = {
  'a start': ['./open.ts', 'openStore(path)'],
  'a look': ['./read-only.ts', 'await readStore(path, async (rows) => rows.prepare("SELECT * FROM a").all())'],
  'the audit': [
    './rescue/quick-check.ts',
    'const { sound, detail } = quickCheck(path); if (!sound) throw new Error(detail)',
  ],
  'a backup': ['./rescue/copy.ts', 'copyDatabase(path, `${path}.copy`)'],
  'the lock': ['../platform/lock.ts', 'if (readLiveLock(path) === null) throw new Error("nobody: is no file")'],
} as const;
const cases = Object.keys(USES).flatMap((use) =>
  (use === 'the lock' ? [''] : ['', '-wal']).map((end) => [use as keyof typeof USES, end] as const),
);

test.each(cases)('FIFO: %s does not hang on a pipe (state.sqlite%s)', (use, end) => {
  const path = join(folder, 'state.sqlite');
  if (end !== '') {
    const db = new DatabaseSync(path);
    db.exec('CREATE TABLE a (b)');
    db.close();
  }
  expect(spawnSync('mkfifo', [`${path}${end}`]).status).toBe(0);
  const [file, act] = USES[use];
  const name = /^(?:await |.* = |if \()?(\w+)\(/.exec(act)?.[1] ?? '';
  const code = `const { ${name} } = await import(${JSON.stringify(new URL(file, import.meta.url).href)});
    const path = ${JSON.stringify(path)}; try { ${act}; } catch (error) { console.log(error.message); }`;
  const { signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    ...{ encoding: 'utf8', timeout: 8_000, killSignal: 'SIGKILL' },
  });
  expect([signal, stdout]).toEqual([null, expect.stringContaining('is no file')]);
});
