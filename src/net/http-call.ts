// Owns one bounded HTTP call to a platform: limits on time and bytes, no redirects, and the knowledge whether the other
// side may have seen it. It is thin on purpose (the global fetch costs 17 MB of memory) and never says what it sent.
import { type IncomingHttpHeaders, type IncomingMessage, request as overHttp } from 'node:http';
import { Agent, request as overHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { errnoOf } from '../platform/errors.ts';
import { LeadsHome } from './egress/chosen-host.ts';

export type HttpCall = {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** of the answer; more ends the call */
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** which address of the host is dialled; left out: the one that the system names */
  readonly lookup?: LookupFunction;
};
export type HttpAnswer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer };

/** `reached`: the other side may have seen the request. `tooLarge`: it answered with more than was asked for. */
export class HttpCallFailed extends Error {
  readonly reached: boolean;
  readonly tooLarge: boolean;
  constructor(message: string, reached: boolean, tooLarge = false) {
    super(message);
    this.name = 'HttpCallFailed';
    this.reached = reached;
    this.tooLarge = tooLarge;
  }
}

const agent = new Agent({ keepAlive: true, maxSockets: 8, timeout: 60_000 });

export function httpCall(call: HttpCall): Promise<HttpAnswer> {
  const { url, body, maxBytes, timeoutMs } = call;
  const isTls = url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    let isReached = false;
    let isLate = false;
    // Not AbortSignal.timeout: it would be kept for its whole time, also of a call that took a moment.
    const patience = setTimeout(() => {
      isLate = true;
      request.destroy();
    }, timeoutMs);
    const cancel = (): void => void request.destroy();
    const settle = (): void => {
      clearTimeout(patience);
      call.signal.removeEventListener('abort', cancel);
    };
    const fail = (message: string, tooLarge = false): void => {
      settle();
      reject(new HttpCallFailed(`${url.host}: ${message}`, isReached, tooLarge));
    };
    const failOf = (error: unknown): void => {
      if (isLate) fail(`no answer in ${timeoutMs} ms`);
      else if (error instanceof LeadsHome) fail(error.message);
      else fail(call.signal.aborted ? 'cancelled' : (errnoOf(error) ?? 'the connection broke'));
    };
    const receive = (answer: IncomingMessage): void => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const tooLarge = (): void => {
        fail(`answered with more than ${maxBytes} bytes`, true);
        request.destroy();
      };
      if (Number(answer.headers['content-length']) > maxBytes) tooLarge();
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxBytes) tooLarge();
        else chunks.push(chunk);
      });
      answer.on('error', failOf);
      answer.on('end', () => {
        settle();
        if (!answer.complete) fail('the answer broke off');
        else resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) });
      });
    };
    const options = {
      method: call.method,
      ...(call.lookup ? { lookup: call.lookup } : {}),
      headers: { ...call.headers, ...(body === undefined ? {} : { 'content-length': String(body.length) }) },
    };
    const request = isTls ? overHttps(url, { ...options, agent }, receive) : overHttp(url, options, receive);
    request.on('socket', (socket) => {
      if (!socket.connecting) isReached = true;
      else
        socket.once(isTls ? 'secureConnect' : 'connect', () => {
          isReached = true;
        });
    });
    request.on('error', failOf);
    if (call.signal.aborted) cancel();
    else call.signal.addEventListener('abort', cancel);
    request.end(body);
  });
}
