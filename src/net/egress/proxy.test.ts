import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type EgressPorts, openEgressProxy, type Seen } from './proxy.ts';
import { isListed, isPublic, targetOf } from './reachable.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function openWorld(more: Partial<EgressPorts> = {}) {
  const heard: { url?: string | undefined; headers: object }[] = [];
  const server = createServer((asked, answer) => {
    heard.push({ url: asked.url, headers: asked.headers });
    answer.end(`hello ${asked.headers.host}`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const folder = mkdtempSync(join(tmpdir(), 'egress-'));
  ends.push(() => rmSync(folder, { recursive: true }));
  const socketPath = join(folder, 'proxy.sock');
  const seen: Seen[] = [];
  const proxy = await openEgressProxy({
    socketPath,
    hosts: () => [`allowed.test:${port}`, `*.wide.test:${port}`],
    seen: (one) => seen.push(one),
    dangerouslyResolve: async () => ['127.0.0.1'],
    ...more,
  });
  ends.push(() => proxy.close());
  const get = async (path: string, headers = {}) => {
    const asked = request({ socketPath, path, headers, agent: false });
    asked.end();
    const [answer] = await once(asked, 'response');
    let text = '';
    for await (const chunk of answer) text += chunk;
    return { status: answer.statusCode as number, text };
  };
  /** what comes back on a raw connection, to its end */
  const raw = async (...lines: string[]): Promise<string> => {
    const socket = connect(socketPath);
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    for (const line of lines) socket.write(line);
    await once(socket, 'close');
    return text;
  };
  const dial = async () => {
    const socket = connect(socketPath).on('error', () => {});
    ends.push(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  return { port, heard, seen, get, raw, dial };
}

describe('the filtering proxy', () => {
  test('a listed host is reached, by HTTP and through a tunnel, and each request is told of once, without its path', async () => {
    const { port, heard, seen, get, raw } = await openWorld();
    const answer = await get(`http://allowed.test:${port}/secret?x=1`, {
      host: 'other.test',
      'proxy-authorization': 'x',
    });
    expect(answer).toEqual({ status: 200, text: `hello allowed.test:${port}` });
    expect(JSON.stringify(heard[0]?.headers)).not.toMatch(/proxy-|other/);
    const text = await raw(
      `CONNECT a.wide.test:${port} HTTP/1.1\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: a.wide.test\r\nConnection: close\r\n\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*hello a\.wide\.test/);
    await expect.poll(() => seen.length).toBe(2);
    expect(seen).toMatchObject([
      { host: 'allowed.test', port, method: 'GET', refused: null, bytesIn: expect.any(Number) },
      { host: 'a.wide.test', port, method: 'CONNECT', refused: null },
    ]);
    expect(JSON.stringify(seen)).not.toContain('secret');
    expect(seen[1]?.bytesIn).toBeGreaterThan(20);
  });

  test('any other host, port or form is refused with the command that would allow it, and nothing is dialled', async () => {
    const { port, heard, seen, get, raw } = await openWorld();
    const { status, text } = await get(`http://other.test:${port}/`);
    expect(status).toBe(403);
    expect(text).toContain(`other.test:${port} is not among the hosts`);
    expect(text).toContain(`openclaw config set agents.defaults.sandbox.allowedHosts '["allowed.test:${port}",`);
    for (const url of [
      `http://wide.test:${port}/`,
      'http://allowed.test/',
      `http://allowed.test.evil.test:${port}/`,
      `http://allowed.test@evil.test:${port}/`,
      `http://127.0.0.1:${port}/`,
      '/plain',
      'https://allowed.test/',
      'file:///etc/passwd',
    ])
      expect([url, (await get(url)).status >= 400]).toEqual([url, true]);
    for (const line of [`CONNECT allowed.test:22`, `CONNECT allowed.test`, `CONNECT 127.0.0.1:${port}`, `CONNECT x y`])
      expect([line, await raw(`${line} HTTP/1.1\r\n\r\n`)]).toEqual([line, expect.not.stringContaining(' 200 ')]);
    expect(heard).toEqual([]);
    expect(seen.every(({ refused }) => refused !== null)).toBe(true);
  });

  test('a listed name that leads to a private address is refused after it was looked up', async () => {
    const { get, heard } = await openWorld({
      hosts: () => ['localhost', '127.0.0.1', '169.254.169.254'],
      dangerouslyResolve: undefined as never,
    });
    for (const url of ['http://localhost/', 'http://127.0.0.1/', 'http://169.254.169.254/latest/meta-data'])
      expect(await get(url)).toMatchObject({ status: 403, text: expect.stringContaining('private network') });
    expect(heard).toEqual([]);
  });

  test('when all its connections are held open, the oldest gives way, and no more than that', async () => {
    const { port, get, dial } = await openWorld();
    const held: Socket[] = [];
    for (let n = 0; n < 64; n++) held.push(await dial());
    expect(await get(`http://allowed.test:${port}/`)).toMatchObject({ status: 200 });
    await expect.poll(() => held.map(({ closed }, n) => (closed ? n : '')).join('')).toBe('0');
  });

  test('a tunnel that gave way is given up on the other side too, so that nobody can pile up connections there', async () => {
    const { port, seen, dial } = await openWorld();
    const tunnel = await dial();
    tunnel.write(`CONNECT allowed.test:${port} HTTP/1.1\r\n\r\n`);
    await once(tunnel, 'data');
    for (let n = 0; n < 64; n++) await dial();
    await expect.poll(() => seen, { timeout: 5_000 }).toMatchObject([{ method: 'CONNECT', refused: null }]);
  });

  test('whoever is gone before the other side was reached leaves no connection to it behind', async () => {
    const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>();
    const { promise: name, resolve: answer } = Promise.withResolvers<string[]>();
    const dangerouslyResolve = () => {
      asked();
      return name;
    };
    const { port, get, seen, dial, heard } = await openWorld({ dangerouslyResolve });
    const socket = await dial();
    socket.write(`GET http://allowed.test:${port}/ HTTP/1.1\r\nHost: allowed.test\r\n\r\n`);
    await isAsked;
    socket.destroy();
    // Whoever answers these has heard of its end.
    for (let n = 0; n < 2; n++) await get('/plain');
    answer(['127.0.0.1']);
    const told = () => seen.find(({ host }) => host === 'allowed.test');
    await expect.poll(told, { timeout: 5_000 }).toMatchObject({ refused: expect.stringContaining('not reached') });
    expect(heard).toEqual([]);
  });
});

test('what is listed, and what is public', () => {
  const listed = (text: string, ...hosts: string[]) =>
    isListed(targetOf(text, 443) ?? { host: '', port: 0 }, hosts, 443);
  expect(listed('Example.NET.', 'example.net')).toBe(true);
  expect(listed('a.b.example.net:443', '*.example.net')).toBe(true);
  expect(listed('example.net', '*.example.net')).toBe(false);
  expect(listed('notexample.net', '*.example.net', 'example.net')).toBe(false);
  expect(listed('example.net:8443', 'example.net')).toBe(false);
  expect(listed('example.net:443', 'example.net:8443')).toBe(false);
  for (const odd of ['ex ample.net', 'exämple.net', 'example.net:0', 'example.net:99999', 'a/b', 'u@h', '', '-a.net'])
    expect([odd, targetOf(odd, 443)]).toEqual([odd, null]);
  for (const address of [
    '127.0.0.1',
    '10.1.2.3',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '::1',
    '::ffff:8.8.8.8',
    'fe80::1',
    'fd00::1',
    '2002:7f00:1::',
    '64:ff9b::7f00:1',
    'x',
  ])
    expect([address, isPublic(address)]).toEqual([address, false]);
  for (const address of ['8.8.8.8', '1.1.1.1', '2606:4700::1111'])
    expect([address, isPublic(address)]).toEqual([address, true]);
});
