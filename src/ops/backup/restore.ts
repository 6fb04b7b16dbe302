// Owns the way back: a backup is unpacked beside the state folder, all of it is checked, and then the whole takes its place.
// What was there is kept. It must never touch the old one before, and never start what it has unpacked.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, lstatSync, readdirSync, realpathSync, statfsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { EXIT, HardshellError, misused } from '../../platform/errors.ts';
import { fileFailure } from '../../platform/file-errors.ts';
import { copyFileDurable, ensureFolder, removeFile } from '../../platform/files.ts';
import { acquireLock, readLiveLock } from '../../platform/lock.ts';
import {
  dropStagings,
  finishSwap,
  openPlain,
  openStaging,
  readHandle,
  type Staging,
  swapIn,
} from '../../platform/tree/staging.ts';
import { refuseForeignState } from '../../store/folders.ts';
import { lookAt, SCHEMA } from '../../store/rescue/copy.ts';
import { type Chunks, type Reader, readArchive } from './archive.ts';
import { ownState } from './create.ts';
import { bytesOf, damaged, type Entry, type Manifest, newer } from './manifest.ts';
import { stampOf } from './places.ts';
import { decrypt, type Lock, lockOf, type Opening } from './seal.ts';
import { NEVER } from './select.ts';

const FIRST_BYTES = 64;
const SPARE_BYTES = 32 * 1024 * 1024;
const MAX_SHOWN = 1_000;
/** Of this machine, or what a backup without secrets does not bring. Only `panic --lift` ends a panic. */
const CARRIED = ['panic.json', 'backups.json', 'credentials', '.env', 'vault', 'vault.key', 'credentials/backup-key'];

export type Archive = { readonly lock: Lock; read(opening: Opening, reader: Reader): Promise<Manifest> };

/** A file that looks like a backup. Reading goes through one descriptor, whatever happens to the name. */
export async function openArchive(file: string): Promise<Archive & { close(): Promise<void> }> {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  const held = stat === undefined ? null : await openPlain(realpathSync(file)).catch(() => null);
  if (held === null) {
    const code = stat === undefined ? 'ENOENT' : 'EACCES';
    throw fileFailure('read', file, Object.assign(new Error(code), { code }));
  }
  const { handle, stats } = held;
  const first = Buffer.alloc(FIRST_BYTES);
  await handle.read(first, 0, FIRST_BYTES, 0);
  const lock = lockOf(first);
  if (lock === null) {
    await handle.close();
    throw damaged(`${basename(file)} is neither a backup nor an encrypted one`);
  }
  return {
    lock,
    read(opening, reader) {
      const chunks = readHandle(handle, stats.size);
      return readArchive(lock === 'none' ? chunks : decrypt(chunks, lock, opening), stats.size, reader);
    },
    close: () => handle.close(),
  };
}

const drain = async (chunks: Chunks): Promise<void> => {
  for await (const _ of chunks);
};

/** Reads all of it and keeps nothing. */
export const verifyArchive = (archive: Archive, opening: Opening, version: string): Promise<Manifest> =>
  archive.read(opening, {
    async begin(manifest) {
      refuseNewer(manifest, version);
      refuseNever(manifest);
    },
    folder: async () => {},
    file: (_, chunks) => drain(chunks),
  });

export type RestoreOptions = {
  readonly archive: Archive;
  readonly opening: Opening;
  readonly version: string;
  /** the state folder that it becomes */
  readonly target: string;
  /** whether what is there may be put aside */
  readonly inPlace: boolean;
  readonly nowMs: number;
};
export type Restored = {
  readonly manifest: Manifest;
  readonly aside: string | null;
  readonly carried: readonly string[];
};

export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { archive, opening, version, nowMs } = options;
  finishSwap(options.target);
  const target = placeOf(options.target);
  const hasOld = existsSync(target) && readdirSync(target).length > 0;
  if (hasOld && !options.inPlace) throw occupied(target);
  refuseRunning(target);
  // Held until the new one stands there, so that no gateway starts in the old one meanwhile.
  const lock = hasOld ? acquireLock(join(target, 'gateway.lock'), nowMs) : null;
  const stamp = stampOf(nowMs);
  dropStagings(target);
  let staging: Staging | undefined;
  try {
    ensureParent(target);
    const opened = await openStaging(target, stamp);
    staging = opened;
    const manifest = await archive.read(opening, {
      async begin(found) {
        refuseNewer(found, version);
        refuseNever(found);
        refuseNoRoom(found, dirname(target));
      },
      async folder({ path }) {
        const at = inState(path);
        if (at !== '' && !opened.has(at)) await opened.makeFolder(at);
      },
      file: ({ path, mode, mtimeMs }, chunks) => opened.putFile(inState(path), mode, mtimeMs, chunks),
    });
    for (const entry of manifest.entries)
      if (entry.kind === 'link') await opened.putLink(inState(entry.path), entry.target);
    checkDatabase(join(opened.path, 'state.sqlite'), manifest);
    const carried = hasOld ? carryOver(target, opened) : [];
    // Children first: a folder that may not be written would stop its own.
    for (const entry of manifest.entries.toReversed())
      if (entry.kind === 'folder' && inState(entry.path) !== '')
        await opened.setMode(inState(entry.path), entry.mode | 0o700);
    await opened.finish();
    staging = undefined;
    const aside = swapIn(target, stamp);
    if (aside !== null) removeFile(join(aside, 'gateway.lock'));
    return { manifest, aside, carried };
  } finally {
    staging?.discard();
    lock?.release();
  }
}

/** The state folder that a link may lead to; what comes in its place must lie where it really is. */
function placeOf(target: string): string {
  refuseForeignState(target);
  return lstatSync(target, { throwIfNoEntry: false }) === undefined ? target : ownState({ stateDir: target });
}

function ensureParent(target: string): void {
  if (!existsSync(dirname(target))) ensureFolder(dirname(target));
}

/** A workspace that lay elsewhere comes into the state folder: one folder can take the place of another at once. */
const inState = (path: string): string => path.replace(/^state(\/|$)/, '');

function refuseRunning(target: string): void {
  const running = readLiveLock(join(target, 'gateway.lock'));
  if (running === null) return;
  throw new HardshellError({
    code: 'GATEWAY_RUNS',
    message: `a gateway runs on ${target} (process ${running.pid}), and would write into what is replaced`,
    fix: 'openclaw gateway stop, then try again',
  });
}

function refuseNewer({ version, schema }: Manifest, own: string): void {
  const parts = (text: string): number[] => text.split(/[-+]/)[0]?.split('.').map(Number) ?? [];
  const [theirs, ours] = [parts(version), parts(own)];
  const at = theirs.findIndex((part, index) => part !== ours[index]);
  if (at !== -1 && (theirs[at] ?? 0) > (ours[at] ?? 0)) throw newer(`by version ${version}`);
  if (schema > SCHEMA) throw newer(`by a newer version (schema ${schema}, this one knows ${SCHEMA})`);
}

/** What no backup of ours has: programs, a log of writes beside the database, a lock that names a process of this machine. */
function refuseNever({ entries }: Manifest): void {
  const odd = entries.find(({ path }) => {
    const name = path.replace(/^state\//, '');
    return name !== path && NEVER.test(name) && !/^state\.sqlite(-head)?$/.test(name);
  });
  if (odd) throw damaged(`it has ${JSON.stringify(odd.path.slice(0, 120))}, which no backup has`);
}

function refuseNoRoom(manifest: Manifest, folder: string): void {
  const { bavail, bsize } = statfsSync(folder);
  const needed = bytesOf(manifest) + manifest.entries.length * 4_096 + SPARE_BYTES;
  if (needed <= bavail * bsize) return;
  throw new HardshellError({
    code: 'DISK_FULL',
    message: `it takes ${needed} bytes, and ${folder} has room for ${bavail * bsize}`,
    fix: 'free some space (df -h shows which disk is full), or restore elsewhere: --to FOLDER; nothing was changed',
    exitCode: EXIT.couldNotRun,
  });
}

function checkDatabase(path: string, { database, schema }: Manifest): void {
  if (database === null) return;
  try {
    const found = lookAt(path);
    if (found.schema !== schema || found.records !== database.records || found.sessions !== database.sessions)
      throw new Error('it is not the one that its manifest tells of');
  } catch (error) {
    throw damaged(`its database is not sound (${String(error instanceof Error ? error.message : error).slice(0, 80)})`);
  }
}

function carryOver(target: string, staging: Staging): string[] {
  return CARRIED.filter((name) => {
    if (staging.has(name) || !existsSync(join(target, name))) return false;
    copyOver(join(target, name), join(staging.path, name));
    return true;
  });
}

function copyOver(from: string, to: string): void {
  const stat = lstatSync(from);
  if (stat.isFile()) copyFileDurable(from, to);
  if (!stat.isDirectory()) return;
  ensureFolder(to);
  for (const name of readdirSync(from)) copyOver(join(from, name), join(to, name));
}

const occupied = (target: string): HardshellError =>
  misused(
    'STATE_OCCUPIED',
    `${target} is not empty`,
    '--in-place puts what is there aside and restores; --to FOLDER restores elsewhere; --dry-run says what would change',
  );

export type Change = { readonly path: string; readonly change: 'added' | 'changed' | 'gone' };
export type Preview = { readonly manifest: Manifest; readonly changes: readonly Change[]; readonly same: number };

/** What a restore would change there; the backup is checked as a restore checks it, and nothing is written. */
export async function previewRestore({ archive, opening, version, target }: RestoreOptions): Promise<Preview> {
  const manifest = await verifyArchive(archive, opening, version);
  const now = existsSync(target) ? ownState({ stateDir: target }) : target;
  const changes: Change[] = [];
  let same = 0;
  const known = new Set<string>();
  for (const entry of manifest.entries) {
    known.add(inState(entry.path));
    if (entry.kind !== 'file') continue;
    const change = await changeOf(join(now, inState(entry.path)), entry);
    if (change === null) same += 1;
    else if (changes.length < MAX_SHOWN) changes.push({ path: inState(entry.path), change });
  }
  for (const name of existsSync(now) ? readdirSync(now) : [])
    if (!known.has(name) && !CARRIED.includes(name) && !NEVER.test(name) && changes.length < MAX_SHOWN)
      changes.push({ path: name, change: 'gone' });
  return { manifest, changes, same };
}

async function changeOf(path: string, entry: Extract<Entry, { kind: 'file' }>): Promise<Change['change'] | null> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 'added';
  if (!found.isFile() || found.size !== entry.bytes) return 'changed';
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex') === entry.sha256 ? null : 'changed';
}
