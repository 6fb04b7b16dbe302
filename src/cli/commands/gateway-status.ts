// Owns `openclaw gateway status`: does it run, since when, where. The short sister of `openclaw status`.
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
  out.data({ running: true, url: target.httpUrl, version, pid, uptimeMs, stateDir, configPath });
  out.line(span('green', 'running'), ` on ${target.httpUrl} for ${formatDuration(uptimeMs)}`);
  for (const line of factLines([
    ['version', version],
    ['process', String(pid)],
    ['state', stateDir],
    ['config', configPath],
  ])) {
    out.line(line);
  }
}
