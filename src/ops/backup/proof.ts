// Owns what is known of the backups of this state folder: when the last one was made, and when one was last proven by a
// restore that ran. In a file of its own, since a restored database would tell of the day that it was copied on.
import { join } from 'node:path';
import type { Paths } from '../../config/paths.ts';
import { replaceFile, tryReadText } from '../../platform/files.ts';

type At = { readonly atMs: number; readonly file: string };
export type Proof = {
  /** the last backup that was made, by hand or by the schedule */
  readonly made: (At & { readonly bytes: number; readonly encrypted: boolean }) | null;
  /** the last that was restored into a scratch home, started and looked at */
  readonly proven: (At & { readonly tookMs: number; readonly sessions: number }) | null;
  /** the last attempt of the schedule that came to nothing; null when a later one went well */
  readonly failed: { readonly atMs: number; readonly reason: string; readonly fix: string } | null;
  /** when the schedule last tried, or since when there is one */
  readonly triedAtMs: number | null;
};

const NOTHING: Proof = { made: null, proven: null, failed: null, triedAtMs: null };
const MAX_BYTES = 64 * 1024;
type Where = Pick<Paths, 'stateDir'>;
export const proofPathOf = ({ stateDir }: Where): string => join(stateDir, 'backups.json');

/** Never throws: what cannot be read proves nothing. */
export function readProof(where: Where): Proof {
  try {
    const value = JSON.parse(tryReadText(proofPathOf(where), MAX_BYTES) ?? '{}') as Partial<Proof>;
    const at = <T extends { atMs: number }>(one: T | null | undefined): T | null =>
      typeof one?.atMs === 'number' ? one : null;
    const triedAtMs = typeof value.triedAtMs === 'number' ? value.triedAtMs : null;
    return { made: at(value.made), proven: at(value.proven), failed: at(value.failed), triedAtMs };
  } catch {
    return NOTHING;
  }
}

export const noteProof = (where: Where, news: Partial<Proof>): void =>
  replaceFile(proofPathOf(where), `${JSON.stringify({ ...readProof(where), ...news })}\n`);
