// Owns the one way out of a box that has one: HTTP and HTTPS to listed hosts, through a socket that only that box sees.
// It dials the address that it has looked at, tells of every request, and must never pass on a path or a body of one.
import { createServer, type IncomingMessage, request as overHttp, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errnoOf } from '../../platform/errors.ts';
import { addressesOf, isListed, type Resolve, type Target, targetOf } from './reachable.ts';

export type Seen = {
  readonly host: string;
  readonly port: number;
  readonly method: string;
  /** why it was refused or failed; null: it went through */
  readonly refused: string | null;
  readonly bytesOut: number;
  readonly bytesIn: number;
  readonly ms: number;
};

export type EgressPorts = {
  /** null: a port of the loopback, for a program that no box holds */
  readonly socketPath: string | null;
  /** the owner's list, as it is now */
  hosts(): readonly string[];
  /** where that list stands in the settings, when it is not the one for commands */
  readonly setting?: string;
  /** asked instead of the list: why this host and port are closed, or null; and which addresses are open */
  readonly instead?: {
    whyNot(target: Target): string | null;
    isAllowed(address: string): boolean;
    /** of one connection, each way */
    readonly maxBytes: number;
  };
  seen(request: Seen): void;
  /** for tests alone: who answers for names, and that what it says may be private; no setting reaches it */
  readonly dangerouslyResolve?: Resolve;
};
export type EgressProxy = { readonly port: number; close(): Promise<void> };

const MAX_CONNECTIONS = 64;
const MAX_BYTES = 512 * 1024 ** 2;
const IDLE_MS = 60_000;
const LONGEST_MS = 15 * 60_000;
const CONNECT_MS = 15_000;
const [HTTP, HTTPS] = [80, 443];
const COMMANDS = 'agents.defaults.sandbox.allowedHosts';
/** These are between two neighbours, and the proxy is one. */
const OWN_HEADERS = /^(connection|keep-alive|proxy-.*|te|trailer|upgrade|host)$/i;

const NOBODY = 'nobody waits for it any more';

class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export async function openEgressProxy(ports: EgressPorts): Promise<EgressProxy> {
  const server = createServer({ maxHeaderSize: 32 * 1024, headersTimeout: 20_000, requestTimeout: LONGEST_MS });
  server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    void tunnel(ports, request, client, head);
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => void forward(ports, request, response));
  server.on('clientError', (_error, client) => client.destroy());
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    // The oldest gives way: what one page holds open must not close the way for the next one.
    const [oldest] = open;
    if (oldest !== undefined && open.size > MAX_CONNECTIONS) {
      open.delete(oldest);
      oldest.destroy();
    }
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Who may dial it is decided by the folder that it lies in.
    const { socketPath } = ports;
    server.listen(
      socketPath === null ? { host: '127.0.0.1', port: 0 } : { path: socketPath, writableAll: true },
      resolve,
    );
  });
  server.unref();
  const at = server.address();
  return {
    port: at === null || typeof at === 'string' ? 0 : at.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

async function tunnel(ports: EgressPorts, request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
  const target = targetOf(request.url ?? '', HTTPS);
  const told = tell(ports, target, 'CONNECT');
  client.on('error', () => {});
  try {
    const upstream = await dial(ports, target, HTTPS, client);
    const count = meter(told, [client, upstream], ports.instead?.maxBytes);
    client.on('data', count.out);
    upstream.on('data', count.in);
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    if (head.length > 0) upstream.write(head);
    client.pipe(upstream).pipe(client);
  } catch (error) {
    const { status, text } = answerOf(error);
    told.end(text);
    client.end(`HTTP/1.1 ${status} Refused\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n${text}\n`);
  }
}

async function forward(ports: EgressPorts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = URL.canParse(request.url ?? '') ? new URL(request.url ?? '') : null;
  const target = url?.protocol === 'http:' ? targetOf(url.host, HTTP) : null;
  const told = tell(ports, target, request.method ?? '');
  try {
    if (url === null || target === null) throw new Refused(400, 'this is a proxy; it takes whole addresses of http');
    const address = await addressOf(ports, target, HTTP);
    // Its end was before anybody listened for it.
    if (response.destroyed) throw new Error(NOBODY);
    const headers = Object.entries(request.headers).filter(([name]) => !OWN_HEADERS.test(name));
    const upstream = overHttp({
      ...{ host: address, port: target.port, method: request.method, path: url.pathname + url.search },
      headers: { ...Object.fromEntries(headers), host: url.host },
      agent: false,
      timeout: CONNECT_MS,
    });
    const count = meter(told, [request, upstream, response], ports.instead?.maxBytes);
    request.on('data', count.out);
    upstream.on('timeout', () => upstream.destroy(new Error('no answer')));
    upstream.on('error', (error) => refuse(response, told, error));
    upstream.on('response', (answer) => {
      answer.on('data', count.in);
      const kept = Object.entries(answer.headers).filter(([name]) => !OWN_HEADERS.test(name));
      response.writeHead(answer.statusCode ?? 502, Object.fromEntries(kept));
      answer.pipe(response);
    });
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  } catch (error) {
    refuse(response, told, error);
  }
}

function refuse(response: ServerResponse, told: Told, error: unknown): void {
  const { status, text } = answerOf(error);
  told.end(text);
  if (response.headersSent) response.destroy();
  else response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(`${text}\n`);
}

async function dial(ports: EgressPorts, target: Target | null, usual: number, client: Duplex): Promise<Socket> {
  if (target === null) throw new Refused(400, 'that is no host and port');
  const address = await addressOf(ports, target, usual);
  if (client.destroyed) throw new Error(NOBODY);
  const socket = connect({ host: address, port: target.port });
  socket.on('error', () => {});
  // A pipe does not end over an end that was cut off, and whoever is gone waits for no answer.
  client.once('close', () => socket.destroy(new Error(NOBODY)));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error('no answer')), CONNECT_MS);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

/** The address to dial: looked at here, and never looked up again. */
async function addressOf(ports: EgressPorts, target: Target, usual: number): Promise<string> {
  const { host, port } = target;
  const { instead, dangerouslyResolve: resolve } = ports;
  const why = instead?.whyNot(target) ?? null;
  if (why !== null) throw new Refused(403, `Hardshell: ${why}`);
  const hosts = instead ? [] : ports.hosts();
  if (!instead && !isListed(target, hosts, usual)) {
    const entry = port === usual ? host : `${host}:${port}`;
    const list = JSON.stringify([...hosts, entry]);
    const { setting = COMMANDS } = ports;
    throw new Refused(
      403,
      `Hardshell: ${entry} is not among the hosts that ${setting === COMMANDS ? 'commands' : 'this program'} may reach. The owner can allow it: openclaw config set ${setting} '${list}'`,
    );
  }
  const isAllowed = instead?.isAllowed ?? (resolve ? () => true : undefined);
  const { addresses, problem } = await addressesOf(host, resolve, isAllowed);
  if (problem === 'private')
    throw new Refused(
      403,
      `Hardshell: ${host} is an address of a private network or of this machine, never reached from a box`,
    );
  const [first] = addresses;
  if (first === undefined) throw new Refused(502, `Hardshell: ${host} has no address`);
  return first;
}

function answerOf(error: unknown): { status: number; text: string } {
  if (error instanceof Refused) return { status: error.status, text: error.message };
  return { status: 502, text: `Hardshell: the host was not reached (${errnoOf(error) ?? 'the connection broke'})` };
}

type Told = ReturnType<typeof tell>;

/** Each request is told of once, when it is over. */
function tell(ports: EgressPorts, target: Target | null, method: string) {
  const startedAtMs = performance.now();
  const bytes = { out: 0, in: 0 };
  let isTold = false;
  return {
    bytes,
    end(refused: string | null): void {
      if (isTold) return;
      isTold = true;
      const ms = Math.round(performance.now() - startedAtMs);
      const { host, port } = target ?? { host: '', port: 0 };
      ports.seen({ host, port, method, refused, bytesOut: bytes.out, bytesIn: bytes.in, ms });
    },
  };
}

type Ending = { destroy(error?: Error): unknown; on(event: 'close' | 'error', heard: () => void): unknown };

/** Counts both ways, ends all of them when it is too much or too long, and tells when the first of them is closed. */
function meter(told: Told, ends: readonly Ending[], maxBytes = MAX_BYTES) {
  const end = (): void => {
    clearTimeout(timer);
    for (const one of ends) one.destroy();
  };
  const timer = setTimeout(end, LONGEST_MS);
  timer.unref();
  const last = ends.at(-1);
  last?.on('close', () => {
    clearTimeout(timer);
    told.end(null);
  });
  for (const one of ends) one.on('error', () => {});
  const count = (way: 'in' | 'out') => (chunk: Buffer) => {
    told.bytes[way] += chunk.length;
    if (told.bytes[way] > maxBytes) end();
  };
  return { out: count('out'), in: count('in') };
}
