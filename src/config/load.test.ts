// openclaw.json as people write it: comments, variables, typos, mistakes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig, REDACTED, redact } from './load.ts';
import { resolvePaths } from './paths.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const load = (text: string, env: Record<string, string> = {}) => {
  const configPath = join(folder, 'openclaw.json');
  writeFileSync(configPath, text);
  return loadConfig({ configPath }, env);
};

test('no file means the defaults: loopback, port 18789, token', () => {
  const { config, exists } = loadConfig({ configPath: join(folder, 'none.json') }, {});
  expect(exists).toBe(false);
  expect(config.gateway).toMatchObject({ port: 18_789, bind: 'loopback', auth: { mode: 'token' } });
});

test('JSON5 with comments and trailing commas, and ${VAR} from the environment (S123)', () => {
  const { config } = load(
    `{ // the key\n models: { providers: { a: { apiKey: '\${KEY_A}', baseUrl: 'http://127.0.0.1:1/v1', }, }, }, }`,
    { KEY_A: 'k-1' },
  );
  expect(config.models.providers['a']?.apiKey).toBe('k-1');
});

test.each([
  ['{ gateway: { prot: 1 } }', /unknown key "gateway.prot", did you mean "port"\?/],
  ['{ gatewy: {} }', /unknown key "gatewy", did you mean "gateway"\?/],
  ['{ gateway: { port: 99999 } }', /gateway\.port: 99999/],
  ['{ gateway: { port: "18789" } }', /gateway\.port: "18789"/],
  ['{ gateway: ', /not JSON5/],
  [
    '{ gateway: { auth: { token: "${NOT_SET}" } } }',
    /gateway\.auth\.token uses \$\{NOT_SET\}, and that variable is not set/,
  ],
  ['{ models: { providers: { a: { apikey: "x" } } } }', /"models.providers.a.apikey", did you mean "apiKey"/],
  ['[]', /the top level/],
])('%s is refused in one line that names the key', (text, expected) => {
  expect(() => load(text)).toThrow(expected);
  try {
    load(text);
  } catch (error) {
    expect(String((error as Error).message)).not.toContain('\n');
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', exitCode: 78 });
  }
});

test('a secret never appears in an error', () => {
  expect(() => load('{ gateway: { auth: { token: 12345678901234567890 } } }')).toThrow(
    /gateway\.auth\.token: the value/,
  );
});

test('redacted: no secret value in what is shown, whatever its place', () => {
  const { config } = load(
    `{ gateway: { auth: { token: 'abcdefghijklmnopqrst' } }, models: { providers: { a: { apiKey: 'sk-secret-value', baseUrl: 'https://x.example' } } } }`,
  );
  const shown = redact(config) as typeof config;
  expect(shown.gateway.auth.token).toBe(REDACTED);
  expect(JSON.stringify(shown)).not.toMatch(/sk-secret|abcdefghij/);
});

test('OPENCLAW_HOME, OPENCLAW_STATE_DIR and OPENCLAW_CONFIG_PATH are honoured', () => {
  expect(resolvePaths({ HOME: '/h' }).configPath).toBe('/h/.openclaw/openclaw.json');
  expect(resolvePaths({ HOME: '/h', OPENCLAW_HOME: '/o' }).stateDir).toBe('/o/.openclaw');
  expect(resolvePaths({ HOME: '/h', OPENCLAW_STATE_DIR: '~/s' })).toMatchObject({
    stateDir: '/h/s',
    databasePath: '/h/s/state.sqlite',
  });
  expect(resolvePaths({ HOME: '/h', OPENCLAW_CONFIG_PATH: '/c.json' })).toMatchObject({
    stateDir: '/h/.openclaw',
    configPath: '/c.json',
  });
});
