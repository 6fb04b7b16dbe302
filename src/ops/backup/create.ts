// Owns making a backup while everything goes on: one moment of the database, the files as they are read, written whole or
// not at all. It changes nothing in the state folder, and without encryption no secret leaves it.
import { existsSync, lstatSync, realpathSync, statfsSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { Env, Paths } from '../../config/paths.ts';
import { headPathOf } from '../../journal/head.ts';
import { EXIT, HardshellError } from '../../platform/errors.ts';
import { tryReadText } from '../../platform/files.ts';
import {
  dropTemporaries,
  openSpool,
  type Spool,
  takeSpool,
  temporaryIn,
  writeNewFile,
} from '../../platform/tree/staging.ts';
import { refuseForeignState } from '../../store/folders.ts';
import { type Copied, copyDatabase, SCHEMA } from '../../store/rescue/copy.ts';
import { openPayload, type Payload, refuseBomb, sealed } from './archive.ts';
import { bytesOf, FORMAT, MAX_MANIFEST_BYTES, type Manifest, writeManifest } from './manifest.ts';
import { nameOf, useFolder } from './places.ts';
import { inspect, scrubConfig } from './scrub.ts';
import { encrypt, type Sealing } from './seal.ts';
import { addText, addTree, isInWorkspace, MAX_FILES, type Selection, tooMany } from './select.ts';

export type CreateOptions = {
  readonly paths: Paths;
  readonly env: Env;
  readonly version: string;
  readonly folder: string;
  /** null: for everybody to open, so without secrets */
  readonly sealing: Sealing | null;
  readonly scheduled: boolean;
  readonly nowMs: number;
  /** for tests alone */
  readonly maxFiles?: number;
};
export type Created = {
  readonly file: string;
  readonly bytes: number;
  /** unpacked */
  readonly plainBytes: number;
  readonly files: number;
  readonly secrets: boolean;
  /** settings whose value is not in it */
  readonly settingsLeftOut: readonly string[];
  readonly leftOut: Manifest['leftOut'];
};

const SPARE_BYTES = 4 * 1024 * 1024;
const MAX_TEXT_BYTES = 4 * 1024 * 1024;
const CONFIG_COPY = /(?:^|\/)\.?(?:openclaw|clawdbot|moltbot)\.json[^/]*$/;
/** What strangers wrote has many a word that looks like a secret. */
const OF_OTHERS = /^(?:logs|skills)\//;

/** Throws unless it is a folder of this user that can be what it says it is. Returns where it really is. */
export function ownState({ stateDir }: Pick<Paths, 'stateDir'>): string {
  refuseForeignState(stateDir);
  if (!existsSync(stateDir)) {
    const isLink = lstatSync(stateDir, { throwIfNoEntry: false }) !== undefined;
    throw new HardshellError({
      code: 'STATE_MISSING',
      message: isLink ? `${stateDir} is a link that leads nowhere` : `there is no state folder at ${stateDir}`,
      fix: isLink ? `mend or remove the link: ls -l ${stateDir}` : 'set OPENCLAW_STATE_DIR to the one you mean',
      exitCode: EXIT.couldNotRun,
    });
  }
  const real = realpathSync(stateDir);
  const { uid } = statSync(real);
  if (uid === process.geteuid?.() || process.geteuid === undefined) return real;
  throw new HardshellError({
    code: 'STATE_OF_ANOTHER',
    message: `${real} belongs to another account (uid ${uid})`,
    fix: `run this as that account: sudo -u '#${uid}' openclaw backup …`,
    exitCode: EXIT.denied,
  });
}

export async function createBackup(options: CreateOptions): Promise<Created> {
  const { paths, env, sealing, maxFiles = MAX_FILES } = options;
  const top = ownState(paths);
  const inspection = inspect(paths, env);
  const configured = inspection.config?.agents.defaults.workspace;
  const workspace = resolve(configured ?? paths.workspaceDir);
  const isOutside = relative(paths.stateDir, workspace).startsWith('..');
  const folder = useFolder(options.folder, isOutside ? [paths.stateDir, workspace] : [paths.stateDir]);
  const file = join(folder, nameOf(options.nowMs, { scheduled: options.scheduled, encrypted: sealing !== null }));

  dropTemporaries(folder);
  dropTemporaries(top);
  const into: Selection = { entries: [], leftOut: [] };
  // What is not encrypted yet never lies beside an encrypted backup, which may be on a disk of somebody else.
  const spool = await openSpool(sealing === null ? folder : top);
  try {
    const payload = await openPayload(spool);
    await payload.folder('state', 0o700);
    into.entries.push({ kind: 'folder', path: 'state', mode: 0o700 });
    const database = await addDatabase(paths, top, payload, into);
    const scrubbed = sealing === null ? scrubConfig(inspection) : null;
    const why = 'holds secrets';
    const instead = (path: string): { text: string | null; why: string } | undefined => {
      if (scrubbed === null) return undefined;
      const whole = join(paths.stateDir, path);
      if (whole === inspection.path) return { text: scrubbed.text, why };
      // Editors, older versions and the guides leave copies of it; what else lies there may hold what it holds.
      const isInclude = inspection.files.includes(whole);
      if (isInWorkspace(path)) return undefined;
      if (!isInclude && CONFIG_COPY.test(path)) return { text: null, why };
      const text = textOf(whole);
      const holds = !isInclude && OF_OTHERS.test(path) ? scrubbed.holdsKnown : scrubbed.holdsOne;
      return text !== null && holds(text) ? { text: null, why } : undefined;
    };
    const secrets = sealing !== null;
    const without = isOutside ? 'workspace' : null;
    await addTree({ top, prefix: 'state', secrets, maxFiles, without, instead }, payload, into);
    if (relative(paths.stateDir, inspection.path).startsWith('..') && inspection.exists) {
      const text = scrubbed === null ? inspection.text : scrubbed.text;
      const isThere = into.entries.some(({ path }) => path === 'state/openclaw.json');
      if (text !== null && !isThere) await addText(payload, into, 'state/openclaw.json', text);
    }
    if (isOutside && existsSync(workspace)) {
      await payload.folder('workspace', 0o700);
      into.entries.push({ kind: 'folder', path: 'workspace', mode: 0o700 });
      const tree = { top: realpathSync(workspace), prefix: 'workspace', secrets, maxFiles, without: null } as const;
      await addTree({ ...tree, instead: () => undefined }, payload, into);
    }
    await payload.end();
    const plainBytes = bytesOf(into);
    refuseBomb(plainBytes, spool.bytes());
    const manifest: Manifest = {
      format: FORMAT,
      formatVersion: 1,
      version: options.version,
      schema: database?.schema ?? SCHEMA,
      createdAt: new Date(options.nowMs).toISOString(),
      secrets,
      workspace: isOutside ? workspace : null,
      database: database ? { sessions: database.sessions, records: database.records } : null,
      ...into,
    };
    const text = writeManifest(manifest);
    // What cannot be read back is no backup either.
    if (into.entries.length > maxFiles || Buffer.byteLength(text) > MAX_MANIFEST_BYTES) throw tooMany(top, maxFiles);
    const whole = sealed(text, spool.read());
    const bytes = await writeNewFile(file, sealing === null ? whole : await encrypt(whole, sealing));
    const files = into.entries.filter(({ kind }) => kind === 'file').length;
    const settingsLeftOut = scrubbed?.gone ?? [];
    return { file, bytes, plainBytes, files, secrets, settingsLeftOut, leftOut: into.leftOut };
  } finally {
    await spool.close();
  }
}

/** Null: it is larger than any settings, or cannot be read. */
function textOf(path: string): string | null {
  try {
    return tryReadText(path, MAX_TEXT_BYTES);
  } catch {
    return null;
  }
}

/** The end of the journal first: the database may only know more than that. */
async function addDatabase(paths: Paths, top: string, payload: Payload, into: Selection): Promise<Copied | null> {
  const from = join(top, relative(paths.stateDir, paths.databasePath));
  const size = statSync(from, { throwIfNoEntry: false })?.size;
  if (size === undefined) return null;
  const { bavail, bsize } = statfsSync(top);
  if (bavail * bsize < size + SPARE_BYTES)
    throw new HardshellError({
      code: 'DISK_FULL',
      message: `there is no room in ${top} for a copy of the database (${size} bytes)`,
      fix: 'free some space (df -h shows which disk is full)',
      exitCode: EXIT.couldNotRun,
      httpStatus: 507,
    });
  const head = tryReadText(headPathOf(from));
  const temporary = temporaryIn(top);
  const found = copyDatabase(from, temporary);
  const copy: Spool = await takeSpool(temporary);
  try {
    const facts = { bytes: copy.bytes(), mode: 0o600, mtimeMs: Date.now() };
    const { sha256 } = await payload.file('state/state.sqlite', facts, copy.read());
    into.entries.push({ kind: 'file', path: 'state/state.sqlite', ...facts, sha256 });
  } finally {
    await copy.close();
  }
  if (head !== null) await addText(payload, into, 'state/state.sqlite-head', head);
  return found;
}
