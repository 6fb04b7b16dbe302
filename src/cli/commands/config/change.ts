// Owns a change of the configuration as a command: the transaction with what it needs, a question first where it matters,
// and the answer: what is in force, what waits, how to take it back. It must never write the file itself.
import { diffTexts } from '../../../config/edit/diff.ts';
import { readPending } from '../../../config/edit/pending.ts';
import type { ChangePorts } from '../../../config/edit/ports.ts';
import { returnPending } from '../../../config/edit/settle.ts';
import { type ChangeOptions, changeConfig, type Outcome } from '../../../config/edit/transaction.ts';
import { findingLine, mappingLine } from '../../../config/findings.ts';
import { waitsForRestart } from '../../../live-config.ts';
import { EXIT, HardshellError } from '../../../platform/errors.ts';
import { ensureFolder } from '../../../platform/files.ts';
import { readLiveLock } from '../../../platform/lock.ts';
import type { Context } from '../../context.ts';
import { milliseconds } from '../../numbers.ts';
import { type Output, span } from '../../output.ts';
import { formatTime } from '../../print/units.ts';
import { type OpenConfig, openConfig } from './open.ts';

export type ChangeFlags = {
  readonly dryRun?: boolean;
  readonly confirmWithin?: string;
  readonly baseHash?: string;
  readonly yes?: boolean;
};
type Edit = (text: string) => string;

export async function change(context: Context, flags: ChangeFlags, why: string, edit: Edit): Promise<number> {
  const { out } = context;
  const confirmWithinMs = milliseconds(flags.confirmWithin, '--confirm-within', 24 * 3_600_000);
  const opened = await openConfig(context.env, edit);
  ensureFolder(opened.paths.stateDir);
  const runningPort = readLiveLock(opened.paths.lockPath)?.port || null;
  const ports = await portsOf(context, opened, why, runningPort);
  const options: ChangeOptions = {
    baseHash: flags.baseHash ?? opened.now.hash,
    ...(flags.dryRun ? { dryRun: true } : {}),
    ...(confirmWithinMs === undefined ? {} : { confirmWithinMs }),
  };
  if (!flags.yes && !flags.dryRun && out.streams.stdin.isTTY && !out.json) {
    const { reach } = await changeConfig(ports, edit, { ...options, dryRun: true });
    const question = `this changes how the gateway is reached (${reach.join(', ')}); go on?`;
    const { askOwner } = await import('../../chat/ask-owner.ts');
    if (reach.length > 0 && !(await askOwner(out, question, new AbortController().signal))) {
      out.note('nothing was changed');
      return EXIT.failure;
    }
  }
  const outcome = await changeConfig(ports, edit, options);
  if (outcome.state === 'returned') throw returned(outcome);
  const running = runningPort !== null;
  const { changed } = outcome;
  const isWritten = outcome.state !== 'unchanged';
  const isHot = isWritten && changed.some((path) => !waitsForRestart(path));
  const taken =
    runningPort !== null && isHot
      ? await (await import('./reach.ts')).follows(context, runningPort, outcome.hash)
      : null;
  const isLate = taken?.ok === false;
  if (taken?.ok === false) out.note(span('yellow', `not in force yet: ${taken.reason}; openclaw status says why`));
  const waits = (path: string): boolean => !running || isLate || waitsForRestart(path);
  const lines = flags.dryRun ? changedLines(opened.now.text, edit(opened.now.exists ? opened.now.text : '{}\n')) : [];
  out.data({
    ...outcome,
    dryRun: flags.dryRun === true,
    inForce: changed.filter((path) => !waits(path)),
    afterRestart: changed.filter(waits),
    diff: lines,
  });
  for (const mapping of outcome.mappings) out.note(span('dim', `note: ${mappingLine(mapping)}`));
  for (const warning of outcome.warnings) out.note(span('yellow', findingLine(warning)));
  for (const line of lines) out.line(line);
  if (flags.dryRun) out.line(`would change: ${changed.join(', ') || 'no setting'}; nothing was written`);
  else if (outcome.state === 'unchanged')
    out.line(
      `nothing was written: ${why.startsWith('unset ') ? `${why.slice(6)} is not set in the file` : 'the file says that already'}`,
    );
  else answer(out, outcome, running, isLate, opened.newRefs);
  return EXIT.ok;
}

export async function portsOf(
  context: Context,
  { paths, env, resolve }: OpenConfig,
  why: string,
  runningPort: number | null,
): Promise<ChangePorts> {
  const { modelFindings } = await import('../../../models/findings.ts');
  const judge: ChangePorts['judge'] = (read) => modelFindings(read, paths);
  const ports: ChangePorts = { paths, env, now: Date.now, by: 'cli', why, judge, ...resolve };
  const pending = readPending(paths.stateDir);
  // Without a gateway nobody watches the clock, so whoever comes next does.
  if (pending?.deadlineMs && pending.deadlineMs <= Date.now()) {
    await returnPending(ports).catch(() => undefined);
    context.out.note(span('yellow', 'the last change was not confirmed in time and was taken back'));
  }
  if (runningPort === null) return ports;
  const { probeOf } = await import('./reach.ts');
  return { ...ports, probe: await probeOf(context, runningPort) };
}

function answer(out: Output, outcome: Outcome, running: boolean, isLate: boolean, newRefs: boolean): void {
  const { changed, deadlineMs, path, reason } = outcome;
  const later = changed.filter(waitsForRestart);
  const now = changed.filter((one) => running && !isLate && !waitsForRestart(one));
  out.line(changed.length === 0 ? `written to ${path}; no setting changed by it` : `changed: ${changed.join(', ')}`);
  if (now.length > 0) out.line(`in force now: ${now.join(', ')}`);
  if (later.length > 0 && running) out.line(`in force after a restart of the gateway: ${later.join(', ')}`);
  if (!running) out.line('no gateway runs here: it counts from the next start on');
  else if (newRefs)
    out.line('the gateway follows the new reference by itself; openclaw status says when it leads nowhere');
  if (reason !== undefined) out.note(span('yellow', reason));
  if (deadlineMs !== undefined) {
    const who = running ? '' : ' (at the next start, or the next change)';
    out.line(`it returns by itself at ${formatTime(deadlineMs)}${who}, unless: openclaw config confirm`);
  } else out.note(span('dim', 'back: openclaw config rollback'));
}

/** What differs, secrets hidden, with a line around it. */
export function changedLines(before: string, after: string): string[] {
  const lines = diffTexts(before, after);
  const near = (at: number): boolean => lines.slice(Math.max(0, at - 1), at + 2).some(({ kind }) => kind !== ' ');
  return lines.filter((_, at) => near(at)).map(({ kind, text }) => `${kind} ${text}`);
}

const returned = ({ reason, path }: Outcome): HardshellError =>
  new HardshellError({
    code: 'CONFIG_RETURNED',
    message: `the change was taken back, ${path} is as before: ${reason ?? 'it could not be proved'}`,
    fix: 'correct that, or stop the gateway and make the change again',
  });
