// Owns the proof that doctor sees what is wrong with a real home, changes nothing unasked, and mends only modes and stale
// files when asked.
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { freePort, newHome, runCommand, startTestGateway, type TestGateway, writeConfig } from '../support/gateway.ts';

type Finding = { id: string; level: string; message: string; fix: string | null; mendable: string[] };
type Report = { data: { ok: boolean; findings: Finding[]; mended: { does: string; failed: string | null }[] } };

const homes: string[] = [];
const gateways: TestGateway[] = [];
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.dispose();
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
});

/** What a gateway leaves when it was stopped in good order. */
async function usedHome(): Promise<{ home: string; stateDir: string; env: Record<string, string> }> {
  const gateway = await startTestGateway({ config: {} });
  homes.push(gateway.home);
  await gateway.stop();
  return { home: gateway.home, stateDir: gateway.stateDir, env: { ...gateway.env } };
}

async function examine(home: string, env: Record<string, string> = {}, ...args: string[]) {
  const result = await runCommand(['doctor', '--json', ...args], { home, env });
  const report = (JSON.parse(result.stdout) as Report).data;
  const of = (id: string): Finding => {
    const found = report.findings.find((one) => one.id === id);
    if (!found) throw new Error(`no finding ${id}`);
    return found;
  };
  return { ...report, of, code: result.code };
}

/** Everything that a change would change. */
function facts(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const { mode, mtimeMs, ctimeMs, size, ino } = lstatSync(join(folder, name));
      return [name, mode, mtimeMs, ctimeMs, size, ino].join(' ');
    });
}

test('S084 S085 doctor finds a home in order to be in order, in one line a check, and changes nothing', async () => {
  const { home, env } = await usedHome();
  const before = facts(home);
  const said = await runCommand(['doctor'], { home, env });
  expect(said.code).toBe(0);
  expect(said.stdout).not.toContain('FAIL');
  expect(said.stdout).toMatch(/^ok {4}configuration: .*openclaw\.json is valid$/m);
  expect(said.stdout).toMatch(/^ok {4}database: /m);
  expect(facts(home)).toEqual(before);
});

test('a running gateway is recognised: its port, its lock, its open database', async () => {
  const gateway = await startTestGateway();
  gateways.push(gateway);
  const { of, ok } = await examine(gateway.home, { ...gateway.env });
  expect(ok).toBe(true);
  expect(of('port').message).toContain(`our gateway (process ${gateway.pid})`);
  expect(of('lock')).toMatchObject({ level: 'ok' });
  expect(of('database')).toMatchObject({ level: 'ok' });
});

test('S084 what is wrong is named with its fix, and nothing is touched', async () => {
  const { home, stateDir, env } = await usedHome();
  writeConfig(home, '{ gateway: { bind: "everywhere" }, // mine\n}');
  writeFileSync(join(stateDir, 'credentials', 'gateway-token'), 'password123password123\n');
  chmodSync(join(stateDir, 'openclaw.json'), 0o644);
  writeFileSync(join(stateDir, 'state.sqlite'), Buffer.alloc(200_000, 7));
  writeFileSync(join(stateDir, 'gateway.lock'), '{"pid":4194304,"port":1,"startTicks":"1"}', { mode: 0o600 });
  const server = createServer().listen(Number(env['OPENCLAW_GATEWAY_PORT']), '127.0.0.1');
  const before = facts(home);
  const { of, code, ok } = await examine(home, env);
  server.close();
  expect({ code, ok }).toEqual({ code: 1, ok: false });
  expect(of('config')).toMatchObject({ level: 'error' });
  expect(of('config').message).toContain('gateway.bind');
  expect(of('token')).toMatchObject({ level: 'error', fix: 'openclaw token rotate' });
  expect(of('token').message).not.toContain('password123');
  expect(of('modes').mendable).toEqual([`chmod 600 ${join(stateDir, 'openclaw.json')}`]);
  expect(of('database')).toMatchObject({ level: 'error' });
  expect(of('lock')).toMatchObject({ level: 'warning' });
  expect(of('port')).toMatchObject({ level: 'error' });
  for (const id of ['config', 'token', 'modes', 'database', 'lock', 'port']) expect(of(id).fix).toBeTruthy();
  expect(facts(home)).toEqual(before);
});

test('S066 --fix mends modes and what a crash left, says each step, and leaves the rest and foreign files alone', async () => {
  const { home, stateDir, env } = await usedHome();
  const outside = join(home, 'outside');
  writeFileSync(outside, 'not ours', { mode: 0o644 });
  symlinkSync(outside, join(stateDir, 'logs', 'link.log'));
  writeConfig(home, '{ nonsense: true }');
  chmodSync(stateDir, 0o755);
  chmodSync(join(stateDir, 'credentials'), 0o750);
  chmodSync(join(stateDir, 'credentials', 'gateway-token'), 0o644);
  mkdirSync(join(stateDir, 'snapshots'), { recursive: true });
  const partial = join(stateDir, 'snapshots', 'state-1.sqlite.partial');
  writeFileSync(partial, 'x', { mode: 0o600 });
  utimesSync(partial, 1, 1);
  writeFileSync(join(stateDir, 'gateway.lock'), '{"pid":4194304,"port":1,"startTicks":"1"}', { mode: 0o600 });
  const { mended, of } = await examine(home, env, '--fix');
  expect(mended.map(({ does }) => does).sort()).toEqual(
    [
      `chmod 700 ${stateDir}`,
      `chmod 700 ${join(stateDir, 'credentials')}`,
      `chmod 600 ${join(stateDir, 'credentials', 'gateway-token')}`,
      `rm ${partial}`,
      `rm ${join(stateDir, 'gateway.lock')}`,
    ].sort(),
  );
  expect(mended.every(({ failed }) => failed === null)).toBe(true);
  expect(of('modes')).toMatchObject({ level: 'ok' });
  expect(of('lock')).toMatchObject({ level: 'ok' });
  expect(statSync(join(stateDir, 'credentials')).mode & 0o777).toBe(0o700);
  expect(statSync(join(stateDir, 'credentials', 'gateway-token')).mode & 0o777).toBe(0o600);
  expect(statSync(outside).mode & 0o777).toBe(0o644);
  expect(readdirSync(stateDir)).not.toContain('gateway.lock');
  // The configuration is yours: a key that means nothing stays where it is.
  expect(of('config').message).toContain('nonsense');
});

test('an empty home, and one that has never been started, are no failure', async () => {
  const home = newHome();
  homes.push(home);
  const { ok } = await examine(home, { OPENCLAW_GATEWAY_PORT: String(await freePort()) });
  expect(ok).toBe(true);
  expect(readdirSync(home)).toEqual([]);
});
