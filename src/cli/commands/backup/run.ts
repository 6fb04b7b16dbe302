// Owns `openclaw backup run`, which the gateway starts when one is due: make one, prove it, drop the oldest, write down how
// it went. A program of its own, so that the gateway goes on meanwhile.
import { setPriority } from 'node:os';
import { type Paths, resolvePaths } from '../../../config/paths.ts';
import { type Created, createBackup } from '../../../ops/backup/create.ts';
import { limitsOf } from '../../../ops/backup/limits.ts';
import { defaultFolder, dropOld } from '../../../ops/backup/places.ts';
import { noteProof, readProof } from '../../../ops/backup/proof.ts';
import { inspect } from '../../../ops/backup/scrub.ts';
import { HardshellError, reasonOf } from '../../../platform/errors.ts';
import type { Context } from '../../context.ts';
import { counted, formatDuration } from '../../print/units.ts';
import { tell } from './create.ts';
import { ensureKey, ownRecipients } from './keys.ts';
import { type Rehearsed, rehearse } from './rehearse.ts';

const POLITE = 10;

export async function run(context: Context, flags: { readonly scheduled?: boolean }): Promise<undefined> {
  const { out, env } = context;
  const paths = resolvePaths(env);
  setPriority(POLITE);
  // Before anything can go wrong: one that fails at once must not be tried at every look.
  if (flags.scheduled) noteProof(paths, { triedAtMs: Date.now() });
  try {
    const { made, rehearsed, dropped } = await makeAndProve(context, paths);
    out.data({ ...made, rehearsed, dropped });
    out.line(made.file);
    out.line(
      `proven: restored and started in ${formatDuration(rehearsed.tookMs)}, ${counted(rehearsed.sessions, 'session')}, the journal verifies`,
    );
    for (const file of dropped) out.note(`removed ${file}`);
    return undefined;
  } catch (error) {
    const fix = error instanceof HardshellError ? (error.fix ?? '') : '';
    // On a full disk not even this can be written down; whoever started this hears it.
    try {
      noteProof(paths, { failed: { atMs: Date.now(), reason: reasonOf(error), fix } });
    } catch {}
    throw error;
  }
}

type Ran = { readonly made: Created; readonly rehearsed: Rehearsed; readonly dropped: readonly string[] };

async function makeAndProve(context: Context, paths: Paths): Promise<Ran> {
  const { env, version } = context;
  const settings = inspect(paths, env).config?.backup;
  const nowMs = Date.now();
  const startedMs = performance.now();
  if (settings?.encrypt !== false) await ensureKey(paths, undefined);
  const recipients = settings?.encrypt === false ? null : await ownRecipients(paths);
  const sealing = recipients === null ? null : { recipients };
  const folder = settings?.folder ?? defaultFolder(paths);
  const made = await createBackup({ paths, env, version, folder, sealing, scheduled: true, nowMs });
  const { file, bytes } = made;
  noteProof(paths, { made: { atMs: nowMs, file, bytes, encrypted: sealing !== null } });
  tell(context, made, performance.now() - startedMs);
  const rehearsed = await rehearse(context, paths, file);
  const { tookMs, sessions } = rehearsed;
  noteProof(paths, { proven: { atMs: Date.now(), file, tookMs, sessions }, failed: null });
  const { count: keep, maxBytes } = limitsOf(settings?.keep ?? 14);
  const dropped = dropOld(folder, { keep, maxBytes, proven: readProof(paths).proven?.file ?? null });
  return { made, rehearsed, dropped };
}
