// Pages that are too long, never end, unpack to a hundred times their size, or are no text: the model is told in one line, the
// person gets their answer, and the gateway is as it was before.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleProgram } from '../../scripts/bundle.ts';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { runCommand, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';

const html = { 'content-type': 'text/html; charset=utf-8' };
const line = Buffer.from(`<p>${'x'.repeat(1_000)}</p>\n`);
const sendAll: (count: number) => RequestListener = (count) => (request, response) => {
  response.writeHead(200, html);
  let left = count;
  const more = (): void => {
    while (left > 0 && !request.socket.destroyed) {
      left -= 1;
      if (!response.write(line)) return;
    }
    if (left <= 0) response.end();
  };
  response.on('drain', more);
  more();
};
const drips: RequestListener = (_request, response) => {
  response.writeHead(200, html);
  const timer = setInterval(() => response.write('<p>drip</p>'), 200);
  response.on('close', () => clearInterval(timer));
};
const PAGES: Readonly<Record<string, RequestListener>> = {
  '/huge': sendAll(50_000),
  '/endless': sendAll(Number.POSITIVE_INFINITY),
  '/bomb': (_request, response) =>
    response.writeHead(200, { ...html, 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(100_000_000, 'a '))),
  '/drip': drips,
  '/klingon': (_request, response) =>
    response
      .writeHead(200, { 'content-type': 'text/html; charset=klingon' })
      .end(
        Buffer.concat([
          Buffer.from('<meta charset="x-none"><p>caf'),
          Buffer.from([0xe9, 0xff, 0xfe, 0x80]),
          Buffer.from(' end</p>'),
        ]),
      ),
  '/utf16': (_request, response) =>
    response
      .writeHead(200, { 'content-type': 'text/plain; charset=utf-16' })
      .end(Buffer.from([0xff, 0xfe, 0x61, 0x00, 0x00, 0xd8, 0x62])),
  '/bill.pdf': (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/pdf' }).end(`%PDF-1.7\n${'[[['.repeat(100_000)}`),
};

let model: ModelServer;
let server: Server;
let gateway: TestGateway;
let folder: string;
let at: string;
beforeAll(async () => {
  model = await startModelServer();
  server = createServer((request, response) => PAGES[request.url ?? '']?.(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  at = `http://page.example:${(server.address() as AddressInfo).port}`;
  folder = mkdtempSync(join(tmpdir(), 'hardshell-bundle-'));
  await bundleProgram(join(import.meta.dirname, '../support/web-entry.ts'), folder);
  gateway = await startTestGateway({ config: configFor(model), program: join(folder, 'openclaw.mjs') });
});
afterAll(async () => {
  await gateway?.dispose();
  await model?.close();
  server?.closeAllConnections();
  server?.close();
  if (folder) rmSync(folder, { recursive: true });
});

const rss = async (): Promise<number> =>
  (JSON.parse((await gateway.cli('status', '--json')).stdout) as { data: { rssBytes: number } }).data.rssBytes;

test.each([
  ['/huge', /^<<<EXTERNAL_UNTRUSTED_CONTENT[\s\S]*xxx[\s\S]*(cut|more|only)/],
  ['/endless', /^<<<EXTERNAL_UNTRUSTED_CONTENT[\s\S]*xxx/],
  ['/bomb', /^<<<EXTERNAL_UNTRUSTED_CONTENT[\s\S]*a a a/],
  ['/drip', /^error: Refused \(PAGE_TIMEOUT\): page\.example took longer than 30 s/],
  ['/klingon', /^<<<EXTERNAL_UNTRUSTED_CONTENT[\s\S]*caf.* end/],
  ['/utf16', /^<<<EXTERNAL_UNTRUSTED_CONTENT[\s\S]*a/],
  ['/bill.pdf', /^error: Refused \(PAGE_NOT_TEXT\): .*application\/pdf, and only text can be read/],
])(
  'H13 %s: one result for the model, the answer for the person, and no more memory than before',
  async (path, expected) => {
    model.script({ toolCalls: [{ name: 'web_fetch', args: { url: `${at}${path}` } }] }, { text: 'I looked at it.' });
    const before = model.requests.length;
    const said = ['agent', '-m', `read ${at}${path}`, '--session-key', `bad${path.replace(/\W/g, '')}`];
    const { code, stdout, stderr } = await runCommand(said, {
      home: gateway.home,
      env: gateway.env,
      timeoutMs: 50_000,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('rror') });
    expect(stdout).toContain('I looked at it.');
    const result = model.requests[before + 1]?.result ?? '';
    expect(result).toMatch(expected);
    expect(result.length).toBeLessThan(60_000);
    expect(await rss()).toBeLessThan(260e6);
  },
);
