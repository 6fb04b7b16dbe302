// Owns `openclaw backup schedule`: the settings of it, the key that its backups are for, and how it stands.
import { resolve } from 'node:path';
import { setAt, unsetAt } from '../../../config/edit/edit.ts';
import { resolvePaths } from '../../../config/paths.ts';
import { limitsOf } from '../../../ops/backup/limits.ts';
import { defaultFolder, useFolder } from '../../../ops/backup/places.ts';
import { noteProof, readProof } from '../../../ops/backup/proof.ts';
import { inspect } from '../../../ops/backup/scrub.ts';
import { cronOf, nextDue } from '../../../ops/backup/when.ts';
import { EXIT, misused } from '../../../platform/errors.ts';
import type { Context } from '../../context.ts';
import { wholeNumber } from '../../numbers.ts';
import { span } from '../../output.ts';
import { formatBytes, formatTime } from '../../print/units.ts';
import { change } from '../config/change.ts';
import { ensureKey, keyPathOf } from './keys.ts';
import { proofLines } from './look.ts';

type Flags = {
  readonly every?: string;
  readonly keep?: string;
  readonly maxBytes?: string;
  readonly to?: string;
  readonly recipient?: readonly string[];
  readonly encrypt?: boolean;
  readonly off?: boolean;
};

export async function run(context: Context, flags: Flags): Promise<number> {
  const { out, env } = context;
  const paths = resolvePaths(env);
  if (flags.off) return change(context, {}, 'unset backup.schedule', (text) => unsetAt(text, ['backup', 'schedule']));
  const now = inspect(paths, env).config?.backup;
  const isSet = [flags.every, flags.keep, flags.maxBytes, flags.to, flags.recipient].some((one) => one !== undefined);
  if (!isSet && flags.encrypt !== false) {
    const next = now?.schedule ? nextDue(now.schedule, Date.now()) : null;
    const proof = readProof(paths);
    const { count, maxBytes } = limitsOf(now?.keep ?? 14);
    const folder = now?.folder ?? defaultFolder(paths);
    out.data({ schedule: now?.schedule ?? null, nextAtMs: next, folder, keep: count, maxBytes, proof });
    if (next === null) out.line('no schedule: openclaw backup schedule --every day');
    else out.line(`next ${formatTime(next)} into ${folder}; ${count} are kept, ${formatBytes(maxBytes)} at most`);
    for (const line of proofLines(proof, Date.now())) out.line(...line);
    return EXIT.ok;
  }
  const every = flags.every === undefined ? (now?.schedule ?? cronOf('day')) : cronOf(flags.every);
  const before = limitsOf(now?.keep ?? 14);
  const keep = {
    count: wholeNumber(flags.keep, '--keep', before.count, 1_000),
    maxBytes: flags.maxBytes === undefined ? before.maxBytes : sizeIn(flags.maxBytes),
  };
  const folder = useFolder(flags.to ?? now?.folder ?? defaultFolder(paths), [paths.stateDir]);
  const encrypt = flags.encrypt !== false;
  const isNew = encrypt && (await ensureKey(paths, flags.recipient));
  const code = await change(context, {}, 'backup schedule', (text) => {
    const values = { schedule: every, keep, ...(flags.to === undefined ? {} : { folder: resolve(folder) }) };
    return Object.entries({ ...values, encrypt }).reduce(
      (all, [key, value]) => setAt(all, ['backup', key], value),
      text,
    );
  });
  if (code !== EXIT.ok) return code;
  noteProof(paths, { triedAtMs: Date.now() });
  const next = nextDue(every, Date.now());
  out.line(`next ${next === null ? 'never' : formatTime(next)}, while the gateway runs, into ${folder}`);
  if (isNew) {
    const path = keyPathOf(paths);
    out.line(
      span('yellow', `keep a copy of ${path} where this machine's disk is not: without it nobody opens these backups`),
    );
  }
  if (flags.to !== undefined)
    out.note('a gateway that systemd runs may write only where its unit says: openclaw gateway install');
  return code;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

function sizeIn(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,12})\s?([kmgt]?)b?$/i.exec(text) ?? [];
  const bytes = Number(count) * (UNITS[unit.toLowerCase()] ?? 0);
  if (count !== '' && bytes >= 1_000_000 && Number.isSafeInteger(bytes)) return bytes;
  throw misused(
    'OPTION_UNUSABLE',
    `--max-bytes ${text} is not a size of at least 1MB`,
    'write it like --max-bytes 5GB',
  );
}
