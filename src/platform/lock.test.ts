// One holder at a time, also when many come in the same moment and when the last one died.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { acquireLock, readLiveLock } from './lock.ts';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-lock-'));
  path = join(folder, 'lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a second one is told who holds it; released, it can be taken again, and nothing is left over', () => {
  const lock = acquireLock(path, 1);
  lock.announce(1_234, true);
  expect(readLiveLock(path)).toMatchObject({ pid: process.pid, port: 1_234, isPortGiven: true });
  expect(() => acquireLock(path, 2)).toThrow(/process \d+, port 1234/);
  lock.release();
  expect(readLiveLock(path)).toBeNull();
  acquireLock(path, 3).release();
  expect(readdirSync(folder)).toEqual([]);
});

test.each([
  '{"pid":4194304,"port":1,"startedAtMs":1,"startTicks":"1"}',
  '',
  '{',
  'null',
  `{"pid":${process.pid},"startTicks":"1"}`,
])(
  'a lock that nobody alive holds (%j) is taken over, and so is the guard of one who died while doing that',
  (text) => {
    for (const name of [path, `${path}.guard`]) {
      writeFileSync(name, text);
      utimesSync(name, 1, 1);
    }
    acquireLock(path, 1).release();
    expect(readdirSync(folder)).toEqual([]);
  },
);

test("a lock that is only just being made is somebody else's", () => {
  writeFileSync(path, '');
  expect(() => acquireLock(path, 1)).toThrow(expect.objectContaining({ code: 'ALREADY_RUNNING' }));
});

test('four programs that contend for it 100 times each never hold it two at once', async () => {
  const counter = join(folder, 'counter');
  writeFileSync(counter, '0');
  const script = `
    import { readFileSync, writeFileSync } from 'node:fs';
    import { acquireLock } from ${JSON.stringify(new URL('./lock.ts', import.meta.url).href)};
    const [path, counter] = process.argv.slice(1);
    for (let n = 0; n < 100; ) {
      let lock;
      try { lock = acquireLock(path, 1); } catch (error) { if (error.code !== 'ALREADY_RUNNING') throw error; continue; }
      writeFileSync(counter, String(Number(readFileSync(counter, 'utf8')) + 1));
      if (n % 10 === 9) writeFileSync(path, '{"pid":4194304,"startTicks":"1"}'); else lock.release();
      n += 1;
    }`;
  const one = () =>
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, path, counter], { timeout: 50_000 });
  await Promise.all([one(), one(), one(), one()]);
  expect(readFileSync(counter, 'utf8')).toBe('400');
});

test.runIf(process.platform === 'linux')(
  'one that ended and that its parent never asked about holds nothing',
  async () => {
    const parent = spawn('/bin/sh', ['-c', 'sleep 0 & echo $!; exec sleep 30'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
      const stat = (): string => readFileSync(`/proc/${Number(pid)}/stat`, 'utf8');
      while (!stat().includes(') Z ')) await new Promise((resolve) => setTimeout(resolve, 5));
      writeFileSync(
        path,
        JSON.stringify({ pid: Number(pid), port: 1, startTicks: stat().split(') Z ')[1]?.split(' ')[18] }),
      );
      expect(readLiveLock(path)).toBeNull();
    } finally {
      parent.kill('SIGKILL');
    }
  },
);
