// Owns one audit in a thread of its own, for a gateway that runs: it reads what every audit reads, hands back what it found as
// plain words, and is gone. It must never hold up the gateway, start a program or reach anybody.
import { parentPort, workerData } from 'node:worker_threads';
import type { Env } from '../../config/paths.ts';
import type { Check, Facts } from '../check.ts';
import { CHECKS } from '../checks/checks.ts';
import { gatherAuditFacts } from '../facts.ts';
import { foundIn, runAudit } from '../run.ts';
import { type Known, MAX_KNOWN } from './last.ts';

export type Asked = {
  readonly env: Env;
  readonly version: string;
  readonly nowMs: number;
  readonly depths: readonly Check['depth'][];
  readonly sandbox: Awaited<ReturnType<Facts['probeSandbox']>>;
};
/** `asked`: the ids of all checks that were asked, also of those with nothing to say. */
export type Seen = { readonly asked: readonly string[]; readonly known: readonly Known[] };

export async function lookOnce({ env, version, nowMs, depths, sandbox }: Asked): Promise<Seen> {
  const facts = await gatherAuditFacts(env, { version, nowMs, probeSandbox: async () => sandbox });
  const report = await runAudit(CHECKS, facts, { depths: new Set(depths) });
  const known = foundIn(report, 'WARNING').slice(0, MAX_KNOWN);
  return {
    asked: report.looked.map(({ check }) => check.id),
    known: known.map(({ check, finding: { severity, evidence, fix, where } }) => ({
      ...{ id: check.id, severity, evidence, fix },
      ...(where === undefined ? {} : { where }),
    })),
  };
}

if (parentPort !== null) parentPort.postMessage(await lookOnce(workerData as Asked));
