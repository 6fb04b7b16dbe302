// The gateway's token: made once, private, and refused when it cannot protect anything.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureGatewayToken, readGatewayToken } from './gateway-token.ts';

let credentialsDir = '';
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-token-'));
  credentialsDir = join(folder, 'credentials');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('S091 the first start makes a token of 64 hex digits, 0600 in a 0700 folder, and the next one keeps it', () => {
  const token = ensureGatewayToken({ credentialsDir }, {});
  expect(token).toMatch(/^[0-9a-f]{64}$/);
  expect(statSync(credentialsDir).mode & 0o777).toBe(0o700);
  expect(statSync(join(credentialsDir, 'gateway-token')).mode & 0o777).toBe(0o600);
  expect(ensureGatewayToken({ credentialsDir }, {})).toBe(token);
  expect(readFileSync(join(credentialsDir, 'gateway-token'), 'utf8')).toBe(`${token}\n`);
});

test('the environment comes before the configuration, which comes before the file', () => {
  const file = ensureGatewayToken({ credentialsDir }, {});
  expect(readGatewayToken({ credentialsDir }, {}, 'configured-token-000')).toBe('configured-token-000');
  expect(
    readGatewayToken({ credentialsDir }, { OPENCLAW_GATEWAY_TOKEN: 'environment-token-0' }, 'configured-token-000'),
  ).toBe('environment-token-0');
  expect(readGatewayToken({ credentialsDir }, {})).toBe(file);
});

test.each([
  'with\nnewline-in-the-middle',
  'trailing-newline-here\n',
  'has a space in the middle',
  'short',
  `tab\t${'x'.repeat(20)}`,
])('the token %j is refused in one line', (token) => {
  expect(() => readGatewayToken({ credentialsDir }, { OPENCLAW_GATEWAY_TOKEN: token })).toThrow(
    /gateway token from OPENCLAW_GATEWAY_TOKEN/,
  );
});

test('a token file written with `openssl rand -hex 32 >` works; its content is never in an error', () => {
  mkdirSync(credentialsDir);
  writeFileSync(join(credentialsDir, 'gateway-token'), `${'a'.repeat(64)}\n`);
  expect(readGatewayToken({ credentialsDir }, {})).toBe('a'.repeat(64));
  writeFileSync(join(credentialsDir, 'gateway-token'), 'first line\nsecond line\n');
  expect(() => readGatewayToken({ credentialsDir }, {})).toThrow(/line break/);
  expect(() => readGatewayToken({ credentialsDir }, {})).not.toThrow(/second line/);
});
