// The way into a real gateway: where it listens, what opens it, what it says to whom it does not know, what it writes
// down about who came, and how it shows everybody out.
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startModelServer } from '../doubles/model-server.ts';
import { freePort, newHome, startTestGateway, type TestGateway, writeConfig } from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';
import { isRoot } from '../support/sandbox.ts';
import { enter, tryConnect } from '../support/wire.ts';

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

/** `address:port`, in the kernel's hexadecimal, of every listening TCP socket of the process. */
function listeningOf(pid: number): string[] {
  const inodes = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
    } catch {
      return [];
    }
  });
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => state === '0A' && inodes.includes(inode ?? ''))
      .map(([, address]) => address ?? ''),
  );
}
const LOOPBACK = ['0100007F', '00000000000000000000000001000000'];

describe('a gateway that was told nothing', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    // What containers and platforms set must not open anything.
    const container = { container: 'docker', KUBERNETES_SERVICE_HOST: '10.0.0.1', HOST: '0.0.0.0', PORT: '80' };
    gateway = await startTestGateway({ env: container });
  });
  afterAll(() => gateway?.dispose());

  const get = (path: string, headers: Record<string, string> = {}, host = '127.0.0.1'): Promise<Response> =>
    fetch(`http://${host}:${gateway.port}${path}`, { headers });
  const journal = (kind: string): Record<string, unknown>[] => {
    const db = new DatabaseSync(join(gateway.stateDir, 'state.sqlite'), { readOnly: true });
    const rows = db.prepare('SELECT body FROM journal WHERE kind = ? ORDER BY seq').all(kind);
    db.close();
    return rows.map((row) => JSON.parse(String(row['body'])) as Record<string, unknown>);
  };

  test('A01 listens on loopback and nowhere else, HTTP and WebSocket on one port', () => {
    const port = gateway.port.toString(16).toUpperCase().padStart(4, '0');
    const expected = LOOPBACK.slice(0, hasIpv6 ? 2 : 1).map((address) => `${address}:${port}`);
    expect(listeningOf(gateway.pid).sort()).toEqual(expected.sort());
  });

  test.skipIf(!hasIpv6)('answers on [::1] too, both ways', async () => {
    expect((await get('/healthz', {}, '[::1]')).status).toBe(200);
    const peer = await enter(gateway.port, { auth: { token: gateway.token } }, { host: '[::1]' });
    expect((await peer.call('health')).ok).toBe(true);
    await peer.end();
  });

  test('S100 makes a token of 64 hexadecimal digits, for its owner alone, and prints it once, in the fragment', () => {
    expect(gateway.token).toMatch(/^[0-9a-f]{64}$/);
    const folder = join(gateway.stateDir, 'credentials');
    const modes = [gateway.stateDir, folder, join(folder, 'gateway-token')].map((path) => statSync(path).mode & 0o777);
    expect(modes).toEqual([0o700, 0o700, 0o600]);
    expect(gateway.output().split(gateway.token)).toHaveLength(2);
    expect(gateway.output()).toContain(`\nready: http://127.0.0.1:${gateway.port}/#token=${gateway.token}\n`);
  });

  test('the probes are public and say that it lives, nothing else', async () => {
    for (const path of ['/healthz', '/readyz', '/startupz']) {
      const answer = await get(path);
      expect([path, answer.status]).toEqual([path, 200]);
      expect(Object.keys((await answer.json()) as object).filter((key) => !/^(ok|status|ready)$/.test(key))).toEqual(
        [],
      );
    }
  });

  test.each(['/api/status', '/v1/status'])(
    'S103 S104 %s is 401 without the token and the status with it',
    async (path) => {
      for (const headers of [{}, { authorization: `Bearer ${'0'.repeat(64)}` }, { authorization: gateway.token }]) {
        const refused = await get(path, headers as Record<string, string>);
        expect([refused.status, await refused.text()]).toEqual([401, expect.not.stringContaining(gateway.home)]);
      }
      const answer = await get(path, { authorization: `Bearer ${gateway.token}` });
      expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ pid: gateway.pid })]);
      expect((await get(`${path}?token=${gateway.token}`)).status).toBe(400);
    },
  );

  test('every grant is journalled with its scopes; an unknown role or scope and a wrong token get none', async () => {
    const auth = { token: gateway.token };
    const before = journal('gateway.grant').length;
    for (const changes of [
      { auth, role: 'superuser' },
      { auth, role: 'node' },
      { auth, scopes: ['operator.read', 'operator.root'] },
      { auth: { token: `${gateway.token.slice(0, -1)}x` } },
      { auth: {} },
    ]) {
      const { answer, closed } = await tryConnect(gateway.port, changes);
      expect([answer.ok, closed?.code]).toEqual([false, 1008]);
    }
    const peer = await enter(gateway.port, { auth, scopes: ['operator.read', 'operator.approvals'] });
    await peer.end();
    await expect.poll(() => journal('gateway.grant').length, { timeout: 10_000 }).toBe(before + 1);
    expect(journal('gateway.grant').at(-1)).toMatchObject({
      role: 'operator',
      scopes: ['operator.read', 'operator.approvals'],
      ip: '127.0.0.1',
    });
    const reasons = journal('gateway.refused').map(({ reason }) => reason);
    for (const reason of ['invalid_role', 'role_not_paired', 'unknown_scope', 'token_mismatch', 'token_missing'])
      expect(reasons).toContain(reason);
    expect(JSON.stringify([journal('gateway.grant'), journal('gateway.refused')])).not.toContain(gateway.token);
  });

  test('the right token opens every time, also while wrong ones wait', async () => {
    const tired = new AbortController();
    const guess = { headers: { authorization: `Bearer ${'f'.repeat(64)}` }, signal: tired.signal };
    const wrong = Array.from({ length: 8 }, () => fetch(`${gateway.url}/api/status`, guess).catch(() => 'waited'));
    const startedAt = performance.now();
    const right = await get('/api/status', { authorization: `Bearer ${gateway.token}` });
    expect(right.status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    tired.abort();
    expect((await Promise.all(wrong)).at(-1)).toBe('waited');
  });

  test('as root it warns in one line, and its commands are nobody all the same; else it says nothing', async () => {
    expect(gateway.output().match(/WARNING: running as root/g) ?? []).toHaveLength(isRoot ? 1 : 0);
    expect((await gateway.rpc('status'))['rootUser']).toBe(isRoot);
    const run = await gateway.cli('agent', '-m', '$ id -u > whose; grep CapEff /proc/self/status');
    expect(run.stdout).toMatch(/CapEff:\s+0000000000000000/);
    const made = statSync(join(gateway.stateDir, 'workspace', 'whose'));
    expect(made.uid).toBe(isRoot ? 65_534 : process.getuid?.());
    expect(readFileSync(join(gateway.stateDir, 'workspace', 'whose'), 'utf8')).not.toBe('0\n');
  });

  test('says goodbye to everybody before it goes', async () => {
    const peer = await enter(gateway.port, { auth: { token: gateway.token } });
    const ended = gateway.stop();
    expect((await peer.event('shutdown')).payload).toEqual({ reason: 'SIGTERM' });
    expect(await peer.closed).toMatchObject({ code: 1012 });
    expect(await ended).toBe(0);
  });
});

test('OPENCLAW_STATE_DIR, _CONFIG_PATH, _GATEWAY_PORT and _GATEWAY_TOKEN say where all of it is', async () => {
  const model = await startModelServer();
  const [home, other] = [newHome(), newHome()];
  writeConfig(other, { ...configFor(model), gateway: { port: await freePort() } });
  // In the folder where it would be looked for otherwise: must not be read.
  writeConfig(home, '{ broken');
  const env = {
    OPENCLAW_STATE_DIR: join(other, 'elsewhere'),
    OPENCLAW_CONFIG_PATH: join(other, '.openclaw', 'openclaw.json'),
    OPENCLAW_GATEWAY_TOKEN: randomBytes(32).toString('hex'),
  };
  const gateway = await startTestGateway({ home, env });
  try {
    expect(await gateway.rpc('status')).toMatchObject({
      stateDir: env.OPENCLAW_STATE_DIR,
      configPath: env.OPENCLAW_CONFIG_PATH,
      model: { primary: 'double/double' },
    });
    expect(readdirSync(env.OPENCLAW_STATE_DIR)).toEqual(expect.arrayContaining(['state.sqlite', 'workspace']));
    // A token that was given is not written down.
    expect(readdirSync(env.OPENCLAW_STATE_DIR)).not.toContain('credentials');
    expect(readdirSync(join(home, '.openclaw'))).toEqual(['openclaw.json']);
    const answer = await gateway.cli('agent', '-m', 'hello');
    expect([answer.code, answer.stdout.slice(0, 5)]).toEqual([0, 'w0 w1']);
  } finally {
    await gateway.dispose();
    await model.close();
    rmSync(other, { recursive: true, force: true });
  }
});
