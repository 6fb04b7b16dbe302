// Owns the wiring of the inner house: store, intake, lanes, runner, agent and delivery, each handed the function of the
// next. Part of the composition; it knows no gateway, no sandbox and no network, so that a test can run all of it.
import { type AdmittedMessage, admit } from './access/admit.ts';
import { type AgentPorts, runTurn } from './agent/loop.ts';
import type { ToolCall } from './agent/tool-call.ts';
import type { Channel } from './channels/channel.ts';
import { createDelivery } from './channels/delivery.ts';
import { createIntake } from './channels/intake.ts';
import { openJournal } from './journal/journal.ts';
import type { Log } from './log/log.ts';
import { createApprovals } from './policy/approvals.ts';
import type { Decision } from './policy/decide.ts';
import type { Effect } from './policy/effects.ts';
import { createRuns } from './runs.ts';
import { createDirectory } from './sessions/directory.ts';
import { parseSessionKey } from './sessions/key.ts';
import { createLanes } from './sessions/lanes.ts';
import { createRunner } from './sessions/runner.ts';
import type { Waiting } from './sessions/turn.ts';
import { openInbox } from './store/inbox.ts';
import type { Store } from './store/open.ts';
import { openOutbox } from './store/outbox.ts';
import { openSessions } from './store/sessions.ts';
import { openToolCalls } from './store/tool-calls.ts';
import { openTranscripts } from './store/transcripts.ts';
import { openUsage } from './store/usage.ts';

/** What a tool call must tell before and after it runs; `started` returns once that is durable. */
export type CallHooks = {
  readonly approvals: ReturnType<typeof createApprovals>;
  decided(call: ToolCall, decision: Decision): void;
  started(call: ToolCall, effects: readonly Effect[]): void;
  ended(call: ToolCall): void;
};

export type CorePorts = Pick<AgentPorts, 'models' | 'tools' | 'maxOutputTokens' | 'prompt'> & {
  readonly store: Store;
  readonly log: Log;
  readonly now: () => number;
  readonly channels: readonly Channel[];
  toolCaller(hooks: CallHooks): AgentPorts['callTool'];
};

export type Core = ReturnType<typeof createCore>;

export function createCore(ports: CorePorts) {
  const { store, log, now, models } = ports;
  const journal = openJournal(store, now);
  const [inbox, outbox, toolCalls] = [openInbox(store), openOutbox(store), openToolCalls(store)];
  const [sessions, transcripts, usage] = [openSessions(store), openTranscripts(store), openUsage(store)];
  const runs = createRuns();

  const approvals = createApprovals({
    journal,
    now,
    requested: (approval) => runs.publish({ type: 'approval.requested', approval }),
    resolved: ({ id, sessionKey }, decision) => runs.publish({ type: 'approval.resolved', id, sessionKey, decision }),
  });
  const directory = createDirectory({
    store,
    sessions,
    transcripts,
    journal,
    now,
    isBusy: (key) => lanes.activeRunIds(key).length + lanes.waitingIn(key) > 0,
    knowsModel: (name) => models.list().some((model) => `${model.provider}/${model.id}` === name),
    changed: (sessionKey, reason) => runs.publish({ type: 'session.changed', sessionKey, reason }),
  });
  const callTool = ports.toolCaller({
    approvals,
    decided: (call, decision) => {
      const why = decision.kind === 'allow' ? {} : { code: decision.code };
      journal.record('tool.decided', {
        run: call.turnId,
        call: call.callId,
        tool: call.name,
        decision: decision.kind,
        ...why,
      });
    },
    started: ({ turnId: runId, callId, sessionKey, name, args, context }, effects) =>
      runner.persist(sessionKey, () =>
        toolCalls.start({ runId, callId, name, args, effects, atMs: now(), label: context }),
      ),
    ended: (call) => store.defer(() => toolCalls.close(call.turnId, call.callId, 'done', now())),
  });
  const delivery = createDelivery({
    store,
    outbox,
    log,
    channels: new Map(ports.channels.map((channel) => [channel.id, channel])),
  });
  const runner = createRunner({
    store,
    sessions,
    transcripts,
    directory,
    inbox,
    outbox,
    toolCalls,
    usage,
    journal,
    log,
    now,
    think: (turn) => runTurn(turn, { ...ports, callTool }),
    deliver: delivery.enqueue,
    emit: runs.emit,
    onMessage: runs.message,
    ended: (record, reply) => {
      approvals.forget(record.runId);
      runs.ended(record, reply);
      const { status, error } = record.end;
      const facts = { runId: record.runId, session: record.sessionKey, status };
      const ms = record.endedAtMs - record.startedAtMs;
      if (status === 'error') log.warn('run ended', { ...facts, ms, kind: error?.kind, reason: error?.message });
      else log.info('run ended', { ...facts, ms });
    },
  });
  const lanes = createLanes({
    run: runner.run,
    discard: runner.discard,
    left: ({ sessionKey }) => runs.publish({ type: 'session.changed', sessionKey, reason: 'updated' }),
  });
  const intake = createIntake<AdmittedMessage>({
    store,
    inbox,
    journal,
    gate: admit,
    now,
    submit: (message, { inboxId, attempts, resumed, delivery: { runId, sessionKey, timeoutMs, queueMode } }) => {
      runs.accepted(runId);
      const { agentId } = parseSessionKey(sessionKey);
      lanes.submit({
        inboxId,
        attempts,
        resumed,
        runId,
        sessionKey,
        agentId,
        timeoutMs,
        mode: modeOf(queueMode),
        message,
      });
    },
  });
  return {
    journal,
    inbox,
    outbox,
    toolCalls,
    sessions,
    transcripts,
    usage,
    runs,
    approvals,
    directory,
    delivery,
    runner,
    lanes,
    intake,
  };
}

/** A mode from an older or foreign row is read as the default. */
const modeOf = (text: string): Waiting['mode'] => (text === 'interrupt' || text === 'followup' ? text : 'steer');
