// Owns the record of a change that is not proved or not confirmed yet: config-pending.json in the state folder. It is
// written before the change and removed after its end, so that after a crash the next start knows what to do.
import { dirname, join } from 'node:path';
import { removeFile, replaceFile, tryReadText } from '../../platform/files.ts';
import { sha256 } from '../../platform/ids.ts';

export type Pending = {
  readonly configPath: string;
  /** the previous bytes; null when there was no file */
  readonly before: string | null;
  readonly afterHash: string;
  readonly atMs: number;
  /** probes have succeeded, only your word is missing */
  readonly proved: boolean;
  /** when it returns by itself without your word; null when no word is needed */
  readonly deadlineMs: number | null;
  /** for how long your word is waited for, once it is proved */
  readonly confirmWithinMs: number | null;
  /** starts that were tried with it and did not come to a proof */
  readonly starts: number;
  readonly by: string;
  readonly why: string;
};

const MAX_PENDING_BYTES = 8 * 1024 * 1024;
const pathOf = (stateDir: string): string => join(stateDir, 'config-pending.json');

/** null when there is none; one that cannot be read protects nothing and counts as none. */
export function readPending(stateDir: string): Pending | null {
  const text = tryReadText(pathOf(stateDir), MAX_PENDING_BYTES);
  if (text === null) return null;
  try {
    const found = JSON.parse(text) as Pending;
    const usable =
      typeof found.configPath === 'string' &&
      typeof found.afterHash === 'string' &&
      (found.before === null || typeof found.before === 'string');
    return usable ? found : null;
  } catch {
    return null;
  }
}

/** A record names a file that will be written over. One that is no configuration of ours was put there by somebody else. */
export const isAboutOurs = (pending: Pending, configPath: string): boolean =>
  pending.configPath === configPath ||
  (dirname(pending.configPath) === dirname(configPath) && /\.(json5?|ya?ml)$/.test(pending.configPath));

export const writePending = (stateDir: string, pending: Pending): void =>
  replaceFile(pathOf(stateDir), JSON.stringify(pending));

export const dropPending = (stateDir: string): void => removeFile(pathOf(stateDir));

/** Puts the previous bytes back, unless the file was changed by somebody else meanwhile. */
export function putBack(stateDir: string, pending: Pending): 'returned' | 'superseded' {
  const current = tryReadText(pending.configPath);
  const isOurs = current !== null && sha256(current) === pending.afterHash;
  if (isOurs) {
    if (pending.before === null) removeFile(pending.configPath);
    else replaceFile(pending.configPath, pending.before);
  }
  dropPending(stateDir);
  return isOurs || current === pending.before ? 'returned' : 'superseded';
}
