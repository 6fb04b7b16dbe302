// Owns which skills a running gateway uses: those that are what the owner approved, looked at again whenever something of
// them changed. It reads and never writes; when the lock cannot be trusted, there are none.
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../platform/errors.ts';
import { sha256 } from '../platform/ids.ts';
import { neutralise } from '../platform/outside-text.ts';
import { type Label, label } from '../store/label.ts';
import { type Content, readContent, stampOf } from './content.ts';
import { readDeclared } from './frontmatter.ts';
import { type Entry, type Lock, lockPathOf, NAME, readLock } from './lock.ts';
import { standingOf } from './standing.ts';

export type SkillSettings = {
  readonly allow?: readonly string[] | undefined;
  readonly entries: {
    readonly [name: string]: { readonly enabled: boolean; readonly env: { readonly [name: string]: string } };
  };
};
export type LivePorts = {
  readonly stateDir: string;
  readonly workspace: string;
  settings(): SkillSettings;
  readonly now?: () => number;
  warn(text: string, fields: { readonly [key: string]: unknown }): void;
};
type Record = (kind: string, body: { readonly [key: string]: unknown }) => void;
export type LiveSkills = ReturnType<typeof createLiveSkills>;

type Ran = {
  readonly kind: string;
  readonly where?: string;
  readonly elevated?: true;
  readonly command?: string;
  readonly cwd?: string;
};
type Telling = { labelRead(data: Buffer | string, path: string): Label };

/** A line of the prompt is paid for on every turn. */
const MAX_LINE_CHARS = 160;
const MAX_LIST_CHARS = 4_000;
const HEAD = `## Skills
Each is a folder skills/NAME of the workspace. When one fits what is asked, read its SKILL.md first; its commands run in the sandbox.`;

type Known = {
  readonly stamp: string;
  readonly entry: Entry;
  readonly isUsed: boolean;
  readonly why: string;
  readonly line: string;
};

export function createLiveSkills({ stateDir, workspace, settings, now = Date.now, warn }: LivePorts) {
  let record: Record = () => {};
  let lock: Lock = { version: 1, skills: {} };
  let lockStamp = '';
  let known = new Map<string, Known>();
  /** of every file of a skill that is used */
  let hashes = new Map<string, string>();

  function refresh(): void {
    const stamp = stampOfFile(lockPathOf(stateDir));
    if (stamp === '' && known.size === 0 && lockStamp === '') return;
    if (stamp !== lockStamp || stamp === '') {
      lockStamp = stamp;
      try {
        lock = readLock(stateDir);
      } catch (error) {
        lock = { version: 1, skills: {} };
        warn('no skill is used', { error });
        record('skills.lock', { why: reasonOf(error) });
      }
    }
    const next = new Map<string, Known>();
    const before = known;
    let isNew = before.size !== 0;
    for (const [name, entry] of Object.entries(lock.skills)) {
      if (entry.approved === null) continue;
      const old = before.get(name);
      const at = stampOf(folderOf(name), now());
      const one =
        old !== undefined && at !== '' && old.stamp === at && old.entry === entry ? old : look(name, entry, at);
      next.set(name, one);
      isNew ||= one !== old;
      if (old?.isUsed === true && !one.isUsed) {
        record('skills.quarantined', { name, why: one.why });
        warn('a skill is not what was approved; it waits for the owner', { name, why: one.why });
      } else if (one.isUsed && old?.isUsed !== true) record('skills.used', { name, hash: entry.approved.hash });
    }
    known = next;
    if (!isNew && before.size === next.size) return;
    hashes = new Map(
      [...next].flatMap(([name, { isUsed, entry }]) =>
        isUsed ? (entry.approved?.files.map((file) => [file.sha256, name] as const) ?? []) : [],
      ),
    );
  }

  const folderOf = (name: string): string => join(workspace, 'skills', name);

  function look(name: string, entry: Entry, stamp: string): Known {
    const used = readContent(folderOf(name));
    // A managed one is only ever read from its copy in the workspace, which is compared with the lock file by file.
    const { state, why } = standingOf(
      entry,
      { ...(used ?? NOTHING), hash: entry.approved?.hash ?? '', problems: [] },
      used,
    );
    const isUsed = state === 'approved';
    return { stamp, entry, isUsed, why, line: isUsed && used !== null ? lineOf(name, used) : '' };
  }

  const isOn = (name: string): boolean => {
    const { allow, entries } = settings();
    return (allow === undefined || allow.includes(name)) && entries[name]?.enabled !== false;
  };

  /**
   * Of a file that is read. Approved is approved by its content, wherever it lies; whatever else lies in a skill's folder
   * comes from outside, whoever wrote it. Null: it is no file of a skill.
   */
  function labelRead(data: Buffer | string, path: string): Label | null {
    const place = skillOf(path, workspace);
    if (place === null && hashes.size === 0) return null;
    const name = hashes.get(sha256(data));
    if (name !== undefined && (place === null || place === name) && isOn(name)) return labelOf([`skill:${name}`]);
    if (place === null) return null;
    return label('untrusted', 'owner', `skill:${NAME.test(place) ? place : 'unnamed'}`);
  }

  return {
    refresh,
    /** What stands in the prompt; null when there is nothing to say. Nothing of a skill that is not approved. */
    listed(): { readonly text: string; readonly label: Label } | null {
      refresh();
      const lines: string[] = [];
      let chars = 0;
      const names = [...known].filter(([name, { isUsed }]) => isUsed && isOn(name));
      for (const [, { line }] of names) {
        chars += line.length + 1;
        if (chars > MAX_LIST_CHARS) break;
        lines.push(line);
      }
      if (lines.length === 0) return null;
      const rest = names.length - lines.length;
      const more = rest === 0 ? '' : `\n(and ${rest} more in skills/)`;
      const sources = names.slice(0, lines.length).map(([name]) => `skill:${name}`);
      return { text: `${HEAD}\n${lines.join('\n')}${more}`, label: labelOf(sources) };
    },
    /** What a call is told of the files that it reads: of skills, what the owner approved. */
    knowing<Env extends { readonly provenance: Telling }>(env: Env): Env {
      refresh();
      const telling: Telling = {
        labelRead: (data, path) => labelRead(data, path) ?? env.provenance.labelRead(data, path),
      };
      return { ...env, provenance: { ...env.provenance, ...telling } };
    },
    labelRead,
    /** What the owner set for the commands of a skill: for one that is nothing but the start of a script of its own, in the box,
     *  while it is used. Whatever else runs beside the script would have the values too. */
    environmentOf(effects: readonly Ran[]): { readonly [name: string]: string } {
      const { entries } = settings();
      const found: { [name: string]: string } = {};
      for (const [name, { env }] of Object.entries(entries)) {
        if (known.get(name)?.isUsed !== true || !isOn(name)) continue;
        const isIts = ({ kind, where, elevated, command, cwd }: Ran): boolean =>
          kind === 'run' && where === 'sandbox' && !elevated && isItsScript(command ?? '', cwd ?? '.', name);
        if (effects.some(isIts)) Object.assign(found, env);
      }
      return found;
    },
    /** where what changes is written down, once there is a journal */
    recordWith(journal: Record): void {
      record = journal;
    },
  };
}

/** Words without anything that a shell would expand, join or redirect. */
const PLAIN =
  /^\s*(?:(?:ba|da)?sh\s+|python3?\s+|node\s+|perl\s+)?([\w./-]+)(?:\s+(?:[\w./:=@%+,-]+|'[^']*'|"[^"$`\\]*"))*\s*$/;

/** Whether the command is one plain start of a file of the skill: `sh skills/weather/run.sh Berlin`, and nothing beside it. */
function isItsScript(command: string, cwd: string, name: string): boolean {
  const script = /[\n\r]/.test(command) ? undefined : PLAIN.exec(command)?.[1];
  if (script === undefined) return false;
  const path = (script.startsWith('/') ? script : `${cwd}/${script}`)
    .replace(/^\/workspace\//, '')
    .replace(/^(?:\.\/)+/, '');
  return path.startsWith(`skills/${name}/`) && !path.split('/').includes('..');
}

const NOTHING: Content = { files: [], pins: [], problems: [], hash: '' };
/** Vouched for by the owner's approval, and still not the owner's own words. */
const labelOf = (sources: readonly string[]): Label => label('tool-local', 'owner', ...sources.slice(0, 16));

/** The skill that a path lies in, as tools spell it. */
export function skillOf(path: string, workspace: string): string | null {
  const below = path.startsWith(`${workspace}/`) ? path.slice(workspace.length + 1) : path;
  const [folder = '', name] = below.replace(/^(?:\/workspace\/|\.\/)+/, '').split('/');
  return folder.toLowerCase() === 'skills' && name !== undefined && name !== '' ? name : null;
}

function lineOf(name: string, { files }: Content): string {
  const head = files.find(({ path }) => path === 'SKILL.md')?.data.toString('utf8') ?? '';
  const said = neutralise(readDeclared(head).description)
    .replace(/[\s`#<>|]+/g, ' ')
    .trim();
  const most = MAX_LINE_CHARS - name.length;
  return `- ${name}: ${said.length > most ? `${said.slice(0, most)}…` : said}`.trimEnd();
}

function stampOfFile(path: string): string {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return found ? [found.ino, found.size, found.mtimeNs, found.ctimeNs, found.mode, found.uid].join(' ') : '';
}
