// Owns the question whether a secret lies where it should not: each known value, in each spelling, looked for in the log and
// in the assistant's files. Bounded in bytes and time, and what was left out is said. No value is ever in a finding.
import { opendir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { spellingsOf } from '../../../log/spellings.ts';
import { look, tryReadEnd } from '../../../platform/files.ts';
import { quoted } from '../../../secrets/files.ts';
import { addStoredSecrets } from '../../../secrets/stored.ts';
import { type Check, type Facts, type Finding, type Outcome, outcomeOf } from '../../check.ts';
import { andMore, found, namesIn } from '../../looking.ts';

type Limits = {
  readonly maxBytes: number;
  readonly maxFileBytes: number;
  readonly maxMs: number;
  readonly isDeep: boolean;
};

const QUICK: Limits = { maxBytes: 2_000_000, maxFileBytes: 256_000, maxMs: 60, isDeep: false };
const THOROUGH: Limits = { maxBytes: 64_000_000, maxFileBytes: 4_000_000, maxMs: 900, isDeep: true };
/** Written by others, large, and never ours to clean. */
const LEFT_OUT = new Set(['node_modules', 'objects', '.venv', '__pycache__']);
const MAX_DEPTH = 12;
/** Shorter values are found in ordinary words. */
const MIN_CHARS = 8;

const asked = {
  group: 'Secrets',
  why: 'whoever reads that file has the key, and models and tools read such files',
} as const;
export const VALUE_CHECKS: readonly Check[] = [
  {
    ...asked,
    id: 'secrets.in_recent_files',
    title: 'Is a key in the newest log or in the files that the assistant always reads?',
    rows: ['S063'],
    depth: 'read',
    probe: (facts) => probe(facts, QUICK),
  },
  {
    ...asked,
    id: 'secrets.in_files',
    title: 'Is a key in any log, export or file of the workspace?',
    rows: ['S063'],
    depth: 'deep',
    probe: (facts) => probe(facts, THOROUGH),
  },
];

async function probe(facts: Facts, limits: Limits): Promise<Outcome> {
  const { paths, env, settings } = facts;
  if (look(paths.stateDir) === null) return { skipped: 'there is no state folder yet' };
  const values = new Set<string>();
  addStoredSecrets({ ...paths, env }, (value) => {
    if (value.trim().length >= MIN_CHARS) for (const one of spellingsOf(value.trim())) values.add(one);
  });
  if (values.size === 0) return { pass: 'Secrets: there is none yet that could lie somewhere' };
  const workspace = settings?.agents.defaults.workspace ?? paths.workspaceDir;
  const endMs = performance.now() + limits.maxMs;
  const hits: string[] = [];
  let [files, bytes] = [0, 0];
  let stopped = false;
  for await (const path of candidates(facts.paths, workspace, limits)) {
    if (performance.now() > endMs || bytes > limits.maxBytes) {
      stopped = true;
      break;
    }
    // The end of a large one: what was written last.
    const content = tryReadEnd(path, limits.maxFileBytes);
    if (content === null) continue;
    files += 1;
    bytes += content.length;
    if ([...values].some((value) => content.includes(value))) hits.push(path);
  }
  const said = `${files} files, ${(bytes / 1e6).toFixed(1)} MB`;
  const findings: Finding[] = [];
  const [first] = hits;
  if (first !== undefined)
    findings.push(
      found(
        'CRITICAL',
        andMore(`${first} holds a secret of yours`, hits.length),
        `rotate it (openclaw secrets list), then remove it from ${quoted(first)}`,
        { where: first },
      ),
    );
  if (stopped && limits.isDeep)
    findings.push(
      found(
        'INFO',
        `the search ended early, after ${said}`,
        `du -sh ${quoted(relative('/', workspace) === '' ? workspace : join(workspace, '*'))} shows what is so large`,
        { consequence: 'a secret in what was not read would not be found' },
      ),
    );
  return outcomeOf(findings, `Secrets: in none of ${said} looked through${stopped ? ' (the newest and nearest)' : ''}`);
}

async function* candidates(paths: Facts['paths'], workspace: string, { isDeep }: Limits): AsyncGenerator<string> {
  const logs = namesIn(paths.logsDir);
  const byAge = logs.map((path) => ({ path, at: look(path)?.mtimeMs ?? 0 })).sort((a, b) => b.at - a.at);
  yield* (isDeep ? byAge : byAge.slice(0, 2)).map(({ path }) => path);
  yield* namesIn(workspace).filter((path) => isDeep || /\.(md|txt|json|env)$/i.test(path));
  if (!isDeep) return;
  for (const name of ['exports', 'incidents']) yield* filesBelow(join(paths.stateDir, name), 1);
  yield* filesBelow(workspace, 0);
}

async function* filesBelow(folder: string, depth: number): AsyncGenerator<string> {
  if (depth > MAX_DEPTH) return;
  try {
    for await (const entry of await opendir(folder)) {
      const path = join(folder, entry.name);
      // Those at the top of the workspace were looked at first.
      if (entry.isFile() && depth > 0) yield path;
      else if (entry.isDirectory() && !LEFT_OUT.has(entry.name)) yield* filesBelow(path, depth + 1);
    }
  } catch {
    // Gone, or not ours to read: then nothing of ours reads it either.
  }
}
