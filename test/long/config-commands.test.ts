// The commands of settings and secrets against a gateway that runs: what counts at once, what waits, what is proved, what
// returns by itself, and a token that is replaced without locking anybody out.
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestGateway, type TestGateway, writeConfig } from '../support/gateway.ts';

const MINE = '{\n  // mine\n  agents: { defaults: { timeoutSeconds: 600 } },\n}\n';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ config: MINE });
});
afterAll(() => gateway.dispose());
beforeEach(() => writeConfig(gateway.home, MINE));

const text = (): string => readFileSync(join(gateway.stateDir, 'openclaw.json'), 'utf8');
const reach = async (token: string): Promise<number> =>
  (await fetch(`${gateway.url}/api/status`, { headers: { authorization: `Bearer ${token}` } })).status;
const tokenNow = (): string => readFileSync(join(gateway.stateDir, 'credentials', 'gateway-token'), 'utf8').trim();
const repairs = async (): Promise<string> => {
  const headers = { authorization: `Bearer ${tokenNow()}` };
  const status = await (await fetch(`${gateway.url}/api/status`, { headers })).json();
  return JSON.stringify((status as { repairs: unknown }).repairs);
};

test('the answer says what is in force and what waits for a restart, and the gateway says the same', async () => {
  const hot = await gateway.cli('config', 'set', 'agents.defaults.timeoutSeconds', '601');
  expect(hot).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^in force now: agents\.defaults\.timeoutSeconds$/m),
  });
  const cold = await gateway.cli('config', 'set', 'logging.level', 'debug');
  expect(cold.stdout).toMatch(/^in force after a restart of the gateway: logging\.level$/m);
  await expect.poll(repairs).toContain('logging.level');
});

test('a change of the port is proved through the gateway that runs, and kept', async () => {
  const { code, stdout } = await gateway.cli('config', 'set', 'gateway.port', '0');
  expect([code, stdout]).toEqual([78, '']);
  const done = await gateway.cli('config', 'set', 'gateway.port', String(gateway.port), '--json');
  expect(JSON.parse(done.stdout).data).toMatchObject({ state: 'kept', afterRestart: ['gateway.port'] });
});

test('a port that another program has is taken back before anybody is locked out', async () => {
  const { port, close } = await occupy();
  try {
    const { code, stderr } = await gateway.cli('config', 'set', 'gateway.port', String(port));
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/taken back.*port \d+ of 127\.0\.0\.1 is used by another program/),
    ]);
    expect(text()).toBe(MINE);
  } finally {
    close();
  }
});

test('a gateway that does not answer proves nothing: the previous bytes are back', async () => {
  process.kill(gateway.pid, 'SIGSTOP');
  try {
    const { code, stderr } = await gateway.cli('config', 'set', 'gateway.port', String(gateway.port));
    expect([code, stderr]).toEqual([1, expect.stringMatching(/taken back.*did not prove it/)]);
    expect(text()).toBe(MINE);
  } finally {
    process.kill(gateway.pid, 'SIGCONT');
  }
});

test('with --confirm-within the gateway takes the change back by itself, and says so', async () => {
  const words = ['config', 'set', 'agents.defaults.timeoutSeconds', '700', '--confirm-within', '2s'];
  const said = gateway.cli(...words);
  await expect.poll(text, { interval: 10 }).toContain('700');
  expect((await said).stdout).toMatch(/^it returns by itself at .*, unless: openclaw config confirm$/m);
  await expect.poll(text).toBe(MINE);
  await expect.poll(repairs).toContain('not confirmed in time');
  expect((await gateway.cli('config', 'confirm')).code).toBe(1);
});

test('a confirmed change stays when its time is over', async () => {
  await gateway.cli('config', 'set', 'agents.defaults.timeoutSeconds', '700', '--confirm-within', '8s');
  expect((await gateway.cli('config', 'confirm')).code).toBe(0);
  await new Promise((resolve) => setTimeout(resolve, 8_100));
  expect(text()).toContain('700');
});

test('config get asks the gateway that runs', async () => {
  await expect
    .poll(async () => (await gateway.cli('config', 'get', 'agents.defaults.timeoutSeconds')).stdout)
    .toBe('600\n');
});

test('token rotate: the new one counts at once, the old one until its grace ends, and clients stay connected', async () => {
  const client = await gateway.connect();
  const old = tokenNow();
  const { code, stdout, stderr } = await gateway.cli('token', 'rotate', '--grace', '8s');
  const fresh = tokenNow();
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^the old one works until /m)]);
  expect(fresh).not.toBe(old);
  for (const token of [old, fresh]) expect(stdout + stderr).not.toContain(token);
  expect([await reach(fresh), await reach(old)]).toEqual([200, 200]);
  await expect.poll(() => reach(old), { timeout: 30_000, interval: 200 }).toBe(401);
  expect(await reach(fresh)).toBe(200);
  expect(await client.request('health', {})).toBeDefined();
  await client.close();
});

test('token rotate without a grace ends the old one at once', async () => {
  const old = tokenNow();
  expect((await gateway.cli('token', 'rotate')).stdout).toContain('the old one has ended');
  expect([await reach(tokenNow()), await reach(old)]).toEqual([200, 401]);
});

async function occupy(): Promise<{ port: number; close: () => void }> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as { port: number }).port, close: () => void server.close() };
}
