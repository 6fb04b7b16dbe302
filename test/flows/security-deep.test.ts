// `security audit --deep` against a gateway that runs: everything is asked for real and found in order, quickly and without
// changing what is not the gateway's own record; doors that stand open are found; nothing is reached but the loopback.
import { execFileSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import type { Facts, Outcome } from '../../src/audit/check.ts';
import { DEEP_CHECKS } from '../../src/audit/checks/deep/deep.ts';
import { WRITES } from '../../src/audit/checks/deep/door.ts';
import { gatherAuditFacts } from '../../src/audit/facts.ts';
import { allMethods } from '../../src/gateway/methods/table.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { msWithin } from '../support/measure.ts';

const BUDGET_MS = 3_000;
let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({});
});
afterAll(() => gateway.dispose());
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const factsOf = (): Promise<Facts> =>
  gatherAuditFacts(
    { ...gateway.env, HOME: gateway.home, OPENCLAW_HOME: gateway.home },
    {
      ...{ nowMs: Date.now(), version: '0' },
      probeSandbox: async () => ({ driver: null, detail: '', fix: null }),
    },
  );

async function probe(facts: Facts, ...ids: string[]): Promise<Record<string, Outcome>> {
  const wanted = DEEP_CHECKS.filter(({ id }) => ids.length === 0 || ids.includes(id));
  return Object.fromEntries(await Promise.all(wanted.map(async (one) => [one.id, await one.probe(facts)] as const)));
}
const isPass = (outcome: Outcome | undefined): boolean => outcome !== undefined && 'pass' in outcome;
const severities = (outcome: Outcome | undefined): string[] =>
  outcome !== undefined && 'findings' in outcome ? outcome.findings.map(({ severity }) => severity) : [];

test('S006 a gateway as it comes has no finding, within 3 s', async () => {
  const facts = await factsOf();
  let found: Record<string, Outcome> = {};
  const tookMs = await msWithin(BUDGET_MS, async () => {
    found = await probe(facts);
  });
  expect(tookMs).toBeLessThan(BUDGET_MS);
  expect(Object.entries(found).filter(([, one]) => 'findings' in one)).toEqual([]);
  for (const id of [
    'gateway.sockets',
    'gateway.probe_no_token',
    'gateway.probe_foreign_page',
    'gateway.probe_read_scope',
    'channels.round_trip',
  ])
    expect([id, isPass(found[id])]).toEqual([id, true]);
});

test('what a small client tries to write exists, needs more than reading, and is not valid', () => {
  const methods = allMethods();
  for (const name of WRITES.filter((one) => one !== 'no.such.method')) {
    const method = methods.get(name);
    expect([name, method !== undefined && method.scope !== null && method.scope !== 'operator.read']).toEqual([
      name,
      true,
    ]);
    expect([name, method?.params.safeParse({}).success === false]).toEqual([name, true]);
  }
});

/** A door that lets everybody in, on every network. */
async function openDoor(): Promise<number> {
  const server = createServer((_, res) => res.end('{}'));
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.send(JSON.stringify({ type: 'event', event: 'connect.challenge', payload: {} }));
    socket.on('message', (data) => {
      const { id } = JSON.parse(String(data)) as { id: string };
      socket.send(JSON.stringify({ type: 'res', id, ok: true, payload: {} }));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  return (server.address() as AddressInfo).port;
}

test('S011 S153 a door that lets everybody in is found at each of its sides', async () => {
  const facts = await factsOf();
  const port = await openDoor();
  const lock = { pid: process.pid, port, startedAtMs: 0, startTicks: '' };
  const found = await probe(
    { ...facts, lock },
    'gateway.sockets',
    'gateway.probe_no_token',
    'gateway.probe_foreign_page',
    'gateway.probe_read_scope',
  );
  expect(severities(found['gateway.sockets'])).toContain('CRITICAL');
  for (const id of ['gateway.probe_no_token', 'gateway.probe_foreign_page', 'gateway.probe_read_scope'])
    expect([id, severities(found[id])]).toEqual([id, ['CRITICAL']]);
});

test('without a gateway, what it would take is skipped with the reason', async () => {
  const found = await probe(
    { ...(await factsOf()), lock: null },
    'gateway.sockets',
    'gateway.probe_no_token',
    'channels.round_trip',
  );
  for (const outcome of Object.values(found)) expect(outcome).toHaveProperty('skipped');
});

const canUnshare = (): boolean => {
  try {
    execFileSync('unshare', ['-rn', 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** In a network of its own nothing can be reached, and the kernel counts who tried. */
test.skipIf(!canUnshare())('no socket is opened beyond the loopback, by no check of any depth', () => {
  const repo = join(import.meta.dirname, '..', '..');
  const script = `
    import { readFileSync } from 'node:fs';
    import { connect } from 'node:net';
    const [{ CHECKS }, { gatherAuditFacts }] = await Promise.all([import('${repo}/src/audit/checks/checks.ts'), import('${repo}/src/audit/facts.ts')]);
    const facts = await gatherAuditFacts(process.env, { nowMs: Date.now(), version: '0', probeSandbox: async () => ({ driver: null, detail: '', fix: null }) });
    if (process.env.BREAK) await new Promise((done) => connect(80, '192.0.2.1').on('error', done));
    for (const check of CHECKS) if (check.id !== 'sandbox.escape') await check.probe(facts);
    const rows = readFileSync('/proc/net/snmp', 'utf8').split('\\n');
    const count = (table, name) => { const [names, values] = rows.filter((row) => row.startsWith(table + ':')).map((row) => row.split(' ')); return Number(values[names.indexOf(name)]); };
    console.log(JSON.stringify([count('Ip', 'OutNoRoutes'), count('Udp', 'OutDatagrams')]));
    process.exit(0);`;
  const counted = (env: Record<string, string> = {}): unknown =>
    JSON.parse(
      execFileSync(
        'unshare',
        ['-rn', 'sh', '-c', 'ip link set lo up && exec "$0" --input-type=module -e "$1"', process.execPath, script],
        {
          env: {
            ...gateway.env,
            HOME: gateway.home,
            OPENCLAW_HOME: gateway.home,
            PATH: process.env['PATH'] ?? '',
            ...env,
          },
          timeout: 25_000,
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      ).toString(),
    );
  // A try is seen, or this would prove nothing.
  expect(counted({ BREAK: '1' })).not.toEqual([0, 0]);
  expect(counted()).toEqual([0, 0]);
});

test('the knocks of the audit are no attack in the record, and nobody else can make theirs look like it', async () => {
  const own = await startTestGateway({});
  try {
    const refused = async (): Promise<string[]> => {
      const { data } = JSON.parse((await own.cli('audit', 'report', '--json')).stdout);
      return data.unusual.map(({ what }: { what: string }) => what).filter((what: string) => /gateway/.test(what));
    };
    const only = ['--only', 'gateway.probe_no_token,gateway.probe_foreign_page'];
    const audited = await own.cli('security', 'audit', '--deep', ...only, '--quiet');
    expect(audited.stdout).toMatch(/^0 critical.* 2 passed/);
    // It is written down with whatever is stored next, at the latest a quarter of a second later.
    await expect.poll(async () => (await own.cli('audit', 'log', '--json')).stdout).toContain('token_missing');
    expect(await refused()).toEqual([]);
    const forged = { 'x-openclaw-audit': `${Date.now()}.${'0'.repeat(64)}` };
    for (let n = 0; n < 3; n++) expect((await fetch(`${own.url}/api/status`, { headers: forged })).status).toBe(401);
    await expect.poll(refused).toEqual(['refused 3 times: gateway.refused: token_missing']);
  } finally {
    await own.dispose();
  }
}, 40_000);
