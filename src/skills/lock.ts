// Owns the lock file: which skills the owner approved, and the hash of every file as it was then. It lies in the state
// folder, where no tool reaches; one that is damaged, or that others may write, approves nothing.
import { dirname, join } from 'node:path';
import * as z from 'zod/mini';
import { errnoOf, HardshellError } from '../platform/errors.ts';
import { ensureFolder, replaceFile, tryReadChecked } from '../platform/files.ts';
import { tryParseJson } from '../platform/json.ts';

const texts = z.array(z.string());
const HASH = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const seen = z.strictObject({ declared: texts, seen: texts });
const approval = z.strictObject({
  hash: HASH,
  atMs: z.number(),
  files: z.array(z.strictObject({ path: z.string(), sha256: HASH, isExecutable: z.boolean() })),
  /** above INFO, which the owner saw and approved all the same */
  findings: z.number(),
  capabilities: z.strictObject({ hosts: seen, env: seen, bins: seen, files: seen }),
});
const source = z.strictObject({
  type: z.enum(['folder', 'archive', 'git']),
  from: z.string(),
  commit: z.optional(z.string()),
  subfolder: z.optional(z.string()),
});
const entry = z.strictObject({
  /** `managed`: kept in the state folder as well, as it was installed */
  kind: z.enum(['managed', 'workspace']),
  source: z.nullable(source),
  installedAtMs: z.number(),
  approved: z.nullable(approval),
});
const lock = z.strictObject({ version: z.literal(1), skills: z.record(z.string(), entry) });

export type Source = z.infer<typeof source>;
export type Approval = z.infer<typeof approval>;
export type Entry = z.infer<typeof entry>;
export type Lock = z.infer<typeof lock>;

export const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const MAX_LOCK_BYTES = 16_000_000;

export const managedFolder = (stateDir: string): string => join(stateDir, 'skills');
export const lockPathOf = (stateDir: string): string => join(managedFolder(stateDir), 'lock.json');

/** Nothing is approved where there is none. Throws SKILLS_LOCK_BROKEN. */
export function readLock(stateDir: string): Lock {
  const path = lockPathOf(stateDir);
  const me = process.geteuid?.();
  const data = readChecked(path, ({ mode, ownerUid }) => {
    if (me !== undefined && ownerUid !== me && ownerUid !== 0) throw broken(path, 'it belongs to somebody else');
    if ((mode & 0o022) !== 0) throw broken(path, 'others may write it');
  });
  if (data === null) return { version: 1, skills: {} };
  const read = z.safeParse(lock, tryParseJson(data.toString('utf8')));
  if (!read.success) throw broken(path, 'it is not what this program writes');
  if (Object.keys(read.data.skills).some((name) => !NAME.test(name))) throw broken(path, 'it names no skills');
  return read.data;
}

function readChecked(path: string, check: Parameters<typeof tryReadChecked>[2]): Buffer | null {
  try {
    return tryReadChecked(path, MAX_LOCK_BYTES, check);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Reads, changes and writes at once: nothing is awaited in between. */
export function changeLock(stateDir: string, change: (skills: Record<string, Entry>) => void): void {
  const next = structuredClone(readLock(stateDir));
  change(next.skills);
  const path = lockPathOf(stateDir);
  ensureFolder(dirname(path));
  replaceFile(path, `${JSON.stringify(next, null, 1)}\n`);
}

const broken = (path: string, why: string): HardshellError =>
  new HardshellError({
    code: 'SKILLS_LOCK_BROKEN',
    message: `no skill is used: ${path} cannot be trusted, since ${why}`,
    fix: `look at it, then move it away and approve again: mv ${path} ${path}.old`,
  });
