// Owns the listening sockets: one port on every address, all of it or nothing. It must never listen on an address that
// it was not told, and never go on when somebody else has one of ours.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { EXIT, errnoOf, HardshellError, reasonOf } from '../../platform/errors.ts';
import type { Limits } from '../limits.ts';
import { refuseSocket } from './respond.ts';

export type Listeners = { readonly servers: readonly Server[]; readonly port: number };

/** An address family that the machine does not have is no failure, as long as one address is left. */
const NO_SUCH_ADDRESS = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);
const FREE_PORT_TRIES = 5;

export async function listen(hosts: readonly string[], port: number, limits: Limits): Promise<Listeners> {
  for (let attempt = 1; ; attempt++) {
    const servers: Server[] = [];
    let bound = port;
    try {
      for (const host of hosts) {
        const server = await listenOn(host, bound, limits);
        if (!server) continue;
        servers.push(server);
        bound = (server.address() as AddressInfo).port;
      }
      if (servers.length > 0) return { servers, port: bound };
      throw noAddress(hosts);
    } catch (error) {
      await Promise.all(servers.map(closeServer));
      // With port 0 the free port of the first address may be taken on the second.
      if (port === 0 && errnoOf(error) === 'EADDRINUSE' && attempt < FREE_PORT_TRIES) continue;
      throw error instanceof HardshellError ? error : cannotListen(error, bound);
    }
  }
}

export const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

async function listenOn(host: string, port: number, limits: Limits): Promise<Server | null> {
  const server = http.createServer({
    insecureHTTPParser: false,
    requireHostHeader: true,
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: 2_000,
    noDelay: true,
  });
  server.maxConnections = limits.maxConnections;
  server.maxHeadersCount = 100;
  server.on('clientError', (error, socket) => {
    const code = errnoOf(error);
    // Something was answered on this connection: a second answer could be taken for that of another request.
    if ((socket as Socket).bytesWritten > 0) return void socket.destroy();
    if (code === 'HPE_HEADER_OVERFLOW')
      return refuseSocket(socket, 431, 'headers_too_large', 'the headers are too large');
    if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return refuseSocket(socket, 408, 'timeout', 'the request took too long');
    refuseSocket(socket, 400, 'bad_request', 'this is not a request that can be read in one way only');
  });
  server.on('connect', (_req, socket) => refuseSocket(socket, 405, 'method_not_allowed', 'this is not a proxy'));
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, exclusive: true, ipv6Only: host.includes(':') }, resolve);
    });
    return server;
  } catch (error) {
    if (NO_SUCH_ADDRESS.has(errnoOf(error) ?? '')) return null;
    throw error;
  }
}

function cannotListen(error: unknown, port: number): HardshellError {
  const errno = errnoOf(error);
  if (errno === 'EADDRINUSE') {
    const holder = holderOf(port);
    return new HardshellError({
      code: 'PORT_IN_USE',
      message: `port ${port} is already in use${holder ? ` by ${holder.name} (pid ${holder.pid})` : ''}`,
      fix: `stop that program, or use another port: openclaw gateway run --port ${port === 65_535 ? port - 1 : port + 1}`,
      exitCode: EXIT.couldNotRun,
      cause: error,
    });
  }
  const denied = errno === 'EACCES' || errno === 'EPERM';
  return new HardshellError({
    code: denied ? 'PORT_DENIED' : 'CANNOT_LISTEN',
    message: `cannot listen on port ${port}: ${denied ? 'ports below 1024 need root' : reasonOf(error)}`,
    fix: 'use another port: openclaw gateway run --port 18789',
    exitCode: EXIT.couldNotRun,
    cause: error,
  });
}

const noAddress = (hosts: readonly string[]): HardshellError =>
  new HardshellError({
    code: 'NO_ADDRESS',
    message: `this machine has none of the addresses to listen on: ${hosts.join(', ')}`,
    fix: 'bring up the loopback interface: ip link set lo up',
    exitCode: EXIT.couldNotRun,
  });

/** Who listens on the port, as far as /proc shows it to us. Only ever for a message. */
export function holderOf(port: number): { pid: number; name: string } | null {
  try {
    const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => listeningInodes(table, port)));
    if (inodes.size === 0) return null;
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (!holdsSocket(pid, inodes)) continue;
      const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
      return { pid: Number(pid), name: name.replace(/[^\x20-\x7e]/g, '?') };
    }
  } catch {
    // No /proc, or not ours to read: the message does without.
  }
  return null;
}

function listeningInodes(table: string, port: number): string[] {
  const LISTEN = '0A';
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return tryLines(table).flatMap((line) => {
    const columns = line.trim().split(/\s+/);
    return columns[1]?.endsWith(wanted) && columns[3] === LISTEN ? [`socket:[${columns[9]}]`] : [];
  });
}

function tryLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(1);
  } catch {
    return [];
  }
}

function holdsSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => inodes.has(tryLink(`/proc/${pid}/fd/${fd}`)));
  } catch {
    return false;
  }
}

function tryLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
