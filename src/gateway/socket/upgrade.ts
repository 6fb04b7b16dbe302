// Owns the way from an HTTP upgrade to a WebSocket that may say `connect`: the request guard, the path, the waiting
// room, the frame limit of strangers. Refusals are plain HTTP answers; no byte of a refused peer reaches a frame parser.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { KNOCK_HEADER } from '../../secrets/gateway-token.ts';
import type { Peer } from '../auth/grant.ts';
import type { Refusals } from '../auth/refusals.ts';
import { peerIp } from '../http/peer.ts';
import type { RequestGuard } from '../http/request-guard.ts';
import { refuseSocket } from '../http/respond.ts';
import type { Limits } from '../limits.ts';

export type Upgrader = {
  readonly upgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** lets frames of an authenticated peer grow to the limit of the protocol */
  readonly raiseFrameLimit: (socket: WebSocket) => void;
  readonly close: () => void;
};

export type UpgradeOptions = {
  readonly guard: RequestGuard;
  readonly limits: Limits;
  readonly refusals: Refusals;
  /** connections of all kinds at this moment */
  readonly connections: () => number;
  readonly isOpen: () => boolean;
  readonly onSocket: (socket: WebSocket, peer: Peer) => void;
};

const SOCKET_PATH = '/';

export function createUpgrader(options: UpgradeOptions): Upgrader {
  const { guard, limits, refusals, connections, isOpen, onSocket } = options;
  // The types of ws do not know closeTimeout yet: how long a peer may take to answer a close.
  const closing = { closeTimeout: limits.closeGraceMs };
  const server = new WebSocketServer({
    ...closing,
    noServer: true,
    perMessageDeflate: false,
    maxPayload: limits.preAuthFrameBytes,
    clientTracking: false,
  });

  const upgrade = (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const ip = peerIp(req);
    const mark = req.headers[KNOCK_HEADER];
    const seen = guard(req);
    if (!seen.allow) {
      refusals.note({ via: 'ws', ip, reason: seen.code, mark });
      return refuseSocket(socket, seen.status, seen.code, seen.message);
    }
    if (req.headers.upgrade?.toLowerCase() !== 'websocket' || req.method !== 'GET') {
      return refuseSocket(socket, 400, 'bad_upgrade', 'only an upgrade to websocket is understood');
    }
    if (seen.path !== SOCKET_PATH) return refuseSocket(socket, 404, 'not_found', 'the socket is at /');
    if (!isOpen()) return refuseSocket(socket, 503, 'stopping', 'the gateway is starting or stopping');
    if (connections() >= limits.maxConnections) {
      return refuseSocket(socket, 503, 'too_many_connections', 'the gateway has as many connections as it takes');
    }
    const peer: Peer = { ip, origin: seen.origin, ownOrigin: seen.ownOrigin, mark };
    server.handleUpgrade(req, socket, head, (ws) => onSocket(ws, peer));
  };

  return { upgrade, raiseFrameLimit: (socket) => raise(socket, limits.maxPayloadBytes), close: () => server.close() };
}

/**
 * ws has one limit per server, and 25 MiB for every stranger would be 800 MiB for 32 of them. The limit of one socket
 * lives in its receiver; a test holds that this still works with the pinned version.
 */
function raise(socket: WebSocket, maxPayloadBytes: number): void {
  const receiver = (socket as unknown as { _receiver?: { _maxPayload?: number } })._receiver;
  if (receiver?._maxPayload === undefined) throw new Error('the frame limit of this version of ws is somewhere else');
  receiver._maxPayload = maxPayloadBytes;
}
