// Owns that a database is only ever opened where plain files are: the library would wait for ever for whoever writes into a
// pipe. It opens nothing itself.
import { statSync } from 'node:fs';
import { EXIT, HardshellError } from '../platform/errors.ts';

/** Throws when a pipe or a device has the place of the database, or of a file that belongs to it. */
export function refuseOdd(path: string): void {
  for (const file of ['', '-wal', '-shm', '-journal'].map((end) => `${path}${end}`)) {
    const stats = statSync(file, { throwIfNoEntry: false });
    // Of a folder the library itself says what it is.
    if (stats === undefined || stats.isFile() || stats.isDirectory()) continue;
    throw new HardshellError({
      code: 'NOT_A_FILE',
      message: `${file} is no file, but a pipe or a device`,
      fix: `move it away: mv ${file} ${file}.odd`,
      exitCode: EXIT.couldNotRun,
    });
  }
}
