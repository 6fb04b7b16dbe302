// Owns `openclaw doctor`: one line a check, what to do below it. It changes nothing without --fix, and prints every step
// that --fix takes.
import { examine, type Finding } from '../../../ops/doctor/examine.ts';
import { EXIT } from '../../../platform/errors.ts';
import type { Context } from '../../context.ts';
import { type Style, span } from '../../output.ts';

const MARKS: Readonly<Record<Finding['level'], readonly [Style, string]>> = {
  ok: ['green', 'ok  '],
  info: ['dim', 'note'],
  warning: ['yellow', 'warn'],
  error: ['red', 'FAIL'],
};

export async function run({ out, env, version }: Context, flags: { fix?: boolean }): Promise<number> {
  const fix = flags.fix === true;
  // The same question, in the same order, as a gateway asks it at its start.
  const probeSandbox = async () => (await import('../sandbox/local.ts')).findState(env);
  const { findings, mended } = await examine(env, { version, fix, now: Date.now, probeSandbox });
  const count = (level: Finding['level']): number => findings.filter((one) => one.level === level).length;
  const [errors, warnings] = [count('error'), count('warning')];
  out.data({ ok: errors === 0, errors, warnings, findings, mended });

  for (const { does, failed } of mended)
    if (failed === null) out.line(span('green', 'done'), `  ${does}`);
    else out.line(span('red', 'FAIL'), `  ${does}: ${failed}`);
  for (const finding of findings) {
    const [style, mark] = MARKS[finding.level];
    out.line(span(style, mark), `  ${finding.title}: ${finding.message}`);
    if (finding.fix !== null) out.line(span('dim', `      fix: ${finding.fix}`));
  }
  const steps = findings.flatMap(({ mendable }) => mendable);
  if (steps.length > 0) {
    out.note(`--fix would do ${steps.length === 1 ? 'this' : `these ${steps.length}`}:`);
    for (const step of steps) out.note(span('dim', `  ${step}`));
  }
  if (errors + warnings === 0) out.note(span('green', 'all is well'));
  return errors > 0 ? EXIT.failure : EXIT.ok;
}
