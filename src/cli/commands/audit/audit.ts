// Owns `openclaw audit log|report|verify`: what is asked for, and how the answers read.
import type { Noted } from '../../../journal/chain.ts';
import { type Asked, KINDS, type Kind, type Query, type Span, type Told } from '../../../journal/reading.ts';
import { type Counted, commandOf, type Happened, type Section, wordsOf } from '../../../journal/report.ts';
import { EXIT, unusable } from '../../../platform/errors.ts';
import { canonicalKey, shortKey } from '../../connect/wire.ts';
import type { Context } from '../../context.ts';
import { milliseconds, wholeNumber } from '../../numbers.ts';
import { type Output, span, type Span as Words } from '../../output.ts';
import { counted, formatCount, formatTime } from '../../print/units.ts';
import type { TargetFlags } from '../../target.ts';
import { withRecord } from './reach.ts';

type When = TargetFlags & {
  readonly day?: string;
  readonly since?: string;
  readonly session?: string;
  readonly sender?: string;
};
type Log = When & {
  readonly tool?: string;
  readonly kind?: string;
  readonly denied?: boolean;
  readonly limit?: string;
};

const MAX_SINCE_MS = 366 * 86_400_000;
const LINE = 160;

export async function log(context: Context, options: Log): Promise<undefined> {
  const { out } = context;
  const { tool, denied } = options;
  const query: Query = {
    ...askedOf(options),
    limit: wholeNumber(options.limit, '--limit', 100, 1_000),
    ...(options.kind === undefined ? {} : { kind: kindOf(options.kind) }),
    ...(tool === undefined ? {} : { tool }),
    ...(denied === true ? { denied } : {}),
  };
  const found = await withRecord(context, options, (desk) => desk.log(query));
  out.data(found);
  if (found.entries.length === 0) out.note(span('dim', 'nothing is on record for that'));
  if (found.total > found.entries.length)
    out.note(span('dim', `${formatCount(found.total - found.entries.length)} earlier ones; use --limit`));
  for (const entry of found.entries) {
    const whose = [entry.session && shortKey(entry.session), entry.sender].filter(Boolean).join('  ');
    out.line(
      span('dim', `${formatTime(entry.atMs)}  ${entry.seq}  `),
      ...said(entry),
      span('dim', whose && `  ${whose}`),
    );
    const sources = entry.body['sources'];
    if (entry.call?.isSame === false) out.line(span('red', '    what is kept of it is not what was decided on'));
    if (Array.isArray(sources) && sources.length > 0 && entry.body['trust'] !== 'owner')
      out.line(span('dim', `    had read: ${sources.join(', ')}`));
  }
}

function said(entry: Told): readonly (string | Words)[] {
  const { kind, body, call } = entry;
  if (kind !== 'tool.decided' || call === null) return [short(wordsOf(entry))];
  const decision = String(body['decision']);
  const rule = body['code'] === undefined ? '' : ` by ${String(body['code'])} (${String(body['key'])})`;
  const what = commandOf(call.args) ?? (Array.isArray(body['effects']) ? body['effects'].join(' ') : '');
  const state = decision === 'deny' || call.state === 'done' || call.state === 'only read' ? '' : `, ${call.state}`;
  const colour = decision === 'deny' ? 'red' : decision === 'ask' ? 'yellow' : 'green';
  return [span('bold', String(body['tool'])), ' ', span(colour, `${WORDS[decision] ?? decision}${rule}${state}`), `  ${short(what)}`]; // biome-ignore format: one line of words
}
const WORDS: Readonly<Record<string, string>> = { allow: 'allowed', ask: 'asked you', deny: 'refused' };
const short = (text: string): string => (text.length > LINE ? `${text.slice(0, LINE - 1)}…` : text);

export async function report(context: Context, options: When): Promise<undefined> {
  const { out } = context;
  const asked = askedOf(options);
  const found = await withRecord(context, options, (desk) => desk.report(asked));
  out.data(found);
  out.line(span('bold', `${formatTime(found.fromMs)} to ${formatTime(Math.min(found.toMs, Date.now()))}`), `  ${counted(found.turns, 'turn')}`); // biome-ignore format: one line
  happened(out, 'Unusual', { total: found.unusual.length, list: found.unusual }, 'yellow');
  happened(out, 'Commands run', found.commands);
  tally(out, 'Files read', found.filesRead);
  tally(out, 'Files written', found.filesWritten);
  tally(out, 'Requests out', found.requests);
  tally(out, 'Messages to others', found.messages);
  tally(out, 'Refusals', found.refusals);
  happened(out, 'Questions to you', found.approvals);
  happened(out, 'Allowed for good, and windows', found.grants);
  happened(out, 'People and groups', found.access);
  happened(out, 'Changes of the configuration', found.changes);
  if (found.comparedSinceMs === null)
    out.note(span('dim', 'the record is too young to say what happened for the first time'));
  out.note(span('dim', 'one by one: openclaw audit log   is it whole: openclaw audit verify'));
}

function happened(
  out: Output,
  title: string,
  { total, list }: Section<Happened>,
  colour: 'yellow' | 'bold' = 'bold',
): void {
  out.line(total > 0 ? span(colour, `${title}: ${formatCount(total)}`) : span('dim', `${title}: none`));
  for (const { seq, atMs, what } of list) out.line(span('dim', `  ${formatTime(atMs)}  ${seq}  `), short(what));
  if (total > list.length) out.line(span('dim', `  and ${formatCount(total - list.length)} before these`));
}

function tally(out: Output, title: string, { total, list }: Section<Counted>): void {
  out.line(total > 0 ? span('bold', `${title}: ${formatCount(total)}`) : span('dim', `${title}: none`));
  for (const { what, count } of list) out.line(`  ${formatCount(count).padStart(6)}  ${short(what)}`);
}

export async function verify(context: Context, options: TargetFlags & { readonly head?: string }): Promise<number> {
  const { out } = context;
  try {
    const noted = notedOf(options.head);
    const found = await withRecord(context, options, (desk) => desk.verify(noted));
    out.data(found);
    const { whole, records, first, last, breaks } = found;
    if (whole) {
      const since = first === null ? '' : `, since ${formatTime(first.atMs)}`;
      out.line(span('green', 'whole: '), `${counted(records, 'record')}${since}`);
      if (last !== null) out.line(span('dim', `its head, to note elsewhere: ${last.seq}:${last.hash}`));
      return EXIT.ok;
    }
    out.line(span('red', `not whole, from record ${breaks[0]?.seq} on`), ` (${counted(records, 'record')})`);
    for (const { known } of breaks) out.line(`  ${known}`);
    out.note(span('dim', 'snapshots/ in the state folder has older copies to compare with; see docs/audit.md'));
    return EXIT.failure;
  } catch (error) {
    out.fail(error);
    return EXIT.couldNotRun;
  }
}

function notedOf(text: string | undefined): Noted | null {
  if (text === undefined) return null;
  const [, seq = '', hash = ''] = /^(\d{1,15}):([\w-]{43})$/.exec(text) ?? [];
  if (hash !== '') return { seq: Number(seq), hash };
  throw unusable('--head is given no head of a record', 'write it as openclaw audit verify printed it');
}

function kindOf(text: string): Kind | 'all' {
  const found = [...KINDS, 'all' as const].find((one) => one === text);
  if (found !== undefined) return found;
  throw unusable(`--kind is none of ${KINDS.join(', ')} and all`, 'openclaw audit log --kind decision');
}

const askedOf = (options: When): Asked => ({
  ...spanOf(options),
  ...(options.session === undefined ? {} : { session: canonicalKey(options.session) }),
  ...(options.sender === undefined ? {} : { sender: options.sender }),
});

/** A day of this machine's clock, or the time until now. */
function spanOf({ day, since }: When): Span {
  const nowMs = Date.now();
  const length = milliseconds(since, '--since', MAX_SINCE_MS);
  if (length !== undefined) return { fromMs: nowMs - length, toMs: nowMs + 1 };
  const at = new Date(nowMs);
  const [, year, month, date] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day ?? '') ?? [];
  const from =
    year === undefined
      ? new Date(at.getFullYear(), at.getMonth(), at.getDate() - (day === 'yesterday' ? 1 : 0))
      : new Date(Number(year), Number(month) - 1, Number(date));
  const isDay =
    year === undefined
      ? [undefined, 'today', 'yesterday'].includes(day)
      : from.getMonth() === Number(month) - 1 && from.getDate() === Number(date);
  if (!isDay) throw unusable(`--day ${day} is no day`, 'write it like --day 2026-11-21, today or yesterday');
  if (from > at) throw unusable(`--day ${day} has not come yet`, 'write it like --day 2026-11-21, today or yesterday');
  return { fromMs: from.getTime(), toMs: new Date(from.getFullYear(), from.getMonth(), from.getDate() + 1).getTime() };
}
