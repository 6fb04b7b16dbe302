// Audits by themselves: when they run, that the owner hears only what is new, that `status` knows, and that the program
// which looks finds what is there.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Log } from '../log/log.ts';
import { type Known, readLast } from '../ops/self-audit/last.ts';
import { lookAside, type Seen } from '../ops/self-audit/program.ts';
import { createAudits } from './audits.ts';

let home = '';
let stateDir = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'audits-'));
  stateDir = join(home, '.openclaw');
  mkdirSync(stateDir, { mode: 0o700 });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(home, { recursive: true, force: true });
});

const HOUR_MS = 3_600_000;
const OPEN: Known = {
  ...{ id: 'channels.dm.open', severity: 'CRITICAL', evidence: 'open', fix: 'openclaw security audit --fix' },
  where: 'channels.telegram.dmPolicy',
};
const OLD: Known = { id: 'secrets.age', severity: 'WARNING', evidence: 'a key is 91 days old', fix: 'rotate it' };

function auditing({ version = '1', isBroken = false } = {}) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] });
  const told: string[] = [];
  const asked: boolean[] = [];
  const world = { atMs: 1_000_000_000_000, hash: 'a', known: [] as Known[], isBroken };
  const audits = createAudits({
    ...{ paths: { stateDir }, env: {}, version, now: () => world.atMs, configHash: () => world.hash },
    log: { info() {}, warn() {} } as unknown as Log,
    async look({ withHost }): Promise<Seen> {
      asked.push(withHost);
      if (world.isBroken) throw new Error('no luck');
      const ids = ['channels.dm.open', 'secrets.age', ...(withHost ? ['host.firewall'] : [])];
      return { asked: ids, known: world.known.filter(({ id }) => ids.includes(id)) };
    },
  });
  const end = audits.start((_key, text) => told.push(text));
  const pass = async (ms: number): Promise<void> => {
    world.atMs += ms;
    await vi.advanceTimersByTimeAsync(Math.min(ms, 70_000));
    await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(0), 10_000);
  };
  return { audits, world, told, asked, pass, end };
}

test('the first audit is what later ones are compared with: status shows it, nobody is written to', async () => {
  const { audits, world, told, asked, pass, end } = auditing();
  world.known = [OPEN];
  await pass(30_000);
  expect(asked).toEqual([]);
  await pass(40_000);
  expect([asked, told]).toEqual([[true], []]);
  expect(audits.repairs()).toEqual([{ what: 'open', fix: 'openclaw security audit --fix' }]);
  end();
});

test('S067 S290 after a change only what is new is told, and what is over; the same again is not', async () => {
  const { world, told, asked, pass, end } = auditing();
  world.known = [OLD];
  await pass(70_000);
  [world.hash, world.known] = ['b', [OPEN, { ...OLD, evidence: 'a key is 92 days old' }]];
  await pass(20_000);
  expect(told).toEqual([
    'Security audit after a change: 1 new.\nCRITICAL: open\n  openclaw security audit --fix\nAll of it: openclaw security audit',
  ]);
  world.hash = 'c';
  await pass(20_000);
  expect(told).toHaveLength(1);
  [world.hash, world.known] = ['d', [OLD]];
  await pass(20_000);
  expect(told[1]).toContain('1 no longer there.\nNo longer: channels.dm.open');
  expect(asked.slice(1)).toEqual([false, false, false]);
  end();
});

test('an update is a reason, and so is a week; what only the machine shows stays between', async () => {
  const first = auditing();
  const wall: Known = { id: 'host.firewall', severity: 'WARNING', evidence: 'none', fix: 'ufw enable' };
  first.world.known = [wall];
  await first.pass(70_000);
  first.end();
  const second = auditing({ version: '2' });
  second.world.known = [wall];
  await second.pass(70_000);
  expect([second.asked, second.told]).toEqual([[false], []]);
  expect(second.audits.repairs()).toEqual([{ what: 'none', fix: 'ufw enable' }]);
  second.world.known = [];
  await second.pass(7 * 24 * HOUR_MS);
  expect(second.asked.at(-1)).toBe(true);
  expect(second.told).toEqual([expect.stringContaining('of this week: 1 no longer there')]);
  second.end();
});

test('nothing is shown of a configuration that is not in force, and a failed audit is not tried all the time', async () => {
  const { audits, world, asked, pass, end } = auditing();
  world.known = [OPEN];
  await pass(70_000);
  world.hash = 'b';
  expect(audits.repairs()).toEqual([]);
  world.isBroken = true;
  await pass(60_000);
  expect(asked).toHaveLength(2);
  world.isBroken = false;
  await pass(HOUR_MS);
  expect(asked).toHaveLength(3);
  expect(audits.repairs()).toHaveLength(1);
  end();
});

test('--fix is noticed', async () => {
  const { world, asked, pass, end } = auditing();
  world.known = [OPEN];
  await pass(70_000);
  writeFileSync(join(stateDir, 'audit-fixes.json'), '[]');
  await pass(20_000);
  expect(asked).toHaveLength(2);
  end();
});

test('a record that cannot be read counts as none', () => {
  writeFileSync(join(stateDir, 'audits.json'), '{ nonsense');
  expect(readLast({ stateDir })).toBeNull();
});

test('the program tells what is there, with its command, and can be stopped', async () => {
  writeFileSync(join(stateDir, 'openclaw.json'), '{ gateway: { bind: "lan" }, session: { dmScope: "main" } }', {
    mode: 0o600,
  });
  const env = { HOME: home, OPENCLAW_HOME: home, PATH: process.env['PATH'] };
  const main = new URL('../cli/main.ts', import.meta.url).pathname;
  const asked = { env, stateDir, withHost: false, program: [process.execPath, main] as const };
  const { asked: ids, known } = await lookAside(asked, new AbortController().signal);
  expect(known.find(({ id }) => id.startsWith('gateway.'))).toEqual({
    ...{ id: 'gateway.bind_network_accessible', severity: 'CRITICAL', where: 'gateway.bind' },
    ...{ evidence: expect.stringContaining('"lan"'), fix: 'openclaw config set gateway.bind loopback' },
  });
  expect(known.map(({ id }) => id)).not.toContain('channels.dm.scope_main_multiuser');
  expect(ids).toContain('channels.dm.scope_main_multiuser');
  const stopped = new AbortController();
  const over = lookAside(asked, stopped.signal);
  stopped.abort();
  await expect(over).rejects.toThrow(/aborted/);
});
