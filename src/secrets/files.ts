// Owns `credentials/<name>`: one secret a file, 0600 in a 0700 folder (S205, S206). What others can read, what belongs to
// somebody else and what is only a link is refused at every read, with the command that mends it; no value is ever said.
import { isUtf8 } from 'node:buffer';
import { lstatSync, readdirSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { EXIT, errnoOf, HardshellError, misused } from '../platform/errors.ts';
import { fileFailure } from '../platform/file-errors.ts';
import { ensureFolder, type FileFacts, removeFile, replaceFile, tryReadChecked } from '../platform/files.ts';

export const MAX_SECRET_BYTES = 64 * 1024;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const PERMISSIONS = 0o777;
const OF_OTHERS = 0o077;
const WRITE_BY_OTHERS = 0o022;

export type SecretReadOptions = {
  readonly maxBytes?: number;
  /** systemd hands credentials to a unit's user through an access list, which shows as group-readable (root's only) */
  readonly groupMayReadRoots?: boolean;
};

/** The secret of that name, or null. One line feed at the end is not part of it, as `echo` and `openssl` leave one. */
export function tryReadSecret(credentialsDir: string, name: string): string | null {
  const path = secretPath(credentialsDir, name);
  return enterFolder(credentialsDir) ? tryReadSecretAt(path) : null;
}

/** The same for a file anywhere, such as one that a reference names. */
export function tryReadSecretAt(path: string, options: SecretReadOptions = {}): string | null {
  const bytes = tryReadPrivate(path, options);
  if (bytes === null) return null;
  if (!isUtf8(bytes) || bytes.includes(0)) throw refused(path, 'SECRET_NOT_TEXT', 'is not text', `check ${path}`);
  return bytes.toString('utf8').replace(/\r?\n$/, '');
}

/** The bytes of a file that must be as private as a secret. */
export function tryReadPrivate(path: string, options: SecretReadOptions = {}): Buffer | null {
  try {
    return tryReadChecked(path, options.maxBytes ?? MAX_SECRET_BYTES, (facts) => {
      const problem = problemOfFile(path, facts, options.groupMayReadRoots === true);
      if (problem) throw problem;
    });
  } catch (error) {
    if (errnoOf((error as { cause?: unknown }).cause) === 'ELOOP') throw isLink(path);
    throw error;
  }
}

/** Writes or replaces it, and returns its path. */
export function writeSecret(credentialsDir: string, name: string, value: string): string {
  const path = secretPath(credentialsDir, name);
  checkValue(value, name);
  enterFolder(credentialsDir);
  ensureFolder(credentialsDir);
  replaceFile(path, `${value}\n`, 0o600);
  return path;
}

/** A new value for one that must be there, and must differ; the same promise as the vault's. */
export function rotateSecret(credentialsDir: string, name: string, value: string): string {
  checkRotation(tryReadSecret(credentialsDir, name), name, value);
  return writeSecret(credentialsDir, name, value);
}

export function checkRotation(old: string | null, name: string, value: string): void {
  const refuse = (code: string, why: string, fix: string): never => {
    throw misused(code, why, fix);
  };
  if (old === null) refuse('SECRET_MISSING', `there is no secret ${name}`, 'openclaw secrets list');
  if (old === value) refuse('SECRET_SAME', `the secret ${name} has this value already`, 'enter the new one');
}

/** false when there was none. */
export function removeSecret(credentialsDir: string, name: string): boolean {
  const path = secretPath(credentialsDir, name);
  if (!enterFolder(credentialsDir) || factsOf(path) === null) return false;
  removeFile(path);
  return true;
}

export type ListedSecret = {
  readonly name: string;
  readonly path: string;
  readonly modifiedAtMs: number;
  /** why a read of it would be refused */
  readonly problem: HardshellError | null;
};

/** Every file in the folder, by name, without opening one. Folders inside it belong to channels. */
export function listSecrets(credentialsDir: string): ListedSecret[] {
  if (!enterFolder(credentialsDir)) return [];
  return readdirSync(credentialsDir)
    .filter((name) => !name.startsWith('.'))
    .sort()
    .flatMap((name) => {
      const path = join(credentialsDir, name);
      const facts = factsOf(path);
      if (facts === null || facts.kind === 'folder') return [];
      return [{ name, path, modifiedAtMs: facts.modifiedAtMs, problem: problemAt(path) }];
    });
}

/** Why the secret file there would be refused, or null; looks only, so that a check may run it. */
export function problemAt(path: string): HardshellError | null {
  const facts = factsOf(path);
  if (facts === null) return null;
  if (facts.kind === 'link') return isLink(path);
  if (facts.kind !== 'file')
    return refused(path, 'SECRET_NOT_A_FILE', 'is not a regular file', `move it away: ${path}`);
  return problemOfFile(path, facts, false);
}

export type FolderProblem = {
  readonly error: HardshellError /** a read mends it by itself */;
  readonly mends: boolean;
};

/** What is wrong with the credentials folder itself, or null. */
export function problemOfFolder(path: string): FolderProblem | null {
  const facts = factsOf(path);
  if (facts === null) return null;
  const stops = (error: HardshellError): FolderProblem => ({ error, mends: false });
  if (facts.kind === 'link') return stops(isLink(path));
  if (facts.kind !== 'folder') return stops(isAFile(path));
  if (isForeign(facts)) return stops(foreign(path, facts));
  const mode = facts.mode & PERMISSIONS;
  if ((mode & WRITE_BY_OTHERS) !== 0) return stops(tooOpen(path, mode, 'be changed', 700));
  if (mode === 0o700 || facts.ownerUid !== ownUid()) return null;
  const why = (mode & OF_OTHERS) !== 0 ? 'can be listed by others' : 'cannot be entered by its owner';
  const error = refused(path, 'FOLDER_MODE', `${why} (mode ${octal(mode)})`, `chmod 700 ${quoted(path)}`);
  return { error, mends: true };
}

/** false when there is no folder. A folder of our own with a wrong mode is mended on the way (S066). */
function enterFolder(path: string): boolean {
  const problem = problemOfFolder(path);
  if (problem === null) return factsOf(path) !== null;
  if (!problem.mends) throw problem.error;
  ensureFolder(path);
  return true;
}

export function secretPath(credentialsDir: string, name: string): string {
  checkName(name);
  return join(credentialsDir, name);
}

/** One rule for all places, so that a secret can move from one to another under its name. */
export function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw misused(
    'SECRET_NAME',
    `${JSON.stringify(name.slice(0, 40))} cannot be the name of a secret`,
    'use letters, digits, dots, dashes and underscores, at most 100, beginning with a letter or digit',
  );
}

/** Refuses what no place for secrets could give back unchanged. */
export function checkValue(value: string, name: string): void {
  const refuse = (why: string): never => {
    const message = `the value for the secret ${name} ${why}`;
    throw misused('SECRET_VALUE', message, 'enter it, or pipe it in: openclaw secrets set NAME < file');
  };
  if (value.trim() === '') refuse('is empty');
  if (Buffer.byteLength(value) > MAX_SECRET_BYTES - 1) refuse(`is larger than ${MAX_SECRET_BYTES - 1} bytes`);
  if (value.includes('\0') || !value.isWellFormed()) refuse('is not text');
}

type Facts = FileFacts & { readonly kind: 'file' | 'folder' | 'link' | 'other' };

function factsOf(path: string): Facts | null {
  try {
    const stat = lstatSync(path);
    const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? 'link' : 'other';
    return { kind, mode: stat.mode & 0o7777, ownerUid: stat.uid, modifiedAtMs: stat.mtimeMs };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return null;
    throw fileFailure('look at', path, error);
  }
}

function problemOfFile(path: string, facts: FileFacts, groupMayReadRoots: boolean): HardshellError | null {
  if (isForeign(facts)) return foreign(path, facts);
  const allowed = groupMayReadRoots && facts.ownerUid === 0 ? 0o040 : 0;
  if ((facts.mode & OF_OTHERS & ~allowed) === 0) return null;
  return tooOpen(path, facts.mode & PERMISSIONS, (facts.mode & WRITE_BY_OTHERS) !== 0 ? 'be changed' : 'be read', 600);
}

const ownUid = (): number | undefined => process.geteuid?.();
const octal = (mode: number): string => `0${mode.toString(8).padStart(3, '0')}`;

/** Root could read and replace anything anyway; anybody else's file is that person's to change at any time. */
const isForeign = (facts: FileFacts): boolean =>
  ownUid() !== undefined && facts.ownerUid !== ownUid() && facts.ownerUid !== 0;

function foreign(path: string, facts: FileFacts): HardshellError {
  const why = `belongs to another user (uid ${facts.ownerUid}, this runs as ${ownUid()})`;
  return refused(path, 'SECRET_WRONG_OWNER', why, `run this as that user, or: chown ${ownUid()} ${quoted(path)}`);
}

function tooOpen(path: string, mode: number, what: string, wanted: 600 | 700): HardshellError {
  const why = `can ${what} by others on this machine (mode ${octal(mode)})`;
  return refused(path, 'SECRET_TOO_OPEN', why, `chmod ${wanted} ${quoted(path)}`);
}

const isLink = (path: string): HardshellError =>
  refused(
    path,
    'SECRET_IS_LINK',
    'is a symbolic link, which could lead anywhere tomorrow',
    'put the file itself there',
  );

/** One of the guides makes a file of that name (S058). */
function isAFile(path: string): HardshellError {
  const old = quoted(`${path}.old`);
  const fix = `mv ${quoted(path)} ${old} && mkdir -m 700 ${quoted(path)}, then: openclaw secrets set NAME < ${old}`;
  return refused(
    path,
    'CREDENTIALS_NOT_A_FOLDER',
    'is a file, and secrets lie in a folder of that name, one each',
    fix,
  );
}

function refused(path: string, code: string, why: string, fix: string): HardshellError {
  return new HardshellError({ code, message: `${path} ${why}`, fix, exitCode: EXIT.config, httpStatus: 500 });
}

/** So that the line can be pasted into a shell. */
export function quoted(path: string): string {
  const safe = /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
  return isAbsolute(path) || !safe.startsWith('-') ? safe : `./${safe}`;
}
