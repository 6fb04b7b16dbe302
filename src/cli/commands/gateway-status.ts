// Owns `openclaw gateway status`: does it run, since when, where, by whom. The short sister of `openclaw status`.
import { findInstalled } from '../../ops/unit/places.ts';
import { readReport } from '../connect/report.ts';
import type { Context } from '../context.ts';
import { span } from '../output.ts';
import { factLines } from '../print/table.ts';
import { formatDuration } from '../print/units.ts';
import { resolveTarget, type TargetFlags } from '../target.ts';

export async function run(context: Context, options: TargetFlags): Promise<undefined> {
  const { out, env } = context;
  const target = await resolveTarget(options, env);
  const report = await readReport(context, target);
  const { version, pid, uptimeMs, stateDir, configPath } = report;
  const manager = target.local ? (findInstalled(target.paths, env)?.manager ?? null) : null;
  out.data({ running: true, url: target.httpUrl, version, pid, uptimeMs, stateDir, configPath, manager });
  out.line(span('green', 'running'), ` on ${target.httpUrl} for ${formatDuration(uptimeMs)}`);
  for (const line of factLines([
    ['version', version],
    ['process', String(pid)],
    ['state', stateDir],
    ['config', configPath],
    ['started by', manager ?? 'hand (openclaw gateway install has it start with the machine)'],
  ])) {
    out.line(line);
  }
}
