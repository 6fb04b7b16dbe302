// Owns how a change that is not proved or not confirmed comes to its end: after a restart, by your word, by the clock. It
// either stays or the previous bytes come back; nothing is left open.
import { type HardshellError, reasonOf } from '../../platform/errors.ts';
import { tryReadText } from '../../platform/files.ts';
import { sha256 } from '../../platform/ids.ts';
import { errorsIn } from '../findings.ts';
import { inspectConfig } from '../inspect.ts';
import type { Paths } from '../paths.ts';
import type { Config } from '../schema.ts';
import type { Changes } from './changes.ts';
import { refuse, underLock } from './guard.ts';
import { dropPending, isAboutOurs, type Pending, putBack, readPending, writePending } from './pending.ts';
import { type ChangePorts, type Ending, judging, type Probe } from './ports.ts';

/** The change is proved: it stays, or waits for a word. */
export function keep(ports: ChangePorts, pending: Pending): Ending {
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
export function settlePendingAtStart(paths: Pick<Paths, 'stateDir' | 'configPath'>, now: number): AtStart {
  const pending = readPending(paths.stateDir);
  if (!pending) return { state: 'none' };
  if (!isAboutOurs(pending, paths.configPath)) {
    dropPending(paths.stateDir);
    return { state: 'superseded' };
  }
  const current = tryReadText(pending.configPath);
  if (current === null || sha256(current) !== pending.afterHash) {
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
    if (!pending || pending.proved || !isAboutOurs(pending, ports.paths.configPath)) return null;
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
    if (!isAboutOurs(pending, ports.paths.configPath)) {
      dropPending(ports.paths.stateDir);
      return 'superseded';
    }
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

const nothingWaits = (): HardshellError =>
  refuse('CONFIG_NOT_PENDING', 'no change of the configuration waits for you', 'openclaw config history');
