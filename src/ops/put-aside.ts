// Owns starting anew: what is reset is moved into a folder of its own beside the rest, never deleted, and only while no
// gateway runs on it.
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Paths } from '../config/paths.ts';
import { headPathOf } from '../journal/head.ts';
import { ensureFolder, moveFile } from '../platform/files.ts';
import { acquireLock } from '../platform/lock.ts';
import { refuseForeignState } from '../store/folders.ts';

export type Scope = 'config' | 'sessions' | 'all';
export const SCOPES: readonly Scope[] = ['config', 'sessions', 'all'];

export type Plan = { readonly into: string; readonly moves: readonly { readonly from: string; readonly to: string }[] };

const KEPT = /^(reset-.*|gateway\.lock.*|\.gitignore|\.probe-.*)$/;

export function planReset(paths: Paths, scope: Scope, nowMs: number): Plan {
  refuseForeignState(paths.stateDir);
  const into = join(paths.stateDir, `reset-${new Date(nowMs).toISOString().replace(/[-:.]/g, '')}`);
  const database = ['', '-wal', '-shm'].map((suffix) => paths.databasePath + suffix);
  const all = existsSync(paths.stateDir)
    ? readdirSync(paths.stateDir)
        .filter((name) => !KEPT.test(name))
        .map((name) => join(paths.stateDir, name))
    : [];
  const chosen = {
    config: [paths.configPath],
    sessions: [...database, headPathOf(paths.databasePath), paths.snapshotsDir],
    // A configuration that lies elsewhere is still the one of this gateway.
    all: [...new Set([...all, paths.configPath])],
  }[scope];
  return {
    into,
    moves: chosen.filter((path) => existsSync(path)).map((from) => ({ from, to: join(into, basename(from)) })),
  };
}

/** Holds the lock meanwhile, so that no gateway starts in the middle; one that runs refuses it. */
export function putAside(paths: Paths, plan: Plan, nowMs: number): void {
  const lock = acquireLock(paths.lockPath, nowMs);
  try {
    ensureFolder(plan.into);
    for (const { from, to } of plan.moves) moveFile(from, to);
  } finally {
    lock.release();
  }
}
