// Owns `openclaw backup restore`: what would change, or what was done, where the old state is kept and what is still to do.
import { resolve } from 'node:path';
import { resolvePaths } from '../../../config/paths.ts';
import { openArchive, previewRestore, type RestoreOptions, restoreBackup } from '../../../ops/backup/restore.ts';
import { misused } from '../../../platform/errors.ts';
import { quoted } from '../../../secrets/files.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';
import { withProgress } from '../../print/progress.ts';
import { counted, formatCount } from '../../print/units.ts';
import { type KeyFlags, openingFor } from './keys.ts';

type Flags = KeyFlags & { readonly dryRun?: boolean; readonly inPlace?: boolean; readonly to?: string };

const MAX_LINES = 40;
const MARKS = { added: '+', changed: '~', gone: '-' } as const;

export async function run(context: Context, flags: Flags, file: string): Promise<undefined> {
  const { env, version } = context;
  if (flags.inPlace && flags.to) throw misused('USAGE', '--in-place and --to name two places', 'say one of them');
  const paths = resolvePaths(env);
  const archive = await openArchive(resolve(file));
  try {
    const opening = await openingFor(context, flags, paths, archive);
    const target = flags.to === undefined ? paths.stateDir : resolve(flags.to);
    const options = { archive, opening, version, target, inPlace: flags.inPlace === true, nowMs: Date.now() };
    if (flags.dryRun) await preview(context, options);
    else await restore(context, options);
    return undefined;
  } finally {
    await archive.close();
  }
}

async function preview({ out }: Context, options: RestoreOptions): Promise<void> {
  const { manifest, changes, same } = await withProgress(out, 'comparing', previewRestore(options));
  out.data({ dryRun: true, target: options.target, createdAt: manifest.createdAt, changes, same });
  for (const { path, change } of changes.slice(0, MAX_LINES)) out.line(`${MARKS[change]} ${path}`);
  if (changes.length > MAX_LINES) out.line(`and ${formatCount(changes.length - MAX_LINES)} more`);
  out.line(`${formatCount(changes.length)} would change, ${formatCount(same)} are the same; nothing was written`);
}

async function restore({ out }: Context, options: RestoreOptions): Promise<void> {
  const { manifest, aside, carried } = await withProgress(out, 'restoring', restoreBackup(options));
  const { target } = options;
  const { createdAt, leftOut, secrets, workspace, database } = manifest;
  out.data({ dryRun: false, target, aside, carried, createdAt, secrets, workspace, leftOut });
  out.line(
    span('green', 'restored'),
    ` ${target} as it was at ${createdAt} (${counted(database?.sessions ?? 0, 'session')})`,
  );
  if (aside) {
    out.line(`what was there is kept in ${aside}`);
    out.note(
      span(
        'dim',
        `back: mv ${quoted(target)} ${quoted(`${target}.restored`)} && mv ${quoted(aside)} ${quoted(target)}`,
      ),
    );
  }
  // A device or a person that was sent away after that moment is in it.
  if (aside) out.note(span('yellow', 'rights that were taken back since then are there again:'), ' openclaw incident');
  if (carried.length > 0) out.note(`kept from what was there: ${carried.join(', ')}`);
  if (!secrets)
    out.note(
      span('yellow', 'it has no secrets:'),
      ` openclaw doctor says which are missing${aside ? `; those of before are in ${aside}` : ''}`,
    );
  if (workspace)
    out.note(
      `the workspace lay in ${workspace}: its files are in ${target}/workspace; move them there, or: openclaw config unset agents.defaults.workspace`,
    );
  out.note('next: openclaw gateway start');
}
