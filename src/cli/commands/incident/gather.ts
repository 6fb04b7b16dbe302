// Owns what is known about a bad day, read from everywhere at once: a part that cannot be read is said to be so, and never
// keeps the rest from being read.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { listVersions } from '../../../config/edit/history.ts';
import { redact, secretValues } from '../../../config/load.ts';
import { resolvePaths } from '../../../config/paths.ts';
import { createRedactor } from '../../../log/redact.ts';
import { readProof } from '../../../ops/backup/proof.ts';
import { openRecords } from '../../../ops/checkpoints/records.ts';
import { checkpointsIn } from '../../../ops/checkpoints/undo.ts';
import { gatherFacts } from '../../../ops/doctor/facts.ts';
import { type Evidence, type Kept, keepEvidence } from '../../../ops/incident/evidence.ts';
import type { IncidentFacts } from '../../../ops/incident/steps.ts';
import { readPanic } from '../../../ops/panic/panic.ts';
import { reasonOf } from '../../../platform/errors.ts';
import { isThere, tryReadText } from '../../../platform/files.ts';
import { readLiveLock } from '../../../platform/lock.ts';
import { listSecrets } from '../../../secrets/files.ts';
import { addStoredSecrets } from '../../../secrets/stored.ts';
import { createSkillDesk } from '../../../skills/desk.ts';
import { readGrants, readOpenInvites } from '../../../store/people/read-grants.ts';
import { readStore } from '../../../store/read-only.ts';
import type { Context } from '../../context.ts';
import type { TargetFlags } from '../../target.ts';
import { withRecord, withRecordHere } from '../audit/reach.ts';

const MAX_LOG_BYTES = 50_000_000;
const MOST_RECORDS = 100_000;

export async function gatherIncident(context: Context, flags: TargetFlags, sinceMs: number): Promise<IncidentFacts> {
  const paths = resolvePaths(context.env);
  const nowMs = Date.now();
  const { config } = await installed(context, nowMs);
  const [ran, record] = await withRecord(context, flags, async (desk) => {
    const report = await desk.report({ fromMs: sinceMs, toMs: nowMs });
    const { whole, records, breaks } = await desk.verify(null);
    return [
      {
        commands: report.commands.total,
        files: report.filesWritten.total,
        requests: report.requests.total,
        messages: report.messages.total,
        refusals: report.refusals.total,
        unusual: report.unusual.map(({ what }) => what),
      },
      { isWhole: whole, records, why: JSON.stringify(breaks[0] ?? {}) },
    ] as const;
  }).catch(() => [null, null] as const);
  const approved = readGrants(paths.databasePath);
  const invited = readOpenInvites(paths.databasePath, nowMs);
  const rows = await rowsOf(paths.databasePath, sinceMs, nowMs);
  const workspace = config?.agents.defaults.workspace ?? paths.workspaceDir;
  return {
    ...{ sinceMs, nowMs, ran, record },
    panic: readPanic(paths.stateDir),
    isRunning: readLiveLock(paths.lockPath) !== null,
    credentials: listSecrets(paths.credentialsDir).map(({ name, modifiedAtMs }) => ({
      name,
      changedAtMs: modifiedAtMs,
    })),
    channels: Object.keys(config?.channels ?? {}).filter((name) => name !== 'defaults'),
    people:
      approved === null || invited === null || rows === null
        ? null
        : { approved: approved.length, invited: invited.length, grants: rows.grants },
    sessions: rows?.sessions ?? [],
    turnsWithFiles: isThere(checkpointsIn(paths.stateDir))
      ? openRecords(checkpointsIn(paths.stateDir))
          .list()
          .filter(({ startedAtMs }) => startedAtMs >= sinceMs).length
      : 0,
    configVersions: listVersions(paths.stateDir).filter(({ atMs }) => atMs >= sinceMs),
    skills: skillsIn(paths.stateDir, workspace, nowMs),
    lastBackupAtMs: readProof(paths).made?.atMs ?? null,
  };
}

const installed = (context: Context, nowMs: number) =>
  gatherFacts(context.env, {
    ...{ version: context.version, nowMs },
    probeSandbox: async () => ({ driver: null, detail: '', fix: null }),
  });

async function rowsOf(databasePath: string, sinceMs: number, nowMs: number) {
  if (!isThere(databasePath)) return { grants: 0, sessions: [] };
  return readStore(databasePath, async (rows) => ({
    grants: Number(
      rows.prepare('SELECT count(*) AS n FROM grants WHERE revoked_at IS NULL AND expires_at > ?').get(nowMs)?.['n'] ??
        0,
    ),
    sessions: rows
      .prepare('SELECT key, channel, created_at FROM sessions WHERE created_at >= ? ORDER BY created_at DESC LIMIT 200')
      .all(sinceMs)
      .map((row) => ({
        key: String(row['key']),
        channel: String(row['channel']),
        createdAtMs: Number(row['created_at']),
      })),
  })).catch(() => null);
}

function skillsIn(stateDir: string, workspace: string, nowMs: number): string[] {
  try {
    return createSkillDesk({ stateDir, workspace }, () => nowMs)
      .list()
      .flatMap(({ name, state, why }) => (state === 'approved' ? [] : [`${name}: ${state}${why ? `, ${why}` : ''}`]));
  } catch (error) {
    return [`they could not be looked at: ${reasonOf(error)}`];
  }
}

export async function gatherEvidence(
  context: Context,
  flags: TargetFlags,
  sinceMs: number,
  folder: string,
): Promise<Kept> {
  const paths = resolvePaths(context.env);
  const redactor = createRedactor();
  addStoredSecrets({ ...paths, env: context.env }, redactor.add);
  const facts = await gatherIncident(context, flags, sinceMs);
  const { config } = await installed(context, facts.nowMs);
  for (const secret of config ? secretValues(config) : []) redactor.add(secret);
  const evidence: Evidence[] = [{ name: 'facts.json', text: json(facts) }];
  const add = async (name: string, make: () => Promise<unknown> | unknown): Promise<void> => {
    try {
      const made = await make();
      evidence.push({ name, text: typeof made === 'string' ? made : json(made) });
    } catch (error) {
      evidence.push({ name: `${name}.missing`, text: `${reasonOf(error)}\n` });
    }
  };
  const span = { fromMs: sinceMs, toMs: facts.nowMs };
  await add('report.json', () => withRecord(context, flags, (desk) => desk.report(span)));
  await add('record.json', () => withRecordHere(context, (desk) => desk.log({ ...span, limit: MOST_RECORDS })));
  await add('verify.json', () => withRecord(context, flags, (desk) => desk.verify(null)));
  await add('messages.jsonl', () =>
    readStore(
      paths.databasePath,
      async (rows) =>
      rows.prepare('SELECT * FROM messages WHERE at >= ? ORDER BY at LIMIT 200000').all(sinceMs).map((row) => `${JSON.stringify(row)}\n`).join(''), // biome-ignore format: one line
    ),
  );
  // Of settings that cannot be read nobody knows which are secret, so guesses are hidden too.
  await add('settings.json5', () => (config ? redact(config) : redactor.redact(tryReadText(paths.configPath) ?? '')));
  for (const name of isThere(paths.logsDir) ? readdirSync(paths.logsDir) : [])
    if (name.includes('.log') || name.endsWith('.err'))
      await add(`log-${name}`, () => tryReadText(join(paths.logsDir, name), MAX_LOG_BYTES) ?? '');
  return keepEvidence(folder, evidence, redactor.sure.redact, {
    since: new Date(sinceMs).toISOString(),
    version: context.version,
  });
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
