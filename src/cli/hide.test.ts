import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HardshellError } from '../platform/errors.ts';
import { withoutSecrets } from './hide.ts';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hardshell-hide-'));
  mkdirSync(join(home, '.openclaw', 'credentials'), { recursive: true, mode: 0o700 });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

test('an error of a command: stored, configured, given and token-like values are hidden in every part of it', () => {
  const shaped = `ghp_${'q7'.repeat(18)}`;
  writeFileSync(join(home, '.openclaw', 'credentials', 'x'), 'stored-value', { mode: 0o600 });
  writeFileSync(join(home, '.openclaw', 'openclaw.json'), "{ channels: { slack: { botToken: 'configured-value' } } }");
  const env = { HOME: home, SOME_TOKEN: 'exported-value' };
  const all = `stored-value configured-value exported-value given-value ${shaped}`;
  const error = new HardshellError({ code: 'X', message: `no ${all}`, fix: `use ${all}`, exitCode: 78 });
  const told = withoutSecrets(error, env, ['status', '--token', 'given-value']) as HardshellError;
  expect(told).toMatchObject({
    code: 'X',
    exitCode: 78,
    message: 'no [redacted] [redacted] [redacted] [redacted] [redacted]',
  });
  expect(inspect(told, { showHidden: true })).not.toMatch(/(stored|configured|exported|given)-value|ghp_/);
  const bug = withoutSecrets(new Error(`at ${all}`), env, ['--token=given-value']);
  expect(inspect(bug, { showHidden: true })).not.toMatch(/(stored|configured|exported|given)-value|ghp_/);
});

test('it tells an error also when nothing can be read', () => {
  writeFileSync(join(home, '.openclaw', 'openclaw.json'), '{ broken');
  const error = new HardshellError({ code: 'X', message: 'why', fix: 'this' });
  expect(withoutSecrets(error, { HOME: home }, [])).toMatchObject({ code: 'X', message: 'why', fix: 'this' });
});
