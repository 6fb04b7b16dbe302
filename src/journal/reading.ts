// Owns looking things up in the journal: the entries of a time, of a session, a sender, a tool, each decision with the
// arguments that are still kept. It reads page by page and lets others have their turn; it must never write.
import { createHash } from 'node:crypto';
import { canonicalJson, fieldsIn, tryParseJson } from '../platform/json.ts';
import { BROKEN, OPENED, type Rows } from './chain.ts';

export const KINDS = ['decision', 'approval', 'grant', 'config', 'access', 'outbox', 'other'] as const;
export type Kind = (typeof KINDS)[number];
export type Span = { readonly fromMs: number; readonly toMs: number };
export type Asked = Span & {
  readonly session?: string | undefined;
  /** such as telegram:42 */
  readonly sender?: string | undefined;
};
export type Query = Asked & {
  readonly tool?: string | undefined;
  readonly kind?: Kind | 'all' | undefined;
  readonly denied?: boolean | undefined;
  /** the newest */
  readonly limit: number;
};

export type Entry = {
  readonly seq: number;
  readonly atMs: number;
  readonly kind: string;
  readonly group: Kind;
  readonly body: Readonly<Record<string, unknown>>;
  /** whose and where, also when the entry itself names only its run; '' when nobody's */
  readonly session: string;
  readonly sender: string;
};
/** What is kept of a call besides its decision. `args` is null when it was only a read, did not begin, or is kept no longer. */
export type Kept = {
  readonly state: 'done' | 'started' | 'unknown' | 'only read' | 'did not run' | 'kept no longer';
  readonly args: unknown;
  /** false: what is kept is not what was decided on */
  readonly isSame: boolean;
};
export type Told = Entry & { readonly call: Kept | null };

/** For how long the arguments of calls are kept. The journal itself is kept for good. */
export const KEEP_CALLS_MS = 90 * 86_400_000;
const PAGE = 500;
/** What belongs to a run may have been written down before the time that is asked about. */
const BEFORE_MS = 3_600_000;

export const hashOfArgs = (args: unknown): string =>
  createHash('sha256').update(canonicalJson(args)).digest('base64url');

/** In order. */
export async function* entriesOf(rows: Rows, { fromMs, toMs }: Span): AsyncGenerator<Entry> {
  const page = rows.prepare('SELECT seq, at, kind, body FROM journal WHERE seq >= ? ORDER BY seq LIMIT ?');
  const runs = new Map<string, { session: string; sender: string }>();
  for (let next = firstAt(rows, fromMs - BEFORE_MS); ; ) {
    const found = page.all(next, PAGE);
    for (const row of found) {
      const [seq, atMs, kind] = [Number(row['seq']), Number(row['at']), String(row['kind'])];
      next = seq + 1;
      // A clock that was set back: what comes later may be of the time all the same.
      const body = fieldsIn(String(row['body']));
      const run = textOf(body['run']);
      const known = runs.get(run) ?? { session: '', sender: '' };
      const whose = { session: textOf(body['session']) || known.session, sender: senderOf(body) || known.sender };
      if (run !== '') runs.set(run, whose);
      if (atMs >= fromMs && atMs < toMs) yield { seq, atMs, kind, group: groupOf(kind), body, ...whose };
    }
    if (found.length < PAGE || Number(found[0]?.['at']) > toMs + BEFORE_MS) return;
    await new Promise(setImmediate);
  }
}

export async function readLog(rows: Rows, query: Query, nowMs: number): Promise<{ entries: Told[]; total: number }> {
  const keptOf = callsIn(rows, nowMs);
  const matching: Entry[] = [];
  let total = 0;
  for await (const entry of entriesOf(rows, query)) {
    if (!matches(entry, query)) continue;
    total += 1;
    matching.push(entry);
    if (matching.length >= query.limit * 2) matching.splice(0, matching.length - query.limit);
  }
  return { total, entries: matching.slice(-query.limit).map((entry) => ({ ...entry, call: keptOf(entry) })) };
}

/** What is kept of the call that an entry decides about; null for any other entry. */
export function callsIn(rows: Rows, nowMs: number): (entry: Entry) => Kept | null {
  const get = rows.prepare('SELECT args, state FROM tool_calls WHERE run_id = ? AND call_id = ?');
  return ({ kind, atMs, body }) => {
    if (kind !== 'tool.decided') return null;
    const row = get.get(textOf(body['run']), textOf(body['call']));
    if (row) {
      const args = tryParseJson(String(row['args']));
      const isSame = body['args'] === undefined || body['args'] === hashOfArgs(args);
      return { state: String(row['state']) as Kept['state'], args, isSame };
    }
    const effects = effectsOf(body);
    const onlyRead = body['decision'] === 'allow' && effects.every((one) => one.startsWith('read:'));
    const state = onlyRead ? 'only read' : atMs < nowMs - KEEP_CALLS_MS ? 'kept no longer' : 'did not run';
    return { state, args: null, isSame: true };
  };
}

export const isOf = (entry: Entry, { session, sender }: Asked): boolean =>
  (session === undefined || entry.session === session) && (sender === undefined || entry.sender === sender);

function matches(entry: Entry, query: Query): boolean {
  const { tool, kind = 'all', denied = false } = query;
  return (
    isOf(entry, query) &&
    (kind === 'all' || entry.group === kind) &&
    (tool === undefined || entry.body['tool'] === tool) &&
    (!denied || isRefusal(entry))
  );
}

export const isRefusal = ({ kind, body }: Pick<Entry, 'kind' | 'body'>): boolean =>
  ['gateway.refused', 'message.declined', 'approval.refused', 'pairing.rejected', 'approval.void'].includes(kind) ||
  (kind === 'tool.decided' && body['decision'] === 'deny') ||
  (kind === 'approval.resolved' && !String(body['answer']).startsWith('allow'));

export const effectsOf = (body: Entry['body']): string[] =>
  Array.isArray(body['effects']) ? body['effects'].map(String) : [];

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** `telegram:42`, as every surface writes a person. */
function senderOf({ channel, sender, subject, kind }: Entry['body']): string {
  if (typeof sender === 'string' && (sender.includes(':') || typeof channel !== 'string')) return sender;
  const who = typeof sender === 'string' ? sender : kind === 'person' ? textOf(subject) : '';
  return who === '' || typeof channel !== 'string' ? '' : `${channel}:${who}`;
}

const GROUPS: Readonly<Record<string, Kind>> = {
  ...{ tool: 'decision', approval: 'approval', grant: 'grant', elevation: 'grant', config: 'config', trust: 'config' },
  ...{ pairing: 'access', message: 'access', group: 'access', gateway: 'access', channel: 'access', outbox: 'outbox' },
};
const groupOf = (kind: string): Kind =>
  kind === 'gateway.started' ? 'config' : kind === BROKEN || kind === OPENED ? 'other' : (GROUPS[kind.split('.', 1)[0] ?? ''] ?? 'other'); // biome-ignore format: one line

/** The first entry that is not older, found by halving: their numbers rise with their times. */
function firstAt(rows: Rows, atMs: number): number {
  const last = rows.prepare('SELECT max(seq) AS seq FROM journal');
  const near = rows.prepare('SELECT seq, at FROM journal WHERE seq >= ? ORDER BY seq LIMIT 1');
  let [low, high] = [0, Number(last.get()?.['seq'] ?? 0) + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = near.get(middle);
    if (row === undefined || Number(row['at']) >= atMs) high = middle;
    else low = middle + 1;
  }
  return low;
}
