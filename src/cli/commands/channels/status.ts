// Owns `channels status`, `list` and `test`: what the gateway says of its channels; without one, what is configured.
import { resolvePaths } from '../../../config/paths.ts';
import { CHANNEL_NAMES } from '../../../config/schema/channels.ts';
import type { ChannelReport } from '../../../gateway/backend.ts';
import { EXIT, HardshellError, misused } from '../../../platform/errors.ts';
import { readLiveLock } from '../../../platform/lock.ts';
import { ask } from '../../connect/with-client.ts';
import type { Context } from '../../context.ts';
import { type Output, span } from '../../output.ts';
import { factLines, tableLines } from '../../print/table.ts';
import { counted, formatAgo, formatCount, formatDuration } from '../../print/units.ts';
import type { TargetFlags } from '../../target.ts';
import { openConfig } from '../config/open.ts';

type Flags = TargetFlags & { readonly probe?: boolean };

export async function status(context: Context, flags: Flags): Promise<number | undefined> {
  const { out } = context;
  const elsewhere = flags.url !== undefined || flags.port !== undefined;
  if (!elsewhere && readLiveLock(resolvePaths(context.env).lockPath) === null) return sayConfigured(context);
  const reports = await reportsOf(context, flags, flags.probe ? { probe: true } : {});
  out.data({ channels: reports });
  printReports(out, reports);
  return undefined;
}
export const list = status;

export async function test(context: Context, flags: TargetFlags, channel?: string): Promise<number> {
  const { out } = context;
  if (channel !== undefined && !CHANNEL_NAMES.includes(channel as never)) throw unknownChannel(channel);
  const reports = await reportsOf(context, flags, { probe: true, ...(channel === undefined ? {} : { channel }) });
  const asked = reports.filter(({ state }) => state !== 'off');
  if (asked.length === 0) {
    const message = channel ? `${channel} is not configured, or is off` : 'no channel is configured';
    throw new HardshellError({ code: 'NO_CHANNEL', message, fix: `openclaw channels add ${channel ?? 'telegram'}` });
  }
  const results = asked.map((one) => ({
    ...{ channel: one.id, account: one.account, ok: one.state !== 'idle' && one.problem === null },
    ...{ roundTripMs: one.lastRoundTrip?.roundTripMs ?? null, problem: one.problem },
  }));
  out.data({ results });
  for (const { channel: id, account, ok, roundTripMs, problem } of results) {
    out.line(
      `${nameOf(id, account)}: ${ok ? `ok, ${roundTripMs} ms there and back` : (problem?.reason ?? 'no answer')}`,
    );
    if (!ok && problem?.fix) out.line(span('dim', `  fix: ${problem.fix}`));
  }
  return results.every(({ ok }) => ok) ? EXIT.ok : EXIT.failure;
}

async function reportsOf(context: Context, flags: TargetFlags, params: object): Promise<readonly ChannelReport[]> {
  const answer = (await ask(context, flags, 'operator.read', 'channels.status', params)) as {
    reports?: readonly ChannelReport[];
  } | null;
  return answer?.reports ?? [];
}

/** Empty lists are no failure; a gateway that is down is said, and is none either where nothing is configured. */
async function sayConfigured(context: Context): Promise<number> {
  const { out } = context;
  const config = (await openConfig(context.env)).now.config;
  const channels = CHANNEL_NAMES.flatMap((id) => {
    const one = config?.channels[id];
    return one ? [{ id, state: one.enabled ? 'gateway not running' : 'off' }] : [];
  });
  out.data({ channels, gateway: { running: false } });
  out.note(span('yellow', 'no gateway runs here, so nothing is connected (openclaw gateway start)'));
  if (channels.length === 0) out.line('no channel is configured; openclaw channels add telegram');
  for (const line of factLines(channels.map(({ id, state }) => [id, state] as const))) out.line(line);
  return EXIT.ok;
}

/** `details`: problems, reasons, the last day and who wrote last (S034) as well. */
export function printReports(out: Output, reports: readonly ChannelReport[], details = true): void {
  if (reports.length === 0) out.line('no channel is configured; openclaw channels add telegram');
  if (reports.length === 0) return;
  const now = Date.now();
  const rows = reports.map(({ id, account, state, lastRoundTrip, balance }) => [
    nameOf(id, account),
    state,
    lastRoundTrip === null ? 'none yet' : `${lastRoundTrip.roundTripMs} ms, ${formatAgo(lastRoundTrip.atMs, now)}`,
    ...[balance.received, balance.answered, balance.declined, balance.queued, balance.failed].map(formatCount),
  ]);
  const counts = ['RECEIVED', 'ANSWERED', 'DECLINED', 'QUEUED', 'FAILED'];
  const columns = [
    ...[{ title: 'CHANNEL' }, { title: 'STATE' }, { title: 'ROUND TRIP' }],
    ...counts.map((title) => ({ title, align: 'right' as const })),
  ];
  for (const line of tableLines(columns, rows, out.width)) out.line(line);
  if (details) for (const report of reports) printDetails(out, report, now);
}

function printDetails(out: Output, report: ChannelReport, now: number): void {
  const { id, account, problem, day, lastGap, lastSenders, replies, balance, lastRoundTrip, nextTryMs } = report;
  const reasons = Object.entries(balance.reasons).map(([code, count]) => `${formatCount(count)} ${code}`);
  const facts: [string, string][] = [];
  if (problem) {
    facts.push([
      'problem',
      `${problem.reason}${nextTryMs === null ? '' : ` (tried again in ${formatDuration(Math.max(1_000, nextTryMs - now))})`}`,
    ]);
    if (problem.fix) facts.push(['fix', problem.fix]);
  }
  if (lastRoundTrip) facts.push(['as', lastRoundTrip.account]);
  if (reasons.length > 0) facts.push(['declined', reasons.join(', ')]);
  const open = [
    [replies.queued, 'waiting'],
    [replies.unknown, 'of unknown delivery'],
    [replies.failed, 'failed'],
  ] as const;
  if (open.some(([count]) => count > 0))
    facts.push([
      'replies',
      open
        .filter(([count]) => count > 0)
        .map(([count, what]) => `${formatCount(count)} ${what}`)
        .join(', '),
    ]);
  if (day.hours > 0)
    facts.push([
      'last 24 h',
      [
        counted(day.events, 'event'),
        `${counted(day.roundTrips, 'round trip')}${day.roundTrips === 0 ? '' : `, on average ${day.averageMs ?? 0} ms, at most ${day.slowestMs ?? 0} ms`}`,
        `${formatCount(day.failedRoundTrips)} failed`,
        counted(day.drops, 'lost connection'),
      ].join('; '),
    ]);
  if (lastGap) facts.push(['may be missing', `${lastGap.what} (${formatAgo(lastGap.atMs, now)})`]);
  if (lastSenders.length > 0)
    facts.push(['wrote last', lastSenders.map(({ id: who, atMs }) => `${who} (${formatAgo(atMs, now)})`).join(', ')]);
  if (facts.length === 0) return;
  out.line();
  out.line(span('bold', nameOf(id, account)));
  for (const line of factLines(facts)) out.line(`  ${line}`);
}

const nameOf = (id: string, account: string): string => (account === 'default' ? id : `${id} (${account})`);

export const unknownChannel = (name: string): HardshellError =>
  misused('UNKNOWN_CHANNEL', `there is no channel "${name.slice(0, 40)}"`, `one of: ${CHANNEL_NAMES.join(', ')}`);
