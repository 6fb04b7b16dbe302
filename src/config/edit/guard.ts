// Owns that one change is made at a time, also among several programs, and the refusals that follow from it.
import { join } from 'node:path';
import { EXIT, HardshellError } from '../../platform/errors.ts';
import { ensureFolder } from '../../platform/files.ts';
import { acquireLock } from '../../platform/lock.ts';
import type { ChangePorts } from './ports.ts';

const LOCK_TRIES = 40;
const LOCK_WAIT_MS = 50;

/** One change at a time, also among several programs. */
export async function underLock<T>(ports: ChangePorts, run: () => Promise<T>): Promise<T> {
  // The first setting may be made before the first start.
  ensureFolder(ports.paths.stateDir);
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

export const refuse = (code: string, message: string, fix: string, cause?: unknown): HardshellError =>
  new HardshellError({ code, message, fix, exitCode: EXIT.failure, httpStatus: 409, cause });

const busy = (path: string, cause: unknown): HardshellError =>
  refuse('CONFIG_BUSY', 'somebody else is changing the configuration right now', `try again; lock: ${path}`, cause);
