// Real bytes over TCP against a real gateway: what a browser, a proxy, a curl of the guides and an attacker get.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bestOf } from '../../../test/support/measure.ts';
import { rawHttp, startServer, statusOf, type TestServer, TOKEN } from '../../../test/support/wire.ts';

let server: TestServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hardshell-page-'));
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>page</title>');
  await writeFile(join(folder, 'index.html.br'), 'packed page');
  await writeFile(join(folder, 'assets', 'app-0a1b2c.js'), 'export {};');
  await writeFile(join(folder, 'assets', 'app-0a1b2c.js.gz'), 'packed script');
  await writeFile(join(folder, '.hidden.json'), '{}');
  await writeFile(join(folder, 'assets', 'notes.sqlite'), 'no page file');
  await symlink('/etc/passwd', join(folder, 'passwd.txt'));
  server = await startServer({
    uiFolder: folder,
    allowedOrigins: ['https://claw.example.org'],
    allowedHosts: ['claw.example.org'],
    limits: { wrongTokenDelayMs: 20, wrongTokenMaxDelayMs: 80 },
  });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

type Ask = { method?: string; host?: string; headers?: string[]; version?: string; body?: string };

/** One request with exactly these bytes. `host: ''` sends no Host header. */
function ask(
  target: string,
  { method = 'GET', host, headers = [], version = '1.1', body = '' }: Ask = {},
): Promise<string> {
  const hostLine = host === '' ? [] : [`Host: ${host ?? `127.0.0.1:${server.port}`}`];
  const lines = [`${method} ${target} HTTP/${version}`, ...hostLine, ...headers, 'Connection: close'];
  return rawHttp(server.port, `${lines.join('\r\n')}\r\n\r\n${body}`);
}
const status = async (target: string, how?: Ask): Promise<number> => statusOf(await ask(target, how));
const bodyOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4);
const bearer = (token: string): string => `Authorization: Bearer ${token}`;
const own = (): string => `http://127.0.0.1:${server.port}`;

describe('probes', () => {
  test.each([
    ['/healthz', { ok: true, status: 'live' }],
    ['/health', { ok: true, status: 'live' }],
    ['/readyz', { ready: true }],
    ['/ready', { ready: true }],
    ['/startupz', { ok: true, status: 'started' }],
    ['/startup', { ok: true, status: 'started' }],
  ])('A14 %s is public and says nothing but liveness', async (path, expected) => {
    const answer = await ask(path);
    expect(statusOf(answer)).toBe(200);
    expect(JSON.parse(bodyOf(answer))).toEqual(expected);
  });

  test('/readyz is 503 until what a turn needs is there', async () => {
    let ready = false;
    const slow = await startServer({ ready: () => ready });
    const probe = () =>
      rawHttp(slow.port, `GET /readyz HTTP/1.1\r\nHost: localhost:${slow.port}\r\nConnection: close\r\n\r\n`);
    expect(statusOf(await probe())).toBe(503);
    ready = true;
    expect(statusOf(await probe())).toBe(200);
    await slow.close();
  });
});

describe('the status needs the token', () => {
  test.each(['/api/status', '/v1/status'])(
    'S103 S247 A05 %s is 401 JSON without it, and no hint in the body',
    async (path) => {
      const answer = await ask(path);
      expect(statusOf(answer)).toBe(401);
      expect(answer.toLowerCase()).toContain('www-authenticate: bearer');
      expect(JSON.parse(bodyOf(answer))).toEqual({ error: { message: 'Unauthorized', type: 'unauthorized' } });
    },
  );

  test.each(['/api/status', '/v1/status'])('S104 S248 %s is 200 JSON with Authorization: Bearer', async (path) => {
    const answer = await ask(path, { headers: [bearer(TOKEN)] });
    expect(statusOf(answer)).toBe(200);
    expect(JSON.parse(bodyOf(answer))).toMatchObject({ ok: true, version: '0.0.0-test', sandbox: { driver: null } });
  });

  test.each([
    ['another token', bearer('x'.repeat(64))],
    ['the beginning of the token', bearer(TOKEN.slice(0, 63))],
    ['the token and more', bearer(`${TOKEN}x`)],
    ['no token', 'Authorization: Bearer '],
    ['another scheme', `Authorization: Basic ${TOKEN}`],
    ['A09 an identity header', 'tailscale-user-login: owner@example.org'],
  ])('%s is refused', async (_name, header) => {
    expect(await status('/api/status', { headers: [header] })).toBe(401);
  });

  test('an empty token on our side opens nothing', async () => {
    const open = await startServer({ token: () => '', limits: { wrongTokenDelayMs: 1 } });
    for (const header of ['', 'Authorization: Bearer \r\n', 'Authorization: Bearer x\r\n']) {
      const request = `GET /api/status HTTP/1.1\r\nHost: localhost:${open.port}\r\n${header}Connection: close\r\n\r\n`;
      expect(statusOf(await rawHttp(open.port, request))).toBe(401);
    }
    await open.close();
  });

  test('S074 S141 a wrong token leaves one line with "unauthorized" and the address, without the token', async () => {
    const fresh = await startServer({ limits: { wrongTokenDelayMs: 1 } });
    const request = `GET /api/status HTTP/1.1\r\nHost: localhost:${fresh.port}\r\nAuthorization: Bearer guess-123\r\nConnection: close\r\n\r\n`;
    await rawHttp(fresh.port, request);
    const lines = fresh.log.filter(({ message }) => message.includes('unauthorized'));
    expect(lines.map(({ message }) => message)).toEqual(['unauthorized ip=127.0.0.1 via=http reason=token_mismatch']);
    expect(fresh.backend.journal.map(({ kind }) => kind)).toEqual(['gateway.refused']);
    expect(JSON.stringify([fresh.log, fresh.backend.journal])).not.toContain('guess-123');
    await fresh.close();
  });

  test('N13 wrong tokens wait longer and longer, the right one never waits', async () => {
    const fresh = await startServer({ limits: { wrongTokenDelayMs: 60, wrongTokenMaxDelayMs: 1_500 } });
    const timed = async (token: string): Promise<number> => {
      const start = performance.now();
      const request = `GET /api/status HTTP/1.1\r\nHost: localhost:${fresh.port}\r\n${bearer(token)}\r\nConnection: close\r\n\r\n`;
      await rawHttp(fresh.port, request);
      return performance.now() - start;
    };
    const waits = [await timed('a'), await timed('b'), await timed('c')];
    expect(waits[0]).toBeGreaterThanOrEqual(59);
    expect(waits[1]).toBeGreaterThanOrEqual(119);
    expect(waits[2]).toBeGreaterThanOrEqual(239);
    const inTheFlood = async (): Promise<number> => {
      const flood = Array.from({ length: 20 }, () => timed('z'));
      const tookMs = await timed(TOKEN);
      await Promise.all(flood);
      return tookMs;
    };
    expect(await bestOf(3, (ms) => ms < 450, inTheFlood)).toBeLessThan(450);
    await fresh.close();
  });

  test('N13 more wrong tokens at once than may wait are answered 429 with Retry-After', async () => {
    const fresh = await startServer({ limits: { wrongTokenDelayMs: 300, delayedAnswers: 2 } });
    const request = `GET /api/status HTTP/1.1\r\nHost: localhost:${fresh.port}\r\n${bearer('x')}\r\nConnection: close\r\n\r\n`;
    const answers = await Promise.all(Array.from({ length: 4 }, () => rawHttp(fresh.port, request)));
    expect(answers.map(statusOf).sort()).toEqual([401, 401, 429, 429]);
    expect(answers.find((answer) => statusOf(answer) === 429)?.toLowerCase()).toContain('retry-after: ');
    await fresh.close();
  });

  test.each(['/api/status?token=', '/?token=', '/v1/status?a=1&access_token=', '/healthz?%74oken='])(
    'A06 %s… is refused with the reason, and the secret is never logged',
    async (target) => {
      const answer = await ask(`${target}query-secret-1`, { headers: [bearer(TOKEN)] });
      expect(statusOf(answer)).toBe(400);
      expect(JSON.parse(bodyOf(answer))).toMatchObject({ error: { type: 'credential_in_query' } });
      expect(bodyOf(answer)).toContain('Authorization: Bearer');
      expect(JSON.stringify([server.log, server.backend.journal])).not.toContain('query-secret-1');
    },
  );
});

describe('host and origin, before any credential', () => {
  test.each(['127.0.0.1', 'localhost', '[::1]', 'LOCALHOST'])('%s with the port is our name', async (name) => {
    expect(await status('/healthz', { host: `${name}:${server.port}` })).toBe(200);
  });
  test('a configured name is ours too', async () => {
    expect(await status('/healthz', { host: 'claw.example.org' })).toBe(200);
  });
  test.each([
    'evil.example',
    'evil.example:18789',
    '127.0.0.1',
    'localhost',
    '127.0.0.1:1',
    'localhost.:0',
    '0.0.0.0:0',
    '',
  ])('A07 Host "%s" is 421 on the page, the probes and the API, with the right token too', async (host) => {
    const expected = host === '' ? 400 : 421;
    for (const target of ['/', '/healthz', '/api/status']) {
      expect(await status(target, { host, headers: [bearer(TOKEN)] })).toBe(expected);
    }
  });
  test('A07 HTTP/1.0 without a Host header is refused', async () => {
    expect(await status('/healthz', { host: '', version: '1.0' })).toBe(421);
  });
  test('A07 two Host headers are refused', async () => {
    expect(await status('/healthz', { headers: ['Host: evil.example'] })).toBe(400);
  });

  test('our own origin and a configured one may ask', async () => {
    for (const origin of [own(), `http://localhost:${server.port}`, 'https://claw.example.org']) {
      expect(await status('/api/status', { headers: [`Origin: ${origin}`, bearer(TOKEN)] })).toBe(200);
    }
  });
  test.each([
    'https://evil.example',
    'null',
    'http://localhost:9999',
    'http://127.0.0.1',
    'https://localhost:0',
    'chrome-extension://abcdefghijklmnop',
    'http://claw.example.org',
    '',
  ])('A15 Origin "%s" is refused even with the token, and gets no CORS header', async (origin) => {
    const answer = await ask('/api/status', { headers: [`Origin: ${origin}`, bearer(TOKEN)] });
    expect(statusOf(answer)).toBe(403);
    expect(answer.toLowerCase()).not.toContain('access-control-');
  });
  test('A15 a preflight of a foreign page gets nothing', async () => {
    const headers = ['Origin: https://evil.example', 'Access-Control-Request-Method: POST'];
    const answer = await ask('/api/status', { method: 'OPTIONS', headers });
    expect(statusOf(answer)).toBe(403);
    expect(answer.toLowerCase()).not.toContain('access-control-');
  });

  test.each(['cross-site', 'same-site'])('a %s fetch is refused, a link to the page is not', async (site) => {
    const fetched = [`Sec-Fetch-Site: ${site}`, 'Sec-Fetch-Mode: no-cors', 'Sec-Fetch-Dest: image'];
    const link = [`Sec-Fetch-Site: ${site}`, 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'];
    const framed = [`Sec-Fetch-Site: ${site}`, 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: iframe'];
    expect(await status('/', { headers: fetched })).toBe(403);
    expect(await status('/healthz', { headers: fetched })).toBe(403);
    expect(await status('/', { headers: framed })).toBe(403);
    expect(await status('/', { headers: link })).toBe(200);
    expect(await status('/api/status', { headers: [...link, bearer(TOKEN)] })).toBe(403);
  });
  test('the page itself may fetch', async () => {
    expect(await status('/assets/app-0a1b2c.js', { headers: ['Sec-Fetch-Site: same-origin'] })).toBe(200);
  });

  test.each([
    'X-Forwarded-For: 127.0.0.1',
    'X-Real-IP: 127.0.0.1',
    'Forwarded: for=127.0.0.1',
    'X-Forwarded-Proto: https',
    'Via: 1.1 proxy',
  ])('A08 "%s" from a proxy that is not configured is 403, with the token too', async (header) => {
    const answer = await ask('/api/status', { headers: [header, bearer(TOKEN)] });
    expect(statusOf(answer)).toBe(403);
    expect(JSON.parse(bodyOf(answer))).toMatchObject({ error: { type: 'proxy_attribution_required' } });
  });
});

describe('the page', () => {
  test('is at / with its security headers (A20)', async () => {
    const answer = await ask('/');
    expect(statusOf(answer)).toBe(200);
    expect(bodyOf(answer)).toContain('<title>page</title>');
    for (const line of [
      "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'x-content-type-options: nosniff',
      'x-frame-options: DENY',
      'referrer-policy: no-referrer',
      'cross-origin-opener-policy: same-origin',
      'cross-origin-resource-policy: same-origin',
      'cross-origin-embedder-policy: require-corp',
      'cache-control: no-cache',
    ]) {
      expect(answer.toLowerCase()).toContain(line.toLowerCase());
    }
  });
  test.each([
    ['/healthz', {}],
    ['/metrics', {}],
    ['/api/status', {}],
    ['/healthz', { host: 'evil.example' }],
    ['/healthz', { headers: ['X-Forwarded-For: 1.2.3.4'] }],
    ['/', { method: 'POST' }],
    ['/', { method: 'TRACE' }],
  ])('A20 %s %o has the security headers as well', async (target, how) => {
    const answer = (await ask(target, how as Ask)).toLowerCase();
    for (const header of ['content-security-policy', 'x-content-type-options', 'x-frame-options', 'referrer-policy']) {
      expect(answer).toContain(`${header}: `);
    }
  });
  test('A20 HEAD has the headers and no body', async () => {
    const answer = await ask('/', { method: 'HEAD' });
    expect(statusOf(answer)).toBe(200);
    expect(answer).toContain('content-length: 34');
    expect(bodyOf(answer)).toBe('');
  });
  test('hashed assets may be kept for ever', async () => {
    const answer = await ask('/assets/app-0a1b2c.js');
    expect(answer).toContain('cache-control: public, max-age=31536000, immutable');
    expect(answer).toContain('content-type: text/javascript; charset=utf-8');
  });
  test('the compressed copy is sent to who understands it, and only to them', async () => {
    expect(bodyOf(await ask('/', { headers: ['Accept-Encoding: gzip, br'] }))).toBe('packed page');
    expect(bodyOf(await ask('/', { headers: ['Accept-Encoding: br;q=0, gzip'] }))).toContain('<title>');
    const script = await ask('/assets/app-0a1b2c.js', { headers: ['Accept-Encoding: gzip'] });
    expect(script).toContain('content-encoding: gzip');
    expect(bodyOf(script)).toBe('packed script');
  });

  test.each(['/metrics', '/status', '/api/x', '/foo', '/chat/deep', '/assets/', '/assets/app.js', '/index.php'])(
    'A13 %s is 404 JSON and not the page',
    async (path) => {
      const answer = await ask(path);
      expect(statusOf(answer)).toBe(404);
      expect(JSON.parse(bodyOf(answer))).toMatchObject({ error: { type: 'not_found' } });
    },
  );
  test.each([
    '/../../etc/passwd',
    '/assets/../../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/assets/..%2f..%2fetc%2fpasswd',
    '/assets/%2e%2e%5cetc',
    '/%252e%252e/etc/passwd',
    '/index.html%00.js',
    '//etc/passwd',
    '/assets\\..\\index.html',
    '/.hidden.json',
    '/assets/notes.sqlite',
  ])('A11 %s never leaves the folder', async (target) => {
    const answer = await ask(target);
    expect([400, 404]).toContain(statusOf(answer));
    expect(answer).not.toContain('root:');
  });
  test('A12 a symbolic link in the folder is not followed', async () => {
    const answer = await ask('/passwd.txt');
    expect(statusOf(answer)).toBe(404);
    expect(answer).not.toContain('root:');
  });
  test('without a built page / says what to do', async () => {
    const bare = await startServer();
    const answer = await rawHttp(
      bare.port,
      `GET / HTTP/1.1\r\nHost: localhost:${bare.port}\r\nConnection: close\r\n\r\n`,
    );
    expect(statusOf(answer)).toBe(404);
    expect(bodyOf(answer)).toContain('npm run build');
    await bare.close();
  });
});

describe('requests that are not what they seem', () => {
  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])(
    '%s is 405 with Allow where the path exists',
    async (method) => {
      for (const path of ['/', '/healthz', '/api/status']) {
        const answer = await ask(path, { method });
        expect(statusOf(answer)).toBe(405);
        expect(answer.toLowerCase()).toContain('allow: get, head');
      }
      expect(await status('/nowhere', { method })).toBe(404);
    },
  );
  test('A16 there is no /tools/invoke and no /v1/chat/completions', async () => {
    for (const path of ['/tools/invoke', '/v1/chat/completions', '/hooks/wake']) {
      const how = {
        method: 'POST',
        headers: [bearer(TOKEN), 'Content-Type: application/json', 'Content-Length: 2'],
        body: '{}',
      };
      expect(await status(path, how)).toBe(404);
    }
  });
  test('A19 a proxy request is 400', async () => {
    expect(await status('http://169.254.169.254/latest/meta-data/')).toBe(400);
    expect(await status('*', { method: 'OPTIONS' })).toBe(400);
  });
  test('A19 CONNECT is refused and the socket closed', async () => {
    expect(await status('169.254.169.254:80', { method: 'CONNECT' })).toBe(405);
  });
  test.each([
    ['both lengths', ['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\nGET /api/status HTTP/1.1\r\n\r\n'],
    ['two lengths', ['Content-Length: 0', 'Content-Length: 5'], 'abcde'],
    ['an odd encoding', ['Transfer-Encoding: xchunked'], ''],
    ['a space before the colon', ['Content-Length : 5'], 'abcde'],
    ['a bare line feed', ['X-A: b\nX-C: d'], ''],
  ])('A19 smuggling by %s gets one 400 and a close', async (_name, headers, body) => {
    const answer = await ask('/healthz', { method: 'POST', headers, body });
    expect(statusOf(answer)).toBe(400);
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });
  test('A19 a body on a GET is never taken for the next request', async () => {
    const smuggled = 'GET /api/status HTTP/1.1\r\nHost: x\r\n\r\n';
    const answer = await rawHttp(
      server.port,
      `GET /healthz HTTP/1.1\r\nHost: localhost:${server.port}\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    );
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(statusOf(answer)).toBe(200);
  });
  test('A19 a 70 kB header is 431', async () => {
    expect(await status('/healthz', { headers: [`X-Big: ${'a'.repeat(70_000)}`] })).toBe(431);
  });
  test('garbage is 400 and nothing of it comes back', async () => {
    const answer = await rawHttp(server.port, 'SSH-2.0-OpenSSH_9.9\r\n\r\n');
    expect(statusOf(answer)).toBe(400);
    expect(answer).not.toContain('OpenSSH');
  });
  test('N05 a request that never ends is cut', async () => {
    const strict = await startServer({ limits: { headersTimeoutMs: 200, requestTimeoutMs: 200 } });
    const start = performance.now();
    const answer = await rawHttp(strict.port, `GET /healthz HTTP/1.1\r\nHost: localhost:${strict.port}\r\nX-Slow: `);
    expect(statusOf(answer)).toBe(408);
    expect(performance.now() - start).toBeLessThan(4_500);
    await strict.close();
  });
});

test('the gateway answers on [::1] as well, where the machine has it', async () => {
  const answer = await rawHttp(
    server.port,
    `GET /healthz HTTP/1.1\r\nHost: [::1]:${server.port}\r\nConnection: close\r\n\r\n`,
    '::1',
  );
  expect(answer === '' || statusOf(answer) === 200).toBe(true);
});
