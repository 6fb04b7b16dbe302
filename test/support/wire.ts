// Owns the raw peers of the gateway tests: a gateway over a memory backend, sockets that may be refused, bytes on a TCP
// connection. Nothing here retries, hides a frame or follows a close.
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { WebSocket } from 'ws';
import type { GatewayOptions } from '../../src/gateway/options.ts';
import { type Gateway, startGateway } from '../../src/gateway/server.ts';
import { type MemoryBackend, memoryBackend } from './memory-backend.ts';

export const TOKEN = 'a'.repeat(32) + 'b'.repeat(32);

export type TestServer = {
  readonly gateway: Gateway;
  readonly backend: MemoryBackend;
  readonly port: number;
  readonly log: { readonly level: string; readonly message: string; readonly fields: unknown }[];
  close(): Promise<void>;
};

export async function startServer(
  options: Partial<GatewayOptions> = {},
  backend = memoryBackend(),
): Promise<TestServer> {
  const log: TestServer['log'] = [];
  const write = (level: string) => (message: string, fields?: unknown) => void log.push({ level, message, fields });
  const gateway = await startGateway({
    backend,
    hosts: ['127.0.0.1', '::1'],
    port: 0,
    token: () => TOKEN,
    uiFolder: null,
    log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    ...options,
  });
  return { gateway, backend, port: gateway.port, log, close: () => gateway.close('test over') };
}

export type Frame = {
  readonly type: string;
  readonly id?: string;
  readonly ok?: boolean;
  readonly event?: string;
  readonly seq?: number;
  readonly payload?: Record<string, unknown>;
  readonly error?: {
    code: string;
    message: string;
    details?: Record<string, unknown>;
    retryable?: boolean;
    retryAfterMs?: number;
  };
};
export type Closed = { readonly code: number; readonly reason: string };

export type Peer = {
  readonly ws: WebSocket;
  /** every frame so far */
  readonly frames: Frame[];
  readonly closed: Promise<Closed>;
  send(frame: unknown): void;
  /** the first frame, of those that came or will come, that fits */
  when(fits: (frame: Frame) => boolean, timeoutMs?: number): Promise<Frame>;
  /** one request, its first answer */
  call(method: string, params?: unknown): Promise<Frame>;
  /** as `call`, but an error frame rejects */
  ask(method: string, params?: unknown): Promise<Record<string, unknown>>;
  event(name: string, fits?: (payload: Record<string, unknown>) => boolean): Promise<Frame>;
  end(): Promise<void>;
};

export type DialOptions = { readonly headers?: Record<string, string>; readonly path?: string; readonly host?: string };

/** Resolves when the socket is open; rejects with `HTTP <status> <body>` when the upgrade is refused. */
export async function dial(
  port: number,
  { headers = {}, path = '/', host = '127.0.0.1' }: DialOptions = {},
): Promise<Peer> {
  const ws = new WebSocket(`ws://${host}:${port}${path}`, { headers, perMessageDeflate: false });
  const frames: Frame[] = [];
  const waiting = new Set<() => void>();
  ws.on('message', (data) => {
    frames.push(JSON.parse(String(data)) as Frame);
    for (const look of [...waiting]) look();
  });
  const closed = new Promise<Closed>((resolve) => {
    ws.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  ws.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    ws.once('open', resolve);
    ws.once('error', reject);
    ws.once('unexpected-response', (_req, res) => {
      let body = '';
      res.on('data', (part) => {
        body += String(part);
      });
      res.on('end', () => reject(new Error(`HTTP ${res.statusCode} ${body}`)));
    });
  });

  const when: Peer['when'] = (fits, timeoutMs = 20_000) =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = frames.find(fits);
        if (!found) return;
        clearTimeout(timer);
        waiting.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => {
        waiting.delete(look);
        reject(new Error(`no such frame in ${timeoutMs} ms; there were ${JSON.stringify(frames).slice(0, 2_000)}`));
      }, timeoutMs);
      waiting.add(look);
      look();
    });
  const send = (frame: unknown): void => ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  let calls = 0;
  const call: Peer['call'] = (method, params) => {
    calls += 1;
    const id = `${method}#${calls}`;
    send({ type: 'req', id, method, ...(params === undefined ? {} : { params }) });
    return when((frame) => frame.type === 'res' && frame.id === id);
  };
  return {
    ws,
    frames,
    closed,
    send,
    when,
    call,
    ask: async (method, params) => {
      const frame = await call(method, params);
      if (!frame.ok) throw new Error(`${frame.error?.code}: ${frame.error?.message}`);
      return frame.payload ?? {};
    },
    event: (name, fits = () => true) => when((frame) => frame.event === name && fits(frame.payload ?? {})),
    end: async () => {
      ws.terminate();
      await closed;
    },
  };
}

export const ALL_SCOPES = ['operator.admin', 'operator.read', 'operator.write', 'operator.approvals'];

/** Good connect parameters, with the differences of a test. */
export function connectParams(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    minProtocol: 4,
    maxProtocol: 4,
    client: { id: 'cli', version: '1', platform: 'linux', mode: 'cli' },
    role: 'operator',
    scopes: ALL_SCOPES,
    caps: [],
    auth: { token: TOKEN },
    ...changes,
  };
}

/** A peer that has said hello. */
export async function enter(
  port: number,
  changes: Record<string, unknown> = {},
  options: DialOptions = {},
): Promise<Peer> {
  const peer = await dial(port, options);
  await peer.event('connect.challenge');
  const hello = await peer.call('connect', connectParams(changes));
  if (!hello.ok) throw new Error(JSON.stringify(hello.error));
  return peer;
}

/** Sends one connect and resolves to its answer and the close that follows. */
export async function tryConnect(port: number, changes: Record<string, unknown>, options: DialOptions = {}) {
  const peer = await dial(port, options);
  await peer.event('connect.challenge');
  const answer = await peer.call('connect', connectParams(changes));
  return { answer, peer, closed: answer.ok ? null : await peer.closed };
}

/** Bytes as they are on one TCP connection; resolves to all that came back when the other side closed. */
export async function rawHttp(port: number, text: string, host = '127.0.0.1'): Promise<string> {
  const socket = connectTcp({ port, host });
  let answer = '';
  socket.on('data', (part) => {
    answer += String(part);
  });
  socket.on('error', () => {});
  socket.write(text);
  const timer = setTimeout(() => socket.destroy(), 5_000);
  await once(socket, 'close');
  clearTimeout(timer);
  return answer;
}

export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);

export type Device = { readonly id: string; readonly publicKey: string; readonly privateKey: KeyObject };

export function newDevice(): Device {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  return { id: createHash('sha256').update(raw).digest('hex'), publicKey: raw.toString('base64url'), privateKey };
}

export type Proof = {
  readonly version: 'v2' | 'v3';
  readonly nonce: string;
  readonly signedAt: number;
  readonly token?: string;
  readonly changes?: Record<string, unknown>;
};

/** Connect parameters with the proof of a device. */
export function signedParams(device: Device, proof: Proof): Record<string, unknown> {
  const params = connectParams(proof.changes);
  const client = params['client'] as { id: string; mode: string; platform: string; deviceFamily?: string };
  const scopes = (params['scopes'] as string[]).join(',');
  const facts = [
    device.id,
    client.id,
    client.mode,
    params['role'],
    scopes,
    proof.signedAt,
    proof.token ?? TOKEN,
    proof.nonce,
  ];
  const metadata =
    proof.version === 'v3' ? [client.platform.toLowerCase(), (client.deviceFamily ?? '').toLowerCase()] : [];
  const signature = sign(null, Buffer.from([proof.version, ...facts, ...metadata].join('|')), device.privateKey);
  const { id, publicKey } = device;
  const { signedAt, nonce } = proof;
  return { ...params, device: { id, publicKey, signature: signature.toString('base64url'), signedAt, nonce } };
}
