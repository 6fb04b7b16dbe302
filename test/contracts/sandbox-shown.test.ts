// What a box shows besides its workspace, what it hides in it, and its one way out, on every driver that needs no engine:
// further folders by what they are and not by their names, masks, and the hosts of a list through the filtering proxy.
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEgressProxy, type Seen } from '../../src/net/egress/proxy.ts';
import { ensureFolder } from '../../src/platform/files.ts';
import { giveTree } from '../../src/platform/ownership.ts';
import { bubblewrapDriver } from '../../src/sandbox/bubblewrap.ts';
import type { Bind, Sandbox, SandboxDriver, SandboxSpec } from '../../src/sandbox/driver.ts';
import { unshareDriver } from '../../src/sandbox/unshare.ts';
import { prepareWorkspace, workspaceOwner } from '../../src/sandbox/workspace.ts';
import type { Place } from '../support/sandbox.ts';
import { bashIn, makePlace } from '../support/sandbox.ts';

const DRIVERS: readonly { name: string; make: () => SandboxDriver }[] = [
  { name: 'bubblewrap', make: () => bubblewrapDriver() },
  { name: 'unshare', make: () => unshareDriver() },
];

describe.each(DRIVERS)('$name', ({ make }) => {
  let place: Place;
  const opened: Sandbox[] = [];
  const open = async (more: Partial<SandboxSpec>): Promise<Sandbox> => {
    const sandbox = await make().open({
      workspace: place.workspace,
      workspaceAccess: 'rw',
      network: 'none',
      fixedFiles: [],
      hidden: [place.state],
      ...more,
    });
    opened.push(sandbox);
    return sandbox;
  };
  const folder = (name: string, text = name): string => {
    const path = join(place.base, name);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'file'), text);
    const { owner } = workspaceOwner();
    if (owner) giveTree(path, owner);
    return path;
  };
  const bind = (source: string, access: Bind['access'] = 'ro', target = '/data'): Bind => ({ source, target, access });

  beforeAll(() => {
    place = makePlace();
  });
  afterAll(async () => {
    for (const sandbox of opened) await sandbox.close();
    place.remove();
  });

  test('a folder is shown where it is asked for, to read or to write, and nothing beside it', async () => {
    const [seen, kept] = [folder('seen'), folder("k'e p\\t")];
    folder('beside');
    const sandbox = await open({
      binds: [bind(seen), bind(kept, 'rw', '/srv/x y'), bind(folder('same'), 'rw', '/srv/same')],
    });
    const { stdout } = await bashIn(
      sandbox,
      `cat /data/file; echo no >/data/file; rm /data/file; echo; echo new >"/srv/x y/file"; cat "/srv/x y/file" /srv/same/file
      echo; ls ${place.base}; ls /data/..| grep -c home; grep -cE ' (/data|/srv/x.040y) [^ ]+ [^ ]*nosuid' /proc/mounts`,
    );
    expect(stdout.split('\n').filter((line) => line !== '')).toEqual(['seen', 'new', 'same', '0', '2']);
    expect(readFileSync(join(seen, 'file'), 'utf8')).toBe('seen');
    expect(readFileSync(join(kept, 'file'), 'utf8')).toBe('new\n');
  });

  test('a source that leads to something else by then is refused, also after it was looked at', async () => {
    const source = folder('swapped');
    renameSync(source, join(place.base, 'away'));
    symlinkSync(place.state, source);
    await expect(open({ binds: [bind(source)] })).rejects.toMatchObject({
      code: 'BAD_BIND',
      message: expect.stringContaining('state folder'),
    });
    symlinkSync('/etc', join(place.base, 'to-etc'));
    await expect(open({ binds: [bind(join(place.base, 'to-etc'))] })).rejects.toMatchObject({ code: 'BAD_BIND' });
  });

  test('once open, a box shows the folder that it was opened with, whatever its name leads to', async () => {
    const source = folder('mine');
    const sandbox = await open({ binds: [bind(source)] });
    renameSync(source, join(place.base, 'mine-moved'));
    symlinkSync(place.state, source);
    const { stdout } = await bashIn(sandbox, 'cat /data/file /data/openclaw.json');
    expect(stdout).toBe('mine');
  });

  test('a command cannot swap what another one is shown', async () => {
    const outer = folder('outer');
    folder('outer/inner', 'inner');
    const sandbox = await open({ binds: [bind(outer, 'rw', '/outer'), bind(join(outer, 'inner'), 'ro', '/inner')] });
    await bashIn(sandbox, `mv /outer/inner /outer/x; ln -s ${place.state} /outer/inner; ls -l /outer`);
    expect((await bashIn(sandbox, 'cat /inner/file /inner/openclaw.json')).stdout).toBe('inner');
  });

  test.each(['/', '/etc', '/proc', '/sys', '/dev', '/root', '/run', '/var/run', '/var', '/nowhere'])(
    '%s is refused',
    async (source) => {
      await expect(open({ binds: [bind(source)] })).rejects.toMatchObject({ code: 'BAD_BIND' });
    },
  );

  test('what would cover a part of the box, or another folder, is refused', async () => {
    const source = folder('plain');
    for (const target of [
      '/',
      '/workspace',
      '/workspace/x',
      '/etc/passwd',
      '/usr/bin',
      '/proc/x',
      '/dev',
      'data',
      '/a/../etc',
      '/bin',
      '/tmp/x',
    ])
      await expect([target, await open({ binds: [bind(source, 'ro', target)] }).catch(({ code }) => code)]).toEqual([
        target,
        'BAD_BIND',
      ]);
    await expect(open({ binds: [bind(source, 'ro', '/a'), bind(source, 'rw', '/a/b')] })).rejects.toMatchObject({
      code: 'BAD_BIND',
    });
    await expect(open({ binds: [bind(join(source, 'file'))] })).rejects.toMatchObject({ code: 'BAD_BIND' });
  });

  test('what is masked reads as empty and stays in place, also what came later', async () => {
    const [masked, shared] = [['sub/.env', 'keys', '/data/.env', 'gone', 'to-file'], folder('shared')];
    mkdirSync(join(place.workspace, 'sub'));
    mkdirSync(join(place.workspace, 'keys'));
    for (const path of ['sub/.env', 'keys/id', 'sub/plain', 'other'])
      writeFileSync(join(place.workspace, path), `SECRET ${path}`);
    symlinkSync('other', join(place.workspace, 'to-file'));
    prepareWorkspace(place.workspace);
    writeFileSync(join(shared, '.env'), 'SECRET');
    const sandbox = await open({ masked: async () => masked, binds: [bind(shared, 'rw')] });
    const script = `cat sub/.env keys/* /data/.env; ls -A keys; cat sub/plain; echo
      rm -f sub/.env; mv sub/.env x; mv keys y; echo x >sub/.env; echo x >keys/new; ls -A . sub | grep -c '^x$'`;
    expect((await bashIn(sandbox, script)).stdout).toBe('SECRET sub/plain\n0\n');
    expect(readFileSync(join(place.workspace, 'sub/.env'), 'utf8')).toBe('SECRET sub/.env');
    masked.push('other');
    expect((await bashIn(sandbox, 'cat other; ls -A')).stdout).not.toContain('SECRET');
    expect(existsSync(join(place.workspace, 'gone'))).toBe(false);
  });

  test('a box has as many processors as it was given, and cannot take others', async () => {
    const sandbox = await open({ most: { memoryBytes: 2 ** 30, maxProcesses: 64, cpus: 1 } });
    const { stdout } = await bashIn(
      sandbox,
      'nproc; taskset -pc 0-63 $$ >/dev/null 2>&1; taskset -c 0-63 nproc 2>/dev/null; nproc',
    );
    expect(stdout.trim().split('\n')).toEqual(['1', '1']);
  });

  describe('with a list of hosts', () => {
    let server: Server;
    let port: number;
    let sandbox: Sandbox;
    let proxy: { close(): Promise<void> };
    const seen: Seen[] = [];
    beforeAll(async () => {
      server = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
      await once(server, 'listening');
      port = (server.address() as AddressInfo).port;
      const own = join(place.state, 'sandboxes', 'x');
      ensureFolder(own);
      proxy = await openEgressProxy({
        socketPath: join(own, 'proxy.sock'),
        hosts: () => [`allowed.test:${port}`],
        seen: (one) => seen.push(one),
        dangerouslyResolve: async () => ['127.0.0.1'],
      });
      const { owner } = workspaceOwner();
      if (owner) giveTree(own, owner);
      sandbox = await open({ network: { proxySocket: join(own, 'proxy.sock') } });
    });
    afterAll(async () => {
      await proxy?.close();
      server?.close();
    });
    const ask = (url: string): string =>
      `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new("127.0.0.1:3128") or die; print $s "GET ${url} HTTP/1.0\\r\\n\\r\\n"; local $/; print <$s>'`;

    test('a listed host is reached, another is refused with the reason, and both are told of', async () => {
      const { stdout } = await bashIn(
        sandbox,
        `${ask(`http://allowed.test:${port}/`)}; echo; ${ask(`http://other.test:${port}/`)}; env | grep -ic proxy=http`,
      );
      expect(stdout).toMatch(/200 OK[\s\S]*hello\n/);
      expect(stdout).toMatch(/403[\s\S]*other\.test.*is not among the hosts/);
      expect(stdout.trim().split('\n').at(-1)).toBe('4');
      expect(seen.map(({ host, refused }) => [host, refused === null])).toEqual([
        ['allowed.test', true],
        ['other.test', false],
      ]);
    });

    test('nothing else gets out: no address, no name, no other socket, no other interface', async () => {
      const { stdout } = await bashIn(
        sandbox,
        `(exec 3<>/dev/tcp/127.0.0.1/${port}) && echo reached; (exec 3<>/dev/tcp/192.0.2.1/80) && echo reached
        (exec 3<>/dev/udp/192.0.2.1/53 && echo x >&3) && echo sent; getent hosts example.com
        grep -v lo: /proc/net/dev | grep :; ls /etc/proxy; find / -xdev -type s 2>/dev/null; id -u`,
      );
      expect(stdout).toBe('proxy.sock\n/etc/proxy/proxy.sock\n1000\n'.replace('/etc/proxy/proxy.sock\n', ''));
    });

    test('a large answer comes through whole, twenty at once do not disturb each other, and nothing is left', async () => {
      server.removeAllListeners('request');
      server.on('request', (_request, response) => response.end(Buffer.alloc(3_000_000, 'x')));
      const { stdout } = await bashIn(
        sandbox,
        `for i in $(seq 20); do (${ask(`http://allowed.test:${port}/`)} | tr -cd x | wc -c) & done; wait`,
      );
      const sizes = stdout.trim().split('\n').map(Number);
      expect(sizes).toHaveLength(20);
      for (const size of sizes) expect(size).toBeGreaterThanOrEqual(3_000_000);
    });
  });
});
