// Owns what the owner allowed more than once: exactly one pattern of one kind, for one agent, in the sandbox, until a day
// or for the rest of one run. A grant turns a question into a yes; it never reaches a denial, the host, or anybody but the owner.
import type { Journal } from '../../journal/journal.ts';
import { newId } from '../../platform/ids.ts';
import type { GrantTable } from '../../store/approvals/grants.ts';
import type { Store } from '../../store/open.ts';
import type { ToolCall } from '../decide.ts';
import type { Effect } from '../effects.ts';
import { type Always, askingCodes, strictest, type Verdict } from '../verdict.ts';
import { type Grant, isGrantable, taskOf } from './approval.ts';

export type GrantPorts = {
  readonly store: Store;
  readonly table: GrantTable;
  readonly journal: Journal;
  readonly now: () => number;
  readonly days: () => number;
};

export type Grants = ReturnType<typeof createGrants>;

const DAY_MS = 24 * 60 * 60_000;
/** Whatever the settings say. */
const MAX_DAYS = 30;
/** In the table what is good for a run stands under the run. */
const kindOf = (runId: string): string => `task:${runId}`;

export function createGrants({ store, table, journal, now, days }: GrantPorts) {
  return {
    list: (): Grant[] => table.live(now()),
    /** those that something was allowed for, and whose end is to be told */
    runs: (): string[] => table.live(now()).flatMap(({ kind }) => (kind.startsWith('task:') ? [kind.slice(5)] : [])),
    /** Inside the transaction of the answer; `runId`: only for the rest of that run. */
    give(
      { pattern, shown, ...what }: Always,
      { agentId, id: approval, runId }: { agentId: string; id: string; runId: string | null },
      by: { name: string; facts: object },
    ): void {
      const createdAtMs = now();
      const kind = runId === null ? what.kind : kindOf(runId);
      const known = table.of(agentId, kind, createdAtMs).some((grant) => grant.pattern === pattern);
      if (known) return;
      const id = newId();
      const times = { createdAtMs, expiresAtMs: createdAtMs + Math.min(days(), MAX_DAYS) * DAY_MS };
      table.insert({ id, agentId, kind, pattern, shown, ...times, createdBy: by.name });
      journal.record('grant.given', { id, agent: agentId, kind, pattern, approval, by: by.facts });
    },
    /** False when there is none that holds. */
    revoke(id: string, by: object): boolean {
      return store.commit(() => {
        const found = table.revoke(id, now());
        if (found) journal.record('grant.revoked', { id, by });
        return found;
      });
    },
    /** A run is over: so is what was allowed for it. */
    runEnded: (runId: string): void => store.commit(() => table.endTask(kindOf(runId), now())),
    /** After a start: of runs that nobody takes up again. Inside a transaction. */
    sweep: (): void => table.endTasks(now()),
    /** What judges said, with those questions answered that the owner has answered already. `isAhead`: nothing runs yet. */
    apply(
      call: ToolCall,
      effects: readonly Effect[],
      verdicts: readonly Verdict[],
      isAhead = false,
    ): readonly Verdict[] {
      const codes = askingCodes(verdicts);
      if (codes.length === 0 || !isGrantable(call, effects, codes)) return verdicts;
      const find = (kind: string, pattern: string): Grant | undefined =>
        table.of(call.agentId, kind, now()).find((given) => given.pattern === pattern);
      const allowed = (one: Verdict, { id }: Grant): Verdict => {
        const runAs = 'runAs' in one && one.runAs !== undefined ? { runAs: one.runAs } : {};
        return { rule: 'allow', key: `openclaw approvals grants (${id.slice(0, 8)})`, ...runAs };
      };
      const used = ({ id }: Grant): void => {
        if (isAhead) return;
        store.defer(() => table.use(id, now()));
        journal.record('grant.used', { id, run: call.turnId, call: call.callId });
      };
      const after = verdicts.map((one): Verdict => {
        const grant = one.rule === 'ask' && one.always ? find(one.always.kind, one.always.pattern) : undefined;
        if (!grant) return one;
        used(grant);
        return allowed(one, grant);
      });
      if (!after.some(({ rule }) => rule === 'ask')) return after;
      // What stands for a task covers a call with all that is asked about it, or nothing of it.
      const task = taskOf(call, effects, { always: strictest(verdicts)?.always ?? null, codes });
      const grant = task && find(kindOf(call.turnId), task.pattern);
      if (!grant) return after;
      used(grant);
      return verdicts.map((one) => (one.rule === 'ask' ? allowed(one, grant) : one));
    },
  };
}
