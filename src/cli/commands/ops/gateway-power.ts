// Owns `openclaw gateway start`, `stop` and `restart`: through the service manager where a unit of ours is installed, else
// by the lock of the state folder. It must never leave unsaid which of the two it was.
import { type Env, type Paths, resolvePaths } from '../../../config/paths.ts';
import { type StopOptions, startProcess, stopProcess, untilServing } from '../../../ops/gateway-process.ts';
import { control, isActive } from '../../../ops/unit/control.ts';
import { ownProgram } from '../../../ops/unit/facts.ts';
import { findInstalled, type InstalledUnit } from '../../../ops/unit/places.ts';
import { EXIT, HardshellError, misused } from '../../../platform/errors.ts';
import { type LockFacts, readLiveLock } from '../../../platform/lock.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';
import { withProgress } from '../../print/progress.ts';
import { parsePort } from '../../target.ts';

type StartFlags = { readonly port?: string };
type StopFlags = { readonly force?: boolean };

const UNIT_READY_MS = 30_000;

export async function start(context: Context, flags: StartFlags): Promise<number> {
  const { out, env } = context;
  const paths = resolvePaths(env);
  const before = readLiveLock(paths.lockPath);
  const unit = before?.port ? null : findInstalled(paths, env);
  if (unit && flags.port !== undefined) throw portOfUnit(unit);
  if (before?.port && flags.port !== undefined && parsePort(flags.port) !== before.port)
    throw elsewhere(before, flags.port);
  const work = unit ? startUnit(unit, paths, env) : startAlone(paths, env, flags);
  const lock = await withProgress(out, 'starting the gateway', work);
  const isNew = lock.pid !== before?.pid;
  sayRunning(context, lock, unit, isNew ? 'started' : 'already running');
  return EXIT.ok;
}

export async function stop({ out, env }: Context, flags: StopFlags): Promise<number> {
  const paths = resolvePaths(env);
  const { stopped, unit } = await withProgress(out, 'stopping the gateway', end(paths, env, flags));
  out.data({ stopped: stopped !== null, pid: stopped?.pid ?? null, manager: unit?.manager ?? null });
  if (stopped === null) out.line(`no gateway runs on ${paths.stateDir}`);
  else out.line(span('green', 'stopped'), ` process ${stopped.pid}${unit ? `, through ${unit.manager}` : ''}`);
  return EXIT.ok;
}

export async function restart(context: Context, flags: StartFlags & StopFlags): Promise<number> {
  const { out, env } = context;
  const paths = resolvePaths(env);
  const before = readLiveLock(paths.lockPath);
  const again = async (): Promise<{ lock: LockFacts; unit: InstalledUnit | null }> => {
    const { unit } = await end(paths, env, flags);
    if (unit) return { lock: await startUnit(unit, paths, env), unit };
    // One that was given a port keeps it: it was reached there. One of the configuration may have been changed there.
    const kept = before?.port && before.isPortGiven !== false ? String(before.port) : undefined;
    const port = flags.port ?? kept;
    return { lock: await startAlone(paths, env, port === undefined ? {} : { port }), unit: null };
  };
  const { lock, unit } = await withProgress(out, 'restarting the gateway', again());
  sayRunning(context, lock, unit, before ? 'restarted' : 'started');
  return EXIT.ok;
}

/** Whoever holds the lock is stopped by whoever started it. */
async function end(
  paths: Paths,
  env: Env,
  flags: StopFlags,
): Promise<{ stopped: LockFacts | null; unit: InstalledUnit | null }> {
  const options: StopOptions = { force: flags.force === true };
  const installed = findInstalled(paths, env);
  const unit = installed && (await isActive(installed, env)) ? installed : null;
  if (unit === null) return { stopped: await stopProcess(paths, options), unit: null };
  const before = readLiveLock(paths.lockPath);
  await control(unit, 'stop', env);
  // Should another one have held the lock all the time, it is stopped too: that is what was asked.
  return { stopped: (await stopProcess(paths, options)) ?? before, unit };
}

async function startAlone(paths: Paths, env: Env, { port }: StartFlags): Promise<LockFacts> {
  const known = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const options = { program: ownProgram(), env: Object.fromEntries(known) };
  return startProcess(paths, { ...options, ...(port === undefined ? {} : { port: parsePort(port) }) });
}

async function startUnit(unit: InstalledUnit, paths: Paths, env: Env): Promise<LockFacts> {
  await control(unit, 'start', env);
  const lock = await untilServing(paths, UNIT_READY_MS);
  if (lock) return lock;
  throw new HardshellError({
    code: 'NOT_READY',
    message: `${unit.manager} started it, and it does not serve yet`,
    fix: `openclaw logs --tail 50${unit.manager === 'launchd' ? '' : '; systemctl status openclaw-gateway says more'}`,
  });
}

function sayRunning({ out }: Context, lock: LockFacts, unit: InstalledUnit | null, what: string): void {
  const url = `http://127.0.0.1:${lock.port}`;
  out.data({ url, port: lock.port, pid: lock.pid, manager: unit?.manager ?? null, state: what });
  out.line(span('green', what), ` on ${url}, process ${lock.pid}${unit ? `, through ${unit.manager}` : ''}`);
  out.note(span('dim', 'the chat page: openclaw dashboard; the log: openclaw logs --follow'));
}

function elsewhere({ port, pid }: LockFacts, wanted: string): HardshellError {
  const message = `the gateway runs already, on port ${port} (process ${pid})`;
  return new HardshellError({ code: 'ALREADY_RUNNING', message, fix: `openclaw gateway restart --port ${wanted}` });
}

function portOfUnit(unit: InstalledUnit): HardshellError {
  return misused(
    'PORT_OF_UNIT',
    `${unit.manager} starts it, on the port of the configuration`,
    'openclaw config set gateway.port <port>, then openclaw gateway restart',
  );
}
