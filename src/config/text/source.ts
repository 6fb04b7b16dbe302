// Owns getting the text of a configuration file: a regular file of ours, of a sane size, in UTF-8. It must never follow
// a link or read what another user put there.
import { lstatSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf, HardshellError } from '../../platform/errors.ts';
import { tryReadText } from '../../platform/files.ts';
import { SourceError } from '../findings.ts';
import { describePosition } from './position.ts';

export const MAX_CONFIG_BYTES = 1024 * 1024;

/** null when there is none. */
export function readSource(path: string): string | null {
  const stat = lstat(path);
  if (stat === null) return null;
  if (stat.isSymbolicLink()) {
    throw new SourceError(
      'symlink',
      `${path} is a symbolic link`,
      `put the file itself there: cp --remove-destination "$(readlink -f ${path})" ${path}`,
    );
  }
  if (!stat.isFile()) throw new SourceError('not-a-file', `${path} is not a regular file`, `move it away: ${path}`);
  refuseForeign(path, stat.uid, stat.mode);
  if (stat.size > MAX_CONFIG_BYTES) {
    throw new SourceError(
      'too-big',
      `${path} has ${stat.size} bytes, at most ${MAX_CONFIG_BYTES} are read`,
      'keep settings in it, nothing else',
    );
  }
  const text = readText(path);
  if (text !== null) refuseBinary(path, text);
  return text;
}

function lstat(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw new SourceError(
      'unreadable',
      `${path} cannot be looked at (${errnoOf(error) ?? 'unknown'})`,
      `ls -ld ${dirname(path)}`,
    );
  }
}

/** Whoever can write this file decides what the assistant may do. */
function refuseForeign(path: string, owner: number, mode: number): void {
  const me = process.getuid?.();
  if (me === undefined) return;
  if (owner !== me && owner !== 0) {
    throw new SourceError(
      'foreign-owner',
      `${path} belongs to another user (uid ${owner}, this is uid ${me})`,
      `chown ${me} ${path}`,
    );
  }
  // Also inside a private folder: what made the file so open may do the same to the folder, or move the file.
  if ((mode & 0o022) !== 0) {
    const who = (mode & 0o002) !== 0 ? 'every user of this machine' : 'everybody in its group';
    throw new SourceError('writable-by-others', `${path} can be changed by ${who}`, `chmod 600 ${path}`);
  }
}

function readText(path: string): string | null {
  try {
    return tryReadText(path, MAX_CONFIG_BYTES);
  } catch (error) {
    if (!(error instanceof HardshellError)) throw error;
    throw new SourceError('unreadable', error.message, error.fix);
  }
}

function refuseBinary(path: string, text: string): void {
  const nul = text.indexOf('\0');
  if (nul !== -1) {
    throw new SourceError(
      'nul-byte',
      `a NUL byte at ${describePosition(text, nul)}`,
      `save ${path} as plain UTF-8 text`,
    );
  }
  if (text.startsWith('\ufeff')) {
    throw new SourceError(
      'byte-order-mark',
      'it begins with a byte order mark',
      `remove it: sed -i '1s/^\\xEF\\xBB\\xBF//' ${path}`,
    );
  }
  const broken = text.indexOf('\ufffd');
  if (broken !== -1) {
    throw new SourceError('not-utf8', `it is not UTF-8 at ${describePosition(text, broken)}`, `save ${path} as UTF-8`);
  }
}
