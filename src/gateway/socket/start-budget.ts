// Owns how many requests may start in one turn of the event loop, so that a flood on one socket cannot starve timers,
// other sockets and running turns. What does not fit waits in order; what does not fit there is told to come back.
import type { Limits } from '../limits.ts';

export type StartBudget = {
  /** false: the queue is full. `owner.queued` counts what one connection has waiting. */
  run(owner: { queued: number }, job: () => void): boolean;
};

export function createStartBudget(limits: Limits): StartBudget {
  const waiting: { owner: { queued: number }; job: () => void }[] = [];
  let started = 0;
  let turnStartMs = 0;
  let armed = false;

  const hasRoom = (): boolean =>
    started < limits.startsPerTurn && performance.now() - turnStartMs < limits.startBudgetMs;

  const arm = (): void => {
    if (armed) return;
    armed = true;
    setImmediate(nextTurn);
  };
  const nextTurn = (): void => {
    armed = false;
    started = 0;
    turnStartMs = performance.now();
    while (waiting.length > 0 && hasRoom()) {
      const next = waiting.shift();
      if (!next) break;
      next.owner.queued -= 1;
      started += 1;
      next.job();
    }
    if (waiting.length > 0 || started > 0) arm();
  };

  return {
    run(owner, job) {
      if (started === 0) turnStartMs = performance.now();
      if (waiting.length === 0 && hasRoom()) {
        started += 1;
        arm();
        job();
        return true;
      }
      if (waiting.length >= limits.queuedStarts || owner.queued >= limits.queuedStartsPerConnection) return false;
      owner.queued += 1;
      waiting.push({ owner, job });
      arm();
      return true;
    },
  };
}
