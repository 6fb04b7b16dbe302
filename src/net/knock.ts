// Owns knocking at a door of this machine as a stranger would: any Host, any Origin, any token, over HTTP and WebSocket. It
// reaches 127.0.0.1 and nothing else, and it never says what it was told but whether it was let in.
import { type IncomingMessage, request } from 'node:http';
import { WebSocket } from 'ws';
import { fieldsIn } from '../platform/json.ts';

export type Headers = Readonly<Record<string, string>>;
/** `headers` go with each knock. */
export type Door = { readonly port: number; readonly patienceMs: number; readonly headers?: Headers };
/** `status` 0: no answer in time, or a connection that was cut. */
export type Answer = { readonly status: number; readonly body: string };

const HERE = '127.0.0.1';
const MAX_BODY = 16_000;
const MAX_FRAME_BYTES = 4_000_000;

export function knock({ port, patienceMs, headers: own }: Door, path: string, headers: Headers): Promise<Answer> {
  return new Promise((resolve) => {
    let body = '';
    const end = (status: number): void => {
      clearTimeout(timer);
      ask.destroy();
      resolve({ status, body });
    };
    const ask = request({
      host: HERE,
      port,
      path,
      headers: { ...own, ...headers },
      agent: false,
      setHost: !('host' in headers),
    });
    const timer = setTimeout(() => end(0), patienceMs);
    ask.once('error', () => end(0));
    ask.once('response', (answer: IncomingMessage) => {
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => {
        body += part;
        if (body.length > MAX_BODY) end(answer.statusCode ?? 0);
      });
      answer.once('error', () => end(answer.statusCode ?? 0));
      answer.once('end', () => end(answer.statusCode ?? 0));
    });
    ask.end();
  });
}

export type Spoken = {
  /** of the upgrade when it was refused; 101 when the socket opened; 0 without an answer */
  readonly status: number;
  /** whether `connect` was answered with yes */
  readonly isIn: boolean;
};
/** A request whose answer is waited for; null: none came in time. */
export type Ask = (
  method: string,
  params: unknown,
) => Promise<{ readonly ok: boolean; readonly payload: unknown; readonly error: string } | null>;

/** Opens a socket, says `connect`, and hands over the line while `use` takes; without `connect` it only opens. */
export async function knockSocket(
  { port, patienceMs, headers: own }: Door,
  headers: Headers,
  connect: object | null,
  use: (ask: Ask) => Promise<void> = async () => {},
): Promise<Spoken> {
  const socket = new WebSocket(`ws://${HERE}:${port}/`, {
    ...{
      headers: { ...own, ...headers },
      perMessageDeflate: false,
      followRedirects: false,
      handshakeTimeout: patienceMs,
      maxPayload: MAX_FRAME_BYTES,
    },
  });
  const waiting = new Map<string, (frame: Readonly<Record<string, unknown>> | null) => void>();
  const ended = Promise.withResolvers<number>();
  const greeted = Promise.withResolvers<void>();
  let [isOpen, lastId] = [false, 0];
  const stop = (status: number): void => {
    for (const settle of waiting.values()) settle(null);
    waiting.clear();
    ended.resolve(status);
  };
  socket.once('open', () => {
    isOpen = true;
    if (connect === null) stop(101);
  });
  socket.once('unexpected-response', (_, answer) => {
    stop(answer.statusCode ?? 0);
    socket.terminate();
  });
  socket.on('error', () => stop(isOpen ? 101 : 0));
  socket.once('close', () => stop(isOpen ? 101 : 0));
  socket.on('message', (data) => {
    const frame = fieldsIn(String(data));
    if (frame['type'] === 'event' && frame['event'] === 'connect.challenge') greeted.resolve();
    if (frame['type'] !== 'res') return;
    waiting.get(String(frame['id']))?.(frame);
    waiting.delete(String(frame['id']));
  });
  const ask: Ask = async (method, params) => {
    if (socket.readyState !== WebSocket.OPEN) return null;
    lastId += 1;
    const id = String(lastId);
    const answer = Promise.withResolvers<Readonly<Record<string, unknown>> | null>();
    waiting.set(id, answer.resolve);
    const timer = setTimeout(() => answer.resolve(null), patienceMs);
    socket.send(JSON.stringify({ type: 'req', id, method, params }));
    const frame = await answer.promise;
    clearTimeout(timer);
    const error = (frame?.['error'] ?? {}) as { code?: string; details?: { code?: string } };
    return frame === null
      ? null
      : { ok: frame['ok'] === true, payload: frame['payload'], error: error.details?.code ?? error.code ?? '' };
  };
  const late = setTimeout(() => stop(isOpen ? 101 : 0), patienceMs);
  try {
    const status = await Promise.race([ended.promise, greeted.promise.then(() => 101)]);
    if (status !== 101 || connect === null || socket.readyState !== WebSocket.OPEN) return { status, isIn: false };
    clearTimeout(late);
    const isIn = (await ask('connect', connect))?.ok === true;
    if (isIn) await use(ask);
    return { status, isIn };
  } finally {
    clearTimeout(late);
    socket.terminate();
  }
}
