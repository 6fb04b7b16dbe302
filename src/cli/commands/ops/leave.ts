// Owns `openclaw reset` and `openclaw uninstall`: both say first what they will do, and neither deletes data. What stays is
// listed with the command that would remove it.
import { existsSync, readlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Env, resolvePaths } from '../../../config/paths.ts';
import { stopProcess } from '../../../ops/gateway-process.ts';
import { planReset, putAside, SCOPES, type Scope } from '../../../ops/put-aside.ts';
import { uninstallUnit } from '../../../ops/unit/install.ts';
import { findInstalled } from '../../../ops/unit/places.ts';
import { EXIT, type HardshellError, misused } from '../../../platform/errors.ts';
import { readLiveLock } from '../../../platform/lock.ts';
import { quoted } from '../../../secrets/files.ts';
import { refuseForeignState } from '../../../store/folders.ts';
import { agreed } from '../../chat/ask-owner.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';

type Flags = { readonly dryRun?: boolean; readonly yes?: boolean };

export async function reset({ out, env }: Context, flags: Flags, scope: string): Promise<number> {
  if (!isScope(scope)) throw badScope(scope);
  const paths = resolvePaths(env);
  const nowMs = Date.now();
  const plan = planReset(paths, scope, nowMs);
  const dryRun = flags.dryRun === true;
  const say = (word: string): void => {
    for (const { from, to } of plan.moves) out.line(word, ` ${from} to ${to}`);
  };
  // Who is not asked reads what was done, and nothing when it was refused.
  if (dryRun || !flags.yes) say('would move');
  if (plan.moves.length === 0) out.line(`there is nothing to reset in ${paths.stateDir}`);
  const isDone = !dryRun && plan.moves.length > 0;
  if (isDone) {
    if (!(await agreed(out, flags.yes, `move ${plan.moves.length} of these aside?`))) return EXIT.failure;
    putAside(paths, plan, nowMs);
    if (flags.yes) say('moved');
    out.line(span('green', 'done'), `; all of it is kept in ${plan.into}`);
  }
  out.data({ dryRun, into: plan.into, moves: plan.moves });
  return EXIT.ok;
}

export async function uninstall({ out, env }: Context, flags: Flags): Promise<number> {
  const paths = resolvePaths(env);
  // Its removal is about to be recommended.
  refuseForeignState(paths.stateDir);
  const unit = findInstalled(paths, env);
  const running = readLiveLock(paths.lockPath);
  const steps = [
    ...(unit ? [`remove ${unit.path}`] : []),
    ...(running ? [`stop the gateway, process ${running.pid}`] : []),
  ];
  const dryRun = flags.dryRun === true;
  for (const step of steps) out.line(dryRun ? 'would ' : '', step);
  if (!dryRun && steps.length > 0) {
    if (!(await agreed(out, flags.yes, 'go on?'))) return EXIT.failure;
    await uninstallUnit(paths, env);
    await stopProcess(paths, { force: false });
  }
  const left = [
    ...(existsSync(paths.stateDir) ? [{ what: 'your data and keys', remove: `rm -rf ${quoted(paths.stateDir)}` }] : []),
    ...linksTo(env).map((link) => ({ what: 'the command', remove: `rm ${quoted(link)}` })),
    { what: 'the program', remove: 'npm uninstall -g hardshell, or remove the folder that you cloned' },
  ];
  out.data({ dryRun, steps, left });
  out.line(dryRun ? 'would leave:' : 'left, for you to remove or keep:');
  for (const { what, remove } of left) out.line(`  ${what}: ${remove}`);
  return EXIT.ok;
}

const isScope = (text: string): text is Scope => (SCOPES as readonly string[]).includes(text);

function badScope(scope: string): HardshellError {
  const message = `"${scope}" is nothing that can be reset`;
  const fix = `one of ${SCOPES.join(', ')}; --dry-run shows what it would move`;
  return misused('USAGE', message, fix);
}

/** Links of that name on the path, as npm start makes one. */
function linksTo(env: Env): string[] {
  return (env['PATH'] ?? '').split(delimiter).flatMap((folder) => {
    const link = join(folder, 'openclaw');
    try {
      return readlinkSync(link).endsWith(join('bin', 'openclaw.cjs')) ? [link] : [];
    } catch {
      return [];
    }
  });
}
