// Owns the start and the end of the gateway: this file is its table of contents. It puts the rooms together and listens
// last, so that nobody can be met by half a house; it ends in the reverse order.
import { newId } from '../platform/ids.ts';
import { isKnockMark } from '../secrets/gateway-token.ts';
import { createRefusals } from './auth/refusals.ts';
import { createThrottle } from './auth/throttle.ts';
import { createTokenMatcher } from './auth/token.ts';
import { startEvents } from './events.ts';
import { closeServer, listen } from './http/listen.ts';
import { createPage, isPagePath } from './http/page.ts';
import { createRequestGuard } from './http/request-guard.ts';
import { createRoutes } from './http/routes.ts';
import { LIMITS, type Limits } from './limits.ts';
import type { Services } from './methods/method.ts';
import { allMethods } from './methods/table.ts';
import type { GatewayOptions } from './options.ts';
import { Connection } from './socket/connection.ts';
import { createDispatcher } from './socket/dispatch.ts';
import { type Admitted, createHandshake } from './socket/handshake.ts';
import { createHello } from './socket/hello.ts';
import { createHub } from './socket/hub.ts';
import { createPresence } from './socket/presence.ts';
import { createStartBudget } from './socket/start-budget.ts';
import { createUpgrader } from './socket/upgrade.ts';
import { createWaitingRoom } from './socket/waiting-room.ts';

export type Gateway = {
  readonly port: number;
  /** without the token: `http://127.0.0.1:18789` */
  readonly url: string;
  /** Tells every client, closes every socket, frees the port. `restartExpectedMs`: it will be back. */
  close(reason: string, restartExpectedMs?: number): Promise<void>;
};

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { backend, log, token } = options;
  const now = options.clock ?? Date.now;
  const limits: Limits = { ...LIMITS, ...options.limits };
  let phase: 'starting' | 'open' | 'stopping' = 'starting';
  const isOpen = (): boolean => phase === 'open';
  const isReady = (): boolean => isOpen() && (options.ready?.() ?? true);

  // who may come in
  const { authMode = 'token' } = options;
  const matches = authMode === 'none' ? () => true : createTokenMatcher(token, options.isPreviousToken);
  const throttle = createThrottle(limits, now);
  const refusals = createRefusals(
    limits,
    now,
    log,
    (kind, body) => backend.record(kind, body),
    (mark) => isKnockMark(mark, token(), now()),
  );
  const room = createWaitingRoom(limits);

  // who is in, and what they see
  const hub = createHub(limits, now);
  const presence = createPresence(hub, backend.version, backend.startedAtMs, limits);
  const events = startEvents(hub, backend, limits, now, log);

  // what they can ask
  const methods = allMethods();
  const services: Services = {
    backend,
    now,
    presence: presence.list,
    connections: () => hub.size,
    inFlight: events.inFlight,
    historyBytes: limits.historyBytes,
    counts: { ignoredFields: 0 },
  };
  const dispatch = createDispatcher({ methods, services, budget: createStartBudget(limits), limits, log, now });

  // the port comes first, since Host and Origin are checked against it; nobody is served before `open`
  const { servers, port } = await listen(options.hosts, options.port, limits);
  const guard = createRequestGuard({
    port,
    hosts: options.hosts,
    allowedHosts: options.allowedHosts ?? [],
    allowedOrigins: options.allowedOrigins ?? [],
    isPagePath,
  });

  const welcome = ({ socket, peer, grant, client, connId }: Admitted): void => {
    upgrader.raiseFrameLimit(socket);
    const number = hub.nextNumber;
    const connection = new Connection({
      id: connId,
      number,
      socket,
      grant,
      client,
      ip: peer.ip,
      connectedAtMs: now(),
      limits,
      hide: options.hide ?? ((text) => text),
    });
    socket.on('message', (data, isBinary) => {
      if (isBinary) connection.close(1008, 'text frames only');
      else dispatch(connection, String(data));
    });
    hub.add(connection);
    if (!connection.may('operator.approvals')) return;
    backend.approvals.present(1);
    socket.on('close', () => backend.approvals.present(-1));
  };
  const hello = createHello({ backend, methods, presence, limits, authMode, bootId: newId(), now });
  const record = (kind: string, body: Record<string, unknown>): void => backend.record(kind, body);
  const shakeHands = createHandshake({
    ...{ log, limits, now, matches, throttle, refusals, room, record, isReady, hello },
    onAdmitted: welcome,
  });
  const connections = (): number => hub.size + room.size;
  const upgrader = createUpgrader({ guard, limits, refusals, connections, isOpen, onSocket: shakeHands });

  const page = options.uiFolder === null ? null : createPage(options.uiFolder);
  const answer = createRoutes({ guard, backend, page, matches, throttle, refusals, limits, log, isReady });
  for (const server of servers) server.on('request', answer).on('upgrade', upgrader.upgrade);
  phase = 'open';

  let closing: Promise<void> | undefined;
  const close = async (reason: string, restartExpectedMs?: number): Promise<void> => {
    phase = 'stopping';
    events.stop();
    presence.stop();
    room.evictAll();
    await hub.stop(reason, restartExpectedMs);
    upgrader.close();
    await Promise.all(servers.map(closeServer));
  };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close(reason, restartExpectedMs) {
      closing ??= close(reason, restartExpectedMs);
      return closing;
    },
  };
}
