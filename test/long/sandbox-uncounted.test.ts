// What a command could use although every namespace and every limit stood: the kernel's keyrings of whoever started the
// gateway, memory that no process is charged for, the disk, and the gateway's own time (E33, G06).
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bubblewrapDriver } from '../../src/sandbox/bubblewrap.ts';
import type { Sandbox, SandboxDriver } from '../../src/sandbox/driver.ts';
import { unshareDriver } from '../../src/sandbox/unshare.ts';
import { prepareWorkspace } from '../../src/sandbox/workspace.ts';
import { REPO } from '../support/gateway.ts';
import { bestOf } from '../support/measure.ts';
import { bashIn, type Extra, isRoot, makePlace, type Place } from '../support/sandbox.ts';
import { longestStall } from '../support/stall.ts';

const MB = 1024 ** 2;
const CALLS = {
  x64: { addKey: 248, keyctl: 250, memfd: 319, mmap: 9 },
  arm64: { addKey: 217, keyctl: 219, memfd: 279, mmap: 222 },
}[process.arch as 'x64' | 'arm64'];

const DRIVERS: readonly (readonly [name: string, make: () => SandboxDriver])[] = [
  ['bubblewrap', () => bubblewrapDriver()],
  ['unshare', () => unshareDriver()],
];

describe.each(DRIVERS)('%s', (name, make) => {
  let place: Place;
  let sandbox: Sandbox;
  const bash = (command: string, more?: Extra) => bashIn(sandbox, command, more);
  const open = (workspace: string) =>
    make().open({ workspace, workspaceAccess: 'rw', network: 'none', fixedFiles: [], hidden: [] });

  beforeAll(async () => {
    place = makePlace();
    sandbox = await open(place.workspace);
  });
  afterAll(async () => {
    await sandbox?.close();
    place.remove();
  });

  test('E33 a key in the keyring of whoever started the gateway cannot be read, nor one added', async () => {
    const inside = `my ($type, $name, $mine, $text) = ("user", "hardshell-attack", "planted", "\\0" x 64);
my $key = syscall(${CALLS.keyctl}, 10, -3, $type, $name, 0);
print "found " if syscall(${CALLS.keyctl}, 11, $key, $text, 64) > 0;
print "added " if syscall(${CALLS.addKey}, $type, $mine, $text, 8, -3) > 0;
print "looked";`;
    const script = `import { bashIn } from ${JSON.stringify(join(REPO, 'test/support/sandbox.ts'))};
import { ${name}Driver } from ${JSON.stringify(join(REPO, `src/sandbox/${name}.ts`))};
const sandbox = await ${name}Driver().open({
  workspace: ${JSON.stringify(place.workspace)}, workspaceAccess: 'rw', network: 'none', fixedFiles: [], hidden: [],
});
console.log((await bashIn(sandbox, process.env.COMMAND)).stdout);
await sandbox.close();`;
    // A session of its own with a key in it, as a login, Kerberos or an encrypted home makes it.
    const outside = `my ($type, $name, $text) = ("user", "hardshell-attack", "KEYRING-SECRET");
syscall(${CALLS.keyctl}, 1, my $session = "hardshell-attack") > 0 or die "no keyring: $!";
syscall(${CALLS.addKey}, $type, $name, $text, 14, -3) > 0 or die "no key: $!";
exec @ARGV;`;
    const { stdout } = await promisify(execFile)(
      '/usr/bin/perl',
      ['-e', outside, process.execPath, '--input-type=module', '-e', script],
      { env: { ...process.env, COMMAND: `perl -e '${inside}'` }, timeout: 30_000 },
    );
    expect(stdout.trim()).toBe('looked');
  });

  test('G06 memory that belongs to no process cannot be made', async () => {
    const tries = `my $name = "x"; syscall(${CALLS.memfd}, $name, 0) >= 0 and print "memory file ";
      defined shmget(0, 1 << 20, 0600) and print "shared memory ";
      defined semget(0, 1, 0600) and print "semaphore ";
      defined msgget(0, 0600) and print "queue ";
      print "tried";`;
    expect((await bash(`perl -e '${tries}'`)).stdout).toBe('tried');
  });

  test('G06 three gigabytes in sockets that nobody reads are memory', async () => {
    const fill = `use Socket; use Fcntl; my @kept;
      for (1..12) { last unless fork }
      while (socketpair(my $one, my $two, AF_UNIX, SOCK_STREAM, 0)) {
        for ($one, $two) { fcntl($_, F_SETFL, O_NONBLOCK); 1 while syswrite($_, "x" x 65536) }
        push @kept, $one, $two;
      }
      sleep 20;`;
    const { durationMs } = await bestOf(
      3,
      (found) => found.durationMs < 5_000,
      async () => {
        const found = await bash(`perl -e '${fill}'`, { limits: { memoryBytes: 256 * MB } });
        expect(found.stopped).toBe('memory');
        return found;
      },
    );
    expect(durationMs).toBeLessThan(5_000);
  });

  test('G06 a command whose memory takes long to count does not hold up the gateway', async () => {
    // Every process maps one file many times: few pages, but a walk over millions of entries for each look at them.
    const map = `open(F, "<", "big"); for (1..24) { last unless fork }
      for (1..30) { syscall(${CALLS.mmap}, 0, 200 << 20, 1, 0x8001, fileno(F), 0) }
      sleep 20;`;
    await bash('head -c 200M /dev/zero >big');
    const look = (): Promise<number> => longestStall(() => bash(`perl -e '${map}'`, { limits: { timeoutMs: 6_000 } }));
    const stallMs = await bestOf(3, (ms) => ms < 700, look);
    await bash('rm big');
    expect(stallMs).toBeLessThan(700);
  });

  test.runIf(isRoot)('G06 a command cannot fill the disk that the gateway writes on', async () => {
    const base = mkdtempSync(join(tmpdir(), 'hardshell-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1200m', 'tmpfs', base]);
    try {
      const workspace = join(base, 'workspace');
      mkdirSync(workspace);
      prepareWorkspace(workspace);
      const small = await open(workspace);
      const fill = 'for i in 1 2 3 4 5 6 7 8; do head -c 200M /dev/zero >"f$i" || exit 1; done';
      expect((await bashIn(small, fill)).stopped).toBe('disk');
      const { bavail, bsize } = statfsSync(base);
      expect(bavail * bsize).toBeGreaterThan(10 * MB);
      await expect(bashIn(small, 'true')).rejects.toThrow(/nearly full/);
      await small.close();
    } finally {
      execFileSync('umount', ['--lazy', base]);
      rmSync(base, { recursive: true });
    }
  });
});
