// Owns a change of the configuration from beginning to end: judged, written, applied, proved, kept, or returned to exactly
// the previous bytes. Killed at any point it leaves the old or the new file whole, and the next start finishes it.
import { join } from 'node:path';
import { EXIT, HardshellError, reasonOf } from '../../platform/errors.ts';
import { replaceFile, tryReadText } from '../../platform/files.ts';
import { acquireLock } from '../../platform/lock.ts';
import { errorsIn, type Finding, type Mapping, refusal } from '../findings.ts';
import { hashOf, type Inspection, inspectConfig, type ResolveSecret } from '../inspect.ts';
import type { Env, Paths } from '../paths.ts';
import type { Config } from '../schema.ts';
import { TextError } from '../text/position.ts';
import { type Changes, changesBetween } from './changes.ts';
import { EMPTY_CONFIG } from './edit.ts';
import { keepVersion } from './history.ts';
import { dropPending, type Pending, putBack, readPending, writePending } from './pending.ts';

export type Probe = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export type ChangePorts = {
  readonly paths: Pick<Paths, 'configPath' | 'stateDir' | 'workspaceDir'>;
  readonly env: Env;
  readonly now: () => number;
  /** who changes it: cli, page, onboard, … */
  readonly by: string;
  readonly why?: string;
  readonly resolveSecret?: ResolveSecret;
  /** Has the running gateway take it over; absent when none runs. Also called for the way back. */
  readonly apply?: (config: Config, changes: Changes) => Promise<void>;
  /** A real round trip to the gateway and each channel. Without it a change is kept once it is written. */
  readonly probe?: (config: Config, changes: Changes) => Promise<Probe>;
  /** for tests: called after each step */
  readonly step?: (name: string) => void;
};

export type Outcome = Changes & {
  /** unchanged: it says what it said. waiting: until deadlineMs for your word. returned: proved wrong, the old file is back */
  readonly state: 'unchanged' | 'kept' | 'waiting' | 'returned';
  readonly path: string;
  readonly hash: string;
  readonly reason?: string;
  readonly deadlineMs?: number;
  readonly warnings: readonly Finding[];
  readonly mappings: readonly Mapping[];
};

export type ChangeOptions = {
  /** the hash of what was read before; another one means that somebody else was faster */
  readonly baseHash?: string;
  /** the change returns by itself unless it is confirmed within this time */
  readonly confirmWithinMs?: number;
  /** judge it and say what would change, write nothing */
  readonly dryRun?: boolean;
};

/** `edit` gets the present text and returns the new one. */
export async function changeConfig(
  ports: ChangePorts,
  edit: (text: string) => string,
  options: ChangeOptions = {},
): Promise<Outcome> {
  return underLock(ports, async () => {
    const waiting = readPending(ports.paths.stateDir);
    if (waiting) throw stillWaiting(waiting);
    const before = inspectConfig(ports.paths, ports.env, judging(ports));
    if (options.baseHash !== undefined && options.baseHash !== before.hash) throw changedMeanwhile(before.path);
    const text = edited(before, edit);
    const paths = { ...ports.paths, configPath: before.path };
    const after = inspectConfig(paths, ports.env, { ...judging(ports), text });
    if (after.config === null || errorsIn(after.findings).length > 0) throw refusal(before.path, after.findings);
    const changes = changesBetween(before.config ?? ({} as Config), after.config);
    const outcome = {
      ...changes,
      path: before.path,
      hash: after.hash,
      warnings: after.findings.filter(({ level }) => level === 'warning'),
      mappings: after.mappings,
    };
    if (options.dryRun || (before.exists && text === before.text)) return { ...outcome, state: 'unchanged' };
    const old = before.exists ? before.text : null;
    const prove = options.confirmWithinMs !== undefined || (ports.probe !== undefined && changes.reach.length > 0);
    if (!prove) {
      write(ports, before.path, old, text);
      if (ports.apply) await ports.apply(after.config, changes);
      return { ...outcome, state: 'kept' };
    }
    const pending: Pending = {
      configPath: before.path,
      before: old,
      afterHash: after.hash,
      atMs: ports.now(),
      proved: false,
      deadlineMs: null,
      confirmWithinMs: options.confirmWithinMs ?? null,
      starts: 0,
      by: ports.by,
      why: ports.why ?? '',
    };
    writePending(ports.paths.stateDir, pending);
    ports.step?.('pending-written');
    write(ports, before.path, old, text);
    return { ...outcome, ...(await proveChange(ports, pending, before.config, after.config, changes)) };
  });
}

/** A file that cannot be read is never written over; one with a mistake in it can be replaced as a whole. */
function edited(before: Inspection, edit: (text: string) => string): string {
  if (!before.exists) {
    if (before.config === null) throw refusal(before.path, before.findings);
    return edit(EMPTY_CONFIG);
  }
  try {
    return edit(before.text);
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    if (before.config === null) throw refusal(before.path, before.findings);
    throw isYaml(before.path);
  }
}

type Ending = Pick<Outcome, 'state'> & { reason?: string; deadlineMs?: number };

async function proveChange(
  ports: ChangePorts,
  pending: Pending,
  before: Config | null,
  after: Config,
  changes: Changes,
): Promise<Ending> {
  const failed = await failureOf(ports, after, changes);
  ports.step?.('probed');
  if (failed === null) return keep(ports, pending);
  const end = putBack(ports.paths.stateDir, pending);
  ports.step?.('put-back');
  if (end === 'superseded') return { state: 'kept', reason: 'the file was changed by hand meanwhile' };
  if (before && ports.apply) await ports.apply(before, changesBetween(after, before));
  return { state: 'returned', reason: failed };
}

async function failureOf(ports: ChangePorts, config: Config, changes: Changes): Promise<string | null> {
  try {
    await ports.apply?.(config, changes);
    ports.step?.('applied');
    const probe = await ports.probe?.(config, changes);
    return probe?.ok === false ? probe.reason : null;
  } catch (error) {
    return reasonOf(error);
  }
}

function keep(ports: ChangePorts, pending: Pending): Ending {
  const { stateDir } = ports.paths;
  if (pending.confirmWithinMs === null) {
    dropPending(stateDir);
    ports.step?.('pending-dropped');
    return { state: 'kept' };
  }
  const deadlineMs = ports.now() + pending.confirmWithinMs;
  writePending(stateDir, { ...pending, proved: true, deadlineMs });
  ports.step?.('waiting');
  return { state: 'waiting', deadlineMs };
}

/** Old and new version are in the history before anything can go wrong with either. */
function write(ports: ChangePorts, path: string, old: string | null, text: string): void {
  const { stateDir } = ports.paths;
  const atMs = ports.now();
  if (old !== null) keepVersion(stateDir, old, { atMs, by: 'before', why: '' });
  ports.step?.('old-kept');
  replaceFile(path, text);
  ports.step?.('written');
  keepVersion(stateDir, text, { atMs, by: ports.by, why: ports.why ?? '' });
  ports.step?.('new-kept');
}

export type AtStart =
  /** nothing was under way */
  | { readonly state: 'none' }
  /** the file has its previous bytes again */
  | { readonly state: 'returned'; readonly reason: string }
  /** the file was edited by hand meanwhile, and that edit holds */
  | { readonly state: 'superseded' }
  /** start with it, and call `provePending` when everything is up */
  | { readonly state: 'prove' }
  /** it is proved; your word is waited for */
  | { readonly state: 'waiting'; readonly deadlineMs: number };

/** Before the configuration is loaded at a start: finishes what a crash or a restart left open. */
export function settlePendingAtStart(paths: Pick<Paths, 'stateDir'>, now: number): AtStart {
  const pending = readPending(paths.stateDir);
  if (!pending) return { state: 'none' };
  const current = tryReadText(pending.configPath);
  if (current === null || hashOf(current) !== pending.afterHash) {
    // Killed before the change was written, or after it was put back: nothing to do but to forget it.
    dropPending(paths.stateDir);
    return current === pending.before
      ? { state: 'returned', reason: 'the change was not finished' }
      : { state: 'superseded' };
  }
  const reason = overdue(pending, now);
  if (reason === null && pending.deadlineMs !== null) return { state: 'waiting', deadlineMs: pending.deadlineMs };
  if (reason === null) {
    writePending(paths.stateDir, { ...pending, starts: pending.starts + 1 });
    return { state: 'prove' };
  }
  putBack(paths.stateDir, pending);
  return { state: 'returned', reason };
}

function overdue(pending: Pending, now: number): string | null {
  if (!pending.proved) return pending.starts > 0 ? 'the gateway did not come up with the change' : null;
  return pending.deadlineMs !== null && now >= pending.deadlineMs ? 'nobody confirmed it in time' : null;
}

/** When the gateway is up after a start that said "prove". */
export async function provePending(ports: ChangePorts, config: Config): Promise<Ending | null> {
  return underLock(ports, async () => {
    const pending = readPending(ports.paths.stateDir);
    if (!pending || pending.proved) return null;
    const none: Changes = { changed: [], restart: [], reach: [] };
    const probe = await ports
      .probe?.(config, none)
      .catch((error: unknown): Probe => ({ ok: false, reason: reasonOf(error) }));
    if (probe?.ok !== false) return keep(ports, pending);
    putBack(ports.paths.stateDir, pending);
    return { state: 'returned', reason: probe.reason };
  });
}

/** `config confirm`: the change stays. */
export async function confirmPending(ports: ChangePorts): Promise<void> {
  await underLock(ports, async () => {
    const pending = readPending(ports.paths.stateDir);
    if (!pending) throw nothingWaits();
    dropPending(ports.paths.stateDir);
  });
}

/** `config rollback` while a change waits, and the deadline when nobody has spoken: the previous bytes are back. */
export async function returnPending(ports: ChangePorts): Promise<'returned' | 'superseded'> {
  return underLock(ports, async () => {
    const pending = readPending(ports.paths.stateDir);
    if (!pending) throw nothingWaits();
    const end = putBack(ports.paths.stateDir, pending);
    if (ports.apply) {
      const { config, findings } = inspectConfig(ports.paths, ports.env, judging(ports));
      if (config && errorsIn(findings).length === 0) await ports.apply(config, { changed: [], restart: [], reach: [] });
    }
    return end;
  });
}

/** Returns the change by itself when nobody has confirmed it in time. The answer cancels that. */
export function armDeadline(
  ports: ChangePorts,
  deadlineMs: number,
  onReturned: (end: 'returned' | 'superseded') => void,
): () => void {
  const timer = setTimeout(
    () => {
      // A change that was confirmed meanwhile is nobody's business any more.
      if (readPending(ports.paths.stateDir)?.deadlineMs !== deadlineMs) return;
      returnPending(ports).then(onReturned, () => undefined);
    },
    Math.max(0, deadlineMs - ports.now()),
  );
  timer.unref();
  return () => clearTimeout(timer);
}

const judging = ({ resolveSecret }: ChangePorts) => ({ rules: true, ...(resolveSecret ? { resolveSecret } : {}) });

const LOCK_TRIES = 40;
const LOCK_WAIT_MS = 50;

/** One change at a time, also among several programs. */
async function underLock<T>(ports: ChangePorts, run: () => Promise<T>): Promise<T> {
  const path = join(ports.paths.stateDir, 'config.lock');
  for (let tries = 1; ; tries++) {
    let lock: ReturnType<typeof acquireLock>;
    try {
      lock = acquireLock(path, ports.now());
    } catch (error) {
      if (!(error instanceof HardshellError) || error.code !== 'ALREADY_RUNNING') throw error;
      if (tries >= LOCK_TRIES) throw busy(path, error);
      await new Promise((resolve) => setTimeout(resolve, LOCK_WAIT_MS));
      continue;
    }
    try {
      return await run();
    } finally {
      lock.release();
    }
  }
}

const refuse = (code: string, message: string, fix: string, cause?: unknown): HardshellError =>
  new HardshellError({ code, message, fix, exitCode: EXIT.failure, httpStatus: 409, cause });

const busy = (path: string, cause: unknown): HardshellError =>
  refuse('CONFIG_BUSY', 'somebody else is changing the configuration right now', `try again; lock: ${path}`, cause);
const changedMeanwhile = (path: string): HardshellError =>
  refuse('CONFIG_CHANGED', `${path} was changed since it was read`, 'read it again, and make the change again');
const isYaml = (path: string): HardshellError =>
  refuse(
    'CONFIG_IS_YAML',
    `${path} is YAML, and commands change only JSON5`,
    'edit it by hand, or write it as JSON5 into openclaw.json',
  );
const stillWaiting = ({ deadlineMs }: Pending): HardshellError =>
  refuse(
    'CONFIG_PENDING',
    `the last change is not confirmed yet${deadlineMs === null ? '' : ` (it returns at ${new Date(deadlineMs).toISOString()})`}`,
    'openclaw config confirm, or openclaw config rollback',
  );
const nothingWaits = (): HardshellError =>
  refuse('CONFIG_NOT_PENDING', 'no change of the configuration waits for you', 'openclaw config history');
