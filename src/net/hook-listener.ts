// Owns a listener for what a platform posts to us: on loopback only (a reverse proxy with TLS stands before it), one path,
// bodies up to a size. It judges nothing: who may post is for the one who reads the raw body and its signature.
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import http from 'node:http';
import { reasonOf } from '../platform/errors.ts';

export type Hook = { readonly headers: IncomingHttpHeaders; readonly body: Buffer };
export type HookAnswer = { readonly status: number; readonly text?: string };

export type HookOptions = {
  /** 0 takes a free one */
  readonly port: number;
  readonly path: string;
  readonly maxBytes: number;
  /** what it throws becomes a 500 without a word, so that the platform tries again */
  readonly answer: (hook: Hook) => Promise<HookAnswer>;
};
export type HookListener = { readonly port: number; close(): Promise<void> };

const BODY_WITHIN_MS = 10_000;
const MAX_CONNECTIONS = 64;

export async function listenForHooks(options: HookOptions): Promise<HookListener> {
  const server = http.createServer((request, response) => {
    serve(options, request, response).catch(() => say(response, { status: 500 }));
  });
  server.requestTimeout = BODY_WITHIN_MS;
  server.headersTimeout = BODY_WITHIN_MS;
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new Error(reasonOf(error))));
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : options.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(options: HookOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url?.split('?')[0] !== options.path) return say(response, { status: 404 });
  if (request.method !== 'POST') return say(response, { status: 405 });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > options.maxBytes) return say(response, { status: 413 });
    chunks.push(chunk);
  }
  say(response, await options.answer({ headers: request.headers, body: Buffer.concat(chunks) }));
}

function say(response: ServerResponse, { status, text = '' }: HookAnswer): void {
  if (response.headersSent) return;
  const tooLong: Record<string, string> = status === 413 ? { connection: 'close' } : {};
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...tooLong });
  response.end(text);
}
