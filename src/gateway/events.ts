// Owns the map from what happens in the backend to the events of the wire, and who may see which. An event that is not
// in EVENTS is never sent, and a scope is asked for each connection and each event.
import type { Scope } from './auth/scopes.ts';
import type { Backend, BackendEvent, RunOutcome, RunRef } from './backend.ts';
import type { Limits } from './limits.ts';
import type { GatewayLog } from './options.ts';
import { agentIdOf } from './protocol/session-key.ts';
import { wireApproval, wireMessage, wireUsage } from './protocol/shapes.ts';
import { createRunStream, type InFlightRun, type ToolEvent } from './run-stream.ts';
import { createSessionChanges } from './session-changes.ts';
import type { Connection } from './socket/connection.ts';
import type { Hub } from './socket/hub.ts';

/** Every event that this gateway sends, with the scope that it takes. */
export const EVENTS: Readonly<Record<string, Scope | null>> = {
  tick: null,
  shutdown: null,
  presence: 'operator.read',
  chat: 'operator.read',
  agent: 'operator.read',
  'session.message': 'operator.read',
  'sessions.changed': 'operator.read',
  'exec.approval.requested': 'operator.approvals',
  'outbox.changed': 'operator.write',
  'exec.approval.resolved': 'operator.approvals',
};

export type Events = {
  readonly inFlight: (sessionKey: string) => InFlightRun | null;
  readonly stop: () => void;
};

export function startEvents(hub: Hub, backend: Backend, limits: Limits, now: () => number, log: GatewayLog): Events {
  const stream = createRunStream(hub, limits, now);
  const changes = createSessionChanges(hub, (key) => backend.sessions.describe(key), limits, now, log);
  const read = EVENTS['agent'] ?? null;

  const agent = (ref: RunRef, kind: string, data: unknown, to?: (connection: Connection) => boolean): unknown => {
    const { runId, sessionKey, seq } = ref;
    const payload = { runId, sessionKey, agentId: agentIdOf(sessionKey), stream: kind, data, seq, ts: now() };
    hub.publish('agent', read, payload, to ? { to } : {});
    return payload;
  };

  const onEvent = (event: BackendEvent) => {
    // Text leaves before whatever follows it, and before the message that it became.
    if (event.type === 'session.message') stream.flush(event.message.runId);
    else if ('runId' in event && event.type !== 'run.text') stream.flush(event.runId);
    switch (event.type) {
      case 'run.started':
        stream.started(event.runId, event.sessionKey, event.startedAtMs);
        agent(event, 'lifecycle', { phase: 'start', startedAt: event.startedAtMs });
        return;
      case 'run.model':
        agent(event, 'lifecycle', { phase: 'model', provider: event.provider, model: event.model });
        return;
      case 'run.text':
        return stream.text(event);
      case 'run.tool': {
        const told = agent(event, 'tool', toolData(event), wantsTools);
        if (event.phase === 'start') stream.toolStarted(event.runId, event.callId, told);
        else stream.toolEnded(event.runId, event.callId);
        return;
      }
      case 'run.steered':
        agent(event, 'lifecycle', { phase: 'steered', intoRunId: event.intoRunId });
        return;
      case 'run.ended':
        stream.ended(event.runId);
        hub.publish('chat', read, chatEnd(event));
        agent(event, 'lifecycle', lifecycleEnd(event.outcome));
        return;
      case 'session.message': {
        const { sessionKey, message } = event;
        const watches = (connection: Connection): boolean => connection.watches(sessionKey);
        if (!hub.has(watches)) return;
        const wire = wireMessage(message);
        const facts = { messageId: wire.__openclaw.id, messageSeq: message.seq };
        const payload = { sessionKey, agentId: agentIdOf(sessionKey), message: wire, ...facts };
        hub.publish('session.message', read, payload, { to: watches });
        return;
      }
      case 'session.changed':
        return changes.tell(event);
      case 'outbox.changed':
        hub.publish('outbox.changed', 'operator.write', {
          // A draft does not leave by itself, so nobody needs to hurry.
          messages: backend.outbox.held().filter(({ leavesAtMs }) => leavesAtMs > 0),
        });
        return;
      case 'approval.requested':
        hub.publish('exec.approval.requested', 'operator.approvals', wireApproval(event.approval));
        return;
      case 'approval.resolved': {
        const { id, code, sessionKey, state, answered } = event.approval;
        const told = { id, code, sessionKey, state, decision: answered?.decision ?? state, by: answered?.by ?? '' };
        hub.publish('exec.approval.resolved', 'operator.approvals', { ...told, ts: now() });
        return;
      }
    }
  };

  // The backend counts on listeners that do not throw: an event that cannot be told must not end the turn.
  const unsubscribe = backend.subscribe((event) => {
    try {
      onEvent(event);
    } catch (error) {
      log.error(`an event could not be told: ${event.type}`, { error });
    }
  });
  return {
    inFlight: stream.inFlight,
    stop() {
      unsubscribe();
      stream.stop();
      changes.stop();
    },
  };
}

type RunEnded = Extract<BackendEvent, { type: 'run.ended' }>;

const wantsTools = (connection: Connection): boolean => connection.grant.caps.has('tool-events');

function toolData(event: ToolEvent): unknown {
  const { callId, name } = event;
  if (event.phase === 'start') return { phase: 'start', toolCallId: callId, name, args: event.args };
  return { phase: 'result', toolCallId: callId, name, result: event.text, isError: event.isError };
}

function chatEnd({ runId, sessionKey, seq, outcome, message }: RunEnded): unknown {
  const ref = { runId, sessionKey, agentId: agentIdOf(sessionKey), seq };
  const { stopReason, error } = outcome;
  if (outcome.status === 'error') return { ...ref, state: 'error', ...errorOf(outcome, error) };
  const text = [{ type: 'text', text: outcome.text }];
  const said = message
    ? wireMessage(message)
    : { role: 'assistant', content: text, timestamp: outcome.endedAtMs, stopReason };
  if (outcome.status === 'aborted') {
    return { ...ref, state: 'aborted', stopReason, ...(message || outcome.text !== '' ? { message: said } : {}) };
  }
  return { ...ref, state: 'final', stopReason, message: said, usage: wireUsage(outcome.usage) };
}

const ERROR_KINDS = new Set(['refusal', 'timeout', 'rate_limit', 'context_length']);

function errorOf(outcome: RunOutcome, error: RunOutcome['error']) {
  const kind = error?.kind ?? 'unknown';
  return {
    errorMessage: error?.message ?? 'the turn failed',
    errorKind: ERROR_KINDS.has(kind) ? kind : 'unknown',
    errorDetail: { kind, model: outcome.model, ...(error?.fix === undefined ? {} : { fix: error.fix }) },
    stopReason: outcome.stopReason,
  };
}

function lifecycleEnd({ status, startedAtMs, endedAtMs, stopReason, error }: RunOutcome) {
  const times = { startedAt: startedAtMs, endedAt: endedAtMs, stopReason };
  if (status === 'ok') return { phase: 'end', ...times, aborted: false };
  if (status === 'aborted') return { phase: 'end', status: 'cancelled', ...times, aborted: true };
  return { phase: 'error', ...times, aborted: false, error: error?.message ?? 'the turn failed' };
}
