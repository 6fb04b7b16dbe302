// Owns the question whether keys or the state get into a git repository: what is tracked or staged in each one that holds
// the state folder or lies in the workspace, and whether new files would be kept out. It reads; git is never started.
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { real } from '../../../config/zones.ts';
import { look } from '../../../platform/files.ts';
import { quoted } from '../../../secrets/files.ts';
import { type Check, type Facts, type Finding, type Outcome, outcomeOf } from '../../check.ts';
import { amiss, andMore, read } from '../../looking.ts';
import { trackedIn } from './git-index.ts';

/** By its last name, wherever it lies. */
const SECRET_FILE =
  /(^|\/)(\.env(\.(?!example$|sample$|template$|dist$)[^/]+)?|[^/]+\.(key|pem|p12|pfx|age|kdbx)|id_(rsa|ed25519|ecdsa|dsa)|\.netrc|\.npmrc|\.git-credentials|credentials\.json|openclaw\.json(\.bak[^/]*)?|vault|vault\.key)$/i;
/** Of the state folder, what gives everything away. */
const SECRET_STATE = /^(credentials(\/|$)|\.env|openclaw\.json|vault|state\.sqlite|config-history\/|channels\/)/;

const group = 'Secrets';

export const GIT_CHECKS: readonly Check[] = [
  {
    ...{ id: 'fs.state_in_git', group, depth: 'read', rows: ['S069', 'S070', 'S125', 'S142'], probe: probeGit },
    title: 'Are keys or the state folder tracked or staged in a git repository?',
    why: 'whoever gets a copy of the repository has them, and removing the file later leaves it in the history',
  },
  {
    ...{ id: 'fs.gitignore', group, depth: 'read', rows: ['S125'], probe: probeIgnore },
    title: 'Would git leave the state folder alone?',
    why: 'one `git add .` in a folder above takes keys and conversations into a repository',
  },
];

function probeGit(facts: Facts): Outcome {
  const { paths, settings } = facts;
  const workspace = settings?.agents.defaults.workspace ?? paths.workspaceDir;
  const skipped: string[] = [];
  const findings: Finding[] = [];
  let repositories = 0;
  for (const folder of new Set([
    ...upFrom(paths.stateDir),
    ...upFrom(dirname(paths.configPath)),
    ...upFrom(workspace),
  ])) {
    const tracked = trackedIn(folder);
    if (tracked === null) continue;
    repositories += 1;
    if ('unreadable' in tracked) {
      skipped.push(tracked.unreadable);
      continue;
    }
    findings.push(...trackedState(folder, real(paths.stateDir), tracked.paths));
  }
  if (findings.length === 0 && skipped.length > 0) return { skipped: skipped.join('; ') };
  const what =
    repositories === 0 ? 'the state folder lies in none' : `${repositories} looked at, none tracks a key or the state`;
  return outcomeOf(findings, `Git: ${what}`);
}

function trackedState(folder: string, stateDir: string, paths: readonly string[]): Finding[] {
  const inside = relative(folder, stateDir);
  const holdsState = !inside.startsWith('..');
  const ofState = (path: string): string | null => {
    if (!holdsState) return null;
    if (inside === '') return path;
    return path.startsWith(`${inside}/`) ? path.slice(inside.length + 1) : null;
  };
  // What the assistant works on is no state of ours: there, names of keys count.
  const state = paths.filter((path) => {
    const own = ofState(path);
    return own !== null && own !== '.gitignore' && !own.startsWith('workspace/');
  });
  const secret = paths.filter(
    (path) => SECRET_STATE.test(ofState(path) ?? '') || (SECRET_FILE.test(path) && !isExample(path)),
  );
  const worst = secret[0] ?? state[0];
  if (worst === undefined) return [];
  const count = new Set([...secret, ...state]).size;
  return [
    {
      severity: secret.length > 0 ? 'CRITICAL' : 'WARNING',
      evidence: andMore(`git in ${folder} has ${worst}`, count),
      fix: `git -C ${quoted(folder)} rm --cached -r -- ${quoted(worst)}${secret.length > 0 ? ', then rotate what was in it' : ''}`,
      where: join(folder, worst),
    },
  ];
}

const isExample = (path: string): boolean =>
  /(^|\/)(test|tests|fixtures?|examples?|testdata|node_modules)\//i.test(path);

function probeIgnore({ paths: { stateDir } }: Facts): Outcome {
  if (look(stateDir) === null) return { skipped: 'there is no state folder yet' };
  const path = join(stateDir, '.gitignore');
  const { text, problem } = read(path);
  if (problem !== null) return { skipped: problem };
  const lines = (text ?? '').split('\n').map((line) => line.trim());
  if (lines.includes('*') && !lines.some((line) => line.startsWith('!')))
    return { pass: 'Git: would leave all of it alone (.gitignore)' };
  const isInside = upFrom(stateDir).some((folder) => existsSync(join(folder, '.git')));
  return amiss(
    isInside ? 'WARNING' : 'INFO',
    text === null ? `${path} is missing` : `${path} does not keep everything out`,
    `printf '*\\n' > ${quoted(path)}`,
    { where: path, repairs: [{ kind: 'file', path, text: '*\n' }] },
  );
}

/** The folder and those above it. */
function upFrom(start: string): string[] {
  const found: string[] = [];
  for (let folder = real(start); ; folder = dirname(folder)) {
    found.push(folder);
    if (folder === dirname(folder)) return found;
  }
}
