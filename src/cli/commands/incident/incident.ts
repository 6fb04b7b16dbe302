// Owns `openclaw incident`: the steps with what is known about each, and `incident export`. It asks a gateway that runs, and
// reads beside one that does not; neither is needed.
import { resolve } from 'node:path';
import { EXIT, misused } from '../../../platform/errors.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';
import type { TargetFlags } from '../../target.ts';

type Flags = TargetFlags & { readonly since?: string; readonly to?: string };
const DAY_MS = 86_400_000;

export async function run(context: Context, flags: Flags): Promise<number> {
  const { out } = context;
  const { gatherIncident } = await import('./gather.ts');
  const { stepsOf } = await import('../../../ops/incident/steps.ts');
  const steps = stepsOf(await gatherIncident(context, flags, sinceOf(flags.since)));
  out.data({ steps });
  const marks = { done: span('green', '✓'), open: span('red', '✗'), yours: span('yellow', '?') };
  for (const [index, { title, state, says, commands, back }] of steps.entries()) {
    out.line(marks[state], ' ', span('bold', `${index + 1}. ${title}`));
    for (const line of says.slice(0, MOST)) out.line(`     ${line}`);
    if (says.length > MOST) out.line(span('dim', `     and ${says.length - MOST} more`));
    for (const command of commands) out.line(span('dim', '     $ '), command);
    out.line(span('dim', `     back: ${back}`));
  }
  const open = steps.filter(({ state }) => state !== 'done').length;
  out.note(span('dim', `${open} of ${steps.length} are left; ✓ seen to be so, ✗ to be done, ? yours to look at`));
  return EXIT.ok;
}
const MOST = 12;

export async function keep(context: Context, flags: Flags): Promise<number> {
  const { out } = context;
  const { gatherEvidence } = await import('./gather.ts');
  const stamp = new Date().toISOString().replace(/[-:.]/g, '').slice(0, 15);
  const kept = await gatherEvidence(context, flags, sinceOf(flags.since), resolve(flags.to ?? `evidence-${stamp}`));
  const { withoutTokens } = await import('../../hide.ts');
  const shown = withoutTokens(kept.folder, context.env);
  out.data({ ...kept, folder: shown });
  for (const { name, sha256, bytes } of kept.files)
    out.line(
      span(name.endsWith('.missing') ? 'yellow' : 'dim', `${sha256.slice(0, 16)}…`),
      `  ${name}  ${bytes} bytes`,
    );
  if (kept.files.some(({ name }) => name.endsWith('.missing')))
    out.note(span('yellow', 'what ends with .missing could not be had; the file says why'));
  out.line(span('green', 'kept: '), shown);
  out.line(`hash of its manifest, to note elsewhere: ${kept.manifestSha256}`);
  return EXIT.ok;
}

/** A day, a moment, or so long ago. */
function sinceOf(text = '7d'): number {
  const ago = /^(\d{1,5})(m|h|d)$/.exec(text);
  const unit = { m: 60_000, h: 3_600_000, d: DAY_MS }[ago?.[2] ?? ''] ?? 0;
  const atMs = ago ? Date.now() - Number(ago[1]) * unit : Date.parse(text);
  if (Number.isFinite(atMs) && atMs < Date.now()) return atMs;
  throw misused(
    'BAD_TIME',
    '--since is a day or time that has passed, or so long ago',
    'openclaw incident --since 2026-11-21, or --since 12h',
  );
}
