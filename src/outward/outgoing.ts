// Owns the copies of files that wait to leave: taken when they are queued, so that what leaves is what was judged, and kept
// until nobody owes them any more. Part of the composition; a name that is not one of its own is never opened.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { HardshellError } from '../platform/errors.ts';
import { ensureFolder, removeFile, replaceFile, tryNames, tryReadChecked } from '../platform/files.ts';
import { newToken } from '../platform/ids.ts';

export type Outgoing = ReturnType<typeof openOutgoing>;

const NAME = /^[\w-]{16,64}$/;
/** A copy is there before its row is. */
const FRESH_MS = 10 * 60_000;

export function openOutgoing(folder: string, now: () => number) {
  return {
    /** The name by which `read` finds it. Durable when it returns. */
    keep(bytes: Uint8Array): string {
      ensureFolder(folder);
      const name = newToken();
      replaceFile(join(folder, name), bytes);
      return name;
    },
    async read(name: string, maxBytes: number): Promise<Uint8Array> {
      const found = NAME.test(name) ? tryReadChecked(join(folder, name), maxBytes, () => {}) : null;
      if (!found) throw new HardshellError({ code: 'FILE_MISSING', message: 'the copy of the file is gone' });
      return found;
    },
    /** Removes what no message that waits has. */
    tidy(owed: ReadonlySet<string>): void {
      for (const name of tryNames(folder)) {
        const path = join(folder, name);
        const since = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
        if (NAME.test(name) && !owed.has(name) && now() - since > FRESH_MS) removeFile(path);
      }
    },
  };
}
