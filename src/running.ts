// Owns how commands run beyond the single call: those in the background, and what ends them. Part of the composition; who
// may run what is decided in policy/.
import type { Journal } from './journal/journal.ts';
import type { Judge } from './policy/decide.ts';
import { judgeFeeding } from './policy/feeding.ts';
import { createProcesses } from './sandbox/background/processes.ts';
import type { SessionChange } from './sessions/directory.ts';
import type { Speaker } from './sessions/turn.ts';

export type RunningPorts = {
  readonly now: () => number;
  /** `tools.exec.mode` as it is now */
  readonly mode: () => string | undefined;
};

export type Running = ReturnType<typeof createRunning>;

export function createRunning({ now, mode }: RunningPorts) {
  let record: Journal['record'] = () => {};
  const processes = createProcesses<Speaker>({ now, record: (kind, body) => record(kind, body) });
  const judges: readonly Judge[] = [(_call, effects) => judgeFeeding(effects, mode())];
  return {
    processes,
    judges,
    /** where starts and ends are written down, once there is a journal */
    recordWith(journal: Journal['record']): void {
      record = journal;
    },
    sessionChanged(key: string, change: SessionChange): void {
      if (change !== 'reset' && change !== 'deleted') return;
      processes.endWhere(({ sessionKey }) => sessionKey === key, `session ${change}`);
    },
    /** Rights were given or taken. */
    recheck(holds: (speaker: Speaker) => boolean): void {
      processes.endWhere(({ speaker }) => !holds(speaker), 'right taken');
    },
    close: () => processes.close(),
  };
}
