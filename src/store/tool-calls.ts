// Owns the record of tool calls with an effect outside the conversation: written before the call runs, closed after it.
// A call found `started` after a crash is never run again; it becomes `unknown`, and the model is told so.
import { type Label, toColumns } from './label.ts';
import type { Store } from './open.ts';

export type StartedCall = {
  runId: string;
  callId: string;
  name: string;
  args: unknown;
  effects: unknown;
  atMs: number;
  label: Label;
};

export type ToolCalls = ReturnType<typeof openToolCalls>;

export function openToolCalls(store: Store) {
  const start =
    store.prepare(`INSERT INTO tool_calls (run_id, call_id, name, args, effects, state, started_at, integrity, readers, sources)
    VALUES (?, ?, ?, ?, ?, 'started', ?, ?, ?, ?)`);
  const close = store.prepare('UPDATE tool_calls SET state = ?, ended_at = ? WHERE run_id = ? AND call_id = ?');
  const open = store.prepare(`SELECT call_id FROM tool_calls WHERE run_id = ? AND state = 'started'`);
  const begun = store.prepare('SELECT call_id FROM tool_calls WHERE run_id = ?');
  const prune = store.prepare(`DELETE FROM tool_calls WHERE started_at < ? AND state <> 'started'`);
  return {
    start(call: StartedCall): void {
      const l = toColumns(call.label);
      start.run(
        call.runId,
        call.callId,
        call.name,
        JSON.stringify(call.args) ?? 'null',
        JSON.stringify(call.effects),
        call.atMs,
        l.integrity,
        l.readers,
        l.sources,
      );
    },
    close: (runId: string, callId: string, state: 'done' | 'unknown', atMs: number): void =>
      void close.run(state, atMs, runId, callId),
    /** The calls of the run that had begun, whether they ended or not: none of them may run again. */
    begun: (runId: string): string[] => begun.all(runId).map((row) => String(row['call_id'])),
    /** What the journal knows by its hash is enough after a while. */
    pruneBefore: (atMs: number): void => void prune.run(atMs),
    /** The calls of the run that had begun and not ended. */
    open: (runId: string): string[] => open.all(runId).map((row) => String(row['call_id'])),
  };
}
