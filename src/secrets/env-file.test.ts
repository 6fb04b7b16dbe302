// <state>/.env as people write it, and as somebody would plant it.
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadEnvFile, parseEnvText, steersProcess } from './env-file.ts';

let stateDir = '';
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'hardshell-env-'));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const write = (text: string, mode = 0o600): string => {
  const path = join(stateDir, '.env');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
};
const parsed = (text: string): Record<string, string> =>
  Object.fromEntries(parseEnvText(text, '.env').map(({ name, value }) => [name, value]));

test('S121 the spellings of shells and dotenv: export, quotes, comments, blank lines, CRLF, a BOM', () => {
  const text = [
    '\uFEFF# keys',
    'ANTHROPIC_API_KEY=sk-ant-1#not-a-comment',
    'export TELEGRAM_BOT_TOKEN="1:A B" # a comment',
    "  SINGLE='a $b \\n #c'",
    'ESCAPED="a\\nb\\t\\"c\\" \\$d \\\\ \\x"',
    'SPACES = padded  ',
    'COMMENTED=value # why',
    'EMPTY=',
    'URL=https://x.example/?a=b&c=d',
    '',
    'LITERAL=${OTHER}',
    'PEM="-----BEGIN-----',
    'abc',
    '-----END-----"',
    'LAST=1',
  ].join('\r\n');
  expect(parsed(text)).toEqual({
    ANTHROPIC_API_KEY: 'sk-ant-1#not-a-comment',
    TELEGRAM_BOT_TOKEN: '1:A B',
    SINGLE: 'a $b \\n #c',
    ESCAPED: 'a\nb\t"c" $d \\ \\x',
    SPACES: 'padded',
    COMMENTED: 'value',
    EMPTY: '',
    URL: 'https://x.example/?a=b&c=d',
    LITERAL: '${OTHER}',
    PEM: '-----BEGIN-----\nabc\n-----END-----',
    LAST: '1',
  });
});

test.each([
  ['A=1\nnot a line\n', 2, /is not KEY=value/],
  ['A=1\n\n#\nB="open\nC=1\n', 4, /never closed/],
  ['A="1" two\n', 1, /after its closing quote/],
  ['A="x\ny"\n1B=2', 3, /a name that no variable can have/],
  ['A-B=2', 1, /a name that no variable can have/],
])('%j is refused by the number of its line, never by its content', (text, line, why) => {
  write(`${text}`);
  const load = () => loadEnvFile(stateDir, {});
  expect(load).toThrow(expect.objectContaining({ code: 'ENV_FILE_INVALID', exitCode: 78 }));
  expect(load).toThrow(why);
  expect(load).toThrow(`.env:${line}:`);
  expect(load).not.toThrow(/not a line|open\n|two/);
});

test('any value in double quotes comes back as it was', () => {
  const quote = (value: string): string => `"${value.replace(/[\\"$`]/g, '\\$&')}"`;
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.string({ maxLength: 40 }), (first, second) => {
      fc.pre(!/[\0\r]/.test(first + second));
      expect(parsed(`A=${quote(first)}\nexport B=${quote(second)} # end\nC=1`)).toEqual({
        A: first,
        B: second,
        C: '1',
      });
    }),
  );
});

test('any text is parsed or refused within its time, and never half', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('A', '=', '"', "'", '\\', '\n', '#', ' ', '$') }), (text) => {
      try {
        parseEnvText(text, '.env');
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENV_FILE_INVALID' });
      }
    }),
    { numRuns: 500 },
  );
  const startedAtMs = performance.now();
  parseEnvText('A=1\n'.repeat(50_000), '.env');
  parseEnvText(`A="${'x\n'.repeat(100_000)}"`, '.env');
  expect(performance.now() - startedAtMs).toBeLessThan(2_000);
});

test('S121 the environment wins over the file, and the file over nothing', () => {
  write('A=file\nB=file\nC=file\nA=again\n');
  const loaded = loadEnvFile(stateDir, { B: 'exported', C: '', PATH: '/bin' });
  expect(loaded.env).toEqual({ A: 'again', B: 'exported', C: 'file', PATH: '/bin' });
  expect(loaded.added).toEqual(['A', 'C']);
  expect(loaded.warnings).toHaveLength(2);
  expect(loaded.warnings.join()).toMatch(/\.env:2: B is ignored.*\.env:4: A is there twice/);
  expect(loaded.warnings.join()).not.toMatch(/=|exported|again/);
});

test('no file is no trouble', () => {
  expect(loadEnvFile(stateDir, { A: '1' })).toMatchObject({ env: { A: '1' }, exists: false, added: [], warnings: [] });
});

test.each([
  'NODE_OPTIONS',
  'NODE_PATH',
  'NODE_EXTRA_CA_CERTS',
  'NODE_TLS_REJECT_UNAUTHORIZED',
  'LD_PRELOAD',
  'LD_LIBRARY_PATH',
  'DYLD_INSERT_LIBRARIES',
  'PATH',
  'Path',
  'HOME',
  'SHELL',
  'IFS',
  'BASH_ENV',
  'ENV',
  'npm_execpath',
  'npm_config_registry',
  'NPM_CONFIG_USERCONFIG',
  'STATE_DIRECTORY',
  'CREDENTIALS_DIRECTORY',
  'PYTHONSTARTUP',
  'PERL5LIB',
  'RUBYOPT',
  'JAVA_TOOL_OPTIONS',
  'GIT_SSH_COMMAND',
  'SSH_AUTH_SOCK',
  'OPENSSL_CONF',
  'SSL_CERT_FILE',
  'SSLKEYLOGFILE',
  'TMPDIR',
  'DOCKER_HOST',
  'OPENCLAW_STATE_DIR',
  'OPENCLAW_CONFIG_PATH',
])('J09 %s in the file is ignored with a warning, wherever it stands', (name) => {
  expect(steersProcess(name)).toBe(true);
  write(`A=1\nexport ${name}="--require /tmp/evil.js"\n`);
  const { env, warnings } = loadEnvFile(stateDir, {});
  expect(env).toEqual({ A: '1' });
  expect(warnings).toEqual([expect.stringContaining(`.env:2: ${name} is ignored`)]);
  expect(warnings.join()).not.toContain('evil');
});

test.each([
  'ANTHROPIC_API_KEY',
  'OPENAI_BASE_URL',
  'TELEGRAM_BOT_TOKEN',
  'OPENCLAW_GATEWAY_TOKEN',
  'NOTION_KEY',
  'PASSWORD',
  'NPM_TOKEN',
  'GIT_TOKEN',
])('%s is what the file is for', (name) => expect(steersProcess(name)).toBe(false));

test('S124 a file that others can read, or a link, is refused with the line that mends it', () => {
  const path = write('A=very-secret-value', 0o644);
  const load = () => loadEnvFile(stateDir, {});
  expect(load).toThrow(expect.objectContaining({ code: 'SECRET_TOO_OPEN', exitCode: 78, fix: `chmod 600 ${path}` }));
  expect(load).not.toThrow(/very-secret/);
  rmSync(path);
  writeFileSync(join(stateDir, 'other'), 'A=1', { mode: 0o600 });
  symlinkSync('other', path);
  expect(load).toThrow(expect.objectContaining({ code: 'SECRET_IS_LINK' }));
});

test('names that mean something to objects stay names', () => {
  write('__proto__=x\nconstructor=y\n');
  const { env } = loadEnvFile(stateDir, {});
  expect(Object.getPrototypeOf(env)).toBe(Object.prototype);
  expect(env['constructor']).toBe('y');
  expect(({} as Record<string, unknown>)['x']).toBeUndefined();
});
