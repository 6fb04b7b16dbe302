// `--fix` as a test uses it, over whatever home the test has at that moment: what is known, what is found, what is planned, and
// doing it. Real parts alone; it writes nowhere but there.
import { CHECKS } from '../../../src/audit/checks/checks.ts';
import { gatherAuditFacts } from '../../../src/audit/facts.ts';
import { applyFix } from '../../../src/audit/fix/apply.ts';
import { type Plan, planFix } from '../../../src/audit/fix/plan.ts';
import { foundIn, runAudit } from '../../../src/audit/run.ts';
import type { ChangePorts } from '../../../src/config/edit/ports.ts';
import { resolvePaths } from '../../../src/config/paths.ts';
import type { Home } from './audited.ts';

export function fixingIn(home: () => Home) {
  const facts = (env = home().env) =>
    gatherAuditFacts(env, {
      ...{ version: '0', nowMs: Date.now() },
      probeSandbox: async () => ({ driver: null, detail: '', fix: null }),
    });
  const ports = (env = home().env): ChangePorts => ({
    ...{ paths: resolvePaths(env), env, now: Date.now, by: 'cli' },
  });
  return {
    facts,
    ports,
    async audited(env = home().env): Promise<string[]> {
      const found = foundIn(await runAudit(CHECKS, await facts(env), { depths: new Set(['read']) }));
      return found.map(({ check, finding }) => `${check.id}: ${finding.evidence}`);
    },
    planned: async (env = home().env): Promise<Plan> => planFix(CHECKS, await facts(env)),
    applied: (plan: Plan, env = home().env) => applyFix(async () => ports(env), home().stateDir, Date.now(), plan),
  };
}
