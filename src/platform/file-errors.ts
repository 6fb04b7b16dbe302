// Owns the translation of file-system failures into sentences that a person can act on. It must never guess: an errno
// that is not in the table stays a plain FILE_FAILED that names the errno.
import { EXIT, errnoOf, HardshellError, reasonOf } from './errors.ts';

type Known = { readonly code: string; readonly why: string; readonly fix: string };

const KNOWN: Readonly<Record<string, Known>> = {
  ENOSPC: { code: 'DISK_FULL', why: 'the disk is full', fix: 'free some space (df -h shows which disk is full)' },
  EDQUOT: { code: 'DISK_FULL', why: 'the disk quota is used up', fix: 'free some space (quota shows the limit)' },
  EROFS: { code: 'DISK_READ_ONLY', why: 'the file system is mounted read-only', fix: 'mount it writable again' },
  EACCES: { code: 'FILE_DENIED', why: 'permission denied', fix: 'ls -ld shows the owner and the mode to correct' },
  EPERM: { code: 'FILE_DENIED', why: 'permission denied', fix: 'ls -ld shows the owner and the mode to correct' },
  ENOENT: { code: 'FILE_MISSING', why: 'there is no such file', fix: 'list the folder to see what is there' },
  ENOTDIR: {
    code: 'NOT_A_FOLDER',
    why: 'a part of the path is not a folder',
    fix: 'list the folder to see what is there',
  },
  EISDIR: { code: 'IS_A_FOLDER', why: 'it is a folder, not a file', fix: 'name a file inside it' },
  EEXIST: { code: 'FILE_EXISTS', why: 'it exists already', fix: 'choose another name' },
  ELOOP: { code: 'PATH_LINK', why: 'it is a symbolic link', fix: 'name the real file instead of the link' },
  ENAMETOOLONG: { code: 'PATH_TOO_LONG', why: 'the name is too long', fix: 'choose a shorter name' },
  EMFILE: { code: 'TOO_MANY_FILES', why: 'too many files are open', fix: 'raise the limit (ulimit -n)' },
  ENFILE: { code: 'TOO_MANY_FILES', why: 'too many files are open', fix: 'raise the limit (ulimit -n)' },
  EFBIG: { code: 'FILE_TOO_BIG', why: 'it is larger than allowed', fix: 'write less, or in several files' },
  EIO: { code: 'DISK_BROKEN', why: 'the disk reported an error', fix: 'look at the system log (dmesg)' },
};

/** A failed file operation as a sentence: `fileFailure('write', '/x/y', error)`. HardshellErrors pass unchanged. */
export function fileFailure(verb: string, path: string, error: unknown): HardshellError {
  if (error instanceof HardshellError) return error;
  const errno = errnoOf(error);
  const known = errno === undefined ? undefined : KNOWN[errno];
  return new HardshellError({
    code: known?.code ?? 'FILE_FAILED',
    message: `cannot ${verb} ${path}: ${known?.why ?? errno ?? reasonOf(error)}`,
    ...(known === undefined ? {} : { fix: known.fix }),
    // A place that may not be written is set up wrongly: no restart helps, and a unit does not try one after this code.
    exitCode: errno === 'EROFS' || errno === 'EACCES' || errno === 'EPERM' ? EXIT.config : EXIT.couldNotRun,
    httpStatus: known?.code === 'DISK_FULL' ? 507 : 500,
    cause: error,
  });
}
