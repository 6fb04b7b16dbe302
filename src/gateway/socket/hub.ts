// Owns the set of authenticated connections: sending an event to those who may see it, the tick, the pings, the end.
// An event is serialised once for everybody. It must never keep a connection alive that does not answer.
import type { Scope } from '../auth/scopes.ts';
import type { Limits } from '../limits.ts';
import { type EventHead, eventHead } from '../protocol/frames.ts';
import type { Connection } from './connection.ts';

export type Hub = {
  readonly size: number;
  /** the number that the next connection will have */
  readonly nextNumber: number;
  add(connection: Connection): void;
  /** every connection that holds the scope */
  each(scope: Scope | null): Iterable<Connection>;
  has(fits: (connection: Connection) => boolean): boolean;
  /** `droppable`: may be left out for who does not keep up */
  publish(event: string, scope: Scope | null, payload: unknown, options?: PublishOptions): void;
  /** called after each arrival and departure */
  onChange(listener: () => void): void;
  stop(reason: string, restartExpectedMs?: number): Promise<void>;
};
export type PublishOptions = {
  readonly droppable?: boolean;
  readonly to?: (connection: Connection) => boolean;
  readonly rest?: Readonly<Record<string, unknown>>;
};

export function createHub(limits: Limits, now: () => number): Hub {
  const connections = new Set<Connection>();
  const listeners: (() => void)[] = [];
  let nextNumber = 1;
  let pongTimer: NodeJS.Timeout | undefined;

  function* each(scope: Scope | null): Generator<Connection> {
    for (const connection of connections) if (connection.may(scope)) yield connection;
  }

  const publish: Hub['publish'] = (event, scope, payload, { droppable = false, to, rest } = {}) => {
    let head: EventHead | undefined;
    for (const connection of each(scope)) {
      if (to && !to(connection)) continue;
      head ??= eventHead(event, payload, rest);
      if (droppable) connection.pushIfKeepingUp(head);
      else connection.push(head);
    }
  };

  const cutSilent = (): void => {
    for (const connection of connections) if (!connection.answeredPing) connection.socket.terminate();
  };
  const beat = setInterval(() => {
    publish('tick', null, { ts: now() }, { droppable: true });
    for (const connection of connections) {
      connection.answeredPing = false;
      if (connection.socket.readyState === connection.socket.OPEN) connection.socket.ping();
    }
    clearTimeout(pongTimer);
    pongTimer = setTimeout(cutSilent, limits.pongTimeoutMs);
    pongTimer.unref();
  }, limits.tickIntervalMs);
  beat.unref();

  return {
    get size() {
      return connections.size;
    },
    get nextNumber() {
      return nextNumber;
    },
    add(connection) {
      nextNumber += 1;
      connections.add(connection);
      connection.socket.on('pong', () => {
        connection.answeredPing = true;
      });
      connection.socket.on('close', () => {
        connections.delete(connection);
        for (const listener of listeners) listener();
      });
      for (const listener of listeners) listener();
    },
    each,
    has: (fits) => connections.values().some(fits),
    publish,
    onChange: (listener) => void listeners.push(listener),
    async stop(reason, restartExpectedMs) {
      clearInterval(beat);
      clearTimeout(pongTimer);
      publish('shutdown', null, { reason, ...(restartExpectedMs === undefined ? {} : { restartExpectedMs }) });
      await Promise.all([...connections].map((connection) => closed(connection, limits.closeGraceMs)));
    },
  };
}

function closed(connection: Connection, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => connection.socket.terminate(), graceMs);
    connection.socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    connection.close(1012, 'service restart');
    if (connection.socket.readyState === connection.socket.CLOSED) resolve();
  });
}
