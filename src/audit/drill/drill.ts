// Owns the drill as a whole: all scenarios, a few at a time, and for each that got through the settings that let it, found
// by taking away what the owner wrote, piece by piece, until it is stopped. It never changes a setting anywhere but there.
import { type OpenWorld, type Outcome, play } from './play.ts';
import type { Scenario } from './scenario.ts';

export type DrillPorts = {
  /** a world with the owner's settings without those of `without`; `isBare`: also without all that they allowed for good */
  open(without: readonly string[], isBare: boolean): OpenWorld;
  /** paths of settings that the owner wrote */
  readonly written: readonly string[];
  played?(done: number, all: number, outcome: Outcome): void;
};
/** `let`: what let it through; [] when it was stopped, or when even the bare program lets it through. */
export type Result = Outcome & { readonly let: readonly string[] };

const AT_ONCE = 4;
export const GRANTS = 'what you allowed for good: openclaw approvals grants, openclaw trust list';
/** Settings that have nothing to do with what the assistant may do; trying them would be waste. */
const IDLE = /^(gateway|models|logging|budget|cron|hooks|meta|env|ui|update|wizard)\b/;

export async function drill(scenarios: readonly Scenario[], ports: DrillPorts): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = [...scenarios.entries()];
  let done = 0;
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [at, scenario] = next;
      const outcome = await play(scenario, ports.open([], false));
      results[at] = { ...outcome, let: outcome.effect === null ? [] : await lettingIn(scenario, ports) };
      done += 1;
      ports.played?.(done, scenarios.length, outcome);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}

/** The one setting without which it is stopped; else as few as are needed together; [] when none of them is to blame. */
async function lettingIn(scenario: Scenario, { open, written }: DrillPorts): Promise<string[]> {
  const candidates = written.filter((path) => !IDLE.test(path));
  const isStopped = async (without: readonly string[], isBare: boolean): Promise<boolean> => {
    try {
      return (await play(scenario, open(without, isBare))).effect === null;
    } catch {
      // Without it the configuration is none any more.
      return false;
    }
  };
  if (await isStopped([], true)) return [GRANTS];
  if (!(await isStopped(candidates, true))) return [];
  const found: string[] = [];
  for (const path of candidates) if (await isStopped([path], false)) found.push(path);
  if (found.length > 0) return found;
  // No single one: of all of them, whichever can stay while it is still stopped has nothing to do with it.
  let needed = [...candidates];
  for (const path of candidates) {
    const fewer = needed.filter((one) => one !== path);
    if (await isStopped(fewer, false)) needed = fewer;
  }
  return needed;
}
