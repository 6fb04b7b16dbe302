// Owns `openclaw backup verify` and `backup list`: they only look.
import { resolve } from 'node:path';
import { resolvePaths } from '../../../config/paths.ts';
import { bytesOf } from '../../../ops/backup/manifest.ts';
import { listBackups } from '../../../ops/backup/places.ts';
import { type Proof, readProof } from '../../../ops/backup/proof.ts';
import { openArchive, verifyArchive } from '../../../ops/backup/restore.ts';
import type { Context } from '../../context.ts';
import { type Span, span } from '../../output.ts';
import { withProgress } from '../../print/progress.ts';
import { tableLines } from '../../print/table.ts';
import { counted, formatAgo, formatBytes, formatDuration, formatTime } from '../../print/units.ts';
import { folderFor } from './create.ts';
import { type KeyFlags, openingFor } from './keys.ts';

export async function verify(context: Context, flags: KeyFlags, file: string): Promise<undefined> {
  const { out, env, version } = context;
  const archive = await openArchive(resolve(file));
  try {
    const opening = await openingFor(context, flags, resolvePaths(env), archive);
    const manifest = await withProgress(out, 'reading', verifyArchive(archive, opening, version));
    const { entries, leftOut, ...head } = manifest;
    const files = entries.filter(({ kind }) => kind === 'file').length;
    out.data({ ...head, encrypted: archive.lock !== 'none', files, bytes: bytesOf(manifest), leftOut });
    out.line(
      span('green', 'whole'),
      `: ${counted(files, 'file')}, ${formatBytes(bytesOf(manifest))}, made ${formatTime(Date.parse(head.createdAt))} by version ${head.version}, ${head.secrets ? 'with' : 'without'} secrets`,
    );
    return undefined;
  } finally {
    await archive.close();
  }
}

export async function list(context: Context, flags: { readonly to?: string }): Promise<undefined> {
  const { out, env } = context;
  const paths = resolvePaths(env);
  const place = resolve(flags.to ?? folderFor(context, paths));
  const backups = listBackups(place);
  const folder = flags.to === undefined ? place : (await import('../../hide.ts')).withoutTokens(place, env);
  const proof = readProof(paths);
  out.data({ folder, backups, proof });
  const columns = [{ title: 'made' }, { title: 'size', align: 'right' }, { title: 'kind' }, { title: 'file' }] as const;
  const rows = backups.map((one) => [
    formatTime(one.atMs),
    formatBytes(one.bytes),
    [
      one.isEncrypted ? 'encrypted' : 'without secrets',
      one.isScheduled ? 'scheduled' : 'by hand',
      ...(proof.proven?.file === one.file ? ['proven'] : []),
    ].join(', '),
    one.file,
  ]);
  if (rows.length === 0) out.line(`there are none in ${folder}`);
  else for (const line of tableLines(columns, rows, 0)) out.line(line);
  for (const line of proofLines(proof, Date.now())) out.line(...line);
  return undefined;
}

export function proofLines({ made, proven, failed }: Proof, nowMs: number): (readonly (string | Span)[])[] {
  const lastProof = proven
    ? [
        `last proven restore: ${formatAgo(proven.atMs, nowMs)} (${counted(proven.sessions, 'session')}, ${formatDuration(proven.tookMs)}), of ${proven.file}`,
      ]
    : [
        span('yellow', 'no restore was proven yet'),
        made ? ': openclaw backup run' : ': openclaw backup schedule --every day',
      ];
  return [lastProof, ...(failed ? [[span('red', `failed ${formatAgo(failed.atMs, nowMs)}: `), failed.reason]] : [])];
}
