// Owns one connection to a gateway: challenge, connect, requests with a time limit, events. It asks for the scopes that
// the command needs and no more, and it never reconnects by itself: what a lost connection means is the command's call.
import { platform } from 'node:os';
import WebSocket from 'ws';
import { EXIT, HardshellError } from '../platform/errors.ts';
import { fieldsIn } from '../platform/json.ts';
import { connectFailure, notAGateway } from './connect/status-request.ts';
import { noToken, type Target, wrongToken } from './target.ts';

export type Scope = 'operator.read' | 'operator.write' | 'operator.approvals' | 'operator.admin';
export type GatewayEvent = { readonly event: string; readonly payload: unknown; readonly seq?: number };
export type RequestOptions = {
  readonly timeoutMs?: number;
  /** `agent` is answered twice: this sees the first answer, the promise is the second */
  readonly onAccepted?: (payload: unknown) => void;
};

export type Client = {
  readonly hello: unknown;
  request(method: string, params?: unknown, options?: RequestOptions): Promise<unknown>;
  onEvent(listener: (event: GatewayEvent) => void): void;
  /** settles when the connection is gone, with the reason; never rejects */
  readonly closed: Promise<HardshellError>;
  close(): void;
};

export type ClientOptions = {
  readonly target: Target;
  readonly version: string;
  readonly scopes: readonly Scope[];
  readonly caps?: readonly string[];
};

const PROTOCOL = 4;
const CONNECT_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_FRAME_BYTES = 64 * 1024 * 1024;

type WireError = {
  code?: string;
  message?: string;
  details?: { code?: string; reason?: string; hint?: string; fix?: string; remediation?: string };
};
type Pending = {
  settle(frame: { ok: boolean; payload?: unknown; error?: WireError }): void;
  fail(error: HardshellError): void;
};

export async function connect(options: ClientOptions): Promise<Client> {
  const { target } = options;
  const socket = new WebSocket(target.wsUrl, {
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    handshakeTimeout: CONNECT_TIMEOUT_MS,
    followRedirects: false,
  });
  const pending = new Map<string, Pending>();
  const listeners: ((event: GatewayEvent) => void)[] = [];
  let lost: HardshellError | null = null;
  let lastId = 0;
  const { promise: closed, resolve: resolveClosed } = Promise.withResolvers<HardshellError>();
  const challenge = Promise.withResolvers<void>();
  challenge.promise.catch(() => {});

  const end = (error: HardshellError): void => {
    if (lost) return;
    lost = error;
    for (const waiting of pending.values()) waiting.fail(error);
    pending.clear();
    challenge.reject(error);
    resolveClosed(error);
  };
  socket.on('error', (error) => {
    const status = /Unexpected server response: (\d+)/.exec(error.message);
    end(status ? notAGateway(target, `it answered ${status[1]} to a WebSocket`) : connectFailure(target, error));
    socket.terminate();
  });
  socket.on('close', (code, reason) => end(closeFailure(target, code, reason.toString())));
  socket.on('message', (data) => {
    const frame = fieldsIn(String(data));
    if (frame['type'] === 'res') {
      pending.get(String(frame['id']))?.settle(frame as never);
    } else if (frame['type'] === 'event' && typeof frame['event'] === 'string') {
      const event = frame['event'];
      if (event === 'connect.challenge') challenge.resolve();
      const seq = typeof frame['seq'] === 'number' ? { seq: frame['seq'] } : {};
      for (const listener of listeners) listener({ event, payload: frame['payload'], ...seq });
    }
  });

  const request: Client['request'] = (method, params, { timeoutMs = REQUEST_TIMEOUT_MS, onAccepted } = {}) => {
    if (lost) return Promise.reject(lost);
    lastId += 1;
    const id = String(lastId);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const finish = (act: () => void): void => {
      clearTimeout(timer);
      pending.delete(id);
      act();
    };
    const timer = setTimeout(() => finish(() => reject(tooSlow(target, method, timeoutMs))), timeoutMs);
    pending.set(id, {
      settle: ({ ok, payload, error }) => {
        if (!ok) return finish(() => reject(refusal(method, error ?? {})));
        if (onAccepted && (payload as { status?: unknown } | null)?.status === 'accepted') return onAccepted(payload);
        return finish(() => resolve(payload));
      },
      fail: (error) => finish(() => reject(error)),
    });
    socket.send(JSON.stringify({ type: 'req', id, method, ...(params === undefined ? {} : { params }) }));
    return promise;
  };

  const timer = setTimeout(() => {
    end(connectFailure(target, new Error(`no greeting within ${CONNECT_TIMEOUT_MS} ms`)));
    socket.terminate();
  }, CONNECT_TIMEOUT_MS);
  try {
    await challenge.promise;
    const hello = await request('connect', connectParams(options));
    return {
      hello,
      request,
      onEvent: (listener) => void listeners.push(listener),
      closed,
      close: () => {
        socket.close(1000);
        // A peer that does not answer the close must not keep the command alive.
        setTimeout(() => socket.terminate(), 250).unref();
      },
    };
  } catch (error) {
    socket.terminate();
    throw error instanceof RefusedError ? connectRefusal(target, error) : error;
  } finally {
    clearTimeout(timer);
  }
}

function connectParams({ target, version, scopes, caps }: ClientOptions): unknown {
  return {
    minProtocol: PROTOCOL,
    maxProtocol: PROTOCOL,
    client: { id: 'cli', mode: 'cli', version, platform: platform() },
    role: 'operator',
    scopes,
    ...(caps ? { caps } : {}),
    ...(target.token === null ? {} : { auth: { token: target.token } }),
  };
}

/** A request that the gateway answered with an error. */
class RefusedError extends HardshellError {
  readonly wireCode: string;
  readonly detailCode: string;
  constructor(message: string, wireCode: string, detailCode: string, fix: string | undefined) {
    const denied = wireCode === 'FORBIDDEN' || wireCode === 'NOT_PAIRED';
    const exitCode = denied ? EXIT.denied : EXIT.failure;
    super({ code: detailCode || wireCode, message, exitCode, ...(fix === undefined ? {} : { fix }) });
    this.wireCode = wireCode;
    this.detailCode = detailCode;
  }
}

function refusal(method: string, error: WireError): RefusedError {
  const details = error.details ?? {};
  const fix = details.fix ?? details.hint ?? details.remediation;
  const message = error.message ?? 'it gave no reason';
  return new RefusedError(
    // What comes with its mend was written for people.
    fix === undefined && details.code === undefined ? `the gateway refused ${method}: ${message}` : message,
    error.code ?? 'UNKNOWN',
    details.code ?? details.reason ?? '',
    fix,
  );
}

function connectRefusal(target: Target, error: RefusedError): HardshellError {
  const code = error.detailCode;
  if (code.startsWith('AUTH_')) return target.token === null ? noToken(target) : wrongToken(target);
  if (code === 'PROTOCOL_MISMATCH') {
    const message = `the gateway on ${target.address} speaks another protocol version than this command`;
    const fix = 'use the same release for both: restart the gateway after an update';
    return new HardshellError({ code, message, fix, exitCode: EXIT.unreachable });
  }
  return error;
}

function closeFailure(target: Target, code: number, reason: string): HardshellError {
  const why = reason === '' ? `code ${code}` : `${reason}, code ${code}`;
  return new HardshellError({
    code: 'CONNECTION_LOST',
    message: `the gateway on ${target.address} closed the connection (${why})`,
    fix: 'openclaw status   (is it still running?)',
    exitCode: EXIT.unreachable,
  });
}

function tooSlow(target: Target, method: string, timeoutMs: number): HardshellError {
  return new HardshellError({
    code: 'REQUEST_TIMEOUT',
    message: `the gateway on ${target.address} did not answer ${method} within ${timeoutMs / 1000} s`,
    fix: 'openclaw logs --tail 50   (what it is busy with)',
    exitCode: EXIT.unreachable,
  });
}
