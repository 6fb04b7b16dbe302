import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noToken, resolveTarget } from './target.ts';

let stateDir = '';
const TOKEN = 'a'.repeat(64);
const env = (more: Record<string, string> = {}) => ({ OPENCLAW_STATE_DIR: stateDir, ...more });

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'target-'));
  mkdirSync(join(stateDir, 'credentials'), { mode: 0o700 });
  writeFileSync(join(stateDir, 'credentials', 'gateway-token'), `${TOKEN}\n`, { mode: 0o600 });
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const lock = (facts: object): void => writeFileSync(join(stateDir, 'gateway.lock'), JSON.stringify(facts));
const ours = { pid: process.pid, port: 19_111, startedAtMs: 1 };

describe('which port', () => {
  it('is 18789 when nothing says otherwise', async () => {
    expect((await resolveTarget({}, env())).address).toBe('127.0.0.1:18789');
  });
  it('is the one of the running gateway', async () => {
    lock(ours);
    expect((await resolveTarget({}, env())).port).toBe(19_111);
  });
  it('is the configured one when no gateway runs', async () => {
    writeFileSync(join(stateDir, 'openclaw.json'), '{ gateway: { port: 19222 } }');
    expect((await resolveTarget({}, env())).port).toBe(19_222);
  });
  it('is OPENCLAW_GATEWAY_PORT before all that, and --port before that', async () => {
    lock(ours);
    expect((await resolveTarget({}, env({ OPENCLAW_GATEWAY_PORT: '19333' }))).port).toBe(19_333);
    expect((await resolveTarget({ port: '19444' }, env({ OPENCLAW_GATEWAY_PORT: '19333' }))).port).toBe(19_444);
  });
  it.each(['0', '65536', 'x', '80a', ''])('is refused when it is "%s"', async (port) => {
    await expect(resolveTarget({ port }, env())).rejects.toMatchObject({ code: 'PORT_UNUSABLE', exitCode: 64 });
  });
});

describe('which token', () => {
  it('is the stored one for the port that the lock names', async () => {
    lock(ours);
    expect(await resolveTarget({}, env())).toMatchObject({ token: TOKEN, tokenWithheld: false });
  });
  it('is not sent to a port that no living gateway of ours has: anybody could listen there', async () => {
    lock({ ...ours, pid: 2 ** 22 + 1 });
    const target = await resolveTarget({}, env());
    expect(target).toMatchObject({ token: null, tokenWithheld: true });
    expect(noToken(target).message).toContain('its token was not sent');
    lock(ours);
    expect(await resolveTarget({ port: '19555' }, env())).toMatchObject({ token: null, tokenWithheld: true });
  });
  it('is OPENCLAW_GATEWAY_TOKEN or --token wherever it was named', async () => {
    expect((await resolveTarget({}, env({ OPENCLAW_GATEWAY_TOKEN: 't'.repeat(20) }))).token).toBe('t'.repeat(20));
    expect((await resolveTarget({}, env({ GATEWAY_AUTH_TOKEN: 't'.repeat(20) }))).token).toBe('t'.repeat(20));
    expect((await resolveTarget({ token: 'u'.repeat(20) }, env())).token).toBe('u'.repeat(20));
  });
  it('is the one of the configuration before the stored one', async () => {
    lock(ours);
    writeFileSync(join(stateDir, 'openclaw.json'), `{ gateway: { auth: { token: "${'c'.repeat(20)}" } } }`);
    expect((await resolveTarget({}, env())).token).toBe('c'.repeat(20));
  });
  it('does without a broken configuration and remembers why', async () => {
    lock(ours);
    writeFileSync(join(stateDir, 'openclaw.json'), '{ gateway: { port: ');
    const target = await resolveTarget({}, env());
    expect(target.configError).toMatchObject({ code: 'CONFIG_INVALID', exitCode: 78 });
    expect(target.token).toBe(TOKEN);
  });
});

describe('--url', () => {
  it('never gets the stored token', async () => {
    lock(ours);
    await expect(resolveTarget({ url: 'ws://127.0.0.1:19111' }, env())).rejects.toMatchObject({
      code: 'URL_WITHOUT_TOKEN',
    });
  });
  it('must be encrypted unless it is this machine', async () => {
    const flags = { url: 'ws://example.net:1', token: 'u'.repeat(20) };
    await expect(resolveTarget(flags, env())).rejects.toMatchObject({ code: 'URL_NOT_ENCRYPTED', exitCode: 64 });
    await expect(resolveTarget({ ...flags, url: 'ws://127.0.0.1.example.net' }, env())).rejects.toMatchObject({
      code: 'URL_NOT_ENCRYPTED',
    });
    expect(await resolveTarget({ ...flags, url: 'https://example.net/claw/' }, env())).toMatchObject({
      wsUrl: 'wss://example.net/claw',
      httpUrl: 'https://example.net/claw',
    });
  });
  it.each(['nonsense', 'ftp://x', 'ws://user:pw@x', 'ws://x/?token=1'])('refuses %s', async (url) => {
    await expect(resolveTarget({ url, token: 'u'.repeat(20) }, env())).rejects.toMatchObject({ code: 'URL_UNUSABLE' });
  });
});

it('keeps the schema out of the way when the configuration cannot matter', () => {
  const source = readFileSync(new URL('./target.ts', import.meta.url), 'utf8');
  expect(source).not.toMatch(/^import (?!type).*config\/(load|schema)/m);
});
