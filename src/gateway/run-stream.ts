// Owns the text of runs on its way out: tokens are gathered and sent at most every few milliseconds, so that a fast
// model does not cost a frame per token. The first token leaves at once; at the end nothing is left behind.
import type { BackendEvent } from './backend.ts';
import type { Limits } from './limits.ts';
import { type EventHead, eventHead } from './protocol/frames.ts';
import { agentIdOf } from './protocol/session-key.ts';
import type { Connection } from './socket/connection.ts';
import type { Hub } from './socket/hub.ts';

export type RunText = Extract<BackendEvent, { type: 'run.text' }>;
export type ToolEvent = Extract<BackendEvent, { type: 'run.tool' }>;

/** What chat.history shows of a run that is going on. */
export type InFlightRun = {
  readonly runId: string;
  /** since the last tool call: what came before is in the transcript */
  readonly text: string;
  readonly startedAt: number;
  /** tool calls that have not ended, as `agent` events */
  readonly events: readonly unknown[];
};

export type RunStream = {
  started(runId: string, sessionKey: string, startedAtMs: number): void;
  text(event: RunText): void;
  /** sends what is gathered; called before anything else of the run is told */
  flush(runId: string): void;
  /** a tool call begins: the text after it is a new message. `told` is the event as it was sent. */
  toolStarted(runId: string, callId: string, told: unknown): void;
  toolEnded(runId: string, callId: string): void;
  ended(runId: string): void;
  inFlight(sessionKey: string): InFlightRun | null;
  stop(): void;
};

type Run = {
  readonly runId: string;
  readonly sessionKey: string;
  readonly startedAtMs: number;
  readonly tools: Map<string, unknown>;
  seq: number;
  text: string;
  unsent: string;
  sentAtMs: number;
  /** connections from this number on were not here when the text began, except those in `whole` */
  seenBefore: number;
  whole: Set<Connection> | null;
  /** connections that missed a piece */
  missed: Set<Connection> | null;
};

export function createRunStream(hub: Hub, limits: Limits, now: () => number): RunStream {
  const runs = new Map<string, Run>();
  const waiting = new Set<Run>();
  let timer: NodeJS.Timeout | undefined;

  const begin = (runId: string, sessionKey: string, startedAtMs: number): Run => {
    const run: Run = {
      runId,
      sessionKey,
      startedAtMs,
      tools: new Map(),
      seq: 0,
      text: '',
      unsent: '',
      sentAtMs: 0,
      seenBefore: hub.nextNumber,
      whole: null,
      missed: null,
    };
    runs.set(runId, run);
    return run;
  };

  const send = (run: Run): void => {
    const delta = run.unsent;
    run.unsent = '';
    run.sentAtMs = performance.now();
    waiting.delete(run);
    const heads = lazyHeads(run, delta, now());
    for (const connection of hub.each('operator.read')) {
      if (!connection.grant.caps.has('compact-deltas')) {
        connection.pushIfKeepingUp(heads.agent());
        connection.pushIfKeepingUp(heads.full());
      } else if (lacksBeginning(run, connection)) {
        if (connection.pushIfKeepingUp(heads.whole())) caughtUp(run, connection);
      } else if (!connection.pushIfKeepingUp(heads.piece())) {
        run.missed ??= new Set();
        run.missed.add(connection);
      }
    }
  };
  const sendWaiting = (): void => {
    timer = undefined;
    for (const run of waiting) send(run);
  };

  return {
    started: begin,
    text(event) {
      const run = runs.get(event.runId) ?? begin(event.runId, event.sessionKey, now());
      run.seq = event.seq;
      if (run.text === '') run.seenBefore = hub.nextNumber;
      run.text += event.delta;
      run.unsent += event.delta;
      if (performance.now() - run.sentAtMs >= limits.deltaIntervalMs) return send(run);
      waiting.add(run);
      timer ??= setTimeout(sendWaiting, limits.deltaIntervalMs);
    },
    flush(runId) {
      const run = runs.get(runId);
      if (run && run.unsent !== '') send(run);
    },
    toolStarted(runId, callId, told) {
      const run = runs.get(runId);
      if (!run) return;
      run.tools.set(callId, told);
      run.text = '';
      run.whole = null;
      run.missed = null;
    },
    toolEnded: (runId, callId) => void runs.get(runId)?.tools.delete(callId),
    ended(runId) {
      const run = runs.get(runId);
      if (run) waiting.delete(run);
      runs.delete(runId);
    },
    inFlight(sessionKey) {
      for (const run of runs.values()) {
        if (run.sessionKey !== sessionKey) continue;
        const { runId, text, startedAtMs, tools } = run;
        return { runId, text, startedAt: startedAtMs, events: [...tools.values()] };
      }
      return null;
    },
    stop: () => clearTimeout(timer),
  };
}

const lacksBeginning = (run: Run, connection: Connection): boolean =>
  (connection.number >= run.seenBefore && !run.whole?.has(connection)) || run.missed?.has(connection) === true;

function caughtUp(run: Run, connection: Connection): void {
  run.missed?.delete(connection);
  run.whole ??= new Set();
  run.whole.add(connection);
}

/** Each form is serialised when the first connection wants it. */
function lazyHeads(run: Run, delta: string, ts: number) {
  const { runId, sessionKey, seq, text } = run;
  const agentId = agentIdOf(sessionKey);
  const chat = { runId, sessionKey, agentId, seq, state: 'delta' };
  const message = { role: 'assistant', content: [{ type: 'text', text }], timestamp: ts };
  const data = { text, delta };
  return {
    piece: once(() => eventHead('chat', { ...chat, deltaText: delta })),
    whole: once(() => eventHead('chat', { ...chat, deltaText: text, replace: true })),
    full: once(() => eventHead('chat', { ...chat, deltaText: delta, message })),
    agent: once(() => eventHead('agent', { runId, stream: 'assistant', data, sessionKey, agentId, seq, ts })),
  };
}

function once(make: () => EventHead): () => EventHead {
  let made: EventHead | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
