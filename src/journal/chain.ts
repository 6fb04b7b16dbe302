// Owns what makes the journal a chain, and the walk along it that finds what was removed, changed, moved, put in or cut
// off. It only reads.
import { createHash } from 'node:crypto';
import type { Store } from '../store/open.ts';
import type { Head } from './head.ts';

export type Rows = Pick<Store, 'prepare'>;
export type Link = { readonly seq: number; readonly atMs: number; readonly kind: string; readonly body: string };

/** What is wrong, from `seq` on. `recorded`: a start found it and wrote it down. */
export type Break = {
  readonly seq: number;
  readonly what: 'changed' | 'missing' | 'cut' | 'replaced' | 'added' | 'no head' | 'recorded';
  /** one sentence */
  readonly known: string;
};
export type Verified = {
  readonly whole: boolean;
  readonly records: number;
  readonly first: { readonly seq: number; readonly atMs: number } | null;
  readonly last: { readonly seq: number; readonly atMs: number; readonly hash: string } | null;
  readonly head: Head | null;
  readonly breaks: readonly Break[];
};
/** A head that somebody noted elsewhere. */
export type Noted = { readonly seq: number; readonly hash: string };

const PAGE = 1_000;
const MAX_BREAKS = 20;
/** The entry by which a start tells what it found. */
export const BROKEN = 'journal.broken';
export const OPENED = 'journal.opened';

export const chain = (previous: string, seq: number, atMs: number, kind: string, body: string): string =>
  createHash('sha256')
    .update(JSON.stringify([previous, seq, atMs, kind, body]))
    .digest('base64url');

/** Lets others have their turn after each page: a journal of years takes seconds. `isLive`: its writer runs now. */
export async function verifyChain(
  rows: Rows,
  head: Head | null,
  { isLive = false, noted = null }: { readonly isLive?: boolean; readonly noted?: Noted | null } = {},
): Promise<Verified> {
  const page = rows.prepare('SELECT seq, at, kind, body, hash FROM journal WHERE seq > ? ORDER BY seq LIMIT ?');
  const breaks: Break[] = [];
  const tell = (seq: number, what: Break['what'], known: string): void => {
    if (breaks.length < MAX_BREAKS) breaks.push({ seq, what, known });
  };
  const wanted = new Map<number, string>();
  let [records, previous, after, atBefore] = [0, '', 0, 0];
  let first: Verified['first'] = null;
  for (;;) {
    const found = page.all(after, PAGE);
    if (found.length === 0) break;
    for (const row of found) {
      const [seq, atMs, kind, body] = [Number(row['seq']), Number(row['at']), String(row['kind']), String(row['body'])];
      const hash = String(row['hash']);
      first ??= { seq, atMs };
      if (seq !== after + 1) tell(after + 1, 'missing', missing(after + 1, seq - 1, atBefore, atMs));
      else if (hash !== chain(previous, seq, atMs, kind, body))
        tell(
          seq,
          'changed',
          `record ${seq} (${kind}, ${timeOf(atMs)}) is not the one that was written, or not in its place`,
        );
      if (kind === BROKEN) tell(seq, 'recorded', `${timeOf(atMs)}: a start found that ${whatOf(body)}`);
      if (seq === head?.seq || seq === noted?.seq) wanted.set(seq, hash);
      [records, previous, after, atBefore] = [records + 1, hash, seq, atMs];
    }
    await new Promise(setImmediate);
  }
  for (const [one, whose] of [
    [head, 'the head beside the database'],
    [noted, 'the head that you noted'],
  ] as const) {
    if (one === null || one.seq === 0) continue;
    if (one.seq > after) tell(after + 1, 'cut', cut(one.seq, after, whose));
    else if (wanted.get(one.seq) !== one.hash)
      tell(
        one.seq,
        'replaced',
        `record ${one.seq} is not the one that ${whose} knows: it and what is before it was written anew`,
      );
  }
  if (head === null && records > 0)
    tell(after, 'no head', 'the head beside the database is missing, so nobody can say whether the end was cut off');
  if (head !== null && !head.isOpen && !isLive && after > head.seq)
    tell(
      head.seq + 1,
      'added',
      `${after - head.seq} records were added after the last program that writes them had ended`,
    );
  const last = records > 0 ? { seq: after, atMs: atBefore, hash: previous } : null;
  return { whole: breaks.length === 0, records, first, last, head, breaks: breaks.sort((a, b) => a.seq - b.seq) };
}

const missing = (from: number, to: number, beforeMs: number, afterMs: number): string =>
  `${from === to ? `record ${from} is` : `records ${from} to ${to} are`} missing, written ${beforeMs === 0 ? '' : `after ${timeOf(beforeMs)} and `}before ${timeOf(afterMs)}`;

const cut = (wanted: number, found: number, whose: string): string =>
  wanted === Number.MAX_SAFE_INTEGER
    ? `${whose} cannot be read`
    : `the end is missing: ${whose} knows ${wanted} records, and there are ${found} (an older copy of the database was put back, or records were removed)`;

const timeOf = (atMs: number): string => new Date(atMs).toISOString();

function whatOf(body: string): string {
  try {
    return String((JSON.parse(body) as { what?: unknown }).what);
  } catch {
    return 'the journal did not fit its head';
  }
}
