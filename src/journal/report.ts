// Owns the answers of guide 003 for a time: which commands, which files, which requests, who was let in, what changed, and
// what of it is unusual. It counts and lists; whether something is wrong is for the person to say.
import { tryParseJson } from '../platform/json.ts';
import { BROKEN, type Rows } from './chain.ts';
import { type Asked, callsIn, type Entry, effectsOf, entriesOf, isOf, isRefusal, type Span } from './reading.ts';

export type Counted = { readonly what: string; readonly count: number };
export type Happened = { readonly seq: number; readonly atMs: number; readonly what: string };
/** `total` counts also what is over the length of a list. */
export type Section<T> = { readonly total: number; readonly list: readonly T[] };
export type Report = Span & {
  readonly turns: number;
  readonly commands: Section<Happened & { readonly session: string; readonly state: string }>;
  readonly filesRead: Section<Counted>;
  readonly filesWritten: Section<Counted>;
  readonly requests: Section<Counted>;
  readonly messages: Section<Counted>;
  readonly approvals: Section<Happened>;
  readonly grants: Section<Happened>;
  readonly refusals: Section<Counted>;
  readonly access: Section<Happened>;
  readonly changes: Section<Happened>;
  readonly unusual: readonly Happened[];
  /** since when there is anything to compare with; null: not long enough */
  readonly comparedSinceMs: number | null;
};

const MAX_LISTED = 200;
const COMPARED_MS = 30 * 86_400_000;
/** With less, everything would be new. */
const LEAST_COMPARED_MS = 86_400_000;
const REPEATED = 3;
/** Hours of the night, local time. */
const NIGHT = { from: 0, to: 5 } as const;

export async function readReport(rows: Rows, asked: Asked, nowMs: number): Promise<Report> {
  const span: Span = { fromMs: asked.fromMs, toMs: asked.toMs };
  const keptOf = callsIn(rows, nowMs);
  const known = await knownBefore(rows, span.fromMs);
  const lists = { commands: [] as (Happened & { session: string; state: string })[], approvals: [] as Happened[], grants: [] as Happened[], access: [] as Happened[], changes: [] as Happened[] }; // biome-ignore format: one thought
  const counts = { filesRead: tally(), filesWritten: tally(), requests: tally(), messages: tally(), refusals: tally() };
  const unusual: Happened[] = [];
  const odd = (entry: Entry, what: string): void => {
    if (unusual.length < MAX_LISTED) unusual.push({ seq: entry.seq, atMs: entry.atMs, what });
  };
  const news = (entry: Entry, key: string, what: string): void => {
    if (known.seen.has(key)) return;
    known.seen.add(key);
    if (known.sinceMs !== null) odd(entry, what);
  };
  const nights = new Map<number, { entry: Entry; count: number }>();
  let turns = 0;

  for await (const entry of entriesOf(rows, span)) {
    const { seq, atMs, kind, body, session } = entry;
    const at = { seq, atMs };
    if (!isOf(entry, asked)) {
      // What another did is told elsewhere, and is not new any more.
      for (const key of keysOf(entry, keptOf(entry)?.args)) known.seen.add(key);
      continue;
    }
    if (kind === 'run.ended') turns += 1;
    if (kind === BROKEN) odd(entry, `the record itself: ${String(body['what'])}`);
    // The audit knocks at its own door, and is turned away as it should be.
    if (isRefusal(entry) && body['by'] !== 'audit') counts.refusals.add(refusalOf(entry), entry);
    if (kind === 'message.accepted') news(entry, `from ${entry.sender}`, `${entry.sender} wrote for the first time`);
    if (kind === 'elevation.opened') odd(entry, `commands outside the box were opened for ${String(body['id'])}`);
    if (kind === 'approval.void') odd(entry, `an approved call had changed before it ran: ${String(body['changed'])}`);
    if (entry.group === 'approval' && kind !== 'approval.used') lists.approvals.push({ ...at, what: wordsOf(entry) });
    if (entry.group === 'grant' && kind !== 'grant.used') lists.grants.push({ ...at, what: wordsOf(entry) });
    if (kind.startsWith('pairing.') || kind === 'group.joined') lists.access.push({ ...at, what: wordsOf(entry) });
    if (entry.group === 'config') lists.changes.push({ ...at, what: wordsOf(entry) });
    const kept = keptOf(entry);
    if (kept === null || body['decision'] === 'deny' || kept.state === 'did not run') continue;
    if (!kept.isSame) odd(entry, `the kept arguments of ${String(body['tool'])} are not those that were decided on`);
    if (kept.state === 'unknown') odd(entry, `nobody knows how ${String(body['tool'])} ended`);
    const hour = new Date(atMs).getHours();
    if (hour >= NIGHT.from && hour < NIGHT.to && kept.state !== 'only read') {
      const night = Math.floor(atMs / 86_400_000);
      nights.set(night, { entry: nights.get(night)?.entry ?? entry, count: (nights.get(night)?.count ?? 0) + 1 });
    }
    for (const effect of effectsOf(body)) {
      const [what, object] = [effect.slice(0, effect.indexOf(':')), effect.slice(effect.indexOf(':') + 1)];
      if (what === 'read') counts.filesRead.add(object, entry);
      if (what === 'write') counts.filesWritten.add(object, entry);
      if (what === 'message' || what === 'mail') counts.messages.add(`${what} to ${object || 'its own chat'}`, entry);
      if (what === 'browse') counts.requests.add(`in the browser: ${hostOf(object.replace(/^\w+ /, ''))}`, entry);
      if (what === 'search') counts.requests.add('a search', entry);
      if (what === 'run') {
        const command = commandOf(kept.args) ?? `(${kept.state})`;
        lists.commands.push({ ...at, session, what: command, state: kept.state });
        news(entry, `runs ${programOf(command)}`, `${programOf(command)} was run for the first time`);
        if (object !== 'sandbox') odd(entry, `outside the box: ${command}`);
      }
      if (what === 'fetch') {
        const host = hostOf(object);
        counts.requests.add(host, entry);
        news(entry, `asks ${host}`, `${host} was asked for the first time`);
      }
    }
  }
  for (const { what, count, entry } of counts.refusals.all())
    if (count >= REPEATED && !what.startsWith('message')) odd(entry, `refused ${count} times: ${what}`);
  for (const { entry, count } of nights.values())
    odd(entry, `${count} acts between ${NIGHT.from} and ${NIGHT.to} at night`);

  return {
    ...{ ...span, turns, commands: cut(lists.commands), approvals: cut(lists.approvals), grants: cut(lists.grants) },
    ...{ access: cut(lists.access), changes: cut(lists.changes), filesRead: counts.filesRead.section() },
    ...{ filesWritten: counts.filesWritten.section(), requests: counts.requests.section() },
    ...{ messages: counts.messages.section(), refusals: counts.refusals.section() },
    unusual: unusual.sort((a, b) => a.atMs - b.atMs),
    comparedSinceMs: known.sinceMs,
  };
}

/** Whom and what the days before knew. */
async function knownBefore(rows: Rows, beforeMs: number): Promise<{ seen: Set<string>; sinceMs: number | null }> {
  const span = { fromMs: beforeMs - COMPARED_MS, toMs: beforeMs };
  const seen = new Set<string>();
  let firstMs: number | null = null;
  for await (const entry of entriesOf(rows, span)) {
    firstMs ??= entry.atMs;
    for (const key of keysOf(entry, null)) seen.add(key);
  }
  const calls = rows.prepare('SELECT args FROM tool_calls WHERE started_at >= ? AND started_at < ?');
  for (const row of calls.iterate(span.fromMs, span.toMs))
    for (const key of ranIn(tryParseJson(String(row['args'])))) seen.add(key);
  const sinceMs = firstMs !== null && beforeMs - firstMs >= LEAST_COMPARED_MS ? firstMs : null;
  return { seen, sinceMs };
}

/** What is known from an entry on. */
const keysOf = ({ kind, body, sender }: Entry, args: unknown): string[] => [
  ...(kind === 'message.accepted' ? [`from ${sender}`] : ranIn(args)),
  ...(kind === 'tool.decided' ? effectsOf(body) : []).flatMap((effect) =>
    effect.startsWith('fetch:') ? [`asks ${hostOf(effect.slice(6))}`] : [],
  ),
];
function ranIn(args: unknown): string[] {
  const command = commandOf(args);
  return command === null ? [] : [`runs ${programOf(command)}`];
}

/** An entry in words, of the machine's own and of what it names. */
export function wordsOf({ kind, body }: Pick<Entry, 'kind' | 'body'>): string {
  const facts = Object.entries(body).flatMap(([name, value]) => {
    if (['run', 'call', 'id', 'session', 'hash'].includes(name) || value === null || value === '') return [];
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
    return [`${name} ${text.length > 120 ? `${text.slice(0, 119)}…` : text}`];
  });
  return [kind, ...facts].join(', ').replace(', ', ': ');
}

function refusalOf({ kind, body }: Entry): string {
  if (kind === 'tool.decided') return `${String(body['tool'])}: ${String(body['code'])} (${String(body['key'] ?? '')})`;
  if (kind === 'message.declined') return `message from ${String(body['channel'])}: ${String(body['code'])}`;
  return `${kind}: ${String(body['code'] ?? body['reason'] ?? body['answer'] ?? body['changed'] ?? '')}`;
}

export function commandOf(args: unknown): string | null {
  const command = (args as { command?: unknown } | null)?.command;
  return typeof command === 'string' ? command : null;
}
/** Without settings before it and the folder it lies in. */
const programOf = (command: string): string =>
  (
    command
      .trim()
      .split(/\s+/)
      .find((word) => !/^\w+=/.test(word)) ?? ''
  ).replace(/^.*\//, '') || 'an empty command';
const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : url.slice(0, 80));

function tally() {
  const counted = new Map<string, { count: number; entry: Entry }>();
  return {
    add(what: string, entry: Entry): void {
      counted.set(what, { count: (counted.get(what)?.count ?? 0) + 1, entry });
    },
    all: () => [...counted].map(([what, one]) => ({ what, ...one })),
    section(): Section<Counted> {
      const list = [...counted].map(([what, { count }]) => ({ what, count })).sort((a, b) => b.count - a.count);
      return { total: list.reduce((sum, { count }) => sum + count, 0), list: list.slice(0, MAX_LISTED) };
    },
  };
}

const cut = <T>(list: readonly T[]): Section<T> => ({ total: list.length, list: list.slice(-MAX_LISTED) });
