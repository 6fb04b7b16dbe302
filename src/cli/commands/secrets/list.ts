// Owns `openclaw secrets list`: names, places and ages. It opens no secret file, and prints no value.
import { resolvePaths } from '../../../config/paths.ts';
import { reasonOf } from '../../../platform/errors.ts';
import { listSecrets } from '../../../secrets/files.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';
import { tableLines } from '../../print/table.ts';
import { formatAgo } from '../../print/units.ts';
import { findVault } from './stores.ts';

const COLUMNS = [
  { title: 'NAME' },
  { title: 'WHERE' },
  { title: 'SET' },
  { title: 'PROBLEM', flexible: true },
] as const;

export async function run(context: Context): Promise<undefined> {
  const { out } = context;
  const paths = resolvePaths(context.env);
  const files = listSecrets(paths.credentialsDir)
    .filter(({ name }) => !name.endsWith('.previous'))
    .map(({ name, modifiedAtMs, problem }) => ({
      name,
      where: 'credentials',
      setAtMs: Math.round(modifiedAtMs),
      problem: problem?.message ?? '',
    }));
  const vaulted = await findVault(context, paths)
    .then((vault) =>
      (vault?.list() ?? []).map(({ name, rotatedAtMs }) => ({
        name,
        where: 'vault',
        setAtMs: rotatedAtMs,
        problem: '',
      })),
    )
    .catch((error: unknown) => {
      out.note(span('yellow', reasonOf(error)));
      return [];
    });
  const secrets = [...files, ...vaulted];
  out.data({ secrets });
  if (secrets.length === 0) return out.note(span('dim', 'none yet: openclaw secrets set NAME')) as undefined;
  const now = Date.now();
  const rows = secrets.map((one) => [one.name, one.where, formatAgo(one.setAtMs, now), one.problem]);
  for (const line of tableLines(COLUMNS, rows, out.width)) out.line(line);
}
