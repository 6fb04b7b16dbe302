// Owns `openclaw backup create`: one line about what was made, and every thing that is not in it.
import { type Paths, resolvePaths } from '../../../config/paths.ts';
import { type Created, createBackup } from '../../../ops/backup/create.ts';
import { defaultFolder } from '../../../ops/backup/places.ts';
import { noteProof } from '../../../ops/backup/proof.ts';
import { inspect } from '../../../ops/backup/scrub.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';
import { withProgress } from '../../print/progress.ts';
import { counted, formatBytes, formatCount, formatDuration } from '../../print/units.ts';
import { type SealFlags, sealingFor } from './keys.ts';

const MAX_LINES = 20;

export async function run(context: Context, flags: SealFlags & { readonly to?: string }): Promise<undefined> {
  const { out, env, version } = context;
  const paths = resolvePaths(env);
  const sealing = await sealingFor(context, flags, paths);
  const startedMs = performance.now();
  const folder = flags.to ?? folderFor(context, paths);
  const nowMs = Date.now();
  const work = createBackup({ paths, env, version, folder, sealing, scheduled: false, nowMs });
  const made = await withProgress(out, 'copying', work);
  noteProof(paths, { made: { atMs: nowMs, file: made.file, bytes: made.bytes, encrypted: sealing !== null } });
  out.data({ ...made, encrypted: sealing !== null });
  out.line(made.file);
  tell(context, made, performance.now() - startedMs);
  return undefined;
}

/** As configured; a configuration that cannot be read must not stop a backup. */
export const folderFor = ({ env }: Context, paths: Paths): string =>
  inspect(paths, env).config?.backup.folder ?? defaultFolder(paths);

export function tell({ out }: Context, made: Created, tookMs: number): void {
  out.note(
    `${counted(made.files, 'file')}, ${formatBytes(made.plainBytes)}, packed ${formatBytes(made.bytes)}, in ${formatDuration(tookMs)}`,
  );
  if (!made.secrets) {
    out.note(
      span('yellow', 'not encrypted, so without secrets:'),
      ' logins and keys must be set again after a restore',
    );
    for (const path of made.settingsLeftOut) out.note(`  setting ${path}`);
  }
  for (const { path, why } of made.leftOut.slice(0, MAX_LINES)) out.note(`  not in it: ${path} ${why}`);
  if (made.leftOut.length > MAX_LINES) out.note(`  and ${formatCount(made.leftOut.length - MAX_LINES)} more: --json`);
}
