// How a client proves itself, end to end: what validates starts, what does not is refused by both in one line, and the
// password does everywhere what the token does.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort, newHome, runCommand, startTestGateway, type TestGateway, writeConfig } from '../support/gateway.ts';
import { connectGateway } from '../support/ws-client.ts';

const PASSWORD = 'Mq7-vTzR2wLp9-xKd4Nb';
const WRONG = 'Mq7-vTzR2wLp9-xKd4Nc';

const undo: (() => void | Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** Started without the client of the support, which shows a token. */
async function start(auth: object, env: Record<string, string> = {}): Promise<TestGateway> {
  const home = newHome();
  undo.push(() => rmSync(home, { recursive: true, force: true, maxRetries: 3 }));
  mkdirSync(join(home, '.openclaw', 'credentials'), { recursive: true, mode: 0o700 });
  // What the support shows to the gateway as its token; gone before any command could take it for that.
  const shown = join(home, '.openclaw', 'credentials', 'gateway-token');
  for (const path of [shown, join(home, '.openclaw', 'credentials', 'door')])
    writeFileSync(path, `${PASSWORD}\n`, { mode: 0o600 });
  const gateway = await startTestGateway({ home, config: { gateway: { auth } }, env });
  rmSync(shown);
  undo.push(() => gateway.stop());
  return gateway;
}

const statusOf = async ({ url }: TestGateway, secret?: string): Promise<number> =>
  (await fetch(`${url}/api/status`, secret ? { headers: { authorization: `Bearer ${secret}` } } : {})).status;

function logOf({ stateDir }: TestGateway): string {
  const folder = join(stateDir, 'logs');
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('');
}

describe('S148 gateway.auth.mode "password"', () => {
  test.each([
    ['in the configuration', { mode: 'password', password: PASSWORD }, {}],
    ['as a reference', { mode: 'password', password: { source: 'file', id: 'door' } }, {}],
    ['in the environment', { mode: 'password' }, { OPENCLAW_GATEWAY_PASSWORD: PASSWORD }],
  ])('%s opens HTTP, WebSocket and the commands, and nothing else does', async (_where, auth, env) => {
    const gateway = await start(auth, env);
    expect([await statusOf(gateway, PASSWORD), await statusOf(gateway, WRONG), await statusOf(gateway)]).toEqual([
      200, 401, 401,
    ]);
    const { port } = gateway;
    const client = await connectGateway({ port, token: '', password: PASSWORD });
    expect(client.hello).toMatchObject({ auth: { method: 'password' }, snapshot: { authMode: 'password' } });
    await client.close();
    const wrong = connectGateway({ port, token: '', password: WRONG });
    await expect(wrong).rejects.toMatchObject({ details: { code: 'AUTH_TOKEN_MISMATCH' } });
    const status = await gateway.cli('status');
    expect(status.code, status.stderr).toBe(0);
    expect((await gateway.cli('health')).code).toBe(0);
    const rotated = await gateway.cli('token', 'rotate');
    expect([rotated.code, rotated.stderr]).toEqual([78, expect.stringContaining('would change nothing')]);

    await expect.poll(() => logOf(gateway)).toMatch(/unauthorized ip=127\.0\.0\.1 via=ws reason=token_mismatch/);
    expect(logOf(gateway)).toMatch(/unauthorized ip=127\.0\.0\.1 via=http reason=token_mismatch/);
    expect(logOf(gateway) + gateway.output() + status.stdout).not.toContain(PASSWORD);
    expect((await gateway.cli('config', 'get')).stdout).not.toContain(PASSWORD);
  });
});

describe('gateway.auth.mode "none"', () => {
  test('serves this machine when it was asked for twice, with a warning', async () => {
    const gateway = await start({ mode: 'none', dangerouslyDisableAuth: true });
    expect(gateway.output()).toMatch(/^WARNING: every program and every account of this machine can command/m);
    expect([await statusOf(gateway), await statusOf(gateway, WRONG)]).toEqual([200, 200]);
    const client = await connectGateway({ port: gateway.port, token: '' });
    expect(client.hello).toMatchObject({ snapshot: { authMode: 'none' } });
    await client.close();
    expect((await gateway.cli('status')).code).toBe(0);
  });
});

const STRONG = { auth: { mode: 'password', password: PASSWORD } };

describe('validate and start agree', () => {
  test.each([
    ['no password', { auth: { mode: 'password' } }, /there is no password/],
    ['a weak one', { auth: { mode: 'password', password: 'hunter2' } }, /gateway\.auth\.password can be guessed/],
    ['no authentication', { auth: { mode: 'none' } }, /authentication is switched off/],
    [
      'none behind Tailscale',
      { auth: { mode: 'none', dangerouslyDisableAuth: true }, tailscale: { mode: 'serve' } },
      /nothing may be forwarded/,
    ],
    [
      'a trusted proxy',
      { auth: { mode: 'trusted-proxy' }, trustedProxies: ['10.0.0.2'] },
      /"trusted-proxy" is not offered.*\n?.*"token"/,
    ],
    ['S049 funnel with a token', { tailscale: { mode: 'funnel' } }, /open to the internet/],
    [
      'serve on a network',
      { ...STRONG, bind: 'lan', dangerouslyExposeToNetwork: true, tailscale: { mode: 'serve' } },
      /needs gateway\.bind "loopback"/,
    ],
  ])('%s is refused by both, with exit 78', async (_what, gateway, says) => {
    const home = newHome();
    undo.push(() => rmSync(home, { recursive: true, force: true }));
    writeConfig(home, { gateway });
    const validated = await runCommand(['config', 'validate'], { home });
    expect([validated.code, validated.stdout]).toEqual([78, expect.stringMatching(says)]);
    const started = await runCommand(['gateway', 'run', '--port', String(await freePort())], { home });
    expect([started.code, started.stderr]).toEqual([78, expect.stringMatching(/^error: [^\n]+\nfix: [^\n]+\n$/)]);
    expect(started.stderr).toMatch(says);
  });

  test.each([
    ['S273 serve', { tailscale: { mode: 'serve' } }],
    ['S273 funnel with a password', { ...STRONG, tailscale: { mode: 'funnel' } }],
  ])('%s is good for both', async (_what, settings) => {
    const home = newHome();
    undo.push(() => rmSync(home, { recursive: true, force: true, maxRetries: 3 }));
    mkdirSync(join(home, '.openclaw', 'credentials'), { recursive: true, mode: 0o700 });
    const token = 'auth' in settings ? PASSWORD : '4c1f0b7d92e85a36c1d0e7f4a8b3925d61f7c0e2';
    writeFileSync(join(home, '.openclaw', 'credentials', 'gateway-token'), token, { mode: 0o600 });
    writeConfig(home, { gateway: settings });
    expect((await runCommand(['config', 'validate'], { home })).code).toBe(0);
    const gateway = await startTestGateway({ home });
    undo.push(() => gateway.stop());
    expect(await statusOf(gateway, token)).toBe(200);
  });
});
