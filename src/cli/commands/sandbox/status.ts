// Owns `openclaw sandbox status`: what was found when a box was opened last, when that was, and by which means each limit is
// kept. Of the gateway's own boxes when it runs, else of one that is opened here for the question.

import { EXIT } from '../../../platform/errors.ts';
import { readLiveLock } from '../../../platform/lock.ts';
import { type Limit, limitsOf } from '../../../sandbox/pool/facts.ts';
import { MAIN, planFor } from '../../../sandbox/pool/plan.ts';
import type { SandboxState } from '../../../sandbox/pool/pool.ts';
import { ask } from '../../connect/with-client.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';
import { factLines, tableLines } from '../../print/table.ts';
import { formatAgo } from '../../print/units.ts';
import type { TargetFlags } from '../../target.ts';
import { findState, openLocal } from './local.ts';

export async function run(context: Context, options: TargetFlags): Promise<number> {
  const { out, env } = context;
  const local = openLocal(env);
  const plan = planFor(local.config, MAIN);
  const isRunning = options.url !== undefined || readLiveLock(local.paths.lockPath) !== null;
  const { state, limits } = isRunning
    ? ((await ask(context, options, 'operator.read', 'sandbox.status', {})) as {
        state: SandboxState | null;
        limits: Limit[];
      })
    : await here(env, plan);
  const by = isRunning ? 'the gateway' : 'this command';
  out.data({ state, by, mode: plan.mode, backend: plan.backend, network: plan.network, hosts: plan.hosts, limits });
  if (state === null) {
    out.line('being opened; ask again in a moment');
    return EXIT.ok;
  }
  const works = state.driver !== null;
  out.line(span(works ? 'green' : 'red', works ? 'works' : 'OFF'), `  ${works ? state.driver : 'no command can run'}`);
  if (state.fix !== null) out.line(`fix      ${state.fix}`);
  const network = plan.network === 'none' ? 'none' : `HTTP and HTTPS to ${plan.hosts.join(', ') || 'no host yet'}`;
  for (const line of factLines([
    ['found', `${formatAgo(state.atMs, Date.now())} by ${by}, by opening one: ${state.detail}`],
    ['mode', `${plan.mode} (agents.defaults.sandbox.mode)`],
    ['backend', `${plan.backend} (agents.defaults.sandbox.backend)`],
    ['network', `${network} (agents.defaults.sandbox.docker.network)`],
  ]))
    out.line(line);
  out.line('');
  const columns = [{ title: 'LIMIT' }, { title: 'VALUE' }, { title: 'KEPT BY', flexible: true }] as const;
  const rows = limits.map(({ what, value, by: means }) => [what, value, means]);
  for (const line of tableLines(columns, rows, out.width)) out.line(line);
  return works ? EXIT.ok : EXIT.failure;
}

async function here(env: Context['env'], plan: ReturnType<typeof planFor>) {
  const state = await findState(env);
  return { state, limits: limitsOf(plan, state.driver) };
}
