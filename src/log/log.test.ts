// The log: JSON lines, no secrets, bounded files.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLog } from './log.ts';
import { createRedactor } from './redact.ts';
import { tailLog } from './tail.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-log-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('K01 no registered secret and no well-known key shape reaches the file, whatever field it is in', () => {
  const redactor = createRedactor();
  redactor.add('my-registered-secret');
  const log = openLog({ folder, level: 'debug', maxFileBytes: 1e6, redactor });
  log.info('token my-registered-secret', {
    header: 'Bearer abcdefghijklmnop123',
    key: `sk-ant-${'a1b2'.repeat(6)}`,
    error: new Error('my-registered-secret'),
  });
  log.close();
  const text = readFileSync(log.file, 'utf8');
  expect(text).not.toMatch(/my-registered-secret|abcdefghijklmnop123|sk-ant/);
  expect(statSync(log.file).mode & 0o777).toBe(0o600);
});

test('a field that JSON cannot say is still logged, and nothing is thrown into the caller', () => {
  const redactor = createRedactor();
  redactor.add('my-registered-secret');
  const log = openLog({ folder, level: 'info', maxFileBytes: 1e6, redactor });
  const circular: Record<string, unknown> = { size: 10n, text: 'my-registered-secret' };
  circular['self'] = circular;
  log.warn('odd', { circular });
  log.close();
  const text = readFileSync(log.file, 'utf8');
  expect(JSON.parse(text)).toMatchObject({ level: 'warn', circular: { size: '10', text: '[redacted]' } });
});

test('files rotate by size, five old ones are kept, and every line is one JSON object', () => {
  const log = openLog({ folder, level: 'info', maxFileBytes: 10_000, redactor: createRedactor() });
  for (let n = 0; n < 2_000; n++) log.info(`line\n${n}`, { n });
  log.close();
  const files = readdirSync(folder);
  expect(files.length).toBeLessThanOrEqual(6);
  expect(Math.max(...files.map((f) => statSync(join(folder, f)).size))).toBeLessThan(11_000);
  for (const line of readFileSync(log.file, 'utf8').trim().split('\n'))
    expect(JSON.parse(line)).toMatchObject({ level: 'info' });
});

test('files rotate by age as well, and no line outlives the days it is kept for', () => {
  let day = 0;
  const now = (): number => Date.now() + day * 24 * 60 * 60_000;
  const options = { folder, maxFileBytes: 1e6, maxFiles: 3, maxAgeDays: 9, redactor: createRedactor() };
  const log = openLog({ ...options, level: 'info', now });
  for (; day < 40; day++) {
    log.info('a day', { day });
    // What the clock of the disk would say.
    utimesSync(log.file, now() / 1000, now() / 1000);
  }
  log.close();
  const days = readdirSync(folder)
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'))
    .map((line) => (JSON.parse(line) as { day: number }).day)
    .sort((a, b) => a - b);
  expect(days.at(-1)).toBe(39);
  expect(days[0]).toBeGreaterThanOrEqual(39 - 10);
  expect(days[0]).toBeLessThanOrEqual(39 - 5);
  expect(readdirSync(folder).length).toBeLessThanOrEqual(4);
});

test('tail: the last lines first, then only what is new, and a rotation is noticed', () => {
  const log = openLog({ folder, level: 'info', maxFileBytes: 1e6, redactor: createRedactor() });
  for (let n = 0; n < 50; n++) log.info('x', { n });
  const first = tailLog(log.file, { limit: 10, maxBytes: 100_000 });
  expect(first.lines.map((l) => JSON.parse(l).n)).toEqual([40, 41, 42, 43, 44, 45, 46, 47, 48, 49]);
  log.info('new');
  const next = tailLog(log.file, { cursor: first.cursor, limit: 10, maxBytes: 100_000 });
  expect(next.lines).toHaveLength(1);
  expect(tailLog(log.file, { cursor: 1e9, limit: 10, maxBytes: 1e5 }).reset).toBe(true);
  log.close();
});
