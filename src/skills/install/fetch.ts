// Owns where a skill may come from: a folder, an archive, or a repository at a commit. What comes is handed over in memory,
// judged entry by entry; nothing of it is written or run on the way.
import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { HardshellError } from '../../platform/errors.ts';
import { tryReadChecked } from '../../platform/files.ts';
import { withoutTop } from '../archive/entries.ts';
import { readTar, unzipped } from '../archive/tar.ts';
import { readZip } from '../archive/zip.ts';
import { type Content, contentOf, readContent, type SkillFile } from '../content.ts';
import { readDeclared } from '../frontmatter.ts';
import { NAME, type Source } from '../lock.ts';
import { takeFromGit } from './git.ts';

export type Wanted = {
  /** a path, or an https address of a repository; `#` and a commit may follow */
  readonly from: string;
  readonly commit?: string | undefined;
  readonly subfolder?: string | undefined;
  readonly name?: string | undefined;
};
export type Fetched = { readonly name: string; readonly content: Content; readonly source: Source };

const MAX_ARCHIVE_BYTES = 16_000_000;

/** `mayReach` throws a HardshellError for a host that policy closes. */
export async function fetchSkill(wanted: Wanted, mayReach: (url: URL) => void): Promise<Fetched> {
  const [, place = '', tail] = /^(.*?)(?:#([0-9a-f]{40,64}))?$/s.exec(wanted.from.replace(/^git\+/, '')) ?? [];
  const commit = wanted.commit ?? tail;
  const subfolder = (wanted.subfolder ?? '').replace(/^\.?\/+|\/+$/g, '');
  const isAddress = /^[a-z][a-z0-9+.-]*:/i.test(place);
  if (isAddress) {
    if (!URL.canParse(place)) throw noSource(place);
    mayReach(new URL(place));
  }
  const from = isAddress ? place : resolve(place);
  if (isAddress || commit !== undefined) {
    const files = await takeFromGit({ from, commit: commit ?? '', subfolder });
    return named(wanted, files, from.replace(/\/?(?:\.git)?\/*$/, ''), {
      ...{ type: 'git', from, commit: commit ?? '' },
      ...(subfolder === '' ? {} : { subfolder }),
    });
  }
  const stats = statSync(from, { throwIfNoEntry: false });
  if (stats === undefined) throw noSource(place);
  if (stats.isDirectory()) {
    const content = readContent(subfolder === '' ? from : `${from}/${subfolder}`);
    if (content === null) throw noSource(place);
    const files = content.files;
    return { ...named(wanted, files, subfolder || from, { type: 'folder', from }), content };
  }
  const files = withoutTop(readArchive(from));
  const chosen = subfolder === '' ? files : files.flatMap((file) => below(file, subfolder));
  return named(wanted, chosen, from.replace(/\.(?:tar(?:\.gz)?|tgz|zip|skill)$/i, ''), {
    ...{ type: 'archive', from },
    ...(subfolder === '' ? {} : { subfolder }),
  });
}

const below = (file: SkillFile, folder: string): SkillFile[] =>
  file.path.startsWith(`${folder}/`) ? [{ ...file, path: file.path.slice(folder.length + 1) }] : [];

function readArchive(path: string): readonly SkillFile[] {
  const data = tryReadChecked(path, MAX_ARCHIVE_BYTES, () => {}) ?? Buffer.alloc(0);
  if (data.toString('latin1', 0, 2) === 'PK') return readZip(data);
  return readTar(data.toString('latin1', 0, 2) === '\x1f\x8b' ? unzipped(data) : data);
}

/** By the owner's word, else as it calls itself, else as it lay there. */
function named({ name }: Wanted, files: readonly SkillFile[], from: string, source: Source): Fetched {
  const head = files.find(({ path }) => path === 'SKILL.md')?.data.toString('utf8') ?? '';
  const declared = readDeclared(head).name;
  const chosen = name ?? (NAME.test(declared) ? declared : basename(from).toLowerCase());
  return { name: chosen, content: contentOf(files), source };
}

const noSource = (place: string): HardshellError =>
  new HardshellError({
    code: 'SKILL_SOURCE',
    message: `there is no folder, archive or repository ${JSON.stringify(place.slice(0, 200))}`,
    fix: 'name a folder, a .zip or .tar.gz, or https://… with --commit',
  });
