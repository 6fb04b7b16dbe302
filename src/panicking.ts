// Owns stopping everything at once, and taking that back. Part of the composition: the mark comes first, so that whatever
// happens next, a restart finds everything stopped; then turns, commands and what would leave; then the gateway starts anew
// with nothing but its page and its door.
import type { Core } from './core.ts';
import type { Log } from './log/log.ts';
import {
  forgetLifted,
  liftPanic,
  type Panic,
  panicLine,
  raisePanic,
  readLifted,
  readPanic,
} from './ops/panic/panic.ts';
import { HardshellError } from './platform/errors.ts';
import type { Running } from './running/running.ts';
import { ABORT } from './sessions/lanes.ts';

/** What there is to stop; `restart` in the way that the state folder then says, `end` for good. */
export type Stoppable = {
  readonly core: Pick<Core, 'lanes' | 'delivery' | 'journal' | 'inbox'>;
  readonly running: Pick<Running, 'processes'>;
  restart(reason: string): void;
  end(reason: string): void;
};
export type Raised = { readonly panic: Panic; readonly stoppedRuns: number; readonly waiting: number };
export type PanicDesk = ReturnType<typeof createPanic>;

export function createPanic(stateDir: string, log: Log, now: () => number, hide: (text: string) => string) {
  let to: Stoppable | null = null;
  const all = (): Stoppable => {
    if (to === null) throw new Error('there is nothing to stop yet');
    return to;
  };
  // What was found at the start holds for this run; a mark that a command makes meanwhile comes with a call to `raise`.
  let panic = readPanic(stateDir);
  const attempt = (what: string, act: () => void): boolean => {
    try {
      act();
      return true;
    } catch (error) {
      log.error(`panic: ${what}`, { error });
      return false;
    }
  };
  const refusal = (): HardshellError | null =>
    panic && new HardshellError({ code: 'PANIC', message: panicLine(panic), fix: LIFT, httpStatus: 503 });
  return {
    /** Right after what is owed was lined up: what a panic has cut off fails visibly, and does not run again. */
    attach(stoppable: Stoppable): void {
      to = stoppable;
      const lifted = readLifted(stateDir);
      for (const mark of [panic, lifted]) {
        if (mark === null) continue;
        const { lanes, journal } = stoppable.core;
        const cut = lanes.abortWhere(
          ({ resumed, runId }) => resumed && (mark.stopped?.includes(runId) ?? true),
          ABORT.panic,
        );
        if (cut.length > 0) journal.record('panic.cut', { runs: cut });
      }
      if (lifted !== null) forgetLifted(stateDir);
    },
    state: (): Panic | null => panic,
    /** Why nothing is accepted, or null. */
    refusal,
    unlessStopped<Given extends readonly unknown[], Result>(act: (...given: Given) => Promise<Result>) {
      return async (...given: Given): Promise<Result> => {
        const why = refusal();
        if (why) throw why;
        return act(...given);
      };
    },
    raise(by: string, why: string): Raised {
      const { core, running, restart, end } = all();
      const waiting = core.inbox.balance().queued;
      if (panic !== null) return { panic, stoppedRuns: 0, waiting };
      const stopped = core.lanes.runningIds();
      const mark: Panic = { atMs: now(), by: hide(by), why: hide(why), stopped };
      panic = mark;
      const isMarked = attempt('the mark could not be written', () => raisePanic(stateDir, mark));
      core.delivery.hold();
      core.lanes.hold();
      core.lanes.abortRunning(ABORT.panic);
      running.processes.endWhere(() => true, 'panic');
      // No record of it must stand in its way.
      attempt('it could not be recorded', () => core.journal.record('panic.raised', { by, why, runs: stopped }));
      // The answer to whoever raised it leaves first. Without a mark nothing may start again.
      setTimeout(() => (isMarked ? restart('panic') : end('panic')), ANSWER_MS);
      return { panic, stoppedRuns: stopped.length, waiting: Math.max(0, waiting - stopped.length) };
    },
    lift(by: string): { readonly lifted: Panic | null; readonly waiting: number } {
      const { core, restart } = all();
      const lifted = panic ?? readPanic(stateDir);
      if (lifted === null) return { lifted: null, waiting: 0 };
      core.journal.record('panic.lifted', { by, since: lifted.atMs });
      liftPanic(stateDir);
      setTimeout(() => restart('panic lifted'), ANSWER_MS);
      return { lifted, waiting: core.inbox.balance().queued };
    },
  };
}

const ANSWER_MS = 50;
export const LIFT = 'openclaw panic --lift';
