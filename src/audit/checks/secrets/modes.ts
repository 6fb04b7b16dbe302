// Owns the questions who else on this machine can read or change a place of ours: one check a place, by modes and owners
// alone. It opens no file; what it hands back narrows modes and never widens one.
import { join } from 'node:path';
import { real } from '../../../config/zones.ts';
import { look } from '../../../platform/files.ts';
import { envFileOf } from '../../../secrets/env-file.ts';
import { quoted } from '../../../secrets/files.ts';
import {
  type Check,
  type Facts,
  type Finding,
  type Outcome,
  outcomeOf,
  type Repair,
  type Severity,
} from '../../check.ts';
import { andMore, namesIn, octal } from '../../looking.ts';

type Place = {
  readonly id: string;
  readonly title: string;
  readonly rows: readonly string[];
  readonly group?: Check['group'];
  /** said in the pass line */
  readonly what: string;
  /** what somebody else gains */
  readonly reading: string;
  readonly changing: string;
  /** whoever reads it has a key */
  readonly isSecret: boolean;
  /** the line of a guide, word by word, when all files have one mode */
  readonly guideLine?: (mode: string) => string;
  paths(facts: Facts): readonly string[];
};

const READ = 0o044;
const WRITE = 0o022;
const OTHERS = 0o077;
const WORLD_READ = 0o004;
const MAX_NAMES = 2_000;
const MAX_REPAIRS = 2_000;

const place = (id: string, title: string, more: Omit<Place, 'id' | 'title'>): Place => ({ id, title, ...more });

const PLACES: readonly Place[] = [
  place('fs.state_dir.perms', 'Can others on this machine enter the state folder?', {
    rows: ['S010', 'S155', 'S187'],
    what: 'State folder',
    reading: 'other accounts can list and read what only you should',
    changing: 'other accounts can replace the configuration and become the owner',
    isSecret: false,
    paths: ({ paths }) => [real(paths.stateDir)],
  }),
  place('fs.config.perms', 'Can others read or change openclaw.json?', {
    rows: ['S010', 'S155'],
    what: 'Configuration file',
    reading: 'other accounts can read who you are, whom you trust, and each secret that stands in it',
    changing: 'other accounts can give themselves the assistant, with all that it may do',
    isSecret: true,
    paths: ({ paths, inspection }) => [inspection?.path ?? paths.configPath],
  }),
  place('fs.config_include.perms', 'Can others read or change the files that the configuration includes?', {
    rows: ['S155'],
    what: 'Included files',
    reading: 'other accounts can read settings and each secret among them',
    changing: 'other accounts can change your configuration through them',
    isSecret: true,
    paths: ({ inspection, paths, said }) => [
      ...(inspection?.files.slice(1) ?? []),
      ...refusedIncludes(said).filter((path) => path !== (inspection?.path ?? paths.configPath)),
    ],
  }),
  place('fs.credentials_dir.perms', 'Can others enter the credentials folder?', {
    rows: ['S010', 'S058', 'S206'],
    what: 'Credentials folder',
    reading: 'other accounts can see which keys you have',
    changing: 'other accounts can put their keys in place of yours',
    isSecret: false,
    paths: ({ paths }) => [paths.credentialsDir],
  }),
  place('fs.credential_files.perms', 'Can others read a key or token?', {
    rows: ['S010', 'S017', 'S083', 'S206'],
    what: 'Key files',
    guideLine: (mode) => `Credentials file: mode ${mode} (secure)`,
    reading: 'other accounts can use your keys, at your expense and in your name',
    changing: 'other accounts can replace your keys with theirs',
    isSecret: true,
    paths: ({ paths }) => below(paths.credentialsDir),
  }),
  place('fs.env_file.perms', 'Can others read .env?', {
    rows: ['S124', 'S142'],
    what: '.env',
    reading: 'other accounts can use every key in it',
    changing: 'other accounts can replace keys and addresses in it',
    isSecret: true,
    paths: ({ paths, env }) => [envFileOf(paths.stateDir), ...(env['HOME'] ? [join(env['HOME'], '.env')] : [])],
  }),
  place('fs.sessions_store.perms', 'Can others read conversations and their copies?', {
    rows: ['S187'],
    what: 'Conversations',
    reading: 'other accounts can read everything that you and others said to the assistant',
    changing: 'other accounts can rewrite what was said, remembered and recorded',
    isSecret: false,
    paths: ({ paths }) => [
      ...['', '-wal', '-shm', '-head'].map((suffix) => paths.databasePath + suffix),
      ...[paths.snapshotsDir, join(paths.stateDir, 'backups'), join(paths.stateDir, 'checkpoints')].flatMap(
        (folder) => [folder, ...namesIn(folder)],
      ),
    ],
  }),
  place('fs.log_file.perms', 'Can others read the log?', {
    rows: ['S010'],
    group: 'Records and recovery',
    what: 'Log',
    reading: 'other accounts can follow who writes to you and what the assistant does',
    changing: 'other accounts can remove their traces from it',
    isSecret: false,
    paths: ({ paths }) => [paths.logsDir, ...namesIn(paths.logsDir)],
  }),
];

export const MODE_CHECKS: readonly Check[] = PLACES.map((place) => ({
  ...{ id: place.id, title: place.title, rows: place.rows, why: place.reading, depth: 'read' },
  group: place.group ?? 'Secrets',
  ...(place.guideLine ? { isMain: true } : {}),
  probe: (facts) => probe(place, facts),
}));

/** Everything that a check of its own looks at; the walk tells of the rest. */
export const placesOf = (facts: Facts): ReadonlySet<string> => new Set(PLACES.flatMap((place) => place.paths(facts)));

type Wrong = { readonly path: string; readonly mode: number; readonly isFolder: boolean; readonly isOurs: boolean };

function probe(place: Place, facts: Facts): Outcome {
  const wrong: Wrong[] = [];
  const links: string[] = [];
  const modes = new Set<string>();
  let there = 0;
  for (const path of place.paths(facts)) {
    const stats = look(path);
    if (stats === null) continue;
    there += 1;
    if (stats.isFile()) modes.add(octal(stats.mode & 0o7777));
    if (stats.isSymbolicLink()) links.push(path);
    else if ((stats.mode & OTHERS) !== 0)
      wrong.push({
        ...{ path, mode: stats.mode & 0o7777, isFolder: stats.isDirectory() },
        isOurs: stats.uid === process.geteuid?.(),
      });
  }
  if (there === 0) return { skipped: `${place.what}: there is none yet` };
  return outcomeOf(
    [...(wrong.length > 0 ? [tooOpen(place, wrong)] : []), ...(links.length > 0 ? [isLink(place, links)] : [])],
    modes.size === 1 && place.guideLine
      ? place.guideLine([...modes].join())
      : `${place.what}: only you can read ${there > 1 ? `them (${there})` : 'it'}`,
  );
}

function tooOpen(place: Place, wrong: readonly Wrong[]): Finding {
  const worst = wrong.reduce((a, b) => (rank(place, b) > rank(place, a) ? b : a));
  const ours = wrong.filter(({ isOurs }) => isOurs);
  const wanted = (one: Wrong): number => one.mode & ~OTHERS;
  const [only] = wrong;
  const fix =
    ours.length === 0
      ? `as its owner: chmod go= ${quoted(worst.path)}`
      : wrong.length === 1 && only
        ? `chmod ${only.isFolder ? 700 : 600} ${quoted(only.path)}`
        : 'openclaw security audit --fix';
  return {
    severity: severityOf(place, worst.mode),
    evidence: andMore(`${worst.path} has mode ${octal(worst.mode)}`, wrong.length),
    consequence: (worst.mode & WRITE) !== 0 ? place.changing : place.reading,
    fix,
    where: worst.path,
    repairs: ours.slice(0, MAX_REPAIRS).map((one): Repair => ({ kind: 'mode', path: one.path, mode: wanted(one) })),
  };
}

const rank = ({ isSecret }: Place, { mode }: Wrong): number =>
  (mode & WRITE) !== 0 ? 3 : isSecret && (mode & WORLD_READ) !== 0 ? 2 : (mode & READ) !== 0 ? 1 : 0;

const severityOf = (place: Place, mode: number): Severity =>
  (mode & WRITE) !== 0 || (place.isSecret && (mode & WORLD_READ) !== 0) ? 'CRITICAL' : 'WARNING';

function isLink({ what }: Place, links: readonly string[]): Finding {
  const [first = ''] = links;
  return {
    severity: 'WARNING',
    evidence: andMore(`${what}: ${first} is a symbolic link`, links.length),
    consequence: 'whoever may change where it leads puts another file in its place, and modes of the link say nothing',
    fix: `put the file itself there: cp --remove-destination "$(readlink -f ${quoted(first)})" ${quoted(first)}`,
    where: first,
  };
}

/** One that others may change is refused when it is read, and so is not among what was. */
const refusedIncludes = (said: Facts['said']): string[] =>
  said.flatMap(({ code, fix }) =>
    code === 'writable-by-others' ? [(fix ?? '').replace(/^chmod \d+ /, '').replace(/^'(.*)'$/, '$1')] : [],
  );

/** Names and all below them, bounded; folders of channels lie in credentials/ too. */
function below(folder: string): string[] {
  const stats = look(folder);
  // One of the guides has a file of that name.
  if (stats?.isFile()) return [folder];
  const found: string[] = [];
  const queue = [folder];
  for (let at = queue.shift(); at !== undefined && found.length < MAX_NAMES; at = queue.shift())
    for (const path of namesIn(at)) {
      found.push(path);
      if (look(path)?.isDirectory()) queue.push(path);
    }
  return found;
}
