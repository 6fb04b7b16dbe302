// Owns how a tool reads the paths that a model writes: as names below the workspace, always in one spelling. Policy
// judges that spelling and the workspace is opened by it, so the two can never mean different files.
import { fileNamesOf, namesOf } from '../platform/workspace-path.ts';

/** `/workspace/./notes//a.md` and `notes/a.md` are both `notes/a.md`. Throws a HardshellError for what leads outside. */
export const filePath = (path: string): string => fileNamesOf(path, []).join('/').normalize('NFC');

/** As `filePath`, but the workspace itself is fine, as `.`. */
export const folderPath = (path: string): string => namesOf(path, []).join('/').normalize('NFC') || '.';

/** A name as it can be shown: one with characters that could disguise it is quoted and escaped. */
export function shownName(name: string): string {
  return /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(name)
    ? JSON.stringify(name).replace(
        /[\p{Cf}\p{Zl}\p{Zp}\x7f-\x9f]/gu,
        (c) => `\\u${c.codePointAt(0)?.toString(16).padStart(4, '0')}`,
      )
    : name;
}

export function shownBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
