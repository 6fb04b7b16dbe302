// Owns the checks of what was stored: the database, its copies, the lock and what a crash left beside them.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { removeFile, tryNames } from '../../platform/files.ts';
import { acquireLock } from '../../platform/lock.ts';
import { quoted } from '../../secrets/files.ts';
import { unvouchedFiles, unvouchedLine } from '../../store/provenance/unvouched.ts';
import { readStore } from '../../store/read-only.ts';
import { quickCheck } from '../../store/rescue/quick-check.ts';
import { readLast } from '../self-audit/last.ts';
import { type Answer, type Check, error, type Facts, info, type Mend, ok, warning } from './check.ts';

const HOUR_MS = 60 * 60_000;
const SNAPSHOT_DUE_MS = 3 * HOUR_MS;

export const DATA_CHECKS: readonly Check[] = [
  { id: 'database', title: 'database', ask: askDatabase },
  { id: 'snapshots', title: 'snapshots', ask: askSnapshots },
  { id: 'memory', title: 'memory', ask: askMemory },
  { id: 'lock', title: 'lock', ask: askLock },
  { id: 'audit', title: 'security audit', ask: askAudit },
];

function askDatabase({ paths }: Facts): Answer {
  const found = quickCheck(paths.databasePath);
  if (found === null) return info('there is none yet; the first start makes it');
  if (found.sound) return ok(`${(found.bytes / 1e6).toFixed(1)} MB, ${found.detail}`);
  return error(
    `${paths.databasePath} is damaged: ${found.detail}`,
    'openclaw gateway restart: a start puts the newest sound snapshot in its place and keeps this one',
  );
}

/** One is taken every hour, and at each orderly end. */
function askSnapshots({ paths, nowMs, lock }: Facts): Answer {
  const files = tryNames(paths.snapshotsDir).map((name) => join(paths.snapshotsDir, name));
  const ageOf = (path: string): number => nowMs - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? nowMs);
  const partial = files.filter((path) => path.endsWith('.partial') && ageOf(path) > HOUR_MS);
  const mends = partial.map((path): Mend => ({ does: `rm ${quoted(path)}`, run: () => removeFile(path) }));
  if (mends.length > 0) return warning('a crash left an unfinished one', 'openclaw doctor --fix', mends);
  const ages = files.filter((path) => path.endsWith('.sqlite')).map(ageOf);
  if (ages.length === 0) {
    const isDue = lock !== null && nowMs - lock.startedAtMs > SNAPSHOT_DUE_MS;
    return isDue ? warning('there is none', 'openclaw logs | grep snapshot') : info('there is none yet');
  }
  const hours = Math.floor(Math.min(...ages) / HOUR_MS);
  const said = `${ages.length}, the newest ${hours < 1 ? 'less than an hour' : `${hours} h`} old`;
  const isLate = lock !== null && nowMs - lock.startedAtMs > SNAPSHOT_DUE_MS && Math.min(...ages) > SNAPSHOT_DUE_MS;
  return isLate ? warning(`${said}, though one is due every hour`, 'openclaw logs | grep snapshot') : ok(said);
}

/** What steers or is remembered, and changed since somebody vouched for it. */
async function askMemory({ paths, config }: Facts): Promise<Answer> {
  if (!existsSync(paths.databasePath)) return info('there is none yet; the first start makes it');
  const folder = config?.agents.defaults.workspace ?? paths.workspaceDir;
  const found = await readStore(paths.databasePath, async (rows) => unvouchedLine(unvouchedFiles(rows, folder)));
  return found === null ? ok('you vouched for all that steers') : info(found.what, found.fix);
}

/** What the last audit found that ran by itself; the command looks anew. */
function askAudit({ paths }: Facts): Answer {
  const last = readLast(paths);
  if (last === null) return info('none has run by itself yet', 'openclaw security audit');
  const worst = last.known.filter(({ severity }) => severity === 'CRITICAL');
  const day = new Date(last.atMs).toISOString().slice(0, 10);
  if (last.known.length === 0) return ok(`nothing found on ${day}`);
  const [first] = worst.length > 0 ? worst : last.known;
  const said = `${last.known.length} found on ${day}, ${worst.length} of them critical; first ${first?.id}: ${first?.evidence}`;
  return worst.length > 0 ? warning(said, 'openclaw security audit --fix') : info(said, 'openclaw security audit');
}

function askLock({ paths, lock, nowMs }: Facts): Answer {
  if (lock !== null) return ok(`held by process ${lock.pid}`);
  if (!existsSync(paths.lockPath)) return ok('free');
  // Taking it over and giving it back is how a start does it; another one that starts meanwhile wins.
  const mend: Mend = { does: `rm ${quoted(paths.lockPath)}`, run: () => acquireLock(paths.lockPath, nowMs).release() };
  return warning('left by a gateway that ended without notice; the next start takes it over', 'openclaw doctor --fix', [
    mend,
  ]);
}
