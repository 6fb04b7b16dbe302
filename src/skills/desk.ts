// Owns what the owner does with skills: looks at them, installs, approves, updates, removes. What is installed waits apart
// from the workspace until it is approved, and is never run; only an approval puts it where the assistant can read it.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { HardshellError } from '../platform/errors.ts';
import { ensureFolder } from '../platform/files.ts';
import type { Owner } from '../platform/folder-handle.ts';
import { putFile, putFolder, remove as removeEntry, settleFolders, type Tree } from '../platform/tree/put.ts';
import { type Content, contentOf, MAX_FILES, type Problem, readContent, type SkillFile } from './content.ts';
import { changeLock, type Entry, type Lock, managedFolder, NAME, readLock, type Source } from './lock.ts';
import { isHeld } from './scan/rule.ts';
import { type Report, scanSkill } from './scan/scan.ts';
import { type Standing, standingOf } from './standing.ts';

export type SkillPlaces = {
  readonly stateDir: string;
  readonly workspace: string;
  /** whose the files of the workspace are */
  readonly owner?: Owner;
};
export type Shown = Report & {
  readonly name: string;
  readonly kind: Entry['kind'];
  readonly source: Source | null;
  readonly state: Standing['state'];
  readonly why: string;
  readonly hash: string;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
  /** against what was approved */
  readonly changes: readonly Problem[];
};

export const workspaceSkills = (workspace: string): string => join(workspace, 'skills');
const MAX_SKILLS = 200;

/** Every name that stands in the lock, and so many more of the state folder and the workspace, where anybody may make them. */
export function namesOf({ stateDir, workspace }: SkillPlaces, lock: Lock): string[] {
  const locked = Object.keys(lock.skills);
  const found = [managedFolder(stateDir), workspaceSkills(workspace)].flatMap(foldersIn).sort();
  return [...new Set([...locked, ...found])].slice(0, locked.length + MAX_SKILLS).sort();
}

function foldersIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.flatMap((one) => (one.isDirectory() || one.isSymbolicLink() ? [one.name] : []));
  } catch {
    return [];
  }
}

export function createSkillDesk(places: SkillPlaces, now: () => number) {
  const { stateDir, workspace, owner } = places;
  const managedAt = (name: string): string => join(managedFolder(stateDir), name);
  const publishedAt = (name: string): string => join(workspaceSkills(workspace), name);

  /** What waits or holds: of a managed one what was installed, else what lies in the workspace. */
  function look(name: string, lock: Lock = readLock(stateDir)): Shown {
    if (name === '' || name === '.' || name === '..' || name.includes('/')) throw noSkill(name);
    const entry = Object.hasOwn(lock.skills, name) ? lock.skills[name] : undefined;
    const isManaged = entry?.kind === 'managed';
    const content = readContent(isManaged ? managedAt(name) : publishedAt(name));
    const inWorkspace = isManaged ? readContent(publishedAt(name)) : content;
    if (content === null && entry === undefined) throw noSkill(name);
    const given = content ?? contentOf([]);
    const report = scanSkill(name, given, Object.keys(lock.skills));
    const standing = standingOf(entry, given, inWorkspace);
    return {
      ...report,
      ...{ name, kind: entry?.kind ?? 'workspace', source: entry?.source ?? null, hash: given.hash },
      ...{ state: standing.state, why: standing.why, changes: standing.changes },
      files: given.pins.map(({ path, sha256 }, at) => ({ path, sha256, bytes: given.files[at]?.data.length ?? 0 })),
    };
  }

  async function put(name: string, content: Content, source: Source): Promise<Shown> {
    const before = readLock(stateDir).skills[name];
    // What was approved goes with it; what somebody else put there stays, and keeps its name from being used.
    const used = before?.approved && before.approved.hash !== content.hash ? readContent(publishedAt(name)) : null;
    if (used !== null && used.hash === before?.approved?.hash) await empty({ top: workspaceSkills(workspace) }, name);
    if (before?.kind === 'managed') await empty({ top: managedFolder(stateDir) }, name);
    ensureFolder(managedFolder(stateDir));
    await place({ top: managedFolder(stateDir) }, name, content.files);
    changeLock(stateDir, (skills) => {
      const approved = before?.approved?.hash === content.hash ? before.approved : null;
      skills[name] = { kind: 'managed', source, installedAtMs: now(), approved };
    });
    return look(name);
  }

  return {
    look,
    list(): Shown[] {
      const lock = readLock(stateDir);
      return namesOf(places, lock).map((name) => look(name, lock));
    },
    /** Into quarantine; `content` comes from fetch.ts. */
    async install(name: string, content: Content, source: Source): Promise<Shown> {
      if (!NAME.test(name))
        throw new HardshellError({
          code: 'SKILL_NAME',
          message: `${JSON.stringify(name.slice(0, 80))} is no name for a skill: small letters, digits, - and _`,
          fix: 'say one with --name',
        });
      const [problem] = content.problems;
      if (problem)
        throw new HardshellError({
          code: 'SKILL_REFUSED',
          message: `nothing was installed: ${JSON.stringify(problem.path)}: ${problem.why}`,
          fix: 'take it out, and install what is left',
        });
      if (!content.files.some(({ path }) => path === 'SKILL.md'))
        throw new HardshellError({
          code: 'SKILL_REFUSED',
          message: 'nothing was installed: there is no SKILL.md in it',
          fix: 'name the folder that holds the SKILL.md, of a repository with --subfolder',
        });
      const lock = readLock(stateDir);
      if (lock.skills[name]?.kind === 'managed')
        throw new HardshellError({
          code: 'SKILL_EXISTS',
          message: `there is a managed skill ${name} already`,
          fix: `openclaw skills update ${name}, or install it with another --name`,
        });
      return put(name, content, source);
    },
    update: put,
    /** Exactly what has this hash: what was looked at. */
    async approve(name: string, hash: string): Promise<Shown> {
      const lock = readLock(stateDir);
      const shown = look(name, lock);
      if (shown.hash !== hash)
        throw new HardshellError({
          code: 'SKILL_CHANGED',
          message: `${name} has changed since it was looked at; nothing is approved`,
          fix: `openclaw skills inspect ${name}`,
        });
      const entry = lock.skills[name];
      const content = readContent(entry?.kind === 'managed' ? managedAt(name) : publishedAt(name));
      const [problem] = content?.problems ?? [];
      if (content === null || content.hash !== hash || problem || !NAME.test(name) || content.files.length === 0)
        throw new HardshellError({
          code: 'SKILL_REFUSED',
          message: `${name} cannot be approved: ${problem ? `${JSON.stringify(problem.path)}: ${problem.why}` : 'it changed, or has no proper name'}`,
          fix: `openclaw skills inspect ${name}`,
        });
      if (entry?.kind === 'managed') await publish(name, content);
      const { files: _, pins, ...rest } = content;
      changeLock(stateDir, (skills) => {
        const approved = {
          hash: rest.hash,
          atMs: now(),
          files: pins.map((pin) => ({ ...pin })),
          findings: shown.findings.filter(isHeld).length,
          capabilities: structuredClone(shown.capabilities) as never,
        };
        const known = skills[name] ?? { kind: 'workspace' as const, source: null, installedAtMs: now() };
        skills[name] = { ...known, approved };
      });
      return look(name);
    },
    async remove(name: string): Promise<void> {
      const lock = readLock(stateDir);
      const { kind } = look(name, lock);
      changeLock(stateDir, (skills) => {
        delete skills[name];
      });
      if (kind === 'managed') await empty({ top: managedFolder(stateDir) }, name);
      await empty({ top: workspaceSkills(workspace) }, name);
    },
  };

  /** A copy for the assistant; whatever else lies there under the name is not overwritten. */
  async function publish(name: string, content: Content): Promise<void> {
    const there = readContent(publishedAt(name));
    const before = readLock(stateDir).skills[name]?.approved;
    if (there !== null && there.hash !== content.hash && there.hash !== before?.hash && there.files.length > 0)
      throw new HardshellError({
        code: 'SKILL_SHADOWED',
        message: `the workspace has another skill under the name ${name}, and it is never replaced unseen`,
        fix: `look at it, then move it away: mv ${publishedAt(name)} ${publishedAt(name)}-old`,
      });
    const tree: Tree = { top: workspace, ...(owner ? { owner } : {}) };
    await putFolder(tree, 'skills');
    if (there !== null) await empty({ top: workspaceSkills(workspace) }, name);
    await place({ ...tree, top: workspaceSkills(workspace) }, name, content.files);
  }
}

async function place(tree: Tree, name: string, files: readonly SkillFile[]): Promise<void> {
  const folders = new Set([name]);
  for (const { path } of files) {
    const parts = path.split('/').slice(0, -1);
    for (const [at] of parts.entries()) folders.add(`${name}/${parts.slice(0, at + 1).join('/')}`);
  }
  for (const folder of folders) await putFolder(tree, folder);
  for (const { path, data, isExecutable } of files)
    await putFile(tree, `${name}/${path}`, data, isExecutable ? 0o700 : 0o600, Date.now());
  await settleFolders(tree, ['', ...folders]);
}

/** Whatever is in it, links as links; bounded, so that nobody waits for a heap. */
async function empty({ top }: Tree, name: string): Promise<void> {
  let left = MAX_FILES * 4;
  const inside = async (path: string): Promise<void> => {
    for (const one of readdirSync(join(top, path), { withFileTypes: true })) {
      left -= 1;
      if (left < 0) throw tooMany(join(top, name));
      const below = `${path}/${one.name}`;
      if (one.isDirectory()) await inside(below);
      else await removeEntry({ top }, below, 'file');
    }
    await removeEntry({ top }, path, 'folder');
  };
  await inside(name).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTDIR') return removeEntry({ top }, name, 'file');
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
}

const tooMany = (folder: string): HardshellError =>
  new HardshellError({
    code: 'SKILL_TOO_LARGE',
    message: `${folder} has too many files to be removed here`,
    fix: `rm -r ${folder}`,
  });

const noSkill = (name: string): HardshellError =>
  new HardshellError({
    code: 'NO_SKILL',
    message: `there is no skill ${JSON.stringify(name.slice(0, 80))}`,
    fix: 'openclaw skills list',
  });
