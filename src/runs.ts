// Owns what clients hear of runs: their events in order, and the outcomes of the running and the most recent ones. Part
// of the composition; nothing here is durable, the inbox and the transcript are.
import type { BackendEvent, RunOutcome } from './gateway/backend.ts';
import { setNewest } from './platform/newest.ts';
import type { RunRecord } from './sessions/runner.ts';
import type { RunEvent } from './sessions/turn.ts';
import type { StoredMessage } from './store/transcripts.ts';

type Ended = Extract<BackendEvent, { type: 'run.ended' }>;

/** Events to whoever listens, and the outcomes of running and recent runs. */
export function createRuns() {
  const KEEP = 1_000;
  const listeners = new Set<(event: BackendEvent) => void>();
  const sequence = new Map<string, number>();
  const outcomes = new Map<string, RunOutcome>();
  const waiters = new Map<string, ((outcome: RunOutcome) => void)[]>();

  const publish = (event: BackendEvent): void => {
    for (const listener of listeners) listener(event);
  };
  return {
    publish,
    message: (sessionKey: string, message: StoredMessage): void =>
      publish({ type: 'session.message', sessionKey, message }),
    /** An accepted run is known from here on, queued or running. */
    accepted: (runId: string): void => void sequence.set(runId, sequence.get(runId) ?? 0),
    emit(runId: string, sessionKey: string, event: RunEvent | Pick<Ended, 'type' | 'outcome' | 'message'>): void {
      const seq = (sequence.get(runId) ?? 0) + 1;
      sequence.set(runId, seq);
      publish({ ...event, runId, sessionKey, seq });
    },
    ended(record: RunRecord, message: StoredMessage | null): void {
      const { runId, sessionKey, startedAtMs, endedAtMs, end } = record;
      const { contextTokens: _, label: __, ...said } = end;
      const outcome: RunOutcome = { runId, sessionKey, startedAtMs, endedAtMs, ...said };
      setNewest(outcomes, runId, outcome, KEEP);
      this.emit(runId, sessionKey, { type: 'run.ended', outcome, message });
      sequence.delete(runId);
      for (const resolve of waiters.get(runId) ?? []) resolve(outcome);
      waiters.delete(runId);
    },
    outcome: (runId: string): RunOutcome | 'running' | undefined =>
      outcomes.get(runId) ?? (sequence.has(runId) ? 'running' : undefined),
    wait(runId: string, timeoutMs: number): Promise<RunOutcome | null> {
      const known = outcomes.get(runId);
      if (known || !sequence.has(runId)) return Promise.resolve(known ?? null);
      return new Promise((resolve) => {
        const settle = (outcome: RunOutcome | null): void => {
          clearTimeout(timer);
          resolve(outcome);
        };
        const timer = setTimeout(() => {
          waiters.set(
            runId,
            (waiters.get(runId) ?? []).filter((w) => w !== settle),
          );
          settle(null);
        }, timeoutMs);
        waiters.set(runId, [...(waiters.get(runId) ?? []), settle]);
      });
    },
    subscribe(listener: (event: BackendEvent) => void): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
