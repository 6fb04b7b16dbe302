// Owns the way of one request: frame, role, scope, existence, parameters, run, answer. Scope comes before existence, so
// that what exists cannot be probed. It must never run a method that the grant does not allow, nor answer with a stack.
import type { Scope } from '../auth/scopes.ts';
import type { Limits } from '../limits.ts';
import type { Method, Services } from '../methods/method.ts';
import type { GatewayLog } from '../options.ts';
import { invalidRequest, missingScope, toWireError, unavailable } from '../protocol/errors.ts';
import { clip, isBad, parseRequest, type Request } from '../protocol/frames.ts';
import { check } from '../protocol/params.ts';
import type { Connection } from './connection.ts';
import type { StartBudget } from './start-budget.ts';

export type Dispatcher = (connection: Connection, text: string) => void;

export type DispatchOptions = {
  readonly methods: ReadonlyMap<string, Method>;
  readonly services: Services;
  readonly budget: StartBudget;
  readonly limits: Limits;
  readonly log: GatewayLog;
  readonly now: () => number;
};

/** Methods that belong to a node; an operator who keeps calling them is broken or probing. */
const NODE_METHODS = new Set(
  `skills.bins, node.event, node.invoke.progress, node.invoke.result,
  node.pending.ack, node.pending.drain, node.pending.pull, node.pluginSurface.refresh, node.pluginTools.update,
  node.runnerInventory.update, node.skills.update`.split(/,\s+/),
);

/** What a method that we do not have would need: nobody below admin learns which those are. */
const UNKNOWN_METHOD_SCOPE: Scope = 'operator.admin';

export function createDispatcher(options: DispatchOptions): Dispatcher {
  const { methods, services, budget, limits, log, now } = options;

  const start = async (connection: Connection, request: Request, method: Method): Promise<void> => {
    const { id } = request;
    connection.inFlight += 1;
    try {
      const checked = check(method.params, request.method, request.params);
      if (!checked.ok) return connection.refuse(id, invalidRequest(checked.message));
      services.counts.ignoredFields += checked.ignored;
      const ack = (payload: unknown): void => connection.answer(id, payload);
      const result = method.run({ ...services, connection, ack }, checked.value);
      connection.answer(id, result instanceof Promise ? await result : result);
    } catch (error) {
      connection.refuse(
        id,
        toWireError(error, (reason) => log.error(`${request.method} failed`, { reason, error })),
      );
    } finally {
      connection.inFlight -= 1;
    }
  };

  return (connection, text) => {
    const request = parseRequest(text);
    if (isBad(request)) {
      if (request.id === null) return connection.close(1008, request.reason);
      return connection.refuse(request.id, invalidRequest(request.reason));
    }
    const { id } = request;
    if (NODE_METHODS.has(request.method)) return refuseRole(connection, id, limits);
    connection.wrongRoleCalls = 0;
    const method = methods.get(request.method);
    const scope = method ? method.scope : UNKNOWN_METHOD_SCOPE;
    if (scope !== null && !connection.may(scope)) {
      connection.refuse(id, missingScope(scope));
      if (floods(connection, limits, now())) connection.close(1008, 'repeated unauthorized calls');
      return;
    }
    if (request.method === 'connect') return connection.refuse(id, invalidRequest('already connected'));
    if (!method) return connection.refuse(id, invalidRequest(`unknown method: ${clip(request.method)}`));
    if (connection.inFlight >= limits.inFlightPerConnection) {
      return connection.refuse(id, unavailable('too many requests are waiting for their answer', 'in-flight', 100));
    }
    const started = budget.run(connection, () => void start(connection, request, method));
    if (!started) connection.refuse(id, unavailable('the gateway is busy; retry shortly', 'start-queue', 100));
  };
}

function refuseRole(connection: Connection, id: string, limits: Limits): void {
  connection.refuse(id, invalidRequest('unauthorized role: operator'));
  connection.wrongRoleCalls += 1;
  if (connection.wrongRoleCalls > limits.wrongRoleCalls) connection.close(1008, 'repeated unauthorized calls');
}

/** A bucket that leaks one a second: a page that asks too much at start lives, a scan does not. */
function floods(connection: Connection, limits: Limits, nowMs: number): boolean {
  const forgiven = Math.max(0, nowMs - connection.deniedAtMs) / 1_000;
  connection.deniedCalls = Math.max(0, connection.deniedCalls - forgiven) + 1;
  connection.deniedAtMs = nowMs;
  return connection.deniedCalls > limits.deniedCalls;
}
