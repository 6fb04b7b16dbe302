// Owns `openclaw config history`, and which of its versions is the one before.
import { listVersions, type Version } from '../../../config/edit/history.ts';
import { inspectConfig } from '../../../config/inspect.ts';
import { resolvePaths } from '../../../config/paths.ts';
import { HardshellError, misused } from '../../../platform/errors.ts';
import { sha256 } from '../../../platform/ids.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';
import { tableLines } from '../../print/table.ts';
import { formatAgo } from '../../print/units.ts';

const COLUMNS = [
  { title: 'VERSION', align: 'right' },
  { title: 'MADE' },
  { title: 'BY' },
  { title: 'WHY', flexible: true },
] as const;

export async function run({ out, env }: Context): Promise<undefined> {
  const { paths, hash } = present(env);
  const versions = listVersions(paths.stateDir).map((one) => ({ ...one, current: one.hash === hash }));
  out.data({ versions });
  if (versions.length === 0)
    return out.note(span('dim', 'no version yet: each change by a command makes one')) as undefined;
  const now = Date.now();
  const newest = versions.find((one) => one.current);
  const rows = versions.map((one) => [
    String(one.id),
    formatAgo(one.atMs, now),
    one.by,
    one === newest ? `${one.why} (as the file is now)` : one.why,
  ]);
  for (const line of tableLines(COLUMNS, rows, out.width)) out.line(line);
}

export function present(env: Context['env']) {
  const paths = resolvePaths(env);
  const { path, text, exists } = inspectConfig(paths, env, { sections: [] });
  return { paths, path, text, exists, hash: sha256(text) };
}

export function versionId(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw misused(
    'CONFIG_VERSION_UNKNOWN',
    `"${text.slice(0, 40)}" is not a version`,
    'openclaw config history lists them',
  );
}

/** The newest version before the one that the file is now. */
export function versionBefore(stateDir: string, hash: string): Version {
  const versions = listVersions(stateDir);
  const at = versions.findIndex((one) => one.hash === hash);
  const before = versions.slice(at + 1).find((one) => one.hash !== hash);
  if (before) return before;
  throw new HardshellError({
    code: 'CONFIG_VERSION_UNKNOWN',
    message: 'there is no version of the configuration before this one',
    fix: 'openclaw config history',
  });
}
