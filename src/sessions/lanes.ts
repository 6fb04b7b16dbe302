// Owns order: one turn at a time in a session, sessions in parallel. It starts, queues, steers and aborts; what a turn
// does is not its business, and waiting for a model needs no slot.
import type { Waiting } from './turn.ts';

type Running = {
  readonly item: Waiting;
  readonly abort: AbortController;
  readonly limit: ReturnType<typeof limitOf>;
  steered: Waiting[];
};
type Lane = { running: Running | null; waiting: Waiting[] };

/** Reasons that a turn's signal is aborted with. */
export const ABORT = {
  user: 'aborted',
  interrupted: 'interrupted',
  shutdown: 'shutdown',
  timeout: 'timeout',
  revoked: 'revoked',
  panic: 'panic',
} as const;
export type Abort = (typeof ABORT)[keyof typeof ABORT];

/** What a running turn has of its lane: how it is stopped, and what has arrived for it. */
export type Control = { readonly signal: AbortSignal; takeSteering(wanted?: (w: Waiting) => boolean): Waiting[] };

export type LanePorts = {
  /** must not reject */
  run(item: Waiting, control: Control): Promise<void>;
  /** its lane is free again */
  left(item: Waiting): void;
  /** a queued message that was taken back before it started, or whose sender may no longer talk */
  discard(item: Waiting, why: Abort): void;
};

/** How long a turn that was cut off may take to let go. */
const LAST_WORDS_MS = 3_000;

export function createLanes(ports: LanePorts) {
  const lanes = new Map<string, Lane>();
  const turns = new Set<Promise<void>>();
  let stopping = false;
  let isHeld = false;

  const start = (key: string, lane: Lane): void => {
    const item = lane.waiting.shift();
    if (!item || stopping || isHeld) {
      if (item) lane.waiting.unshift(item);
      else lanes.delete(key);
      return;
    }
    const abort = new AbortController();
    // One controller and one timer a turn: AbortSignal.timeout() would hold on to everything that the turn touched until it
    // fires, ten minutes after the turn ended.
    const limit = limitOf(item.timeoutMs, () => abort.abort(ABORT.timeout));
    const running: Running = { item, abort, limit, steered: [] };
    lane.running = running;
    const takeSteering: Control['takeSteering'] = (wanted = (w) => w.mode === 'steer') => {
      // Only the same person steers a turn: it runs with that person's rights. What others say waits, and what is behind it.
      let other = false;
      const taken = lane.waiting.filter((w) => {
        other ||= !isSameSpeaker(w, item);
        return !other && wanted(w);
      });
      lane.waiting = lane.waiting.filter((w) => !taken.includes(w));
      running.steered.push(...taken);
      return taken;
    };
    limit.run();
    // A tick later, so that messages resumed together are all in their lane before the first of them runs.
    const turn = Promise.resolve()
      .then(() => ports.run(item, { signal: running.abort.signal, takeSteering }))
      .finally(() => {
        turns.delete(turn);
        limit.rest();
        lane.running = null;
        ports.left(item);
        start(key, lane);
      });
    turns.add(turn);
  };

  const abortIn = (lane: Lane, isMeant: (w: Waiting) => boolean, why: Abort): string[] => {
    const { running } = lane;
    const inTurn = running ? [running.item, ...running.steered] : [];
    const stopped = inTurn.some(isMeant) ? inTurn : [];
    if (stopped.length > 0) running?.abort.abort(why);
    const dropped = lane.waiting.filter(isMeant);
    lane.waiting = lane.waiting.filter((w) => !dropped.includes(w));
    for (const item of dropped) ports.discard(item, why);
    return [...stopped, ...dropped].map((w) => w.runId);
  };

  return {
    submit(item: Waiting): void {
      const lane = lanes.get(item.sessionKey) ?? { running: null, waiting: [] };
      lanes.set(item.sessionKey, lane);
      if (item.mode === 'interrupt' && (!lane.running || isSameSpeaker(item, lane.running.item))) {
        lane.waiting.unshift(item);
        lane.running?.abort.abort(ABORT.interrupted);
      } else lane.waiting.push(item);
      if (!lane.running) start(item.sessionKey, lane);
    },
    /** From here on messages only line up, until `release`. */
    hold(): void {
      isHeld = true;
    },
    release(): void {
      isHeld = false;
      for (const [key, lane] of [...lanes]) if (!lane.running) start(key, lane);
    },
    waitingIn: (key: string): number => lanes.get(key)?.waiting.length ?? 0,
    activeRunIds(key: string): string[] {
      const lane = lanes.get(key);
      const running = lane?.running;
      return running ? [running.item.runId, ...running.steered.map((w) => w.runId)] : [];
    },
    /** The turn that runs there sleeps: its time stands still until the returned function is called. */
    sleeps(key: string): () => void {
      const limit = lanes.get(key)?.running?.limit;
      limit?.rest();
      return () => limit?.run();
    },
    activeCount: (): number => turns.size,
    /** Stops what runs in the session and what waits behind it, or only the one run. Returns the run ids it reached. */
    abort(key: string, runId?: string): string[] {
      const lane = lanes.get(key);
      return lane ? abortIn(lane, (w) => runId === undefined || w.runId === runId, ABORT.user) : [];
    },
    /** The same for whatever is meant, in any session. */
    abortWhere: (isMeant: (w: Waiting) => boolean, why: Abort): string[] =>
      [...lanes.values()].flatMap((lane) => abortIn(lane, isMeant, why)),
    runningIds: (): string[] =>
      [...lanes.values()].flatMap(({ running }) =>
        running ? [running.item.runId, ...running.steered.map((w) => w.runId)] : [],
      ),
    /** What runs, in every session; what waits stays where it is. */
    abortRunning(why: Abort): void {
      for (const { running } of lanes.values()) running?.abort.abort(why);
    },
    /** No new turns; the running ones get `graceMs` to end by themselves, then are cut off and resume at the next start. */
    async stop(graceMs: number): Promise<void> {
      stopping = true;
      const late = setTimeout(() => {
        for (const lane of lanes.values()) lane.running?.abort.abort(ABORT.shutdown);
      }, graceMs);
      await Promise.race([Promise.all(turns), new Promise((r) => setTimeout(r, graceMs + LAST_WORDS_MS).unref())]);
      clearTimeout(late);
    },
  };
}

/** The time that a turn has, while it is awake. */
function limitOf(totalMs: number, over: () => void) {
  let leftMs = totalMs;
  let sinceMs = 0;
  let timer: NodeJS.Timeout | undefined;
  return {
    run(): void {
      clearTimeout(timer);
      sinceMs = performance.now();
      timer = setTimeout(over, leftMs);
    },
    rest(): void {
      if (timer === undefined) return;
      clearTimeout(timer);
      timer = undefined;
      leftMs = Math.max(0, leftMs - (performance.now() - sinceMs));
    },
  };
}

/** Who has the same rights may add to a turn, or end it. */
export function isSameSpeaker({ message: a }: Waiting, { message: b }: Waiting): boolean {
  return a.principal.kind === b.principal.kind && a.principal.id === b.principal.id;
}
