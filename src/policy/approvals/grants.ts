// Owns what the owner allowed "always": exactly one pattern of one kind, for one agent, in the sandbox, until a day. A
// grant turns a question into a yes; it never reaches a denial, the host, or anybody but the owner.
import type { Journal } from '../../journal/journal.ts';
import { newId } from '../../platform/ids.ts';
import type { GrantTable } from '../../store/approvals/grants.ts';
import type { Store } from '../../store/open.ts';
import type { ToolCall } from '../decide.ts';
import type { Effect } from '../effects.ts';
import type { Always, Verdict } from '../verdict.ts';
import { type Grant, isGrantable } from './approval.ts';

export type GrantPorts = {
  readonly store: Store;
  readonly table: GrantTable;
  readonly journal: Journal;
  readonly now: () => number;
  readonly days: () => number;
};

export type Grants = ReturnType<typeof createGrants>;

const DAY_MS = 24 * 60 * 60_000;

export function createGrants({ store, table, journal, now, days }: GrantPorts) {
  return {
    list: (): Grant[] => table.live(now()),
    /** Inside the transaction of the answer. */
    give(
      { kind, pattern, shown }: Always,
      agentId: string,
      by: { name: string; facts: object },
      approval: string,
    ): void {
      const createdAtMs = now();
      const known = table.of(agentId, kind, createdAtMs).some((grant) => grant.pattern === pattern);
      if (known) return;
      const id = newId();
      const times = { createdAtMs, expiresAtMs: createdAtMs + days() * DAY_MS };
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
    /** What judges said, with those questions answered that the owner has answered for good. */
    apply(call: ToolCall, effects: readonly Effect[], verdicts: readonly Verdict[]): readonly Verdict[] {
      if (!isGrantable(call, effects) || !verdicts.some((one) => one.rule === 'ask' && one.always)) return verdicts;
      return verdicts.map((one): Verdict => {
        if (one.rule !== 'ask' || !one.always) return one;
        const { kind, pattern } = one.always;
        const grant = table.of(call.agentId, kind, now()).find((given) => given.pattern === pattern);
        if (!grant) return one;
        store.defer(() => table.use(grant.id, now()));
        journal.record('grant.used', { id: grant.id, run: call.turnId, call: call.callId });
        const key = `openclaw approvals grants (${grant.id.slice(0, 8)})`;
        return { rule: 'allow', key, ...(one.runAs === undefined ? {} : { runAs: one.runAs }) };
      });
    },
  };
}
