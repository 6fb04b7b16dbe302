// Owns the one WebSocket to the page's own origin: handshake, requests and their answers, silence detection, reconnecting.
// It must never connect anywhere else, and knows nothing of what the requests mean.
import { type EventFrame, type GatewayError, type Hello, readError, readFrame, readHello } from './frames.ts';
import { newId } from './ids.ts';

export type LinkState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'ready' }
  /** `attempt` counts failures since the last time it was ready */
  | { readonly kind: 'waiting'; readonly retryAtMs: number; readonly attempt: number; readonly reason: string }
  /** only a person can mend this */
  | { readonly kind: 'refused'; readonly error: GatewayError };

export type LinkPorts = {
  readonly url: string;
  readonly version: string;
  token(): string | null;
  onState(state: LinkState): void;
  /** awaited before `ready`: what has to be in place first */
  onHello(hello: Hello): void;
  onEvent(event: EventFrame): void;
};

/** A request that the gateway answered with an error. `sent: false` when it never left or was never answered. */
export class RequestError extends Error {
  readonly error: GatewayError;
  readonly answered: boolean;
  constructor(error: GatewayError, answered: boolean) {
    super(error.message);
    this.error = error;
    this.answered = answered;
  }
}

type Pending = {
  resolve(payload: unknown): void;
  reject(error: RequestError): void;
  timer: ReturnType<typeof setTimeout>;
};

const REQUEST_TIMEOUT_MS = 30_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;
const SCOPES = ['operator.read', 'operator.write', 'operator.admin', 'operator.approvals'];
/** Refusals that trying again does not mend. */
const FINAL = new Set([
  'AUTH_TOKEN_MISMATCH',
  'AUTH_TOKEN_MISSING',
  'AUTH_REQUIRED',
  'AUTH_UNAUTHORIZED',
  'AUTH_RATE_LIMITED',
  'PROTOCOL_MISMATCH',
  'CONTROL_UI_ORIGIN_NOT_ALLOWED',
  'AUTH_TOKEN_NOT_CONFIGURED',
  'DEVICE_IDENTITY_REQUIRED',
]);

export function retryDelayMs(attempt: number): number {
  return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 10));
}

const lost = (message: string): RequestError =>
  new RequestError(readError({ code: 'UNAVAILABLE', message, retryable: true }), false);

export type Link = ReturnType<typeof openLink>;

export function openLink(ports: LinkPorts) {
  let socket: WebSocket | null = null;
  let ready = false;
  let attempt = 0;
  let serial = 0;
  let closed = false;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  let silenceTimer: ReturnType<typeof setTimeout> | undefined;
  const pending = new Map<string, Pending>();

  const dropPending = (reason: string): void => {
    for (const request of pending.values()) {
      clearTimeout(request.timer);
      request.reject(lost(reason));
    }
    pending.clear();
  };

  const drop = (): void => {
    clearTimeout(silenceTimer);
    ready = false;
    const old = socket;
    socket = null;
    old?.close();
    dropPending('the connection was lost before the gateway answered');
  };

  const waitAndRetry = (reason: string, atLeastMs = 0): void => {
    drop();
    if (closed) return;
    attempt++;
    const delayMs = Math.max(atLeastMs, retryDelayMs(attempt));
    ports.onState({ kind: 'waiting', retryAtMs: Date.now() + delayMs, attempt, reason });
    clearTimeout(retryTimer);
    retryTimer = setTimeout(connect, delayMs);
  };

  const refuse = (error: GatewayError): void => {
    drop();
    ports.onState({ kind: 'refused', error });
  };

  const listenForSilence = (ms: number): void => {
    clearTimeout(silenceTimer);
    silenceTimer = setTimeout(() => waitAndRetry('the gateway fell silent'), ms);
  };

  const send = (method: string, params: unknown, timeoutMs: number): Promise<unknown> => {
    const target = socket;
    if (!target || target.readyState !== WebSocket.OPEN) return Promise.reject(lost('not connected to the gateway'));
    const id = `${++serial}:${newId()}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        pending.delete(id);
        reject(lost(`the gateway did not answer ${method} in time`));
      }, timeoutMs);
      pending.set(id, { resolve, reject, timer });
      target.send(JSON.stringify({ type: 'req', id, method, params }));
    });
  };

  const shakeHands = async (mine: WebSocket): Promise<void> => {
    try {
      const answer = await send('connect', connectParams(ports.version, ports.token() ?? ''), HANDSHAKE_TIMEOUT_MS);
      if (mine !== socket) return;
      const hello = readHello(answer);
      attempt = 0;
      ready = true;
      silenceMs = hello.tickIntervalMs * 2 + 5_000;
      listenForSilence(silenceMs);
      ports.onHello(hello);
      ports.onState({ kind: 'ready' });
    } catch (error) {
      if (mine !== socket || !(error instanceof RequestError)) return;
      if (FINAL.has(error.error.detail) || FINAL.has(error.error.code)) refuse(error.error);
      else waitAndRetry(error.error.message, error.error.retryAfterMs ?? 0);
    }
  };
  let silenceMs = HANDSHAKE_TIMEOUT_MS;

  const onMessage = (mine: WebSocket, data: unknown): void => {
    if (mine !== socket) return;
    listenForSilence(silenceMs);
    const frame = readFrame(data);
    if (frame?.type === 'res') {
      const request = pending.get(frame.id);
      if (!request) return;
      pending.delete(frame.id);
      clearTimeout(request.timer);
      if (frame.ok) request.resolve(frame.payload);
      else request.reject(new RequestError(frame.error ?? readError(null), true));
    } else if (frame?.event === 'connect.challenge') void shakeHands(mine);
    else if (frame && ready) ports.onEvent(frame);
  };

  const connect = (): void => {
    clearTimeout(retryTimer);
    if (closed) return;
    drop();
    ports.onState({ kind: 'connecting' });
    const mine = new WebSocket(ports.url);
    socket = mine;
    silenceMs = HANDSHAKE_TIMEOUT_MS;
    listenForSilence(silenceMs);
    mine.addEventListener('message', (event) => onMessage(mine, event.data));
    mine.addEventListener('close', (event) => {
      if (mine === socket)
        waitAndRetry(event.code === 1012 ? 'the gateway is restarting' : 'the gateway cannot be reached');
    });
  };

  return {
    connect,
    request: (method: string, params: unknown = {}): Promise<unknown> =>
      ready ? send(method, params, REQUEST_TIMEOUT_MS) : Promise.reject(lost('not connected to the gateway')),
    /** The network came back or the person asked: no need to wait out the delay. */
    retryNow(): void {
      if (!ready && !closed) connect();
    },
    close(): void {
      closed = true;
      clearTimeout(retryTimer);
      drop();
    },
  };
}

function connectParams(version: string, token: string) {
  return {
    minProtocol: 4,
    maxProtocol: 4,
    client: { id: 'webchat-ui', version, platform: 'web', mode: 'webchat' },
    role: 'operator',
    scopes: SCOPES,
    caps: ['tool-events', 'compact-deltas'],
    auth: { token },
  };
}
