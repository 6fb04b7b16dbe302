// Owns `openclaw security audit --fix` and `security undo`: what would change is shown before it is, and what was done after.
// What to mend is decided in audit/fix; nothing is decided here.
import type { Check } from '../../../audit/check.ts';
import { CHECKS } from '../../../audit/checks/checks.ts';
import { gatherAuditFacts } from '../../../audit/facts.ts';
import { applyFix, type Ended, undoFix } from '../../../audit/fix/apply.ts';
import { isEmptyPlan, type Plan, planFix } from '../../../audit/fix/plan.ts';
import { octal } from '../../../audit/looking.ts';
import type { ChangePorts } from '../../../config/edit/ports.ts';
import { EXIT } from '../../../platform/errors.ts';
import { agreed } from '../../chat/ask-owner.ts';
import type { Context } from '../../context.ts';
import { type Output, span } from '../../output.ts';
import { formatTime } from '../../print/units.ts';
import { changedLines } from '../config/change.ts';
import { openConfig } from '../config/open.ts';

export type FixFlags = {
  readonly fix?: boolean;
  readonly deep?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly sarif?: boolean;
};

/** Lines go beside the report when that is for programs. */
export async function fix(
  { out, env, version }: Context,
  flags: FixFlags,
  isWanted: (check: Pick<Check, 'id' | 'group'>) => boolean,
): Promise<void> {
  const say = (line: string): void => (out.json || flags.sarif ? out.note(line) : out.line(line));
  const probeSandbox = async () => (await import('../sandbox/local.ts')).findState(env);
  const facts = await gatherAuditFacts(env, { version, probeSandbox, nowMs: Date.now() });
  const plan = await planFix(CHECKS, facts, isWanted, flags.deep);
  if (isEmptyPlan(plan)) return say('nothing to mend that can be mended without you');
  for (const line of planLines(plan)) say(line);
  if (flags.dryRun) return say('nothing was written: --dry-run');
  const isAsked = out.streams.stdin.isTTY === true && !out.json && !flags.yes;
  if (isAsked && !(await agreed(out, false, 'make these changes?'))) return say('nothing was changed');
  const ports = (): Promise<ChangePorts> => portsOf(env, 'security audit --fix');
  told(out, await applyFix(ports, facts.paths.stateDir, facts.nowMs, plan), say);
  say(`mended: ${plan.mended.length} of what was found; back: openclaw security undo`);
  say('');
}

function planLines({ configPath, before, after, modes, files }: Plan): string[] {
  const lines = before === after ? [] : [`${configPath}:`, ...changedLines(before, after).map((line) => `  ${line}`)];
  for (const { path, from, to } of modes) lines.push(`${path}: mode ${octal(from)} -> ${octal(to)}`);
  for (const { path } of files) lines.push(`${path}: is made`);
  return lines;
}

function told(out: Output, { failed }: Ended, say: (line: string) => void): void {
  for (const line of failed) {
    if (out.json) out.note(line);
    else say(`not done: ${line}`);
  }
}

export async function run({ out, env }: Context): Promise<number> {
  const { atMs, done, failed } = await undoFix(await portsOf(env, 'security undo'));
  out.data({ atMs, done, failed });
  out.note(span('dim', `back to before the --fix of ${formatTime(atMs)}`));
  for (const path of done) out.line(`${path}: as before`);
  for (const line of failed) out.line(span('yellow', `not done: ${line}`));
  return failed.length > 0 ? EXIT.failure : EXIT.ok;
}

async function portsOf(env: Context['env'], why: string): Promise<ChangePorts> {
  const opened = await openConfig(env);
  return { paths: opened.paths, env: opened.env, now: Date.now, by: 'cli', why, ...opened.resolve };
}
