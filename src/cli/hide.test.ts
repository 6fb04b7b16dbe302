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

test('S123 a name is told, a value is not: of a variable, of a model, of the place of a secret', () => {
  const config = `{
    models: { providers: { anthropic: { apiKey: '\${ANTHROPIC_API_KEY}' }, other: { apiKey: 'literal-part-\${OTHER_KEY}' } } },
    channels: { telegram: { botToken: 'TELEGRAM_BOT_TOKEN' }, slack: { appToken: 'correct-horse-battery-staple' } },
    agents: { defaults: { model: { primary: 'anthropic/claude-sonnet-4-5-20250929', fallbacks: ['openai/gpt-5-chat-latest'] } } },
    gateway: { auth: { token: { source: 'env', id: 'MY_VERY_OWN_XYLOPHONE_VARIABLE' }, tokn: 'q7fK2mX9pL4vR8sT1wZ6' } },
  }`;
  writeFileSync(join(home, '.openclaw', 'openclaw.json'), config);
  const told = (message: string): unknown =>
    (withoutSecrets(new HardshellError({ code: 'X', message, fix: 'this' }), { HOME: home }, []) as Error).message;
  const names =
    'uses ${ANTHROPIC_API_KEY} ${OTHER_KEY} ${TELEGRAM_BOT_TOKEN} MY_VERY_OWN_XYLOPHONE_VARIABLE ' +
    'anthropic/claude-sonnet-4-5-20250929 openai/gpt-5-chat-latest';
  expect(told(names)).toBe(names);
  expect(told('a literal-part- b correct-horse-battery-staple c q7fK2mX9pL4vR8sT1wZ6')).toBe(
    'a [redacted] b [redacted] c [redacted]',
  );
});

test('it tells an error also when nothing can be read', () => {
  writeFileSync(join(home, '.openclaw', 'openclaw.json'), '{ broken');
  const error = new HardshellError({ code: 'X', message: 'why', fix: 'this' });
  expect(withoutSecrets(error, { HOME: home }, [])).toMatchObject({ code: 'X', message: 'why', fix: 'this' });
});
