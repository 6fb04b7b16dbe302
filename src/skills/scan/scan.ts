// Owns the look at a whole skill: every file that could be loaded, run or read to a model, whatever it is called, with what
// the words of it amount to together. It only reads what it is handed; nothing of a skill is ever run here.
import { createRedactor } from '../../log/redact.ts';
import { neutralise } from '../../platform/outside-text.ts';
import { readTar, unzipped } from '../archive/tar.ts';
import { isLocked, readZip } from '../archive/zip.ts';
import type { Content, SkillFile } from '../content.ts';
import { type Declared, readDeclared } from '../frontmatter.ts';
import { NAME } from '../lock.ts';
import { type Capabilities, capabilitiesOf } from './capabilities.ts';
import { CODE_RULES } from './code-rules.ts';
import { kindOf } from './kinds.ts';
import { takenFor } from './names.ts';
import { lineAt, linesOf, spelledOtherwise } from './reading.ts';
import { type Add, byWeight, type Finding, type Rule, type ScannedText, type Severity } from './rule.ts';
import { COMMENT_ORDERS, EXFIL_RULES, TEXT_RULES } from './text-rules.ts';
import { togetherIn } from './together.ts';
import { spelledOut, unseenIn } from './unseen.ts';

export type Report = {
  readonly declared: Declared;
  readonly findings: readonly Finding[];
  readonly capabilities: Capabilities;
};

const MAX_FINDINGS = 200;
const MAX_NESTED = 2;
/** Of all files together. */
const MAX_TEXT_CHARS = 1_000_000;
/** What archives in it become, all together: a few kilobytes can say gigabytes. */
const MAX_UNPACKED_BYTES = 40_000_000;
/** Opening one costs something too, whatever is in it. */
const UNPACKING_BYTES = 100_000;
const MAX_EXCERPT_CHARS = 160;
const RULES: readonly Rule[] = [...CODE_RULES, ...TEXT_RULES, ...EXFIL_RULES];
/** Of all the skill's files, the one that the model is told to read. */
export const HEAD_FILE = 'SKILL.md';

export function scanSkill(name: string, content: Content, installed: readonly string[]): Report {
  const found: Finding[] = [];
  const seen = new Set<string>();
  const hide = createRedactor();
  const add: Add = (file, line, id, severity, excerpt, why) => {
    const key = `${id} ${file} ${line}`;
    if (seen.has(key) || found.length >= MAX_FINDINGS) return;
    seen.add(key);
    const shown = spelledOut(hide.redact(excerpt.trim())).slice(0, MAX_EXCERPT_CHARS);
    found.push({ id, severity, file, line, excerpt: shown, why });
  };
  for (const { path, why } of content.problems) add(path, 0, 'not-plain', 'CRITICAL', path, why);
  const head = content.files.find(({ path }) => path === HEAD_FILE);
  const declared = readDeclared(head?.data.toString('utf8') ?? '');
  judgeHead(name, declared, head !== undefined, installed, add);
  const room = { chars: MAX_TEXT_CHARS, unpacked: MAX_UNPACKED_BYTES };
  const texts = content.files.flatMap((file) => scanFile(file, add, 0, room));
  togetherIn(texts, add);
  return { declared, findings: found.sort(byWeight), capabilities: capabilitiesOf(declared, texts) };
}

type Room = { chars: number; unpacked: number };

function judgeHead(name: string, declared: Declared, isThere: boolean, installed: readonly string[], add: Add): void {
  if (!isThere) add(HEAD_FILE, 0, 'no-head', 'WARNING', name, 'a skill begins with a SKILL.md, and there is none');
  if (!NAME.test(name))
    add(
      '.',
      0,
      'odd-name',
      'CRITICAL',
      name,
      'a skill is named in small letters, digits and dashes, so that no two look alike',
    );
  if (declared.name !== '' && declared.name !== name) {
    const severity = installed.includes(declared.name) ? 'CRITICAL' : 'INFO';
    add(HEAD_FILE, 1, 'other-name', severity, declared.name, 'it calls itself otherwise than it is called here');
  }
  const other = takenFor(name, installed.filter((one) => one !== name)); // biome-ignore format: one thought
  if (other !== null) add('.', 0, 'borrowed-name', 'WARNING', name, `its name could be taken for ${other}`);
  for (const wish of declared.wishes)
    add(HEAD_FILE, 1, 'wishes', 'INFO', wish, 'it asks for what only you give; that is not looked at');
}

/** Finds what there is in one file, and hands back its texts for what they amount to together. */
function scanFile(file: SkillFile, add: Add, depth: number, room: Room): ScannedText[] {
  const { path, data, isExecutable } = file;
  const kind = kindOf(path, data);
  if (kind.kind === 'program') {
    add(path, 0, 'program', 'CRITICAL', path, `a built program (${kind.what}): what it does cannot be read`);
    return [];
  }
  if (kind.kind === 'unknown') {
    add(path, 0, 'unreadable', 'WARNING', path, 'no text and no picture: what is in it cannot be read');
    return [];
  }
  if (kind.kind === 'archive') return scanArchive(file, kind.type, add, depth, room);
  const { text, format } = kind;
  const isWhole = text.length <= room.chars;
  if (!isWhole) add(path, 0, 'too-long', 'WARNING', path, 'there is too much text to look through all of it');
  const isScript = kind.isScript || isExecutable;
  const scanned = { path, text: text.slice(0, room.chars), format: isScript ? 'code' : format, isScript } as const;
  room.chars -= scanned.text.length;
  scanText(scanned, add);
  return [scanned];
}

function scanArchive(
  file: SkillFile,
  type: 'zip' | 'tar' | 'gzip' | 'closed',
  add: Add,
  depth: number,
  room: Room,
): ScannedText[] {
  const { path, data } = file;
  if (type === 'closed' || depth >= MAX_NESTED || room.unpacked <= 0) {
    add(path, 0, 'closed-archive', 'CRITICAL', path, 'an archive that cannot be looked into');
    return [];
  }
  if (type === 'zip' && isLocked(data)) {
    add(path, 0, 'locked-archive', 'CRITICAL', path, 'an archive with a password: what is in it is seen by nobody');
    return [];
  }
  const isOffice = type === 'zip' && data.includes('[Content_Types].xml') && !data.includes('vbaProject');
  if (!isOffice) add(path, 0, 'archive', 'WARNING', path, 'an archive in a skill keeps what is in it from being read');
  try {
    const plain = type === 'gzip' ? unzipped(data) : data;
    const isTar = type !== 'zip' && plain.length > 262 && plain.toString('latin1', 257, 262) === 'ustar';
    const inside = type === 'zip' ? readZip(data) : isTar ? readTar(plain) : [{ ...file, data: plain }];
    room.unpacked -= inside.reduce((sum, one) => sum + one.data.length, UNPACKING_BYTES);
    return inside.flatMap((one) =>
      scanFile({ ...one, path: `${path}/${one.path.split('/').pop()}` }, add, depth + 1, room),
    );
  } catch {
    add(path, 0, 'closed-archive', 'CRITICAL', path, 'an archive that cannot be looked into');
    return [];
  }
}

function scanText({ path, text, format, isScript }: ScannedText, add: Add): void {
  for (const { index, isGrave, why } of unseenIn(text)) {
    const line = lineAt(text, index);
    add(path, line, 'unseen', isGrave ? 'CRITICAL' : 'WARNING', text.slice(Math.max(0, index - 40), index + 60), why);
  }
  for (const { at, kind, spellings } of linesOf(text, format)) {
    const [line = ''] = spellings;
    const isHidden = kind === 'comment';
    for (const one of RULES) {
      if (one.where !== 'any' && one.where !== (kind === 'code' ? 'code' : 'text') && !isHidden) continue;
      if (spellings.some((spelling) => one.words.test(spelling)))
        add(path, at, one.id, isHidden ? worse(one.severity) : one.severity, around(one.words, spellings), one.why);
    }
    if (isHidden && spellings.some((spelling) => COMMENT_ORDERS.test(spelling)))
      add(path, at, 'hidden-orders', 'CRITICAL', line, 'orders in a comment, which who reads the page does not see');
    if (!isScript && /[<[]/.test(line) && neutralise(line).includes('[marker removed]'))
      add(
        path,
        at,
        'markers',
        'WARNING',
        line,
        'it has what frames a conversation, so that a model may take it for one',
      );
  }
  scanSpelled(path, text, add);
}

/** What is hidden in another spelling counts for more than if it stood there. */
function scanSpelled(path: string, text: string, add: Add, at?: number, depth = 0): void {
  for (const one of spelledOtherwise(text)) {
    const line = at ?? one.at;
    for (const { spellings } of linesOf(one.text, 'code'))
      for (const rule of RULES)
        if (spellings.some((spelling) => rule.words.test(spelling)))
          add(
            path,
            line,
            `spelled-${rule.id}`,
            worse(rule.severity),
            around(rule.words, spellings),
            `in ${one.how}: ${rule.why}`,
          );
    if (/https?:\/\/|\b(?:import|require|exec|eval|curl|subprocess|socket)\b/.test(one.text))
      add(path, line, 'spelled', 'WARNING', one.text, `an address or a command that is spelled in ${one.how}`);
    if (depth < 2) scanSpelled(path, one.text, add, line, depth + 1);
  }
}

const worse = (severity: Severity): Severity => (severity === 'INFO' ? 'WARNING' : 'CRITICAL');

function around(words: RegExp, spellings: readonly string[]): string {
  for (const spelling of spellings) {
    const found = words.exec(spelling);
    if (found !== null) return spelling.slice(Math.max(0, found.index - 20), found.index + found[0].length + 60);
  }
  return spellings[0] ?? '';
}
