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
  /** by the head alone, before a byte of the body is kept: false is a 401 */
  readonly admits: (headers: IncomingHttpHeaders) => boolean;
  /** how long a request may take to arrive */
  readonly withinMs?: number;
  /** what it throws becomes a 500 without a word, so that the platform tries again */
  readonly answer: (hook: Hook) => Promise<HookAnswer>;
};
export type HookListener = { readonly port: number; close(): Promise<void> };

const ARRIVES_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 1_000;
const MAX_CONNECTIONS = 64;

export async function listenForHooks(options: HookOptions): Promise<HookListener> {
  const limits = {
    requestTimeout: options.withinMs ?? ARRIVES_WITHIN_MS,
    headersTimeout: options.withinMs ?? ARRIVES_WITHIN_MS,
    // Node looks for the late ones only this often.
    connectionsCheckingInterval: LOOK_EVERY_MS,
  };
  const server = http.createServer(limits, (request, response) => {
    serve(options, request, response).catch(() => say(response, { status: 500 }));
  });
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
  if (!options.admits(request.headers)) return say(response, { status: 401 });
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
  // What is left of a body that nobody read must not hold the connection.
  const unread: Record<string, string> = status >= 400 && status < 500 ? { connection: 'close' } : {};
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...unread });
  response.end(text);
}
