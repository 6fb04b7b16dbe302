// S166: podman as an ordinary user, with an account made for it. Where the kernel lets no ordinary user set limits (cgroup
// v1), it has to be refused with that reason; its walls are then shown without the engine's limits.
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isRoot } from '../support/sandbox.ts';

const NAME = `hs-rootless-${process.pid}`;
const REPO = join(import.meta.dirname, '../..');
let home: string;
let uid: number;

const system = (program: string, ...args: string[]): string => {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 60_000 });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
  return stdout.trim();
};

beforeAll(() => {
  expect(isRoot, 'only root can make an account to try this with').toBe(true);
  expect(existsSync('/usr/bin/podman') && existsSync('/usr/bin/newuidmap'), 'apt install podman uidmap').toBe(true);
  home = mkdtempSync(join(tmpdir(), 'hs-rootless-'));
  system('useradd', '--no-create-home', '--home-dir', home, '--key', 'UID_MIN=20000', '--key', 'UID_MAX=29999', NAME);
  uid = Number(system('id', '-u', NAME));
  mkdirSync(join(home, 'run'), { mode: 0o700 });
  for (const path of [home, join(home, 'run')]) chownSync(path, uid, Number(system('id', '-g', NAME)));
});
afterAll(() => {
  if (home === undefined) return;
  asUser('/usr/bin/podman', 'system', 'reset', '--force');
  spawnSync('userdel', [NAME]);
  rmSync(home, { recursive: true, force: true });
});

function asUser(...argv: string[]) {
  const env = [
    'env',
    `HOME=${home}`,
    `XDG_RUNTIME_DIR=${join(home, 'run')}`,
    `TMPDIR=${home}`,
    'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
  ];
  const words = ['--reuid', NAME, '--regid', NAME, '--init-groups', '--reset-env', '--', ...env, ...argv];
  return spawnSync('setpriv', words, { encoding: 'utf8', timeout: 120_000, cwd: '/' });
}

const SCRIPT = `
const load = (file) => import(${JSON.stringify(`${REPO}/`)} + file);
const { podmanDriver } = await load('src/sandbox/docker.ts');
const { buildImage } = await load('src/sandbox/container/image.ts');
const { makePlace, bashIn } = await load('test/support/sandbox.ts');
const client = ['/usr/bin/podman', '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'];
await buildImage({ engine: 'podman', client });
const place = makePlace();
const spec = { workspace: place.workspace, workspaceAccess: 'rw', network: 'none', fixedFiles: ['AGENTS.md'], hidden: [place.state] };
const told = await podmanDriver({ client }).open(spec).then((box) => box.close().then(() => 'opened'), (e) => e.message + '; ' + e.fix);
const sandbox = await podmanDriver({ client, dangerouslyUnlimited: true }).open(spec);
const bash = (line, more) => bashIn(sandbox, line, more);
const startMs = performance.now();
for (let i = 0; i < 10; i++) await bash('true');
const warmMs = (performance.now() - startMs) / 10;
const facts = await bash('id -u; grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status | tr -d "\\t"; cat /etc/passwd; echo x >made; echo evil >AGENTS.md; : >/usr/x; unshare --user true; cat /proc/net/dev | grep -vc lo:');
const { statSync } = await import('node:fs');
const owner = statSync(place.workspace + '/made').uid;
const bomb = await bash('b() { b | b & }; b; sleep 20', { limits: { maxProcesses: 30, timeoutMs: 1500 } });
const many = await bash("for i in 1 2 3 4 5 6 7 8; do perl -e '$x = q(a) x 60_000_000; sleep 9' & done; wait", { limits: { memoryBytes: 200e6 } });
const after = await bash('ls -d /proc/[0-9]* | wc -l');
await sandbox.close();
place.remove();
console.log(JSON.stringify({ told, facts, owner, bomb: bomb.stopped, many: many.stopped, after: Number(after.stdout), warmMs }));
`;

test('S166 podman of an ordinary user: files are that user’s, nothing is root’s, limits hold or it is refused', () => {
  const ran = asUser(process.execPath, '--input-type=module', '-e', SCRIPT);
  expect(ran.stderr).not.toMatch(/Error/);
  const { told, facts, owner, bomb, many, after, warmMs } = JSON.parse(ran.stdout.trim().split('\n').at(-1) ?? '');
  console.log(`podman rootless: ${told}; warm ${warmMs.toFixed(1)} ms`);
  if (!existsSync('/sys/fs/cgroup/cgroup.controllers')) {
    expect(told).toMatch(/does not hold the limit of memory here; boot with systemd.unified_cgroup_hierarchy=1/);
  } else expect(told).toBe('opened');
  const lines = (facts.stdout as string).split('\n');
  expect(lines[0]).toBe(String(uid));
  expect(lines.slice(1, 5)).toEqual([
    `CapEff:${'0'.repeat(16)}`,
    `CapBnd:${'0'.repeat(16)}`,
    'NoNewPrivs:1',
    'Seccomp:2',
  ]);
  expect(facts.stdout).not.toContain(NAME);
  expect(facts.stderr).toMatch(/AGENTS.md: Read-only/);
  expect(facts.stderr).toMatch(/unshare failed/);
  expect(owner).toBe(uid);
  expect([bomb, many]).toEqual(['timeout', 'memory']);
  expect(after).toBeLessThan(8);
}, 180_000);
