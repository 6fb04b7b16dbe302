// Owns the way to an MCP server over HTTP: each message is one POST, answered as JSON or as a stream of events. Nothing is
// followed anywhere: no redirect, no private address but one that the owner wrote down, and the owner's headers stay with it.
import { type IncomingMessage, request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import { errnoOf } from '../../platform/errors.ts';
import { bareHost, type DangerouslyResolve, isOfClouds, LeadsHome, lookupFor } from '../egress/chosen-host.ts';
import { createLines } from './lines.ts';
import { type Message, RpcFailed } from './rpc.ts';

export type HttpServer = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** no setting reaches it */
  readonly dangerouslyResolve?: DangerouslyResolve;
};
export type HttpWire = {
  send(message: Message, settled: AbortSignal): Promise<'over'>;
  /** what both sides agreed on, to be said from now on */
  agreed(version: string): void;
  close(): void;
};

const MAX_BYTES = 8 * 1024 ** 2;
export function openMcpHttp(server: HttpServer, received: (message: unknown) => void): HttpWire {
  const url = new URL(server.url);
  const isTls = url.protocol === 'https:';
  let session = '';
  let version = '';
  const closing = new AbortController();

  const post = (method: 'POST' | 'DELETE', body: string, settled: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const fail = (message: string): void => reject(new RpcFailed('broken', message));
      const request = (isTls ? overHttps : overHttp)(
        url,
        {
          method,
          agent: false,
          lookup: lookupFor(url, server.dangerouslyResolve),
          signal: AbortSignal.any([closing.signal, settled]),
          headers: {
            ...server.headers,
            accept: 'application/json, text/event-stream',
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
            ...(session === '' ? {} : { 'mcp-session-id': session }),
            ...(version === '' ? {} : { 'mcp-protocol-version': version }),
          },
        },
        (answer) => {
          const given = answer.headers['mcp-session-id'];
          if (typeof given === 'string' && /^[\x21-\x7e]{1,512}$/.test(given)) session = given;
          read(answer, received, (problem) => {
            if (problem === null) resolve();
            else fail(problem);
            request.destroy();
          });
        },
      );
      request.on('error', (error) => {
        if (settled.aborted) resolve();
        else fail(error instanceof LeadsHome ? error.message : (errnoOf(error) ?? 'the connection broke'));
      });
      request.end(body);
    });

  return {
    async send(message, settled) {
      if (isOfClouds(bareHost(url))) throw new RpcFailed('broken', 'an address for machines of a cloud is never asked');
      await post('POST', JSON.stringify(message), settled);
      return 'over';
    },
    agreed(agreed) {
      version = agreed;
    },
    close() {
      const done = (): void => closing.abort();
      if (session === '') done();
      else post('DELETE', '', AbortSignal.timeout(1_000)).then(done, done);
    },
  };
}

/** What is no answer at all, in words. */
function refusalIn({ statusCode: status = 0 }: IncomingMessage): string | null {
  if (status === 401 || status === 403) return `it wants another sign-in (${status})`;
  if (status === 404) return 'it is not there, or knows this conversation no more (404)';
  if (status >= 300 && status < 400) return 'it sends us elsewhere, where we do not follow';
  return status >= 400 ? `it refused (${status})` : null;
}

function read(answer: IncomingMessage, received: (message: unknown) => void, end: (problem: string | null) => void) {
  const refusal = refusalIn(answer);
  if (refusal !== null) {
    end(refusal);
    return;
  }
  const type = answer.headers['content-type'] ?? '';
  const isStream = type.startsWith('text/event-stream');
  let bytes = 0;
  const take = (json: string): void => {
    try {
      received(JSON.parse(json));
    } catch {
      end('it sent what is no JSON');
    }
  };
  let data: string[] = [];
  const whole: Buffer[] = [];
  const lines = createLines(
    MAX_BYTES,
    (line) => {
      if (line.startsWith('data:')) data.push(line.slice('data:'.length));
      if (line !== '' || data.length === 0) return;
      const event = data.join('\n');
      data = [];
      take(event);
    },
    () => {},
  );
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) end(`it answered with more than ${MAX_BYTES / 1024 ** 2} MB`);
    else if (isStream) lines.add(chunk);
    else whole.push(chunk);
  });
  answer.on('error', () => end('the connection broke'));
  answer.on('end', () => {
    const text = Buffer.concat(whole).toString('utf8');
    if (text.trim() !== '') take(text);
    end(null);
  });
}
