// Owns the protocol v4 client of the tests: small, strict about frames, and written apart from the product's own
// client so that one mistake cannot hide in both. It must never retry or hide an error frame.
import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';

export type ConnectOptions = {
  readonly port: number;
  readonly token: string;
  /** shown instead of the token */
  readonly password?: string;
  readonly clientId?: string;
  readonly mode?: string;
  readonly role?: string;
  readonly scopes?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
};

export type EventFrame = { readonly event: string; readonly payload: Record<string, unknown>; readonly seq?: number };

/** What one chat turn looked like from outside. Times are milliseconds of performance.now(). */
export type ChatTurn = {
  readonly runId: string;
  readonly state: string;
  readonly text: string;
  readonly sentAtMs: number;
  readonly ackMs: number;
  readonly firstMs: number;
  readonly finalMs: number;
  readonly error: string | undefined;
};

export interface WsClient {
  readonly hello: Record<string, unknown>;
  /** Rejects with an RpcError when the gateway answers with an error frame. */
  request(method: string, params?: unknown, timeoutMs?: number): Promise<Record<string, unknown>>;
  /** Returns the way to stop listening. */
  on(listener: (frame: EventFrame) => void): () => void;
  /** The next event that fits, counted from now. */
  next(fits: (frame: EventFrame) => boolean, timeoutMs?: number): Promise<EventFrame>;
  /** Sends one message and waits for the end of its turn. */
  chat(sessionKey: string, message: string, timeoutMs?: number): Promise<ChatTurn>;
  close(): Promise<void>;
}

export class RpcError extends Error {
  readonly code: string;
  readonly details: unknown;
  constructor(error: { code?: string; message?: string; details?: unknown }) {
    super(error.message ?? 'error frame without a message');
    this.name = 'RpcError';
    this.code = error.code ?? '';
    this.details = error.details;
  }
}

type Frame = {
  type: string;
  id?: string;
  ok?: boolean;
  payload?: Record<string, unknown>;
  error?: object;
  event?: string;
  seq?: number;
};
type Pending = { resolve(payload: Record<string, unknown>): void; reject(error: Error): void };

const SCOPES = ['operator.admin', 'operator.read', 'operator.write', 'operator.approvals', 'operator.pairing'];
const ENDED = new Set(['final', 'error', 'aborted']);

/** Opens a connection and resolves after hello-ok. */
export async function connectGateway(options: ConnectOptions): Promise<WsClient> {
  const timeoutMs = options.timeoutMs ?? 20_000;
  const socket = new WebSocket(`ws://127.0.0.1:${options.port}/`, {
    perMessageDeflate: false,
    handshakeTimeout: timeoutMs,
    headers: { ...options.headers },
  });
  const pending = new Map<string, Pending>();
  const listeners = new Set<(frame: EventFrame) => void>();

  const request = (method: string, params?: unknown, limitMs = 30_000): Promise<Record<string, unknown>> => {
    const id = randomUUID();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(() => reject(new Error(`${method}: no answer in ${limitMs} ms`))), limitMs);
      const settle = (how: () => void): void => {
        clearTimeout(timer);
        pending.delete(id);
        how();
      };
      pending.set(id, {
        resolve: (payload) => settle(() => resolve(payload)),
        reject: (error) => settle(() => reject(error)),
      });
      socket.send(JSON.stringify({ type: 'req', id, method, ...(params === undefined ? {} : { params }) }));
    });
  };

  const greet = async (): Promise<Record<string, unknown>> =>
    request('connect', {
      minProtocol: 4,
      maxProtocol: 4,
      client: { id: options.clientId ?? 'cli', version: '0.0.0', platform: 'linux', mode: options.mode ?? 'cli' },
      role: options.role ?? 'operator',
      scopes: options.scopes ?? SCOPES,
      caps: [],
      auth: options.password === undefined ? { token: options.token } : { password: options.password },
    });

  const hello = await new Promise<Record<string, unknown>>((resolve, reject) => {
    const timer = setTimeout(() => fail(new Error(`no hello in ${timeoutMs} ms`)), timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      for (const call of [...pending.values()]) call.reject(error);
      socket.terminate();
      reject(error);
    };
    socket.on('error', fail);
    socket.on('close', (code, reason) => fail(new Error(`closed ${code} ${reason.toString()}`)));
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as Frame;
      if (frame.type === 'res') {
        const call = pending.get(frame.id ?? '');
        if (frame.ok) call?.resolve(frame.payload ?? {});
        else call?.reject(new RpcError(frame.error ?? {}));
        return;
      }
      if (frame.type !== 'event') return;
      if (frame.event === 'connect.challenge') {
        greet().then((payload) => {
          clearTimeout(timer);
          resolve(payload);
        }, fail);
        return;
      }
      const event: EventFrame = {
        event: frame.event ?? '',
        payload: frame.payload ?? {},
        ...(frame.seq === undefined ? {} : { seq: frame.seq }),
      };
      for (const listener of [...listeners]) listener(event);
    });
  });

  const on = (listener: (frame: EventFrame) => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };

  const next = (fits: (frame: EventFrame) => boolean, limitMs = 30_000): Promise<EventFrame> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`no such event in ${limitMs} ms`));
      }, limitMs);
      const stop = on((frame) => {
        if (!fits(frame)) return;
        clearTimeout(timer);
        stop();
        resolve(frame);
      });
    });

  const chat = async (sessionKey: string, message: string, limitMs = 60_000): Promise<ChatTurn> => {
    const runId = randomUUID();
    let firstAt: number | null = null;
    const stop = on((frame) => {
      if (frame.event === 'chat' && frame.payload['runId'] === runId) firstAt ??= performance.now();
    });
    const ended = next(
      (frame) =>
        frame.event === 'chat' && frame.payload['runId'] === runId && ENDED.has(String(frame.payload['state'])),
      limitMs,
    );
    ended.catch(() => {});
    const sentAtMs = performance.now();
    try {
      await request('chat.send', { sessionKey, message, idempotencyKey: runId }, limitMs);
      const ackMs = performance.now() - sentAtMs;
      const { payload } = await ended;
      const finalMs = performance.now() - sentAtMs;
      const error = payload['errorMessage'];
      return {
        runId,
        state: String(payload['state']),
        text: textOf(payload['message']),
        sentAtMs,
        ackMs,
        firstMs: (firstAt ?? performance.now()) - sentAtMs,
        finalMs,
        error: typeof error === 'string' ? error : undefined,
      };
    } finally {
      stop();
    }
  };

  const close = (): Promise<void> =>
    new Promise((resolve) => {
      if (socket.readyState === WebSocket.CLOSED) return resolve();
      const timer = setTimeout(() => socket.terminate(), 1_000);
      socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      socket.close();
    });

  return { hello, request, on, next, chat, close };
}

/** The text of a chat message, whichever of the two shapes it has. */
function textOf(message: unknown): string {
  if (typeof message === 'string') return message;
  const content = (message as { content?: unknown } | null | undefined)?.content;
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((block: { text?: unknown }) => (typeof block.text === 'string' ? block.text : '')).join('');
}
