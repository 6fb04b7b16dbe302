// Owns what may come out of an archive or a repository: plain files under plain names, so many and so large. Everything
// else refuses the whole, before anything is written anywhere.
import { HardshellError } from '../../platform/errors.ts';
import { clashesIn, MAX_BYTES, MAX_FILE_BYTES, MAX_FILES, type SkillFile, whyNotPath } from '../content.ts';

export type Sink = {
  /** before its bytes are there: how many it says it has */
  expect(path: string, bytes: number): void;
  take(file: SkillFile): void;
  done(): readonly SkillFile[];
};

export function collect(): Sink {
  const files: SkillFile[] = [];
  let [left, count] = [MAX_BYTES, 0];
  return {
    expect(path, bytes) {
      const why = whyNotPath(path);
      if (why !== null) throw refused(path, why);
      count += 1;
      if (count > MAX_FILES) throw refused(path, `there are more than ${MAX_FILES} files`);
      if (bytes > MAX_FILE_BYTES) throw refused(path, `it is larger than ${MAX_FILE_BYTES} bytes`);
      left -= bytes;
      if (left < 0) throw refused(path, `all files together are larger than ${MAX_BYTES} bytes`);
    },
    take: (file) => void files.push(file),
    done() {
      const [clash] = clashesIn(files.map(({ path }) => path));
      if (clash) throw refused(clash.path, clash.why);
      return files;
    },
  };
}

export const refused = (path: string, why: string): HardshellError =>
  new HardshellError({
    code: 'SKILL_REFUSED',
    message: `nothing was installed: ${JSON.stringify(path.slice(0, 200))}: ${why}`,
    fix: 'take it apart yourself, look at it, and install the folder',
  });

/** A path in an archive: `./a` is `a`; null is a folder. Absolute ones and others that lead elsewhere are refused. */
export function entryName(name: string): string | null {
  if (name.startsWith('/') || /^[a-z]:/i.test(name)) throw refused(name, 'its path is absolute');
  const path = name.replace(/^(?:\.\/)+/, '');
  if (path === '' || path === '.' || path === './') return null;
  const isFolder = path.endsWith('/');
  const plain = isFolder ? path.slice(0, -1) : path;
  const why = whyNotPath(plain);
  if (why !== null) throw refused(name, why);
  return isFolder ? null : plain;
}

/** Without the one folder that all of it lies in. */
export function withoutTop(files: readonly SkillFile[]): readonly SkillFile[] {
  const [top] = files[0]?.path.split('/') ?? [];
  if (top === undefined || files.some(({ path }) => !path.startsWith(`${top}/`))) return files;
  return files.map((file) => ({ ...file, path: file.path.slice(top.length + 1) }));
}
