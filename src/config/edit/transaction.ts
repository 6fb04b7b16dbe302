// Owns a change of the configuration from beginning to end: judged, written, applied, proved, kept, or returned to exactly
// the previous bytes. Killed at any point it leaves the old or the new file whole, and the next start finishes it.
import { type HardshellError, reasonOf } from '../../platform/errors.ts';
import { replaceFile } from '../../platform/files.ts';
import { changeRefusal, errorsIn, type Finding, type Mapping, refusal } from '../findings.ts';
import { type Inspection, inspectConfig } from '../inspect.ts';
import type { Config } from '../schema.ts';
import { keyOf, readBeyond } from '../shape/beyond.ts';
import { TextError } from '../text/position.ts';
import { type Changes, changesBetween } from './changes.ts';
import { EMPTY_CONFIG } from './edit.ts';
import { refuse, underLock } from './guard.ts';
import { keepVersion } from './history.ts';
import { type Pending, putBack, readPending, writePending } from './pending.ts';
import { type ChangePorts, type Ending, judging } from './ports.ts';
import { keep } from './settle.ts';

export type Outcome = Changes &
  Ending & {
    readonly path: string;
    readonly hash: string;
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
  /** it only closes what is open: also written when no mistake of the file goes by it, if it makes none */
  readonly mayStayBroken?: boolean;
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
    if (after.config === null || errorsIn(after.findings).length > 0) {
      if (await isNearer(ports, before, after, options.mayStayBroken))
        return nearer(ports, before, after, text, options);
      const isOld = errorsIn(before.findings).length > 0;
      throw isOld ? refusal(before.path, after.findings) : changeRefusal(after.findings);
    }
    const late = ports.judge?.(after) ?? [];
    if (errorsIn(late).length > 0) throw changeRefusal(late);
    const changes = changesBetween(before.config ?? ({} as Config), after.config);
    const outcome = {
      ...changes,
      path: before.path,
      hash: after.hash,
      warnings: after.findings.filter(({ level }) => level === 'warning'),
      mappings: after.mappings,
    };
    if (options.dryRun || text === (before.exists ? before.text : EMPTY_CONFIG))
      return { ...outcome, state: 'unchanged' };
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
    try {
      write(ports, before.path, old, text);
    } catch (error) {
      putBack(ports.paths.stateDir, pending);
      throw error;
    }
    return { ...outcome, ...(await proveChange(ports, pending, before.config, after.config, changes)) };
  });
}

/** A file with several mistakes can be mended one after the other: some of them are gone, and the change made none. */
async function isNearer(
  { paths, ...ports }: ChangePorts,
  before: Inspection,
  after: Inspection,
  isEnough = false,
): Promise<boolean> {
  if (!before.exists || before.config === null || after.config === null) return false;
  const [old, now] = await Promise.all(
    [before, after].map(async (one) => {
      const again = (text: string): Inspection =>
        inspectConfig(paths, ports.env, { ...judging({ paths, ...ports }), text });
      return new Set(errorsIn((await readBeyond(one, again)).said).map(keyOf));
    }),
  );
  if (old === undefined || now === undefined) return false;
  return (isEnough || now.size < old.size) && [...now].every((one) => old.has(one));
}

/** Nothing is applied: a gateway that runs keeps its settings until the last mistake is gone. */
function nearer(
  ports: ChangePorts,
  before: Inspection,
  after: Inspection,
  text: string,
  { dryRun }: ChangeOptions,
): Outcome {
  const left = errorsIn(after.findings);
  if (!dryRun) write(ports, before.path, before.text, text);
  return {
    ...{ changed: [], restart: [], reach: [] },
    ...{ path: before.path, hash: after.hash, warnings: left, mappings: after.mappings },
    state: dryRun ? 'unchanged' : 'kept',
    reason: `${left.length === 1 ? 'a mistake is' : `${left.length} mistakes are`} left, and until then the file is not used`,
  };
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

/** Old and new version are in the history before the file changes, so that what fails leaves the old file. */
function write(ports: ChangePorts, path: string, old: string | null, text: string): void {
  const { stateDir } = ports.paths;
  const atMs = ports.now();
  if (old !== null) keepVersion(stateDir, old, { atMs, by: 'before', why: '' });
  ports.step?.('old-kept');
  keepVersion(stateDir, text, { atMs, by: ports.by, why: ports.why ?? '' });
  ports.step?.('new-kept');
  replaceFile(path, text);
  ports.step?.('written');
}

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
