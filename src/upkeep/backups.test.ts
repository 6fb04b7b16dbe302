// The schedule runs a program of its own, once when it is due, and what it could not do reaches the owner.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { resolvePaths } from '../config/paths.ts';
import { noteProof } from '../ops/backup/proof.ts';
import { type BackupPorts, keepBackups } from './backups.ts';

let home = '';
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] });
  home = mkdtempSync(join(tmpdir(), 'hardshell-schedule-'));
  mkdirSync(join(home, '.openclaw'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(home, { recursive: true, force: true });
});

function scheduled(script: string, schedule: string | undefined, atMs: number) {
  const told: string[] = [];
  const recorded: string[] = [];
  const clock = { atMs };
  const end = keepBackups({
    paths: resolvePaths({ HOME: home }),
    env: { HOME: home },
    config: () => ({ schedule }),
    core: {
      asking: { tell: (_: string, text: string) => told.push(text) },
      journal: { record: (kind: string) => recorded.push(kind) },
    },
    log: { info() {}, error() {} },
    now: () => clock.atMs,
    program: [process.execPath, '-e', script],
  } as unknown as BackupPorts);
  return { told, recorded, clock, end };
}
const at = (hour: number): number => new Date(2026, 10, 21, hour, 0, 30).getTime();
const FAIL = `console.log(JSON.stringify({ ok: false, error: { message: 'the disk is full' } })); process.exit(1)`;

test('one that was missed while the gateway was down is made at the start, and the owner hears why it failed', async () => {
  noteProof(resolvePaths({ HOME: home }), { triedAtMs: at(1) });
  const one = scheduled(FAIL, '0 3 * * *', at(9));
  vi.advanceTimersByTime(6_000);
  await vi.waitFor(() => expect(one.recorded).toEqual(['backup.failed']), { timeout: 5_000, interval: 20 });
  expect(one.told).toEqual(['The scheduled backup failed: the disk is full. More: openclaw backup list']);
  one.clock.atMs = at(10);
  vi.advanceTimersByTime(60_000);
  expect(one.recorded).toEqual(['backup.failed']);
  one.end();
});

test('without a schedule, and before it is due, nothing runs', async () => {
  for (const schedule of [undefined, '0 12 * * *', 'no time at all']) {
    const one = scheduled(FAIL, schedule, at(9));
    vi.advanceTimersByTime(120_000);
    await new Promise(setImmediate);
    expect(one.recorded).toEqual([]);
    one.end();
  }
});
