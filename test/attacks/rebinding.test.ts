// H04, H07, H10: a name server of the attacker's own, and every fetcher of ours. They run in a network of their own, where
// nothing is but the loopback that must not be reached, and ask by the resolver of the system.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PUBLIC } from '../doubles/dns-server.ts';
import { REPO } from '../support/gateway.ts';

type Seen = { zone: string; fetcher: string; said: string[]; reached: number[]; asked: number };
let folder: string;
let seen: Seen[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-dns-'));
  writeFileSync(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\noptions attempts:1 timeout:2\n');
  const inside = ['--unshare-user', '--uid', '0', '--gid', '0', '--unshare-net', '--unshare-pid', '--die-with-parent'];
  const shown = ['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc'];
  const names = ['--ro-bind', join(folder, 'resolv.conf'), realpathSync('/etc/resolv.conf')];
  const program = [process.execPath, join(REPO, 'test', 'support', 'fetchers-child.ts')];
  const cap = ['--cap-add', 'CAP_NET_BIND_SERVICE'];
  const output = execFileSync('bwrap', [...inside, ...cap, ...shown, ...names, ...program], {
    ...{ encoding: 'utf8', timeout: 50_000, stdio: ['ignore', 'pipe', 'pipe'] },
  });
  seen = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Seen);
});
afterAll(() => rmSync(folder, { recursive: true }));
const of = (fetcher: string, zone: string): Seen | undefined =>
  seen.find((one) => one.fetcher === fetcher && one.zone === zone);

test('whoever looks at an address and then calls the name is led to this machine', () => {
  expect(of('careless', 'rebind')).toMatchObject({ said: ['reached', 'reached'], reached: [1, 1] });
});

const FETCHERS = ['page', 'search', 'mcp', 'proxy', 'tunnel'];
test.each(FETCHERS)('H07 %s dials what it has looked at, and asks once; what the name became is refused', (fetcher) => {
  const found = of(fetcher, 'rebind');
  expect(found).toMatchObject({ reached: [0, 0], asked: 2 });
  // There is no way to any other machine, so the public one is not there: but it was the one that was dialled.
  expect(found?.said[0], PUBLIC).toMatch(/ENETUNREACH|not reached|could not be read|EHOSTUNREACH|502/);
  expect(found?.said[1]).toMatch(/private network|403/);
});

test.each(FETCHERS)('H04 %s is led by no name into a private network, in part or in another spelling', (fetcher) => {
  for (const zone of ['loopback', 'lan', 'metadata', 'mixed', 'mapped', 'inland', 'translated']) {
    const found = of(fetcher, zone);
    expect(found, zone).toMatchObject({ reached: [0, 0] });
    for (const said of found?.said ?? ['nothing'])
      expect([zone, said]).toEqual([zone, expect.stringMatching(/private network|403/)]);
  }
});

test.each(['page', 'proxy', 'tunnel', 'media'])('H01 H02 H03 %s: no spelling of this machine is one', (fetcher) => {
  const spelled = seen.filter((one) => one.fetcher === fetcher && one.said.length === 1);
  expect(spelled.length).toBeGreaterThan(30);
  for (const { zone, said, reached } of spelled)
    expect([zone, reached, said]).toEqual([zone, [0], [expect.not.stringMatching(/^(page|elsewhere|would be|\{)/)]]);
});
