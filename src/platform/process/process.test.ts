import type { StdioOptions } from 'node:child_process';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import type { RunOptions } from './process.ts';
import { run } from './process.ts';

const folder = mkdtempSync(join(tmpdir(), 'process-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options = (more: Partial<RunOptions> = {}): RunOptions => ({
  cwd: folder,
  env: { PATH: '/usr/bin:/bin' },
  timeoutMs: 10_000,
  maxOutputBytes: 10_000,
  ...more,
});
const sh = (script: string, more: Partial<RunOptions> = {}) => run(['/bin/sh', '-c', script], options(more));
const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

describe('run', () => {
  test('gives output, exit code and signal, and takes input', async () => {
    const result = await sh('cat; echo oops >&2; exit 3', { stdin: 'grüße' });
    expect(result).toMatchObject({ exitCode: 3, signal: null, stdout: 'grüße', stderr: 'oops\n', truncated: false });
    expect((await sh('kill -TERM $$')).signal).toBe('SIGTERM');
  });

  test('never inherits the environment', async () => {
    const before = process.env['HARDSHELL_TEST_SECRET'];
    process.env['HARDSHELL_TEST_SECRET'] = 'leak';
    try {
      const { stdout } = await run(['/usr/bin/env'], options({ env: { ONLY: 'this' } }));
      expect(stdout).toBe('ONLY=this\n');
    } finally {
      if (before === undefined) delete process.env['HARDSHELL_TEST_SECRET'];
      else process.env['HARDSHELL_TEST_SECRET'] = before;
    }
  });

  test('passes arguments as they are: nothing is a shell', async () => {
    const hostile = '$(touch pwned); `id` | > x\n"\'';
    expect((await run(['/bin/echo', hostile], options())).stdout).toBe(`${hostile}\n`);
  });

  test('hands data to further descriptors', async () => {
    expect((await sh('cat <&3; cat <&4', { feeds: ['three ', Buffer.from('four')] })).stdout).toBe('three four');
  });

  test('resolves with the reason when the program or the folder does not exist', async () => {
    const missing = await run(['/no/such/program'], options());
    expect(missing.exitCode).toBeNull();
    expect(missing.failed).toContain('ENOENT');
    expect((await sh('true', { cwd: '/no/such/folder' })).failed).toContain('ENOENT');
  });

  test('refuses a program without an absolute path, so that PATH never decides what runs', () => {
    expect(() => run(['sh', '-c', 'true'], options())).toThrow(/absolute path/);
  });

  test('survives a child that never reads its input', async () => {
    expect((await sh('exit 0', { stdin: 'x'.repeat(5_000_000) })).exitCode).toBe(0);
  });

  test('ends at the timeout, also when TERM is ignored, and says so', async () => {
    const result = await sh('trap "" TERM; while :; do sleep 0.05; done', { timeoutMs: 150 });
    expect(result.stopped).toBe('timeout');
    expect(result.durationMs).toBeLessThan(2_000);
  });

  test('an abort within a second leaves no process, not even one in a session of its own', async () => {
    const abort = new AbortController();
    const pids = join(folder, 'pids');
    const script = `trap "" TERM; setsid sleep 300 & echo $! > ${pids}; sleep 300 & echo $! >> ${pids}; echo up; wait`;
    let abortedAtMs = 0;
    const result = await sh(script, {
      signal: abort.signal,
      watch: (pid) => {
        const timer = setInterval(() => {
          try {
            if (abortedAtMs > 0 || readFileSync(pids, 'utf8').trim().split('\n').length < 2) return;
            abortedAtMs = performance.now();
            abort.abort();
          } catch {
            // not written yet
          }
        }, 10);
        writeFileSync(join(folder, 'leader'), String(pid));
        return () => clearInterval(timer);
      },
    });
    expect(result.stopped).toBe('aborted');
    expect(performance.now() - abortedAtMs).toBeLessThan(1_500);
    const all = [...readFileSync(pids, 'utf8').trim().split('\n'), readFileSync(join(folder, 'leader'), 'utf8')];
    // Its pipes are closed a moment before the kernel calls a process dead.
    await vi.waitFor(() => expect(all.map(Number).filter(isAlive)).toEqual([]), { timeout: 5_000, interval: 5 });
  });

  test('does not start at all when it is aborted already', async () => {
    const result = await sh('echo ran', { signal: AbortSignal.abort() });
    expect(result).toMatchObject({ stopped: 'aborted', stdout: '', exitCode: null });
  });

  test('a background process does not outlive the call or hold it open', async () => {
    const result = await sh('sleep 300 & echo $!');
    expect(result.exitCode).toBe(0);
    expect(result.durationMs).toBeLessThan(2_000);
    await vi.waitFor(() => expect(isAlive(Number(result.stdout))).toBe(false), { timeout: 5_000, interval: 5 });
  });

  test('endless output is stopped at four times the cap and memory does not grow', async () => {
    const before = process.memoryUsage().rss;
    const result = await sh('yes 0123456789', { maxOutputBytes: 100_000 });
    expect(result.stopped).toBe('output');
    expect(result.truncated).toBe(true);
    expect(result.stdout.length).toBeLessThan(101_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000);
  });

  test('keeps the head and the tail, and says how much is missing', async () => {
    const { stdout, truncated } = await sh('seq 1 5000', { maxOutputBytes: 10_000 });
    expect(truncated).toBe(true);
    expect(stdout.startsWith('1\n2\n3\n')).toBe(true);
    expect(stdout.endsWith('4999\n5000\n')).toBe(true);
    expect(stdout).toMatch(/\n\[… \d+ bytes left out …\]\n/);
  });

  test('hands on no descriptor that whoever started the gateway left open', () => {
    const script = `import { run } from '${new URL('./process.ts', import.meta.url).pathname}';
      const o = { cwd: '/', env: { PATH: '/usr/bin:/bin' }, timeoutMs: 5000, maxOutputBytes: 9999, feeds: ['x'] };
      console.log((await run(['/bin/sh', '-c', 'cat <&3; ls -l /proc/self/fd'], o)).stdout);`;
    const secret = openSync(join(folder, 'secret'), 'w+');
    const stdio = ['ignore', 'pipe', 'inherit', ...Array.from({ length: 40 }, () => 'ignore'), secret];
    const node = [process.execPath, '--input-type=module', '-e', script] as const;
    const { stdout } = spawnSync(node[0], node.slice(1), { stdio: stdio as StdioOptions, encoding: 'utf8' });
    closeSync(secret);
    expect(stdout).toMatch(/^x/);
    expect(stdout).toContain('43 -> /dev/null');
    expect(stdout).not.toContain('secret');
  });

  test('a thousand runs leave no descriptor open', async () => {
    const count = async (): Promise<number> => (await import('node:fs')).readdirSync('/proc/self/fd').length;
    await run(['/bin/true'], options());
    const before = await count();
    for (let i = 0; i < 100; i += 1) {
      await Promise.all(Array.from({ length: 10 }, () => run(['/bin/true'], options({ stdin: 'x', feeds: ['y'] }))));
    }
    expect(await count()).toBeLessThanOrEqual(before + 2);
  }, 60_000);
});
