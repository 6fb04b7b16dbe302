// Owns what is done while the gateway runs and nobody asks for it: snapshots, backups, audits, dropping what is long finished, and
// the hangup signal of log rotation. Part of the composition; it never drops what is still owed.
import type { Paths } from '../config/paths.ts';
import type { Core } from '../core.ts';
import { KEEP_CALLS_MS } from '../journal/reading.ts';
import type { Log } from '../log/log.ts';
import { reasonOf } from '../platform/errors.ts';
import type { Store } from '../store/open.ts';
import { keepCheckpoints } from '../store/rescue/checkpoints.ts';
import { takeSnapshot } from '../store/rescue/snapshots.ts';
import type { Audits } from './audits.ts';
import { type BackupPorts, keepBackups } from './backups.ts';

const SNAPSHOT_EVERY_MS = 60 * 60_000;
const FIRST_SNAPSHOT_MS = 30_000;
const KEEP_FINISHED_MS = 30 * 24 * 60 * 60_000;

export async function snapshot(store: Store, paths: Paths, log: Log): Promise<void> {
  await takeSnapshot(store, paths.snapshotsDir, new Date()).catch((error: unknown) =>
    log.warn('no snapshot taken', { reason: reasonOf(error) }),
  );
}

export type UpkeepPorts = Pick<BackupPorts, 'env' | 'config'> & {
  readonly audits: Pick<Audits, 'start'>;
  checkConfig(): void;
  pruneUndo(): Promise<void>;
  tidyTrash(): Promise<unknown>;
};

/** Snapshots, pruning and log rotation from outside. Returns the way to end it. */
export function keepUp(
  core: Core,
  store: Store,
  paths: Paths,
  log: Log,
  { audits, checkConfig, pruneUndo, tidyTrash, ...backups }: UpkeepPorts,
): () => void {
  const { inbox, outbox, access, approvalTable, toolCalls } = core;
  const endBackups = keepBackups({ ...backups, core, paths, log, now: Date.now });
  const endAudits = audits.start(core.asking.tell);
  let takenAt = Number.NEGATIVE_INFINITY;
  const take = async (): Promise<void> => {
    takenAt = Date.now();
    await snapshot(store, paths, log);
  };
  keepCheckpoints(store, { take, takenAt: () => takenAt }, Date.now);
  const tidy = (): void => {
    store.defer(() => {
      inbox.pruneBefore(Date.now() - KEEP_FINISHED_MS);
      outbox.pruneBefore(Date.now() - KEEP_FINISHED_MS);
      approvalTable.pruneBefore(Date.now() - KEEP_FINISHED_MS);
      toolCalls.pruneBefore(Date.now() - KEEP_CALLS_MS);
      access.people.pruneBefore(Date.now() - KEEP_FINISHED_MS);
    });
    void take();
    void tidyTrash().catch((error: unknown) => log.warn('the trash stays as it is', { reason: reasonOf(error) }));
    void pruneUndo().catch((error: unknown) => log.warn('old checkpoints stay', { reason: reasonOf(error) }));
  };
  const first = setTimeout(tidy, FIRST_SNAPSHOT_MS).unref();
  const each = setInterval(tidy, SNAPSHOT_EVERY_MS).unref();
  const onHangup = (): void => {
    log.reopen();
    checkConfig();
  };
  process.on('SIGHUP', onHangup);
  return () => {
    // A stop takes its own.
    takenAt = Number.POSITIVE_INFINITY;
    endBackups();
    endAudits();
    clearTimeout(first);
    clearInterval(each);
    process.off('SIGHUP', onHangup);
  };
}
