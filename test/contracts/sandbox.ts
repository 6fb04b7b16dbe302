// The promises of a sandbox, shown on a driver with real commands; every driver keeps this suite. Each of them once as
// root and once as an ordinary user is what makes the whole.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sandbox, SandboxDriver, SandboxSpec } from '../../src/sandbox/driver.ts';
import { prepareWorkspace } from '../../src/sandbox/workspace.ts';
import { bestOf } from '../support/measure.ts';
import type { Extra, Place } from '../support/sandbox.ts';
import { bashIn, isRoot, makePlace, processesWith, until } from '../support/sandbox.ts';

const MB = 1024 ** 2;
const GB = 1024 ** 3;

export type Case = {
  readonly name: string;
  make(): SandboxDriver;
  /** the account that commands run as, as they see it */
  readonly uid: number;
  /** processes whose command line tells of a plain `bash -c`: what starts it, and it */
  readonly processes: number;
  /** all commands of a sandbox share one container: its /tmp, and what its engine puts into /sys, /run and /etc/hosts */
  readonly isContainer: boolean;
  /** an expression that makes the driver, in a program that has `load` for the files of src/sandbox */
  readonly source: string;
};

export function sandboxContract({ name, make, uid: inside, processes, isContainer, source }: Case): void {
  let place: Place;
  let driver: SandboxDriver;
  let sandbox: Sandbox;
  const specOf = (more: Partial<SandboxSpec> = {}): SandboxSpec => ({
    workspace: place.workspace,
    workspaceAccess: 'rw',
    network: 'none',
    fixedFiles: [],
    hidden: [place.state],
    ...more,
  });
  const bash = (command: string, more?: Extra) => bashIn(sandbox, command, more);
  const inWorkspace = (file: string): string => join(place.workspace, file);

  beforeAll(async () => {
    place = makePlace();
    driver = make();
    sandbox = await driver.open(specOf({ fixedFiles: ['AGENTS.md', 'SOUL.md'] }));
  });
  afterAll(async () => {
    await sandbox?.close();
    place.remove();
  });

  describe('does its work', () => {
    test('the probe runs a real command and passes', async () => {
      expect(await driver.probe()).toMatchObject({ ok: true });
      expect(sandbox.driver).toBe(name);
    });

    test('gives output, exit code and input, and leaves files in the workspace', async () => {
      const result = await bash('cat; echo oops >&2; echo made >made.txt; exit 7', { stdin: 'grüße' });
      expect(result).toMatchObject({ exitCode: 7, stdout: 'grüße', stderr: 'oops\n', truncated: false });
      expect(result.stopped).toBeUndefined();
      expect(readFileSync(inWorkspace('made.txt'), 'utf8')).toBe('made\n');
      expect(statSync(inWorkspace('made.txt')).mode & 0o777).toBe(0o600);
      expect(statSync(inWorkspace('made.txt')).uid).toBe(isRoot ? 65_534 : process.getuid?.());
    });

    test('starts in the folder asked for, and refuses one that leads outside', async () => {
      await bash('mkdir -p sub/deep');
      expect((await bash('pwd', { cwd: 'sub/deep' })).stdout).toBe('/workspace/sub/deep\n');
      expect((await bash('pwd', { cwd: 'gone' })).stderr).toContain('there is no folder gone in the workspace');
      await expect(bash('pwd', { cwd: '../..' })).rejects.toThrow(/\.\./);
    });

    test('the environment holds nothing but safe names, and what was asked for', async () => {
      process.env['HARDSHELL_TEST_KEY'] = 'GATEWAY-SECRET';
      const { stdout } = await bash('env', { env: { GREETING: `it's "fine" $HOME` } });
      delete process.env['HARDSHELL_TEST_KEY'];
      expect(stdout).toContain(`GREETING=it's "fine" $HOME\n`);
      const names = stdout
        .trim()
        .split('\n')
        .map((line) => line.replace(/=.*/, ''));
      const safe = ['_', 'GREETING', 'HOME', 'LANG', 'PATH', 'PWD', 'SHLVL', 'TERM', 'TMPDIR', 'USER'];
      expect(names.filter((one) => !safe.includes(one))).toEqual([]);
      await expect(bash('true', { env: { 'BAD NAME': 'x' } })).rejects.toThrow(/cannot be set/);
    });

    test('twenty commands at once do not disturb each other', async () => {
      const own = (i: number): string => (isContainer ? `same${i}` : 'same');
      const runs = Array.from({ length: 20 }, (_, i) =>
        bash(`echo ${i}; echo ${i} >/tmp/${own(i)}; sleep 0.1; cat /tmp/${own(i)}`),
      );
      const results = await Promise.all(runs);
      expect(results.map((result) => result.stdout)).toEqual(Array.from({ length: 20 }, (_, i) => `${i}\n${i}\n`));
    });

    test('a warm command takes little time', async () => {
      const times: number[] = [];
      for (let i = 0; i < 30; i += 1) {
        const startMs = performance.now();
        await bash('echo hi');
        times.push(performance.now() - startMs);
      }
      times.sort((a, b) => a - b);
      console.log(`${name}: warm exec p50 ${times[15]?.toFixed(1)} ms, p95 ${times[28]?.toFixed(1)} ms (budget 20 ms)`);
      // The fastest, since other work may share the machine; the budget itself is held by the bench.
      expect(times[0]).toBeLessThan(60);
    });
  });

  describe('hides the machine', () => {
    test('the state folder and its secrets are not there', async () => {
      const { stdout } = await bash(`ls -a ${place.state} ${place.base}; cat ${place.state}/openclaw.json
        cat /workspace/../credentials/gateway-token ../openclaw.json
        find / \\( -path /proc -o -path /usr -o -path /sys \\) -prune -o \\( -name openclaw.json -o -name gateway-token \\) -print`);
      expect(stdout).toBe('');
    });

    test('homes, state of the system, sockets and other disks are not there', async () => {
      const gone = [
        '/root',
        '/home',
        '/var',
        '/opt',
        '/boot',
        ...(isContainer ? ['/run/docker.sock', '/run/podman'] : ['/run', '/sys']),
        '/srv',
        '/media',
        '/etc/shadow',
        '/etc/ssh',
      ];
      const { stdout } = await bash(
        `for path in ${gone.join(' ')}; do [ -e "$path" ] && echo "$path"; done; ls -A /mnt`,
      );
      expect(stdout).toBe('');
      expect((await bash('ls -A /')).stdout.trim().split('\n')).not.toContain('work');
    });

    test('the accounts and the name of the machine are not told', async () => {
      const { stdout } = await bash('cut -d: -f1 /etc/passwd /etc/group; cat /proc/sys/kernel/hostname');
      expect(stdout.trim().split('\n')).toEqual(['sandbox', 'nobody', 'sandbox', 'nogroup', 'sandbox']);
      const told = await bash('cat /etc/hosts; uname -n');
      if (isContainer) {
        expect(told.stdout.split(/\s+/)).not.toContain(hostname());
        expect(told.stdout).toMatch(/\nsandbox\n$/);
        return;
      }
      expect(told.stdout.trim().split(/\s+/)).toEqual([
        '127.0.0.1',
        'localhost',
        'sandbox',
        '::1',
        'localhost',
        'sandbox',
      ]);
    });

    test('processes outside and their environments are not there', async () => {
      const outside = spawn('/bin/sleep', ['60'], { env: { SECRET: 'NEIGHBOUR-SECRET' }, stdio: 'ignore' });
      try {
        const { stdout } = await bash('cat /proc/[0-9]*/environ | tr "\\0" "\\n"; echo; ls -d /proc/[0-9]* | wc -l');
        expect(stdout).not.toContain('SECRET');
        expect(Number(stdout.trim().split('\n').at(-1))).toBeLessThan(8);
        const kill = await bash(`kill -9 ${outside.pid}; kill -9 ${process.pid}; kill -9 -1`);
        expect(kill.stderr).toContain('No such process');
        expect(outside.exitCode).toBeNull();
      } finally {
        outside.kill('SIGKILL');
      }
    });

    test('no descriptor but the standard three comes in', async () => {
      const { stdout } = await bash('ls -l /proc/self/fd');
      const targets = [...stdout.matchAll(/ (\d+) -> (.*)$/gm)]
        .filter(([, fd]) => Number(fd) > 2)
        .map(([, , to]) => to);
      // The folder that ls reads, and /dev/null in the place of what whoever started the tests left open.
      expect(targets.filter((to) => to !== '/dev/null' && !/^\/proc\/\d+\/fd$/.test(to ?? ''))).toEqual([]);
    });

    test('there is no terminal to type into', async () => {
      const { stdout, stderr } = await bash('[ -t 0 ] || [ -t 1 ] || echo none; : </dev/tty');
      expect(stdout).toBe('none\n');
      expect(stderr).toMatch(/\/dev\/tty/);
    });

    test('a link in the workspace that points outside leads nowhere', async () => {
      symlinkSync(join(place.state, 'openclaw.json'), inWorkspace('to-file'));
      symlinkSync(place.state, inWorkspace('to-folder'));
      const { stdout } = await bash('cat to-file to-folder/openclaw.json; ls to-folder/; echo x >to-folder/new');
      expect(stdout).toBe('');
      expect(existsSync(join(place.state, 'new'))).toBe(false);
    });
  });

  describe('lets nothing out', () => {
    test('a listener on loopback, IPv4 and IPv6, cannot be reached, nor an abstract socket', async () => {
      let connections = 0;
      const abstract = `hardshell-${randomUUID()}`;
      const open = async (host: string | { path: string }) => {
        const server = createServer(() => {
          connections += 1;
        });
        if (typeof host === 'string') server.listen(0, host);
        else server.listen(host);
        await once(server, 'listening');
        return server;
      };
      const servers = await Promise.all([open('127.0.0.1'), open('::1'), open({ path: `\0${abstract}` })]);
      try {
        const ports = servers.slice(0, 2).map((server) => (server.address() as { port: number }).port);
        const { stdout } = await bash(`(exec 3<>/dev/tcp/127.0.0.1/${ports[0]}) && echo reached
          (exec 3<>/dev/tcp/::1/${ports[1]}) && echo reached
          perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); connect(S, pack_sockaddr_un("\\0${abstract}")) and print "reached"'`);
        expect(stdout).toBe('');
        expect(connections).toBe(0);
      } finally {
        for (const server of servers) server.close();
      }
    });

    test('nothing can be reached anywhere: no interface, no route, no name, no raw socket', async () => {
      const { stdout } = await bash(`(exec 3<>/dev/tcp/192.0.2.1/80) && echo reached
        (exec 3<>/dev/udp/192.0.2.1/53 && echo x >&3) && echo sent
        getent hosts example.com
        perl -MSocket -e 'socket(S, AF_INET, SOCK_RAW, 1) and print "raw\\n"; socket(S, 17, SOCK_RAW, 3) and print "packet\\n"'
        grep -v lo: /proc/net/dev | grep :`);
      expect(stdout).toBe('');
    });

    test('no socket can be made that a network namespace does not hold', async () => {
      const families = { vsock: 40, bluetooth: 31, alg: 38, tipc: 30, xdp: 44, can: 29 };
      const tries = Object.values(families).map(
        (family) => `socket(S,${family},1,0) or print $!{EAFNOSUPPORT} ? "no " : "other "`,
      );
      expect((await bash(`perl -e '${tries.join(';')}'`)).stdout.trim().split(' ')).toEqual(
        Object.values(families).map(() => 'no'),
      );
      expect((await bash(`perl -e 'syscall(425, 8, 0); print $!{ENOSYS} ? "no" : "other"'`)).stdout).toBe('no');
      expect((await bash(`perl -e 'socket(S,1,1,0) and socket(T,2,1,0) and print "fine"'`)).stdout).toBe('fine');
    });

    test('nothing outside the workspace can be written, and /tmp is private', async () => {
      const places = [
        '/x',
        '/usr/x',
        '/usr/bin/x',
        '/etc/x',
        '/etc/passwd',
        '/bin/x',
        '/lib/x',
        '/dev/x',
        '/proc/sys/kernel/hostname',
      ];
      const script = `for path in ${places.join(' ')} ${place.base}/x; do echo x >>"$path" && echo "$path"; done 2>/dev/null`;
      expect((await bash(script)).stdout).toBe('');
      const file = `/tmp/${randomUUID()}`;
      expect((await bash(`echo x >${file}; cat ${file}`)).stdout).toBe('x\n');
      if (!isContainer) expect((await bash(`ls -A /tmp /dev/shm`)).stdout).toBe('/dev/shm:\n\n/tmp:\n');
      expect(existsSync(file)).toBe(false);
    });

    test('E05 the files that steer the assistant can be read but not changed, moved, linked or made', async () => {
      writeFileSync(inWorkspace('AGENTS.md'), 'be good');
      prepareWorkspace(place.workspace);
      const { stdout } = await bash(`cat AGENTS.md
        echo evil >AGENTS.md; echo evil >>SOUL.md; rm -f AGENTS.md; mv AGENTS.md b; ln -sf /etc/passwd SOUL.md; sed -i s/good/evil/ AGENTS.md
        echo evil >c; mv -f c AGENTS.md; cp c SOUL.md; mv /workspace /w; chmod 777 AGENTS.md; true`);
      expect(stdout).toBe('be good');
      expect(readFileSync(inWorkspace('AGENTS.md'), 'utf8')).toBe('be good');
      expect(readFileSync(inWorkspace('SOUL.md'), 'utf8')).toBe('');
      expect(statSync(inWorkspace('SOUL.md')).mode & 0o777).toBe(0o600);
    });

    test('a read-only workspace is read-only', async () => {
      const readOnly = await driver.open(specOf({ workspaceAccess: 'ro' }));
      try {
        const { stdout, stderr } = await bashIn(readOnly, 'cat AGENTS.md; echo x >new');
        expect(stdout).toBe('be good');
        expect(stderr).toContain('Read-only file system');
      } finally {
        await readOnly.close();
      }
    });
  });

  describe('gives no rights', () => {
    test('the user is not root, has no capability, and can gain none', async () => {
      const { stdout } = await bash('id -u; grep -E "^(Cap|NoNewPrivs)" /proc/self/status | tr -d "\\t"; ulimit -c');
      const none = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((one) => `${one}:0000000000000000`);
      expect(stdout.trim().split('\n')).toEqual([String(inside), ...none, 'NoNewPrivs:1', '0']);
    });

    test('for the kernel, too, every process inside is nobody (or the ordinary user that we are), never root', async () => {
      const marker = randomUUID();
      const abort = new AbortController();
      const run = bash(`: ${marker}; sleep 30; :`, { signal: abort.signal });
      const uid = isRoot ? 65_534 : process.getuid?.();
      // The one who waits outside, the init and the command. While the walls go up, one of them is still on its way there.
      await expect
        .poll(() => processesWith(marker).map(({ uids }) => uids), { timeout: 5_000 })
        .toEqual(Array(processes).fill([uid, uid, uid, uid].join('\t')));
      abort.abort();
      await run;
    });

    test('mount, umount, new namespaces, chroot, devices and looser limits are refused', async () => {
      const attempts = [
        'mount -t tmpfs none /tmp',
        'mount --bind /workspace /usr',
        'mount -o remount,rw /usr',
        'umount /proc',
        'umount -l /workspace',
        'unshare --user true',
        'unshare --user --map-root-user --mount true',
        'unshare --net true',
        'unshare --pid --fork true',
        'nsenter --target 1 --mount true',
        'chroot / true',
        'mknod disk b 8 0',
        '>own-file; chown 0 own-file',
        'renice -n -5 $$',
        'ulimit -u 100000',
        'echo c >/proc/sysrq-trigger',
        'dmesg',
      ];
      const { stdout } = await bash(attempts.map((line) => `(${line}) >/dev/null 2>&1 && echo '${line}'`).join('\n'));
      expect(stdout).toBe('');
    });

    test('setuid programs have no power', async () => {
      const { stdout } = await bash(`cp /bin/bash own; chmod 4755 own; ./own -p -c 'id -u'
        for program in su sudo pkexec newgrp; do timeout 2 $program -c 'id -u' </dev/null 2>/dev/null; done
        grep -cE ' (/usr|/tmp|/workspace) [^ ]+ [^ ]*nosuid' /proc/mounts`);
      // A container has no /usr of its own to mount, and its engine cannot mount a folder so; no new rights come from it.
      expect(stdout.trim().split('\n')).toEqual([String(inside), isContainer ? '1' : '3']);
    });
  });

  describe('G06 limits what a command can use up', () => {
    test('a fork bomb meets the limit of processes, leaves the gateway alive, and is gone afterwards', async () => {
      const marker = randomUUID();
      let ticks = 0;
      const timer = setInterval(() => {
        ticks += 1;
      }, 20);
      const bomb = `: ${marker}; bomb() { bomb | bomb & }; bomb; sleep 30`;
      const result = await bash(bomb, { limits: { maxProcesses: 40, timeoutMs: 1_500 } });
      clearInterval(timer);
      expect(ticks).toBeGreaterThan(10);
      expect(result.durationMs).toBeLessThan(5_000);
      expect(processesWith(marker)).toEqual([]);
    });

    test('the limit of processes is the number asked for', async () => {
      const script = `perl -e 'while (defined($pid = fork)) { $pid or sleep(9), exit; $count++ } print $count'`;
      const count = Number((await bash(script, { limits: { maxProcesses: 30 } })).stdout);
      expect(count).toBeGreaterThan(25);
      expect(count).toBeLessThanOrEqual(30);
    });

    test('10 GB of output is cut off, kept as head and tail, and does not grow memory', async () => {
      const before = process.memoryUsage().rss;
      const result = await bash('echo first; head -c 10G /dev/zero | tr "\\0" x', {
        limits: { maxOutputBytes: 100_000 },
      });
      expect(result).toMatchObject({ stopped: 'output', truncated: true });
      expect(result.stdout).toMatch(/^first\n/);
      expect(result.stdout.length).toBeLessThan(101_000);
      expect(process.memoryUsage().rss - before).toBeLessThan(60 * MB);
    });

    test('10 GB of memory in one process fails', async () => {
      const result = await bash(`perl -e '$x = "a" x 10_000_000_000; print length $x'`, {
        limits: { memoryBytes: 256 * MB },
      });
      expect(result.stdout).toBe('');
      expect(result.exitCode).not.toBe(0);
    });

    test('10 GB of memory in many processes is stopped', async () => {
      const many = `for i in $(seq 100); do perl -e '$x = "a" x 100_000_000; sleep 20' & done; wait`;
      const result = await bash(many, { limits: { memoryBytes: 256 * MB, timeoutMs: 15_000 } });
      expect(result.stopped).toBe('memory');
      expect(result.durationMs).toBeLessThan(10_000);
    });

    test('10 GB in /tmp and /dev/shm meet the end of a small disk', async () => {
      const { stderr } = await bash(
        'head -c 10G /dev/zero >/tmp/x; head -c 10G /dev/zero >/dev/shm/x; rm -f /tmp/x /dev/shm/x',
        {
          limits: { maxFileBytes: 100 * GB },
        },
      );
      expect(stderr.match(/No space left on device/g)).toHaveLength(2);
    });

    test('a million empty files in /tmp count as memory', async () => {
      const result = await bash(`perl -e 'for (1..1e6) { open(F, ">", "/tmp/$_") or exit 3 }'`, {
        limits: { memoryBytes: 64 * MB, timeoutMs: 15_000 },
      });
      await bash('find /tmp -mindepth 1 -delete');
      // 137: the container as a whole had no more.
      if (result.stopped === undefined) expect([3, 137]).toContain(result.exitCode);
      else expect(result.stopped).toBe('memory');
    });

    test('one file cannot become larger than allowed', async () => {
      const result = await bash('head -c 1G /dev/zero >huge', { limits: { maxFileBytes: 4 * MB } });
      expect(result.exitCode).not.toBe(0);
      expect(statSync(inWorkspace('huge')).size).toBe(4 * MB);
    });

    test('within its limits, a large program runs', async () => {
      const result = await bash(`perl -e '$x = "a" x 200_000_000; print length $x'`);
      expect(result).toMatchObject({ exitCode: 0, stdout: '200000000' });
    });
  });

  describe('ends everything', () => {
    test('a timeout is told, and leaves no process', async () => {
      const marker = randomUUID();
      const script = `: ${marker}; trap "" TERM INT HUP; setsid sh -c ": ${marker}; sleep 60" & sleep 60`;
      const durationMs = await bestOf(
        3,
        (ms) => ms < 1_500,
        async () => {
          const result = await bash(script, { limits: { timeoutMs: 400 } });
          expect(result.stopped).toBe('timeout');
          expect(processesWith(marker)).toEqual([]);
          return result.durationMs;
        },
      );
      expect(durationMs).toBeLessThan(1_500);
    });

    test('an abort within a second leaves no process', async () => {
      const aborted = async (): Promise<number> => {
        const marker = randomUUID();
        const abort = new AbortController();
        const run = bash(`: ${marker}; (: ${marker}; trap "" TERM; sleep 60) & sleep 60; :`, { signal: abort.signal });
        await until(() => processesWith(marker).length >= processes, 20_000);
        const startMs = performance.now();
        abort.abort();
        expect((await run).stopped).toBe('aborted');
        const tookMs = performance.now() - startMs;
        expect(processesWith(marker)).toEqual([]);
        return tookMs;
      };
      expect(await bestOf(3, (ms) => ms < 1_000, aborted)).toBeLessThan(1_000);
    });

    test('an abort at any moment of the setup leaves no process', async () => {
      const marker = randomUUID();
      for (let delayMs = 0; delayMs <= 20; delayMs += 1) {
        await bash(`: ${marker}; sleep 60`, { signal: AbortSignal.timeout(delayMs) });
      }
      await until(() => processesWith(marker).length === 0, 10_000);
    });

    test('a background process is gone when the command returns, however it detached', async () => {
      const marker = randomUUID();
      const script = `setsid nohup sh -c ': ${marker}; sleep 1000' </dev/null >/dev/null 2>&1 & sleep 1000 & echo done`;
      const result = await bash(script);
      expect(result).toMatchObject({ exitCode: 0, stdout: 'done\n' });
      // It does not wait for the thousand seconds of either.
      expect(result.durationMs).toBeLessThan(10_000);
      expect(processesWith(marker)).toEqual([]);
    });

    test('closing the sandbox ends what runs in it', async () => {
      const marker = randomUUID();
      const other = await driver.open(specOf());
      const run = bashIn(other, `: ${marker}; sleep 60; :`);
      await until(() => processesWith(marker).length >= processes, 20_000);
      await other.close();
      expect((await run).stopped).toBe('aborted');
      expect(processesWith(marker)).toEqual([]);
      await expect(bashIn(other, 'true')).rejects.toThrow(/closed already/);
    });

    test('G14 when the gateway is killed, nothing is left', async () => {
      const marker = randomUUID();
      const script = `
        const load = (file) => import(${JSON.stringify(join(import.meta.dirname, '../../src/sandbox/'))} + file);
        const { DEFAULT_LIMITS } = await load('driver.ts');
        const spec = ${JSON.stringify(specOf())};
        const sandbox = await (${source}).open(spec);
        const signal = new AbortController().signal;
        await sandbox.exec({ argv: ['/bin/bash', '-c', process.argv[1]], cwd: '.', limits: DEFAULT_LIMITS, signal });`;
      const command = `: ${marker}; (: ${marker}; setsid sleep 60) & sleep 60`;
      const gateway = spawn(process.execPath, ['--input-type=module', '-e', script, command], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      await until(() => processesWith(marker).length > processes, 20_000);
      gateway.kill('SIGKILL');
      await once(gateway, 'exit');
      await until(() => processesWith(marker).length === 0, 10_000);
    });

    test('leaves no mount, no descriptor and no temporary file behind', async () => {
      // Of ours: others on this machine mount what they like meanwhile.
      const mounts = (): string[] =>
        readFileSync('/proc/self/mountinfo', 'utf8')
          .split('\n')
          .filter((line) => line.includes('hardshell') || line.includes(place.base));
      const [before, descriptors] = [mounts(), readdirSync('/proc/self/fd').length];
      const other = await driver.open(specOf());
      await bashIn(other, 'true');
      expect(mounts()).toEqual(before);
      await other.close();
      expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(descriptors);
    });
  });

  describe('shows and hides what the spec says', () => {
    test('G05 a further folder is there, read-only or to be written, and nothing else of where it lies', async () => {
      const [shelf, desk] = [join(place.base, 'shelf'), join(place.base, 'desk')];
      for (const folder of [shelf, desk]) prepareWorkspace(folder);
      writeFileSync(join(shelf, 'book'), 'words', { mode: 0o644 });
      prepareWorkspace(shelf);
      const open = await driver.open(
        specOf({
          binds: [
            { source: shelf, target: '/shelf', access: 'ro' },
            { source: desk, target: '/desk', access: 'rw' },
          ],
        }),
      );
      try {
        const { stdout, stderr } = await bashIn(
          open,
          'cat /shelf/book; echo x >/shelf/new; echo note >/desk/note; ls /shelf/..',
        );
        expect(stdout).toMatch(/^words/);
        expect(stderr).toContain('Read-only file system');
        expect(readFileSync(join(desk, 'note'), 'utf8')).toBe('note\n');
        expect(stdout).not.toMatch(/^home$/m);
      } finally {
        await open.close();
      }
    });

    test('a path that is masked reads as empty, stays in place, and is masked from the next command on', async () => {
      mkdirSync(inWorkspace('vault/deep'), { recursive: true });
      for (const file of ['.env', 'vault/deep/key']) writeFileSync(inWorkspace(file), 'TOP-SECRET');
      prepareWorkspace(place.workspace);
      let masked: string[] = [];
      const open = await driver.open(specOf({ masked: async () => masked }));
      try {
        expect((await bashIn(open, 'cat .env')).stdout).toBe('TOP-SECRET');
        masked = ['.env', 'vault', ...(isContainer ? ['vault/deep'] : [])];
        const { stdout } = await bashIn(
          open,
          'cat .env vault/deep/key; ls -A vault; rm -rf .env vault; mv .env e; mv vault v; cat e v/deep/key; echo x >.env; grep -r TOP-SECRET . ; true',
        );
        expect(stdout).toBe('');
        for (const file of ['.env', 'vault/deep/key'])
          expect(readFileSync(inWorkspace(file), 'utf8')).toBe('TOP-SECRET');
      } finally {
        await open.close();
      }
    });

    test('a fixed file that the owner replaces meanwhile is the new one, and fixed', async () => {
      writeFileSync(inWorkspace('next'), 'be better');
      renameSync(inWorkspace('next'), inWorkspace('AGENTS.md'));
      prepareWorkspace(place.workspace);
      expect((await bash('cat AGENTS.md; echo evil >AGENTS.md; mv AGENTS.md b; true')).stdout).toBe('be better');
      expect(readFileSync(inWorkspace('AGENTS.md'), 'utf8')).toBe('be better');
    });

    test('no socket of an engine, and no netlink but an empty machine', async () => {
      const { stdout } = await bash(`find / -path /proc -prune -o -type s -print 2>/dev/null
        perl -MSocket -e 'socket(S, 16, SOCK_RAW, 0) or exit;
          send(S, pack("LSSLLCxSLLL", 32, 18, 0x301, 1, 0, 0, 0, 0, 0, 0), 0); recv(S, $_, 65536, 0);
          print "names: ", join(",", sort grep { !/^(lo|sit0|tunl0|ip6tnl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|ip6gre0|teql0|dummy0)$/ } /\\0\\0\\3\\0([a-z0-9_]+)\\0/g), "\n"'`);
      expect(stdout.replace(/^names: \n$/, '')).toBe('');
    });
  });

  describe('talks with a command while it runs', () => {
    test('input comes as a stream, output as it is made, and its end is the end of the input', async () => {
      const stdin = new PassThrough();
      const heard: string[] = [];
      const run = bash('while read -r line; do echo "got $line"; done; echo over >&2', {
        stdin,
        onOutput: (chunk, from) => {
          heard.push(`${from}: ${chunk.toString('utf8').trim()}`);
          if (heard.length === 1) stdin.write('two\n');
          if (heard.length === 2) stdin.end();
        },
      });
      stdin.write('one\n');
      expect(await run).toMatchObject({ exitCode: 0, stdout: 'got one\ngot two\n', stderr: 'over\n' });
      expect(heard).toEqual(['stdout: got one', 'stdout: got two', 'stderr: over']);
    });

    test('input that nobody reads holds nothing up, and a lot of it arrives whole', async () => {
      expect(await bash('exit 4', { stdin: 'x'.repeat(5_000_000) })).toMatchObject({ exitCode: 4 });
      expect((await bash('wc -c', { stdin: 'x'.repeat(5_000_000) })).stdout.trim()).toBe('5000000');
    });

    test('a command that writes what its keeper would say fools nobody', async () => {
      const script = `perl -e 'print pack("a1NN", "X", 1, 4), pack("N", 0), pack("a1NN", "O", 2, 4), "fake"' ; exit 9`;
      const [first, second] = await Promise.all([bash(script), bash('sleep 0.1; echo mine')]);
      expect(first.exitCode).toBe(9);
      expect(second).toMatchObject({ exitCode: 0, stdout: 'mine\n' });
    });
  });

  describe('refuses to open', () => {
    test.each(['/', '/etc', '/usr/share', '/root', '/home', '/proc', '/var', '/no/such/folder'])(
      'G01 %s as a workspace',
      async (workspace) => {
        await expect(driver.open(specOf({ workspace }))).rejects.toMatchObject({ code: 'BAD_WORKSPACE' });
      },
    );

    test('G02 the state folder, a folder above it, or a link to one', async () => {
      symlinkSync(place.state, join(place.base, 'link'));
      for (const workspace of [place.state, place.base, join(place.base, 'link'), join(place.base, 'home')]) {
        await expect(driver.open(specOf({ workspace })), workspace).rejects.toMatchObject({ code: 'BAD_WORKSPACE' });
      }
    });

    test('a workspace that commands could not write to, and says whose it has to be', async () => {
      const workspace = join(place.base, 'foreign');
      mkdirSync(workspace, { mode: isRoot ? 0o700 : 0o500 });
      await expect(driver.open(specOf({ workspace }))).rejects.toMatchObject({
        code: isRoot ? expect.stringMatching(/WORKSPACE_NOT_WRITABLE|SANDBOX_UNAVAILABLE/) : 'WORKSPACE_NOT_WRITABLE',
        fix: expect.any(String),
      });
    });
  });
}
