// Owns how a tool reads the paths that a model writes: as names below the workspace or absolute, always in one spelling.
// Policy judges that spelling and files are opened by it, so the two can never mean different files.
import { FORMAT } from '../platform/disguise.ts';
import { fileNamesOf, namesOf, SANDBOX_WORKSPACE } from '../platform/workspace-path.ts';

const DISGUISED = new RegExp(String.raw`[\p{Cc}\p{Cs}${FORMAT}]`, 'u');
/** What JSON leaves as it is. */
const LEFT_BY_JSON = new RegExp(String.raw`[\x7f-\x9f${FORMAT}]`, 'gu');

/**
 * `/workspace/./notes//a.md` and `notes/a.md` are both `notes/a.md`; any other absolute path stays one, for policy to judge.
 * Throws a HardshellError for what could lead elsewhere than it says.
 */
export const filePath = (path: string): string => spelled(path, fileNamesOf);

/** As `filePath`, but the workspace itself is fine, as `.`. */
export const listedPath = (path: string): string => spelled(path, namesOf) || '.';

/** A folder of the workspace, and none outside it. */
export const folderPath = (path: string): string => namesOf(path, []).join('/').normalize('NFC') || '.';

function spelled(path: string, names: typeof namesOf): string {
  const isOutside = path.startsWith('/') && path !== SANDBOX_WORKSPACE && !path.startsWith(`${SANDBOX_WORKSPACE}/`);
  const below = names(path, isOutside ? ['/'] : [])
    .join('/')
    .normalize('NFC');
  return isOutside ? `/${below}` : below;
}

/** A name as it can be shown: one with characters that could disguise it is quoted and escaped. */
export function shownName(name: string): string {
  return DISGUISED.test(name)
    ? JSON.stringify(name).replace(LEFT_BY_JSON, (c) => `\\u${c.codePointAt(0)?.toString(16).padStart(4, '0')}`)
    : name;
}

export function shownBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
