// Owns when the gateway makes backups: at the minutes of the schedule, made up for when it was down, by a program of its own
// so that nobody here waits; and that the owner hears of one that failed. Part of the composition.

import type { Env, Paths } from '../config/paths.ts';
import type { Config } from '../config/schema.ts';
import type { Core } from '../core.ts';
import type { Log } from '../log/log.ts';
import { readProof } from '../ops/backup/proof.ts';
import { nextDue } from '../ops/backup/when.ts';
import { run } from '../platform/process/process.ts';

export type BackupPorts = {
  readonly paths: Paths;
  readonly env: Env;
  readonly config: () => Config['backup'];
  readonly core: Pick<Core, 'asking' | 'journal'>;
  readonly log: Log;
  readonly now: () => number;
  /** for tests alone */
  readonly program?: readonly [string, ...string[]];
};

const FIRST_LOOK_MS = 5_000;
const LOOK_EVERY_MS = 20_000;
const RUN_WITHIN_MS = 6 * 60 * 60_000;
const MAX_OUTPUT_BYTES = 256 * 1024;
const TOLD_AGAIN_MS = 20 * 60 * 60_000;

/** Returns the way to end it: a backup that is being made is given up, and leaves nothing behind. */
export function keepBackups(ports: BackupPorts): () => void {
  const { paths, config, core, log, now } = ports;
  const startedAtMs = now();
  const ending = new AbortController();
  let isRunning = false;
  let triedAtMs = readProof(paths).triedAtMs;
  let due: { readonly schedule: string; readonly afterMs: number; readonly atMs: number | null } | null = null;
  let toldAtMs = Number.NEGATIVE_INFINITY;

  const look = (): void => {
    const { schedule } = config();
    if (schedule === undefined || isRunning) return;
    const afterMs = triedAtMs ?? startedAtMs;
    if (due?.schedule !== schedule || due.afterMs !== afterMs)
      due = { schedule, afterMs, atMs: dueAfter(schedule, afterMs) };
    if (due.atMs === null || due.atMs > now()) return;
    triedAtMs = now();
    isRunning = true;
    void make().finally(() => {
      isRunning = false;
    });
  };
  const dueAfter = (schedule: string, afterMs: number): number | null => {
    try {
      return nextDue(schedule, afterMs);
    } catch {
      log.error('backup.schedule says no time', { fix: 'openclaw backup schedule --every day' });
      return null;
    }
  };
  const make = async (): Promise<void> => {
    const env = Object.fromEntries(
      Object.entries(ports.env).filter((one): one is [string, string] => one[1] !== undefined),
    );
    const program = ports.program ?? (await import('../ops/unit/facts.ts')).ownProgram();
    const argv = [...program, 'backup', 'run', '--scheduled', '--json'];
    const limits = { timeoutMs: RUN_WITHIN_MS, maxOutputBytes: MAX_OUTPUT_BYTES, signal: ending.signal };
    const result = await run(argv, { cwd: paths.stateDir, env, ...limits });
    if (result.stopped === 'aborted') return;
    const { failed, proven } = readProof(paths);
    if (result.exitCode === 0) {
      log.info('backup made and proven', { file: proven?.file, ms: result.durationMs });
      core.journal.record('backup.proven', { sessions: proven?.sessions ?? 0 });
      return;
    }
    const reason =
      errorIn(result.stdout) ?? failed?.reason ?? result.failed ?? result.stopped ?? `code ${result.exitCode}`;
    log.error('backup failed', { reason });
    core.journal.record('backup.failed', {});
    if (now() - toldAtMs < TOLD_AGAIN_MS) return;
    toldAtMs = now();
    core.asking.tell(`backup:${toldAtMs}`, `The scheduled backup failed: ${reason}. More: openclaw backup list`);
  };
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  const first = setTimeout(look, FIRST_LOOK_MS).unref();
  return () => {
    clearTimeout(first);
    clearInterval(timer);
    ending.abort();
  };
}

function errorIn(stdout: string): string | undefined {
  try {
    const { error } = JSON.parse(stdout) as { error?: { message?: string } };
    return error?.message;
  } catch {
    return undefined;
  }
}
