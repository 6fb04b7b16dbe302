// Owns starting and ending the gateway of a state folder without a service manager: the lock says who it is. It must
// never signal a process that the lock does not prove to be that gateway, and never kill hard unasked.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Paths } from '../config/paths.ts';
import { EXIT, errnoOf, HardshellError } from '../platform/errors.ts';
import { ensureFolder, tryReadText } from '../platform/files.ts';
import { isAlive, type LockFacts, readLiveLock } from '../platform/lock.ts';
import { startDetached } from '../platform/process/process.ts';
import { prepareState } from '../store/folders.ts';

const POLL_MS = 25;
const MAX_TAIL_BYTES = 64 * 1024;
const STOP_WITHIN_MS = 15_000;
const READY_WITHIN_MS = 30_000;

/** What stderr of a detached gateway goes to; its stdout, where it says its token, goes nowhere. */
const errorFileOf = ({ logsDir }: Pick<Paths, 'logsDir'>): string => join(logsDir, 'gateway.err');

export type StopOptions = { readonly force: boolean; readonly withinMs?: number };

/** Resolves to who was stopped, or null when nobody ran. SIGTERM first; SIGKILL only when forced. */
export async function stopProcess(paths: Paths, options: StopOptions): Promise<LockFacts | null> {
  const holder = readLiveLock(paths.lockPath);
  if (holder === null) return null;
  if (holder.pid === process.pid) throw new Error('a gateway does not stop itself this way');
  // A lock that names no start time proves nothing where start times can be read: its pid may be anybody's by now.
  if (holder.startTicks === '' && process.platform === 'linux') throw unproven(holder, paths);
  signal(holder, 'SIGTERM', paths);
  if (await isGone(holder, options.withinMs ?? STOP_WITHIN_MS)) return holder;
  if (!options.force) throw stillRuns(holder);
  signal(holder, 'SIGKILL', paths);
  if (await isGone(holder, 5_000)) return holder;
  throw stillRuns(holder);
}

async function isGone(holder: LockFacts, withinMs: number): Promise<boolean> {
  for (const deadline = performance.now() + withinMs; performance.now() < deadline; await wait(POLL_MS))
    if (!isAlive(holder)) return true;
  return !isAlive(holder);
}

function signal(holder: LockFacts, name: 'SIGTERM' | 'SIGKILL', paths: Paths): void {
  if (!isAlive(holder)) return;
  try {
    process.kill(holder.pid, name);
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return;
    throw new HardshellError({
      code: 'NOT_ALLOWED_TO_STOP',
      message: `process ${holder.pid} runs ${paths.stateDir} and belongs to another user`,
      fix: `sudo kill ${holder.pid}, or run this as the user that the gateway runs as`,
      exitCode: EXIT.denied,
    });
  }
}

function unproven(holder: LockFacts, paths: Paths): HardshellError {
  return new HardshellError({
    code: 'LOCK_UNPROVEN',
    message: `${paths.lockPath} names process ${holder.pid} without its start time, so it may be another program`,
    fix: `look at it (ps -fp ${holder.pid}); if it is the gateway, kill ${holder.pid}`,
  });
}

function stillRuns(holder: LockFacts): HardshellError {
  return new HardshellError({
    code: 'STILL_RUNNING',
    message: `process ${holder.pid} was asked to stop and still runs`,
    fix: 'wait a moment and try again, or: openclaw gateway stop --force',
  });
}

export type StartOptions = {
  /** the program and what stands before `gateway run` */
  readonly program: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly port?: number;
  readonly withinMs?: number;
};

/** Starts it in the background and resolves once it serves. Whoever runs already is left as it is. */
export async function startProcess(paths: Paths, options: StartOptions): Promise<LockFacts & { isNew: boolean }> {
  const running = readLiveLock(paths.lockPath);
  if (running?.port) return { ...running, isNew: false };
  prepareState(paths);
  ensureFolder(paths.logsDir);
  const errorFile = errorFileOf(paths);
  const words = ['gateway', 'run', ...(options.port === undefined ? [] : ['--port', String(options.port)])];
  const child = startDetached([...options.program, ...words], { cwd: paths.stateDir, env: options.env, errorFile });
  let ended: string | undefined;
  void child.ended.then((how) => {
    ended = how;
  });
  const deadline = performance.now() + (options.withinMs ?? READY_WITHIN_MS);
  while (performance.now() < deadline) {
    const lock = readLiveLock(paths.lockPath);
    // Somebody may have been faster; then ours refuses to start, and theirs is as good.
    if (lock?.port) {
      child.release();
      return { ...lock, isNew: lock.pid === child.pid };
    }
    if (ended !== undefined) throw failedToStart(ended, errorFile);
    await wait(POLL_MS);
  }
  child.release();
  throw new HardshellError({
    code: 'NOT_READY',
    message: `process ${child.pid} was started and does not serve yet`,
    fix: 'openclaw logs --tail 50, then openclaw gateway stop --force',
  });
}

/** Its own words are the best there are: `error:` and `fix:` lines, as the command prints them. */
function failedToStart(how: string, errorFile: string): HardshellError {
  const text = statSync(errorFile).size > 0 ? (tryReadText(errorFile, MAX_TAIL_BYTES) ?? '') : '';
  const lines = text.trim().split('\n');
  const said = (word: string): string | undefined =>
    lines
      .findLast((line) => line.startsWith(`${word}: `))
      ?.slice(word.length + 2)
      .replace(/\.$/, '');
  return new HardshellError({
    code: 'START_FAILED',
    message: `the gateway did not start: ${said('error') ?? (lines.at(-1) || how)}`,
    fix: said('fix') ?? 'openclaw gateway run shows all of it',
    exitCode: Number(/code (\d+)$/.exec(how)?.[1] ?? EXIT.failure) || EXIT.failure,
  });
}

/** Waits for somebody else, such as a service manager, to have it serving. */
export async function untilServing(paths: Paths, withinMs: number): Promise<LockFacts | null> {
  for (const deadline = performance.now() + withinMs; performance.now() < deadline; await wait(POLL_MS)) {
    const lock = readLiveLock(paths.lockPath);
    if (lock?.port) return lock;
  }
  return null;
}
