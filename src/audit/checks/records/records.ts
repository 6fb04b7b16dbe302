// Owns the checks of what tells what happened and of what would bring it back: journal, log, copies, backups, room, questions
// that wait, files that steer. It reads beside a running gateway and leaves no file; what it cannot settle it says.
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { verifyChain } from '../../../journal/chain.ts';
import { headPathOf, readHead } from '../../../journal/head.ts';
import { LONG_TERM } from '../../../memory/files.ts';
import { readProof } from '../../../ops/backup/proof.ts';
import { look } from '../../../platform/files.ts';
import { sha256 } from '../../../platform/ids.ts';
import { STEERING_FILES } from '../../../policy/steering.ts';
import type { Store } from '../../../store/open.ts';
import { readStore } from '../../../store/read-only.ts';
import { snapshotsIn } from '../../../store/rescue/snapshots.ts';
import { type Check, type Facts, type Finding, type Outcome, outcomeOf } from '../../check.ts';
import { amiss, andMore, found, namesIn, read } from '../../looking.ts';

const group = 'Records and recovery';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SNAPSHOT_DUE_MS = 3 * HOUR_MS;
/** What somebody may have to lose after so long. */
const BACKUP_DUE_MS = 7 * DAY_MS;
const MAX_BACKUP_AGE_MS = 30 * DAY_MS;
const PROOF_DUE_MS = 60 * DAY_MS;
const LITTLE_BYTES = 1024 ** 3;
const TOO_LITTLE_BYTES = 64 * 1024 ** 2;
const MAX_WAITING = 20;
const WAL_HEADER_BYTES = 32;
/** Longer ones take longer than somebody waits for an audit. */
const MAX_CHAIN = 150_000;
const WITH_GATEWAY = 'the last gateway ended without notice, and the next start settles what it left';

type Rows = Pick<Store, 'prepare'>;

export const RECORD_CHECKS: readonly Check[] = [
  {
    ...{ id: 'journal.head', group, depth: 'read', rows: ['S217'], probe: probeHead },
    title: 'Does the journal end where it ended?',
    why: 'a record whose end was cut off, or an older copy that was put back, hides what happened last',
  },
  {
    ...{ id: 'journal.chain', group, depth: 'deep', rows: ['S217'], probe: probeChain },
    title: 'Is every record of the journal the one that was written?',
    why: 'a record that somebody changed proves nothing about what was done in your name',
  },
  {
    ...{ id: 'logs.rotation', group, depth: 'read', rows: [], probe: probeRotation },
    title: 'Is the log kept within bounds?',
    why: 'a log that grows without end fills the disk, and then nothing is recorded at all',
  },
  {
    ...{ id: 'recovery.snapshots', group, depth: 'read', rows: ['S232'], probe: probeSnapshots },
    title: 'Are there fresh copies of the database?',
    why: 'a start falls back to the newest copy when the database is damaged',
  },
  {
    ...{ id: 'recovery.backup', group, depth: 'read', rows: ['S083', 'S232'], probe: probeBackup },
    title: 'Is there a backup?',
    why: 'after a lost disk or a break-in there is nothing to go back to',
  },
  {
    ...{ id: 'recovery.restore_proven', group, depth: 'read', rows: ['S234'], probe: probeProof },
    title: 'Was a backup ever restored?',
    why: 'a backup that nobody has restored is a hope',
  },
  {
    ...{ id: 'recovery.disk_space', group, depth: 'read', rows: [], probe: probeRoom },
    title: 'Is there room on the disk?',
    why: 'on a full disk nothing is recorded, and messages cannot be accepted',
  },
  {
    ...{ id: 'approvals.waiting', group, depth: 'read', rows: [], probe: probeApprovals },
    title: 'Do questions to you pile up?',
    why: 'among very many questions a bad one is answered yes',
  },
  {
    ...{ id: 'memory.steering_changed', group, depth: 'read', rows: ['S239'], probe: probeSteering },
    title: 'Are the files that steer the assistant as you and it left them?',
    why: 'what stands in them steers every later conversation, whoever wrote it',
  },
];

/** What is not settled cannot be read without writing. */
async function withRows(facts: Facts, use: (rows: Rows) => Promise<Outcome>): Promise<Outcome> {
  const { databasePath } = facts.paths;
  if (look(databasePath) === null) return { skipped: 'there is no database yet; the first start makes it' };
  if (facts.lock === null && (look(`${databasePath}-wal`)?.size ?? 0) > WAL_HEADER_BYTES)
    return { skipped: WITH_GATEWAY };
  try {
    return await readStore(databasePath, use);
  } catch (error) {
    // Of a version without that table, or damaged: `database` of doctor says which.
    return { skipped: `the database cannot be asked: ${(error as Error).message}` };
  }
}

async function probeHead(facts: Facts): Promise<Outcome> {
  const outcome = await withRows(facts, async (rows) => {
    const head = readHead(headPathOf(facts.paths.databasePath));
    const last = rows.prepare('SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1').get();
    const seq = Number(last?.['seq'] ?? 0);
    if (head === null)
      return seq === 0 ? { pass: 'Journal: empty' } : broken(facts, 'the head beside the database is missing');
    if (head.seq > seq) return broken(facts, `the head knows ${head.seq} records, and there are ${seq}`);
    const there = head.seq === 0 ? null : rows.prepare('SELECT hash FROM journal WHERE seq = ?').get(head.seq);
    if (head.seq > 0 && there?.['hash'] !== head.hash)
      return broken(facts, `record ${head.seq} is not the one that the head knows`);
    if (!head.isOpen && facts.lock === null && seq > head.seq)
      return broken(facts, `${seq - head.seq} records were added after the last gateway had ended`);
    return { pass: `Journal: ${seq.toLocaleString('en')} records, the end is where it was` };
  });
  const damage = 'skipped' in outcome && /not a database|malformed/.test(outcome.skipped) ? outcome.skipped : null;
  return damage === null ? outcome : broken(facts, damage, 'openclaw doctor');
}

const broken = ({ paths }: Facts, evidence: string, fix = 'openclaw audit verify'): Outcome =>
  amiss('CRITICAL', evidence, fix, { where: paths.databasePath });

function probeChain(facts: Facts): Promise<Outcome> {
  return withRows(facts, async (rows) => {
    const count = Number(rows.prepare('SELECT count(*) AS n FROM journal').get()?.['n']);
    if (count > MAX_CHAIN)
      return { skipped: `${count.toLocaleString('en')} records take longer than this should: openclaw audit verify` };
    const found = await verifyChain(rows, readHead(headPathOf(facts.paths.databasePath)), {
      isLive: facts.lock !== null,
    });
    const findings = found.breaks.map(
      ({ known }): Finding => ({
        severity: 'CRITICAL',
        evidence: known,
        fix: 'openclaw audit verify',
        where: facts.paths.databasePath,
      }),
    );
    return outcomeOf(
      findings,
      `Journal: all ${found.records.toLocaleString('en')} records are the ones that were written`,
    );
  });
}

function probeRotation({ paths, settings }: Facts): Outcome {
  const files = namesIn(paths.logsDir).map((path) => ({ path, bytes: look(path)?.size ?? 0 }));
  if (files.length === 0) return { skipped: 'there is no log yet' };
  const { maxFileBytes, maxFiles } = settings?.logging ?? { maxFileBytes: 10_000_000, maxFiles: 5 };
  const large = files.filter(({ bytes }) => bytes > 2 * maxFileBytes + 1_000_000);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const [first] = large;
  if (first !== undefined)
    return amiss(
      'WARNING',
      andMore(`${first.path} has ${megabytes(first.bytes)}, over twice logging.maxFileBytes`, large.length),
      'openclaw gateway restart',
      { where: first.path },
    );
  return {
    pass: `Log: ${files.length} files, ${megabytes(total)}; a new one at ${megabytes(maxFileBytes)}, ${maxFiles} are kept`,
  };
}

function probeSnapshots({ paths, lock, nowMs }: Facts): Outcome {
  const newest = snapshotsIn(paths.snapshotsDir).at(-1);
  const runsMs = lock === null ? 0 : nowMs - lock.startedAtMs;
  if (newest === undefined)
    return runsMs > SNAPSHOT_DUE_MS
      ? amiss('WARNING', 'there is none, though one is due every hour', 'openclaw logs --tail 200 | grep snapshot', {
          where: paths.snapshotsDir,
        })
      : { skipped: 'there is none yet; one is taken every hour and at each stop' };
  const ageMs = nowMs - (look(join(paths.snapshotsDir, newest))?.mtimeMs ?? nowMs);
  if (ageMs > SNAPSHOT_DUE_MS && runsMs > SNAPSHOT_DUE_MS)
    return amiss(
      'WARNING',
      `the newest is ${Math.floor(ageMs / HOUR_MS)} h old, though one is due every hour`,
      'openclaw logs --tail 200 | grep snapshot',
      { where: paths.snapshotsDir },
    );
  return {
    pass: `Copies of the database: the newest ${ageMs < HOUR_MS ? 'less than an hour' : `${Math.floor(ageMs / HOUR_MS)} h`} old`,
  };
}

function probeBackup(facts: Facts): Outcome {
  const { paths, nowMs, settings } = facts;
  const { made, failed } = readProof(paths);
  const findings: Finding[] = [];
  if (failed !== null && failed.atMs > (made?.atMs ?? 0))
    findings.push(
      found('WARNING', `the last backup came to nothing: ${failed.reason}`, failed.fix || 'openclaw backup create'),
    );
  if (made !== null && nowMs - made.atMs > MAX_BACKUP_AGE_MS)
    findings.push(
      found(
        'WARNING',
        `the last backup is ${days(nowMs - made.atMs)} days old`,
        'openclaw backup schedule --every day',
      ),
    );
  if (made === null && findings.length === 0) {
    const since = look(paths.databasePath)?.birthtimeMs ?? nowMs;
    if (nowMs - since < BACKUP_DUE_MS) return { skipped: 'there is none yet, and not much to lose' };
    findings.push(found('WARNING', 'there is no backup', 'openclaw backup schedule --every day'));
  }
  const when = settings?.backup.schedule ? `; scheduled ${settings.backup.schedule}` : '';
  return outcomeOf(
    findings,
    `Backup: ${made === null ? 'none' : `${days(nowMs - made.atMs)} days old, ${made.encrypted ? 'encrypted' : 'without secrets'}`}${when}`,
  );
}

function probeProof({ paths, nowMs }: Facts): Outcome {
  const { made, proven } = readProof(paths);
  if (made === null) return { skipped: 'there is no backup yet' };
  if (proven === null)
    return nowMs - made.atMs < DAY_MS
      ? { skipped: 'the first backup is less than a day old' }
      : amiss('INFO', 'no backup has been restored, not even for a trial', 'openclaw backup run');
  if (nowMs - proven.atMs > PROOF_DUE_MS)
    return amiss(
      'INFO',
      `the last restore that was proven is ${days(nowMs - proven.atMs)} days ago`,
      'openclaw backup run',
    );
  return { pass: `Restore: proven ${days(nowMs - proven.atMs)} days ago, with ${proven.sessions} sessions` };
}

function probeRoom({ paths }: Facts): Outcome {
  if (look(paths.stateDir) === null) return { skipped: 'there is no state folder yet' };
  const { bavail, bsize, ffree, files } = statfsSync(paths.stateDir);
  const bytes = bavail * bsize;
  const said = `${(bytes / 1024 ** 3).toFixed(1)} GB are free where ${paths.stateDir} lies`;
  // Btrfs and others have no number of files to run out of.
  if (files > 0 && ffree < 1_000)
    return amiss(
      'WARNING',
      `only ${ffree} more files can be made where ${paths.stateDir} lies`,
      'df -i, and remove what is not needed',
    );
  if (bytes > LITTLE_BYTES) return { pass: `Disk: ${said}` };
  return amiss(bytes < TOO_LITTLE_BYTES ? 'CRITICAL' : 'WARNING', `only ${said}`, 'df -h, and make room');
}

function probeApprovals(facts: Facts): Promise<Outcome> {
  return withRows(facts, async (rows) => {
    const found = rows.prepare(`SELECT count(*) AS n FROM approvals WHERE state = 'pending'`).get();
    const count = Number(found?.['n'] ?? 0);
    if (count <= MAX_WAITING) return { pass: `Questions to you: ${count} wait` };
    return amiss('WARNING', `${count} questions to you wait`, 'openclaw approvals list');
  });
}

/** A file whose path is recorded with other contents than it has: it was changed past the assistant. */
function probeSteering(facts: Facts): Promise<Outcome> {
  return withRows(facts, async (rows) => {
    const workspace = facts.settings?.agents.defaults.workspace ?? facts.paths.workspaceDir;
    const ofHash = rows.prepare('SELECT integrity FROM content_labels WHERE hash = ?');
    const ofPath = rows.prepare('SELECT count(*) AS n FROM content_labels WHERE path = ?');
    const findings: Finding[] = [];
    let seen = 0;
    for (const name of [...STEERING_FILES, LONG_TERM]) {
      const { text } = read(join(workspace, name));
      if (text === null || text.trim() === '') continue;
      seen += 1;
      const label = ofHash.get(sha256(text));
      const at = { where: join(workspace, name), fix: `openclaw memory trust ${name}` };
      if (label?.['integrity'] === 'untrusted')
        findings.push({
          ...at,
          severity: 'INFO',
          evidence: `${name} holds text that comes from outside; it is set off when it is shown`,
        });
      else if (label === undefined && Number(ofPath.get(name)?.['n']) > 0)
        findings.push({
          ...at,
          severity: 'INFO',
          evidence: `${name} was changed past the assistant, by hand or by a command`,
        });
    }
    return outcomeOf(findings, `Files that steer: ${seen}, as you and the assistant left them`);
  });
}

const days = (ms: number): number => Math.floor(ms / DAY_MS);
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
