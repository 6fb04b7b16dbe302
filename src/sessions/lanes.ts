// Owns order: one turn at a time in a session, sessions in parallel. It starts, queues, steers and aborts; what a turn
// does is not its business, and waiting for a model needs no slot.
import type { Waiting } from './turn.ts';

type Running = { readonly item: Waiting; readonly abort: AbortController; steered: Waiting[] };
type Lane = { running: Running | null; waiting: Waiting[] };

/** Reasons that a turn's signal is aborted with. */
export const ABORT = { user: 'aborted', interrupted: 'interrupted', shutdown: 'shutdown', timeout: 'timeout' } as const;

export type LanePorts = {
  /** must not reject */
  run(
    item: Waiting,
    control: { signal: AbortSignal; takeSteering(wanted?: (w: Waiting) => boolean): Waiting[] },
  ): Promise<void>;
  /** its lane is free again */
  left(item: Waiting): void;
  /** a queued message that the owner took back before it started */
  discard(item: Waiting): void;
};

export function createLanes(ports: LanePorts) {
  const lanes = new Map<string, Lane>();
  let stopping = false;

  const start = (key: string, lane: Lane): void => {
    const item = lane.waiting.shift();
    if (!item || stopping) {
      if (item) lane.waiting.unshift(item);
      else lanes.delete(key);
      return;
    }
    const running: Running = { item, abort: new AbortController(), steered: [] };
    lane.running = running;
    const takeSteering = (wanted: (w: Waiting) => boolean = (w) => w.mode === 'steer'): Waiting[] => {
      const taken = lane.waiting.filter(wanted);
      lane.waiting = lane.waiting.filter((w) => !taken.includes(w));
      running.steered.push(...taken);
      return taken;
    };
    // One controller and one timer a turn: AbortSignal.timeout() would hold on to everything that the turn touched until it
    // fires, ten minutes after the turn ended.
    const limit = setTimeout(() => running.abort.abort(ABORT.timeout), item.timeoutMs);
    // A tick later, so that messages resumed together are all in their lane before the first of them runs.
    void Promise.resolve()
      .then(() => ports.run(item, { signal: running.abort.signal, takeSteering }))
      .finally(() => {
        clearTimeout(limit);
        lane.running = null;
        ports.left(item);
        start(key, lane);
      });
  };

  return {
    submit(item: Waiting): 'started' | 'queued' {
      const lane = lanes.get(item.sessionKey) ?? { running: null, waiting: [] };
      lanes.set(item.sessionKey, lane);
      if (item.mode === 'interrupt') {
        lane.waiting.unshift(item);
        lane.running?.abort.abort(ABORT.interrupted);
      } else lane.waiting.push(item);
      if (lane.running) return 'queued';
      start(item.sessionKey, lane);
      return 'started';
    },
    waitingIn: (key: string): number => lanes.get(key)?.waiting.length ?? 0,
    activeRunIds(key: string): string[] {
      const lane = lanes.get(key);
      const running = lane?.running;
      return running ? [running.item.runId, ...running.steered.map((w) => w.runId)] : [];
    },
    activeCount: (): number => [...lanes.values()].filter((lane) => lane.running).length,
    /** Stops the running turn (and with a session key also what waits behind it). Returns the run ids it reached. */
    abort(target: { sessionKey?: string; runId?: string }): string[] {
      const reached: string[] = [];
      for (const [key, lane] of lanes) {
        if (target.sessionKey !== undefined && key !== target.sessionKey) continue;
        const { running } = lane;
        const owns =
          running &&
          (target.runId === undefined ||
            running.item.runId === target.runId ||
            running.steered.some((w) => w.runId === target.runId));
        if (running && owns) {
          running.abort.abort(ABORT.user);
          reached.push(running.item.runId, ...running.steered.map((w) => w.runId));
        }
        const dropped = lane.waiting.filter((w) => target.runId === undefined || w.runId === target.runId);
        lane.waiting = lane.waiting.filter((w) => !dropped.includes(w));
        for (const item of dropped) {
          ports.discard(item);
          reached.push(item.runId);
        }
      }
      return reached;
    },
    /** No new turns; the running ones get `graceMs` to end by themselves, then are cut off and resume at the next start. */
    async stop(graceMs: number): Promise<void> {
      stopping = true;
      const idle = async (): Promise<void> => {
        while ([...lanes.values()].some((lane) => lane.running)) await new Promise((r) => setTimeout(r, 10));
      };
      const late = setTimeout(() => {
        for (const lane of lanes.values()) lane.running?.abort.abort(ABORT.shutdown);
      }, graceMs);
      await Promise.race([idle(), new Promise((r) => setTimeout(r, graceMs + 3_000).unref())]);
      clearTimeout(late);
    },
  };
}

export type Lanes = ReturnType<typeof createLanes>;
