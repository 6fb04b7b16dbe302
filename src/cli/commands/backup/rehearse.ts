// Owns proving a backup: it is restored into a scratch home, a gateway without channels is started on that, asked how it is,
// and examined. Nothing of it is reached from outside, runs a turn, or outlives this.
import { join } from 'node:path';
import { canonicalEnv } from '../../../config/environment.ts';
import { type Paths, resolvePaths } from '../../../config/paths.ts';
import { openRecord } from '../../../journal/desk.ts';
import { headPathOf } from '../../../journal/head.ts';
import { openArchive, restoreBackup } from '../../../ops/backup/restore.ts';
import { examine } from '../../../ops/doctor/examine.ts';
import { HardshellError } from '../../../platform/errors.ts';
import { makeScratchAt } from '../../../platform/tree/staging.ts';
import { readStore } from '../../../store/read-only.ts';
import { readReport } from '../../connect/report.ts';
import type { Context } from '../../context.ts';
import { resolveTarget } from '../../target.ts';
import { openingFor } from './keys.ts';

export type Rehearsed = { readonly tookMs: number; readonly sessions: number; readonly warnings: readonly string[] };

/** Of this machine and not of the copy: where it runs, and what only channels or the box would need. */
const NOT_OF_THE_COPY = new Set(['port', 'sandbox', 'unit', 'workspace-place']);

export async function rehearse(context: Context, paths: Paths, file: string): Promise<Rehearsed> {
  const startedMs = performance.now();
  const home = join(paths.stateDir, 'rehearsal');
  const remove = makeScratchAt(home);
  try {
    const stateDir = join(home, '.openclaw');
    const expected = await restoreInto(context, paths, file, stateDir);
    const env = scratchEnv(context, stateDir);
    const sessions = await startOn({ ...context, env }, expected);
    const warnings = await lookAt({ ...context, env });
    return { tookMs: Math.round(performance.now() - startedMs), sessions, warnings };
  } finally {
    remove();
  }
}

async function restoreInto(context: Context, paths: Paths, file: string, target: string): Promise<number> {
  const archive = await openArchive(file);
  try {
    const opening = await openingFor(context, {}, paths, archive);
    const options = { archive, opening, version: context.version, target, inPlace: false, nowMs: Date.now() };
    const { manifest } = await restoreBackup(options);
    return manifest.database?.sessions ?? 0;
  } finally {
    await archive.close();
  }
}

/** Variables may hold what its settings refer to; where things are, and who answers there, is its own. */
function scratchEnv({ env: given }: Context, stateDir: string): Context['env'] {
  const { env } = canonicalEnv(given);
  const { OPENCLAW_HOME: _home, OPENCLAW_CONFIG_PATH: _config, OPENCLAW_GATEWAY_PORT: _port, ...rest } = env;
  return { ...rest, OPENCLAW_STATE_DIR: stateDir };
}

async function startOn(context: Context, expected: number): Promise<number> {
  const { runGateway } = await import('../../../main.ts');
  const gateway = await runGateway({ env: context.env, port: 0, announce: () => {}, rehearsal: true });
  try {
    const { out } = context;
    const report = await readReport({ ...context, out: { ...out, json: true } }, await resolveTarget({}, context.env));
    if (report.sessions !== expected) throw failed(`it has ${report.sessions} sessions instead of ${expected}`);
    const { received, answered, declined, queued, failed: lost } = report.messages;
    if (received !== answered + declined + queued + lost) throw failed('its balance of messages is not even');
    return report.sessions;
  } finally {
    await gateway.stop('the rehearsal is over');
  }
}

async function lookAt({ env, version }: Context): Promise<string[]> {
  const paths = resolvePaths(env);
  const verified = await readStore(paths.databasePath, (rows) => {
    const ports = { rows, headPath: headPathOf(paths.databasePath), isLive: false, now: Date.now };
    return openRecord({ ...ports, hide: (value) => value }).verify(null);
  });
  if (!verified.whole) throw failed(`its journal does not verify: ${verified.breaks[0]?.known ?? 'it is not whole'}`);
  const probeSandbox = async () => ({ driver: null, detail: 'not asked', fix: null });
  const { findings } = await examine(env, { version, fix: false, now: Date.now, probeSandbox });
  const own = findings.filter(({ id }) => !NOT_OF_THE_COPY.has(id));
  const error = own.find(({ level }) => level === 'error');
  if (error) throw failed(`doctor says of it: ${error.title}: ${error.message}`);
  return own.filter(({ level }) => level === 'warning').map(({ title, message }) => `${title}: ${message}`);
}

const failed = (why: string): HardshellError =>
  new HardshellError({
    code: 'BACKUP_UNPROVEN',
    message: `the backup was made, and its restore did not come up: ${why}`,
    fix: 'openclaw doctor, then openclaw backup run',
  });
