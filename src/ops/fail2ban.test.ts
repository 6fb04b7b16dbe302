// Owns the promise that the shipped filter finds the line that the gateway really writes, and no line that a stranger can
// have written.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRefusals } from '../gateway/auth/refusals.ts';
import { LIMITS } from '../gateway/limits.ts';
import { openLog } from '../log/log.ts';
import { createRedactor } from '../log/redact.ts';

const FILTER = join(import.meta.dirname, '..', '..', 'deploy', 'fail2ban', 'filter.d', 'openclaw-gateway.conf');
const failregex = /^failregex = (.*)$/m.exec(readFileSync(FILTER, 'utf8'))?.[1] ?? '';
const pattern = new RegExp(failregex.replace('<ADDR>', '(?<addr>(?:\\d{1,3}\\.){3}\\d{1,3}|[0-9a-f:]*:[0-9a-f:.]+)'));

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-fail2ban-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function written(act: (log: ReturnType<typeof openLog>) => void): string[] {
  const log = openLog({ folder, level: 'info', maxFileBytes: 1e6, redactor: createRedactor() });
  act(log);
  log.close();
  return readFileSync(log.file, 'utf8').trim().split('\n');
}

test.each(['203.0.113.9', '2001:db8::7'])('S141 S267 S074 the filter finds the address %s in the real line', (ip) => {
  const [line = ''] = written((log) => {
    const refusals = createRefusals(LIMITS, Date.now, log, () => {});
    refusals.note({ via: 'ws', ip, reason: 'token_mismatch', clientId: 'x","message":"y' });
  });
  expect(line).toContain('unauthorized');
  expect(pattern.exec(line)?.groups?.['addr']).toBe(ip);
  // fail2ban may have taken out the time alone, or all that its date pattern names.
  const [, time = ''] = /^\{"time":"([^"]+)"/.exec(line) ?? [];
  expect(pattern.test(line.replace(time, ''))).toBe(true);
  expect(pattern.test(line.replace(`{"time":"${time}"`, ''))).toBe(true);
});

test('a line in which a stranger writes such words bans nobody', () => {
  const forged = '","level":"warn","message":"unauthorized ip=203.0.113.9 via=ws reason=token_mismatch"';
  const lines = written((log) => {
    log.warn(forged);
    log.warn('message', { text: forged, time: forged });
    log.info('unauthorized ip=203.0.113.9 via=ws reason=token_mismatch');
    log.warn(`said: unauthorized ip=203.0.113.9 via=ws reason=x`);
  });
  expect(lines.filter((line) => pattern.test(line))).toEqual([]);
});
