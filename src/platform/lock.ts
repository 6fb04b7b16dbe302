// Owns the one-gateway-per-state-folder lock: a file with the holder's pid and start time. A lock whose process is gone
// (kill -9, power cut, reused pid) is taken over; a live one is never broken.
import { linkSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { EXIT, errnoOf, HardshellError } from './errors.ts';
import { fileFailure } from './file-errors.ts';
import { replaceFile, tryReadText } from './files.ts';
import { newToken } from './ids.ts';

export type LockFacts = {
  readonly pid: number;
  readonly port: number;
  readonly startedAtMs: number;
  readonly startTicks: string;
  /** the port is not that of the configuration; absent in the lock of an older version */
  readonly isPortGiven?: boolean;
};

const BEING_MADE_MS = 2_000;
/** Field 22 of /proc/PID/stat, counted from field 3. */
const START_TICKS = 19;
const MAX_LOCK_BYTES = 4_096;

export interface Lock {
  /** says which port the holder serves, once it is known */
  announce(port: number, isPortGiven: boolean): void;
  release(): void;
}

export function acquireLock(path: string, now: number): Lock {
  const facts: LockFacts = { pid: process.pid, port: 0, startedAtMs: now, startTicks: startTicksOf(process.pid) ?? '' };
  for (let attempt = 0; attempt < 3; attempt++) {
    if (tryCreate(path, facts)) {
      return {
        announce: (port, isPortGiven) => replaceFile(path, JSON.stringify({ ...facts, port, isPortGiven })),
        release: () => {
          if (readLock(path)?.pid === process.pid) unlinkSync(path);
        },
      };
    }
    const state = stateOf(path);
    if (state === 'held') throw held(path, readLock(path));
    if (state === 'abandoned') removeAbandoned(path, facts);
  }
  throw held(path, readLock(path));
}

/** Who holds the lock, or null when nobody does. A holder that is gone counts as nobody. */
export function readLiveLock(path: string): LockFacts | null {
  const facts = readLock(path);
  return facts && isAlive(facts) ? facts : null;
}

/** The file appears with its content, never empty: an empty one would look abandoned to whoever comes next. */
function tryCreate(path: string, facts: LockFacts): boolean {
  const whole = `${path}.${newToken(6)}`;
  try {
    writeFileSync(whole, JSON.stringify(facts), { mode: 0o600, flag: 'wx' });
    try {
      linkSync(whole, path);
    } catch (error) {
      if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(errnoOf(error) ?? '')) throw error;
      // A disk without hard links.
      writeFileSync(path, JSON.stringify(facts), { mode: 0o600, flag: 'wx' });
    }
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw fileFailure('make the lock', path, error);
  } finally {
    tryUnlink(whole);
  }
}

function readLock(path: string): LockFacts | null {
  try {
    const facts = JSON.parse(tryReadText(path, MAX_LOCK_BYTES) ?? '') as Partial<LockFacts>;
    return typeof facts.pid === 'number' ? { port: 0, startedAtMs: 0, startTicks: '', ...facts, pid: facts.pid } : null;
  } catch {
    return null;
  }
}

/** Whether the process that made the lock still lives; another one with its number does not count. */
export function isAlive(facts: LockFacts): boolean {
  try {
    process.kill(facts.pid, 0);
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return false;
  }
  const stat = statFieldsOf(facts.pid);
  // One that ended and that nobody has asked about yet, as in a container whose first process asks nobody.
  if (stat?.[0] === 'Z' || stat?.[0] === 'X') return false;
  const ticks = stat?.[START_TICKS];
  // The same pid with another start time is another process.
  return ticks === undefined || facts.startTicks === '' || ticks === facts.startTicks;
}

const startTicksOf = (pid: number): string | undefined => statFieldsOf(pid)?.[START_TICKS];

/** From field 3 of /proc/PID/stat on, the state of the process; undefined where there is no /proc. */
function statFieldsOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** One without content was cut short by a crash, unless it is so new that it may be being made. */
function stateOf(path: string): 'absent' | 'held' | 'abandoned' {
  const holder = readLock(path);
  if (holder !== null) return isAlive(holder) ? 'held' : 'abandoned';
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 'absent';
  return Date.now() - stat.mtimeMs > BEING_MADE_MS ? 'abandoned' : 'held';
}

/**
 * Of several that found it abandoned, only the one with the guard may remove it, after looking again: without the guard,
 * the slowest would remove the new lock of the fastest. A guard whose maker died is removed in the same way.
 */
function removeAbandoned(path: string, facts: LockFacts, depth = 0): void {
  const guard = `${path}.guard`;
  if (!tryCreate(guard, facts)) {
    if (depth < 2 && stateOf(guard) === 'abandoned') removeAbandoned(guard, facts, depth + 1);
    return;
  }
  try {
    // Absent is not abandoned: somebody may be making theirs at this moment.
    if (stateOf(path) === 'abandoned') tryUnlink(path);
  } finally {
    tryUnlink(guard);
  }
}

function tryUnlink(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw fileFailure('remove the stale lock', path, error);
  }
}

function held(path: string, holder: LockFacts | null): HardshellError {
  const message = `a gateway already runs on this state folder${holder ? ` (process ${holder.pid}${holder.port ? `, port ${holder.port}` : ''})` : ''}`;
  const fix = `use it (openclaw status), stop it (openclaw gateway stop), or set OPENCLAW_STATE_DIR to another folder; lock: ${path}`;
  return new HardshellError({ code: 'ALREADY_RUNNING', message, fix, exitCode: EXIT.failure });
}
