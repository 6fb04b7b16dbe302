// Holds one call to what it says of itself: bounded in time and bytes, never along a redirect, and honest about whether the
// other side may have seen the request.
import { getEventListeners, once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcp, type Server as TcpServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type HttpCall, HttpCallFailed, httpCall } from './http-call.ts';

const open: (Server | TcpServer)[] = [];
afterEach(() => {
  for (const server of open.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  }
});

async function listen(server: Server | TcpServer): Promise<number> {
  open.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}
const serve = async (answer: RequestListener): Promise<URL> =>
  new URL(`http://127.0.0.1:${await listen(createServer(answer))}/path`);
const call = (url: URL, more: Partial<HttpCall> = {}) =>
  httpCall({ method: 'GET', url, maxBytes: 1_000, timeoutMs: 5_000, signal: new AbortController().signal, ...more });
const failure = async (work: Promise<unknown>): Promise<HttpCallFailed> => {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(HttpCallFailed);
  return error as HttpCallFailed;
};

test('it sends what it is given and returns what comes back, whatever the status', async () => {
  const url = await serve((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () =>
      res.writeHead(418, { 'x-seen': `${req.method} ${req.headers['x-given']}` }).end(Buffer.concat(chunks)),
    );
  });
  const answer = await call(url, { method: 'POST', headers: { 'x-given': 'yes' }, body: Buffer.from('body') });
  expect(answer).toMatchObject({ status: 418, headers: { 'x-seen': 'POST yes' } });
  expect(answer.body.toString()).toBe('body');
});

test('a redirect is an answer and is not followed', async () => {
  let calls = 0;
  const url = await serve((_, res) => {
    calls += 1;
    res.writeHead(302, { location: '/elsewhere' }).end();
  });
  expect((await call(url)).status).toBe(302);
  expect(calls).toBe(1);
});

test.each([true, false])('more bytes than asked for end it, announced (%s) or not', async (isAnnounced) => {
  const url = await serve((_, res) => {
    res.writeHead(200, isAnnounced ? { 'content-length': '1001' } : {});
    res.end(Buffer.alloc(1_001));
  });
  expect(await failure(call(url))).toMatchObject({ tooLarge: true, reached: true });
  expect((await call(url, { maxBytes: 1_001 })).body).toHaveLength(1_001);
});

test('nobody there: certainly not seen', async () => {
  const server = createServer();
  const port = await listen(server);
  server.close();
  const { reached, message } = await failure(call(new URL(`http://127.0.0.1:${port}`)));
  expect(reached).toBe(false);
  expect(message).toBe(`127.0.0.1:${port}: ECONNREFUSED`);
});

test('a line that breaks before the answer, or in it: may have been seen', async () => {
  const before = await serve((_, res) => void res.destroy());
  expect((await failure(call(before))).reached).toBe(true);
  const inside = await serve((_, res) => {
    res.writeHead(200, { 'content-length': '10' });
    res.write('half');
    setTimeout(() => res.destroy(), 10);
  });
  expect((await failure(call(inside))).reached).toBe(true);
});

test('no answer in time, or no wish for one any more', async () => {
  const url = await serve(() => {});
  const late = await failure(call(url, { timeoutMs: 400 }));
  expect(late).toMatchObject({ reached: true, message: `${url.host}: no answer in 400 ms` });
  const ended = new AbortController();
  const cancelled = failure(call(url, { signal: ended.signal }));
  setTimeout(() => ended.abort(), 10);
  expect((await cancelled).message).toBe(`${url.host}: cancelled`);
  expect(await failure(call(url, { signal: ended.signal }))).toMatchObject({ message: `${url.host}: cancelled` });
});

test('an answer that begins and does not go on is ended too, by time and by wish', async () => {
  const url = await serve((_, res) => void res.writeHead(200).write('half'));
  expect(await failure(call(url, { timeoutMs: 50 }))).toMatchObject({ message: `${url.host}: no answer in 50 ms` });
  const ended = new AbortController();
  const cancelled = failure(call(url, { signal: ended.signal }));
  setTimeout(() => ended.abort(), 30);
  expect((await cancelled).message).toBe(`${url.host}: cancelled`);
});

test('a call that is over leaves nothing behind on the signal', async () => {
  const url = await serve((_, res) => void res.end('ok'));
  const { signal } = new AbortController();
  for (let n = 0; n < 5; n++) await call(url, { signal });
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('a handshake that fails is no delivery', async () => {
  const port = await listen(createTcp((socket) => void socket.on('error', () => {}).end('no TLS here\r\n')));
  const { reached } = await failure(
    call(new URL(`https://127.0.0.1:${port}`), { method: 'POST', body: Buffer.from('x') }),
  );
  expect(reached).toBe(false);
});

test('what is sent is in no failure', async () => {
  const url = await serve((_, res) => void res.destroy());
  const error = await failure(
    call(new URL('?in=query', url), { headers: { authorization: 'Bot s3cret' }, body: Buffer.from('s3cret') }),
  );
  expect(JSON.stringify([error.message, error.stack, error])).not.toMatch(/s3cret|query/);
});
