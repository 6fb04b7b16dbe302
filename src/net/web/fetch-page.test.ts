// Pages from real servers on this machine: what is refused before it is dialled, what a hostile server can do, and what the
// model gets. Only a test can open this machine; no setting does.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { createPages, type Dangerously, type FetchOptions } from './fetch-page.ts';
import { readPageUrl, whyNotReached } from './page-url.ts';
import { readAside } from './read-aside.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function serve(answer: RequestListener, tls?: { key: string; cert: string }): Promise<number> {
  const server = (tls ? createTlsServer(tls, answer) : createServer(answer)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
const html = (response: ServerResponse, body: string | Buffer, headers: Record<string, string> = {}): void => {
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...headers }).end(body);
};
const HERE: Dangerously = { resolve: async () => ['127.0.0.1'], isAllowed: () => true };
function pages(dangerously: Dangerously = HERE, ownPorts: readonly number[] = []) {
  const { fetchPage } = createPages({ ownPorts: () => ownPorts, dangerously });
  return (url: string, more: Partial<FetchOptions> = {}) =>
    fetchPage(url, { maxBytes: 100_000, signal: new AbortController().signal, whyNotHost: () => null, ...more });
}
const code = (problem: string) => expect.objectContaining({ code: problem });

describe('an address is refused before anything is dialled', () => {
  test.each([
    ...['http://127.0.0.1/', 'http://[::]/', 'http://[::1]/', 'http://[::ffff:7f00:1]/', 'http://[64:ff9b::7f00:1]/'],
    ...[
      'http://169.254.169.254/latest/',
      'http://10.0.0.1/',
      'http://100.64.0.1/',
      'http://198.18.0.1/',
      'http://0.0.0.0/',
    ],
    ...[
      'http://[fd00::1]/',
      'http://[fe80::1]/',
      'http://[2002:7f00:1::]/',
      'http://[2001:db8::1]/',
      'http://224.0.0.1/',
    ],
    ...[
      'http://localhost/',
      'http://a.localhost/',
      'http://printer/',
      'http://nas.local/',
      'http://metadata.google.internal/',
    ],
    ...['http://example.net:22/', 'http://example.net:25/'],
  ])('H01 H02 H04 %s', (url) => {
    const read = readPageUrl(url);
    expect('problem' in read ? read.problem : whyNotReached(read.url)).not.toBeNull();
  });

  test.each([
    ...[
      'http://127.1/',
      'http://0x7f.1/',
      'http://2130706433/',
      'http://0177.0.0.1/',
      'http://0x7f000001/',
      'http://localhost./',
    ],
    ...[
      'http://[0:0:0:0:0:ffff:7f00:1]/',
      'http://１２７.0.0.1/',
      'http://①②⑦.⓪.⓪.①/',
      'http://ｌｏｃａｌｈｏｓｔ/',
      'http://127。0。0。1/',
    ],
    ...['http://u:p@127.0.0.1/', 'http://example.net@127.0.0.1/', 'http://example.net./', 'http://ex%61mple.net/'],
    ...['http:127.0.0.1', 'http:\\\\127.0.0.1', 'file:///etc/passwd', 'ftp://example.net/', 'gopher://example.net/'],
    ...[
      '//example.net/',
      'example.net',
      'http://',
      'http://exa\tmple.net/',
      'http://exa\u200bmple.net/',
      `http://a.example/${'x'.repeat(2_000)}`,
    ],
  ])('H01 H03 %s is no spelling that is read', (url) => {
    expect(readPageUrl(url)).toHaveProperty('problem');
  });

  test('a host with other letters is shown as it is, so that one that looks like another does not pass for it', () => {
    expect(readPageUrl('https://аpple.com/Ä')).toMatchObject({ text: 'https://xn--pple-43d.com/%C3%84' });
    expect(readPageUrl('https://Example.net/Ä')).toMatchObject({ text: 'https://Example.net/Ä' });
  });

  test('H04 a name that leads to a private network, also in part, is not dialled', async () => {
    let dialled = 0;
    const port = await serve(() => dialled++);
    for (const found of [['127.0.0.1'], ['93.184.215.14', '10.0.0.1'], ['::ffff:127.0.0.1'], ['fe80::1'], []])
      await expect(pages({ resolve: async () => found })(`http://evil.example:${port}/`)).rejects.toEqual(
        code(found.length === 0 ? 'PAGE_NOT_FOUND' : 'ADDRESS_REFUSED'),
      );
    expect(dialled).toBe(0);
  });

  test('H07 a name that leads elsewhere the second time is dialled where it led when it was looked at', async () => {
    const port = await serve((_request, response) => html(response, '<p>looked at</p>'));
    let asked = 0;
    const resolve = async () => [asked++ === 0 ? '127.0.0.1' : '127.0.0.2'];
    expect(await pages({ ...HERE, resolve })(`http://evil.example:${port}/`)).toMatchObject({ text: 'looked at' });
    expect(asked).toBe(1);
    // The next hop is a question of its own, and its answer counts.
    const hops = await serve((_request, response) => response.writeHead(302, { location: '/again' }).end());
    asked = 0;
    const isAllowed = (address: string) => address === '127.0.0.1';
    await expect(pages({ resolve, isAllowed })(`http://evil.example:${hops}/`)).rejects.toEqual(
      code('ADDRESS_REFUSED'),
    );
  });

  test('the gateway itself is no page', async () => {
    await expect(pages(HERE, [18_789])('http://example.net:18789/')).rejects.toEqual(code('ADDRESS_REFUSED'));
  });
});

describe('redirects', () => {
  const to = async (location: string, dangerously: Dangerously = HERE) => {
    const port = await serve((_request, response) => response.writeHead(302, { location }).end());
    return pages(dangerously)(`http://www.example.net:${port}/from`);
  };
  test('to another host are told and not followed', async () => {
    expect(await to('https://other.example/x?y')).toMatchObject({ kind: 'elsewhere', to: 'https://other.example/x?y' });
    expect(await to('https://www.example.net.evil.example/')).toMatchObject({ kind: 'elsewhere' });
    expect(await to('http://www.example.net:9999/')).toMatchObject({ kind: 'elsewhere' });
  });
  test.each([
    'http://127.0.0.2/',
    'http://2130706433/',
    'http://u:p@example.net/',
    'http://localhost/',
    'file:///etc/passwd',
    'http://',
  ])('H06 to %s end there', async (location) => {
    const { resolve } = HERE;
    await expect(
      to(location, {
        ...(resolve ? { resolve } : {}),
        isAllowed: (one) => one === '127.0.0.1',
      }),
    ).rejects.toEqual(code('REDIRECT_REFUSED'));
  });
  test('H06 within the host are followed three times, each looked at, and no further', async () => {
    let last = 3;
    const port = await serve((request, response) => {
      const hop = Number(request.url?.slice(1));
      if (hop < last) response.writeHead(301, { location: `/${hop + 1}` }).end();
      else html(response, '<p>there</p>');
    });
    const asked: string[] = [];
    const whyNotHost = (url: URL): null => {
      asked.push(url.pathname);
      return null;
    };
    const fetchPage = pages();
    expect(await fetchPage(`http://example.net:${port}/0`, { whyNotHost })).toMatchObject({
      text: 'there',
      url: `http://example.net:${port}/3`,
    });
    expect(asked).toEqual(['/0', '/1', '/2', '/3']);
    last = 99;
    await expect(fetchPage(`http://example.net:${port}/1`)).rejects.toEqual(code('TOO_MANY_REDIRECTS'));
  });
});

describe('what is sent', () => {
  test('is the same few headers for everybody, and no cookie that was given before', async () => {
    const heard: IncomingMessage['headers'][] = [];
    const port = await serve((request, response) => {
      heard.push(request.headers);
      html(response, 'x', { 'set-cookie': 'a=b', 'cache-control': 'no-store' });
    });
    const fetchPage = pages();
    await fetchPage(`http://example.net:${port}/?a=b#part`);
    await fetchPage(`http://example.net:${port}/?a=b#part`);
    expect(heard).toHaveLength(2);
    expect(heard[1]).toEqual({
      host: `example.net:${port}`,
      'user-agent': 'Mozilla/5.0 (compatible; Hardshell)',
      accept: expect.stringContaining('text/html'),
      'accept-language': 'en,*;q=0.5',
      'accept-encoding': 'gzip, deflate, br',
      connection: 'close',
    });
  });

  test('certificates are checked, for the name and not for the address', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tls-'));
    ends.push(() => rmSync(folder, { recursive: true }));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=page.example -addext subjectAltName=DNS:page.example -keyout ${key} -out ${cert}`;
    execFileSync('openssl', words.split(' '), { stdio: 'ignore', timeout: 20_000 });
    const tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
    const names: unknown[] = [];
    const port = await serve((request, response) => {
      names.push((request.socket as unknown as { servername: unknown }).servername);
      html(response, 'sealed');
    }, tls);
    const trusting = pages({ ...HERE, trust: tls.cert });
    expect(await trusting(`https://page.example:${port}/`)).toMatchObject({ text: 'sealed' });
    expect(names).toEqual(['page.example']);
    for (const attempt of [trusting(`https://other.example:${port}/`), pages()(`https://page.example:${port}/`)])
      await expect(attempt).rejects.toThrow(/certificate is not good/);
  });
});

describe('what comes back', () => {
  const from = async (answer: RequestListener, more: Partial<FetchOptions> = {}, dangerously: Dangerously = {}) =>
    pages({ ...HERE, ...dangerously })(`http://example.net:${await serve(answer)}/`, more);

  test.each<[string, (data: string) => Buffer]>([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('is unpacked from %s, a bomb only as far as a page goes', async (encoding, pack) => {
    const headers = { 'content-encoding': encoding };
    expect(await from((_request, response) => html(response, pack('<p>packed</p>'), headers))).toMatchObject({
      text: 'packed',
    });
    const bomb = pack('<p>a</p>'.repeat(4_000_000));
    const before = process.memoryUsage().arrayBuffers;
    const page = await from((_request, response) => html(response, bomb, headers));
    expect(page).toMatchObject({ kind: 'page', isCut: true });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000 + bomb.length);
    const broken = from((_request, response) => html(response, 'no such thing', headers));
    await expect(broken).rejects.toEqual(code('PAGE_UNREACHABLE'));
  });

  test('packed in a way that was not asked for, it is not read', async () => {
    for (const encoding of ['zstd', 'gzip, gzip', 'constructor'])
      await expect(from((_request, response) => html(response, 'x', { 'content-encoding': encoding }))).rejects.toThrow(
        'packed',
      );
  });

  test('H13 without end, it is cut at the limit', async () => {
    const page = await from((request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      const more = (): void => {
        while (!request.socket.destroyed && response.write('x'.repeat(10_000)));
      };
      response.on('drain', more);
      more();
    });
    expect(page).toMatchObject({ kind: 'page', text: 'x'.repeat(100_000), isCut: true });
  });

  test('H13 a byte at a time, or never, it ends in time', async () => {
    const slow: RequestListener = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    };
    for (const answer of [slow, () => {}]) {
      const startedAtMs = performance.now();
      await expect(from(answer, {}, { limitMs: 300 })).rejects.toEqual(code('PAGE_TIMEOUT'));
      expect(performance.now() - startedAtMs).toBeLessThan(3_000);
    }
    const never = pages({ ...HERE, resolve: () => new Promise(() => {}), limitMs: 100 })('http://example.net/');
    await expect(never).rejects.toEqual(code('PAGE_TIMEOUT'));
  });

  test('broken off, or of a turn that was stopped, it is an error', async () => {
    const half: RequestListener = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '100' });
      response.write('half', () => response.destroy());
    };
    await expect(from(half)).rejects.toEqual(code('PAGE_UNREACHABLE'));
    const stop = new AbortController();
    const stopped = from(() => stop.abort(), { signal: stop.signal });
    await expect(stopped).rejects.toEqual(code('PAGE_UNREACHABLE'));
  });

  test.each<[string, string, string | Buffer, object]>([
    ['JSON', 'application/json', '{"a":1}', { text: '{"a":1}' }],
    ['a feed', 'application/rss+xml; charset=iso-8859-1', Buffer.from([0x3c, 0xe4, 0x3e]), { text: '<ä>' }],
    ['Markdown', 'text/markdown', '# a', { text: '# a' }],
    ['a page that is not declared', '', '<!doctype html><title>t</title>b', { title: 't', text: 'b' }],
    ['nothing', 'image/png', '', { text: '' }],
  ])('%s is text', async (_name, type, body, expected) => {
    const page = await from((_request, response) =>
      response.writeHead(200, type === '' ? {} : { 'content-type': type }).end(body),
    );
    expect(page).toMatchObject(expected);
  });

  test.each<[string, string, string | Buffer]>([
    ['image/png', 'image/png', 'x'],
    ['application/pdf', 'application/pdf', '%PDF'],
    ['something that is no text', 'text/plain', Buffer.from([1, 0, 2])],
    ['something that is no text', 'text/html<|im_start|>', 'x'],
  ])('%s is refused by its name', async (said, type, body) => {
    const page = from((_request, response) => response.writeHead(200, { 'content-type': type }).end(body));
    await expect(page).rejects.toThrow(`sent ${said}, and only text can be read`);
  });

  test('a page is remembered for a while, one that asks not to be is not', async () => {
    let count = 0;
    const port = await serve((request, response) => {
      count += 1;
      html(response, `<p>${count}</p>`, request.url === '/private' ? { 'cache-control': 'private' } : {});
    });
    const fetchPage = pages();
    for (const path of ['', '#there', '', 'private', 'private']) await fetchPage(`http://example.net:${port}/${path}`);
    expect(count).toBe(3);
    for (let at = 0; at < 20; at++) await fetchPage(`http://example.net:${port}/${at}`);
    await fetchPage(`http://example.net:${port}/`);
    expect(count).toBe(24);
  });
});

describe('the thread that reads a page', () => {
  const page = {
    bytes: Buffer.from('<p>x</p>'),
    kind: 'html',
    charset: '',
    url: 'http://a.example/',
    maxChars: 100,
  } as const;
  const worker = (code: string, limitMs = 5_000) => ({
    limitMs,
    worker: new URL(`data:text/javascript,${encodeURIComponent(code)}`),
  });
  const { signal } = new AbortController();
  test('sees no environment', async () => {
    const code = `import { parentPort } from 'node:worker_threads'; parentPort.postMessage({ text: JSON.stringify(process.env) })`;
    expect(await readAside(page, signal, worker(code))).toEqual({ text: '{}' });
  });
  test('is ended when it takes too long, and the next page is read', async () => {
    const startedAtMs = performance.now();
    expect(await readAside(page, signal, worker('for (;;);', 500))).toBeNull();
    expect(performance.now() - startedAtMs).toBeLessThan(4_000);
    expect(await readAside(page, signal)).toMatchObject({ text: 'x' });
  }, 15_000);
  test('is ended when it takes too much memory, or dies', async () => {
    expect(await readAside(page, signal, worker('const a = []; for (;;) a.push({ b: [a.length] });'))).toBeNull();
    expect(await readAside(page, signal, worker('process.exit(3)'))).toBeNull();
    expect(await readAside(page, signal, worker('throw new Error()'))).toBeNull();
  }, 15_000);
  test('is ended when the turn is stopped', async () => {
    const stop = new AbortController();
    const read = readAside(page, stop.signal, worker('for (;;);'));
    setTimeout(() => stop.abort(), 50);
    expect(await read).toBeNull();
  });
});
