// Owns what stands first in a backup: each file with its hash, size and mode, and what was left out. What it reads may come
// from an enemy: a name that could lead anywhere but into the new folder is refused here, before anything is made.
import * as z from 'zod/mini';
import { EXIT, HardshellError } from '../../platform/errors.ts';

export const MANIFEST = 'manifest.json';
export const FORMAT = 'hardshell-backup';
/** what it is larger than is no manifest of ours */
export const MAX_MANIFEST_BYTES = 192 * 1024 * 1024;
const MAX_ENTRIES = 1_000_000;
const MAX_DEPTH = 80;
const MAX_PATH_BYTES = 4_096;

const WHOLE = z.int().check(z.minimum(0));
const MODE = z.int().check(z.minimum(0), z.maximum(0o777));
const ENTRY = z.union([
  z.strictObject({
    kind: z.literal('file'),
    path: z.string(),
    bytes: WHOLE,
    mode: MODE,
    mtimeMs: z.number(),
    sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  }),
  z.strictObject({ kind: z.literal('folder'), path: z.string(), mode: MODE }),
  z.strictObject({ kind: z.literal('link'), path: z.string(), target: z.string() }),
]);
const SHAPE = z.strictObject({
  format: z.literal(FORMAT),
  formatVersion: z.literal(1),
  version: z.string().check(z.regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}([-+][0-9A-Za-z.+-]{1,60})?$/)),
  schema: WHOLE,
  createdAt: z.string().check(z.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)),
  /** with the secrets; only a backup that is encrypted has them */
  secrets: z.boolean(),
  /** where the workspace lay when not in the state folder */
  workspace: z.nullable(z.string()),
  /** of the database; null when there was none yet */
  database: z.nullable(z.strictObject({ sessions: WHOLE, records: WHOLE })),
  leftOut: z.array(z.strictObject({ path: z.string(), why: z.string() })),
  entries: z.array(ENTRY),
});
export type Manifest = z.infer<typeof SHAPE>;
export type Entry = z.infer<typeof ENTRY>;
export type FileEntry = Extract<Entry, { kind: 'file' }>;

export const bytesOf = ({ entries }: Pick<Manifest, 'entries'>): number =>
  entries.reduce((sum, entry) => sum + (entry.kind === 'file' ? entry.bytes : 0), 0);

/** One entry a line, so that it can be read and compared. */
export function writeManifest({ entries, ...head }: Manifest): string {
  const lines = entries.map((entry) => `    ${JSON.stringify(entry)}`).join(',\n');
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "entries": [\n${lines}\n  ]\n}\n`;
}

export function readManifest(text: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged('its manifest is not JSON');
  }
  const { format, formatVersion } = (value ?? {}) as Partial<Manifest>;
  if (format === FORMAT && typeof formatVersion === 'number' && formatVersion > 1) throw newer('in a newer format');
  const { success, data, error } = z.safeParse(SHAPE, value);
  if (!success) throw damaged(`its manifest is not one of ours (${error.issues[0]?.path.join('.').slice(0, 80)})`);
  judgeEntries(data.entries);
  return data;
}

/** Nothing twice, nothing outside, nothing in what is no folder, no link that leads out of the workspace. */
function judgeEntries(entries: readonly Entry[]): void {
  if (entries.length > MAX_ENTRIES) throw damaged(`it names more than ${MAX_ENTRIES} files`);
  const kinds = new Map<string, Entry['kind']>();
  for (const entry of entries) {
    const names = entry.path.split('/');
    const shown = JSON.stringify(entry.path.slice(0, 120));
    const isOdd = names.some((name) => name === '' || name === '.' || name === '..' || /[\0\\]/.test(name));
    if (isOdd || names.length > MAX_DEPTH || Buffer.byteLength(entry.path) > MAX_PATH_BYTES)
      throw damaged(`it has a file in a place where none may be: ${shown}`);
    if (names[0] !== 'state' && names[0] !== 'workspace') throw damaged(`it has a file of nobody: ${shown}`);
    // As a disk that does not tell case and forms apart would take them for one.
    const key = entry.path.normalize('NFC');
    if (kinds.has(key)) throw damaged(`it has ${shown} twice`);
    if (names.length > 1 && kinds.get(names.slice(0, -1).join('/').normalize('NFC')) !== 'folder')
      throw damaged(`it has ${shown} in what is no folder`);
    if (names.length === 1 && entry.kind !== 'folder') throw damaged(`${shown} is no folder`);
    if (entry.kind === 'link' && !staysInside(names, entry.target)) throw damaged(`its link ${shown} leads outside`);
    kinds.set(key, entry.kind);
  }
}

/** A link of the workspace, up by at most its own depth in there and then down: each such link alone stays, so all do. */
export function staysInside(names: readonly string[], target: string): boolean {
  const top = names[0] === 'workspace' ? 1 : names[0] === 'state' && names[1] === 'workspace' ? 2 : 0;
  if (top === 0 || names.length <= top) return false;
  const steps = target.split('/');
  const isPlain = target !== '' && !target.startsWith('/') && !target.includes('\0') && target.length < MAX_PATH_BYTES;
  const ups = steps.findIndex((step) => step !== '..');
  const down = ups === -1 ? [] : steps.slice(ups);
  return isPlain && !down.includes('..') && (ups === -1 ? steps.length : ups) <= names.length - 1 - top;
}

export const damaged = (why: string): HardshellError =>
  new HardshellError({
    code: 'BACKUP_DAMAGED',
    message: `this backup is not used: ${why}`,
    fix: 'take another one (openclaw backup list); nothing was changed',
  });

export const newer = (how: string): HardshellError =>
  new HardshellError({
    code: 'BACKUP_NEWER',
    message: `this backup was made ${how}, which this version cannot read`,
    fix: 'install that version or a newer one first; nothing was changed',
    exitCode: EXIT.config,
  });
