// Where a model key is found, and in what order.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeSecret } from './files.ts';
import { findProviderKey, wellKnownProviders } from './provider-keys.ts';

let dir = '';
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'hardshell-keys-')), 'credentials');
});
afterEach(() => rmSync(join(dir, '..'), { recursive: true, force: true }));

test('S118 S206 configuration, then environment, then the three names of the file', () => {
  expect(wellKnownProviders()).toContain('anthropic');
  expect(findProviderKey('anthropic', undefined, dir, {})).toBeUndefined();
  for (const name of ['anthropic', 'anthropic-api-key', 'anthropic-key']) {
    writeSecret(dir, name, `from ${name}\n`);
    expect(findProviderKey('anthropic', undefined, dir, {})).toBe(`from ${name}`);
  }
  expect(findProviderKey('anthropic', undefined, dir, { ANTHROPIC_API_KEY: ' from-env\n' })).toBe('from-env');
  expect(findProviderKey('anthropic', 'configured', dir, { ANTHROPIC_API_KEY: 'from-env' })).toBe('configured');
});

test("a guide's example is refused by its place, a local server's dummy is not", () => {
  for (const example of ['sk-your-api-key', 'sk-ant-xxxxx', '${ANTHROPIC_API_KEY}']) {
    writeSecret(dir, 'anthropic-key', example);
    const find = () => findProviderKey('anthropic', undefined, dir, {});
    expect(find).toThrow(expect.objectContaining({ code: 'KEY_PLACEHOLDER', exitCode: 78 }));
    expect(find).toThrow(/anthropic-key/);
    expect(find).not.toThrow(example);
  }
  for (const dummy of ['dummy', 'ollama', 'not-needed', 'x'])
    expect(findProviderKey('local', dummy, dir, {})).toBe(dummy);
});

test('a key file that others can read is refused, not skipped', () => {
  chmodSync(writeSecret(dir, 'openai-key', 'a-key-of-somebody'), 0o644);
  expect(() => findProviderKey('openai', undefined, dir, {})).toThrow(/can be read by others/);
});
