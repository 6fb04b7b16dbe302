// Owns one GET to an address that was looked at: a fixed set of headers, limits on time and bytes before and after
// unpacking, certificates always checked. It follows nothing, keeps no cookie and never looks a name up.
import { type IncomingHttpHeaders, type IncomingMessage, request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { errnoOf } from '../../platform/errors.ts';
import { hostOf, portOf } from './page-url.ts';

export type Get = {
  readonly url: URL;
  /** of the host, looked up and looked at; nothing else is dialled */
  readonly addresses: readonly string[];
  /** of the page as it is unpacked; what is beyond is left there */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** for tests alone: whose certificates count; no setting reaches it */
  readonly dangerouslyTrust?: string;
};
export type Got = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** there is more of it, or was to be */
  readonly isCut: boolean;
};

const HEADERS = {
  'user-agent': 'Mozilla/5.0 (compatible; Hardshell)',
  accept: 'text/html,application/xhtml+xml,text/*;q=0.9,application/json;q=0.9,application/xml;q=0.9,*/*;q=0.1',
  'accept-language': 'en,*;q=0.5',
  'accept-encoding': 'gzip, deflate, br',
};
/** Nothing at all for this long ends it. */
const QUIET_MS = 15_000;
const MAX_HEADER_BYTES = 32 * 1024;

/** Rejects with one clause on what went wrong, of our own words. */
export function getPage({ url, addresses, maxBytes, signal, dangerouslyTrust }: Get): Promise<Got> {
  const host = hostOf(url);
  const pinned: LookupFunction = (_host, options, callback) => {
    const all = addresses.map((address) => ({ address, family: isIP(address) }));
    if (options.all) callback(null, all);
    else callback(null, all[0]?.address ?? '', all[0]?.family ?? 0);
  };
  return new Promise((resolve, reject) => {
    const isTls = url.protocol === 'https:';
    const fail = (error: unknown): void => {
      request.destroy();
      reject(new Error(signal.aborted ? 'it took too long' : said(error)));
    };
    const options = {
      ...{ method: 'GET', hostname: host, port: portOf(url), path: url.pathname + url.search },
      ...{ headers: { ...HEADERS, host: url.host }, agent: false as const, lookup: pinned, signal },
      ...{ timeout: QUIET_MS, maxHeaderSize: MAX_HEADER_BYTES, insecureHTTPParser: false },
    };
    const receive = (answer: IncomingMessage): void => {
      const status = answer.statusCode ?? 0;
      const done = (body: Buffer, isCut: boolean): void => {
        request.destroy();
        resolve({ status, headers: answer.headers, body, isCut });
      };
      const body = unpacked(answer);
      if (status >= 300 && status < 400) done(Buffer.alloc(0), false);
      else if (body === null) fail(new Error(ODDLY_PACKED));
      else collect(answer, body, maxBytes).then(({ data, isCut }) => done(data, isCut), fail);
    };
    const tls = { rejectUnauthorized: true, ...(dangerouslyTrust ? { ca: dangerouslyTrust } : {}) };
    const request = isTls ? overHttps({ ...options, ...tls }, receive) : overHttp(options, receive);
    request.on('socket', (socket) =>
      socket.once(isTls ? 'secureConnect' : 'connect', () => {
        // What was dialled is what was looked at; anything else is a fault of ours, and ends here.
        if (!addresses.includes(socket.remoteAddress ?? '')) fail(new Error(ELSEWHERE));
      }),
    );
    request.on('timeout', () => fail(new Error('no answer')));
    request.on('error', fail);
    request.end();
  });
}

function unpacked(answer: IncomingMessage): Readable | null {
  const encoding = (answer.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const unpack = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate, br: createBrotliDecompress };
  if (encoding === 'identity' || encoding === '') return answer;
  if (!Object.hasOwn(unpack, encoding)) return null;
  const stream = unpack[encoding as keyof typeof unpack]();
  answer.on('error', (error) => stream.destroy(error));
  return answer.pipe(stream);
}

/** Counts what arrives and what comes out of it: a bomb ends where a long page ends. */
function collect(answer: IncomingMessage, body: Readable, maxBytes: number): Promise<{ data: Buffer; isCut: boolean }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (isCut: boolean): void => {
      resolve({ data: Buffer.concat(chunks).subarray(0, maxBytes), isCut });
      answer.destroy();
      body.destroy();
    };
    body.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > maxBytes) end(true);
    });
    body.on('end', () => end(!answer.complete));
    body.on('error', reject);
    answer.on('aborted', () => reject(new Error('the answer broke off')));
  });
}

function said(error: unknown): string {
  const code = errnoOf(error) ?? '';
  if (/CERT|SELF_SIGNED|ISSUER|ALTNAME|UNABLE_TO_VERIFY/.test(code)) return `its certificate is not good (${code})`;
  if (/^(Z_|ERR__ERROR_FORMAT|ERR_)/.test(code) && !code.startsWith('ERR_TLS'))
    return `what it sent cannot be read (${code})`;
  if (code !== '') return code;
  return error instanceof Error && OWN.has(error.message) ? error.message : 'the connection broke';
}
const ODDLY_PACKED = 'it is packed in a way that was not asked for';
const ELSEWHERE = 'somebody else answered';
const OWN = new Set([ODDLY_PACKED, ELSEWHERE, 'no answer', 'the answer broke off']);
