// Owns how the state of a channel reads. Words carry it; the colour only repeats them.
import type { ChannelRow } from '../protocol/people.ts';
import { hasUnseen, plainLine } from '../shell/visible.tsx';
import { ago, clock, countdown, daysBefore, duration, fullTime } from '../shell/words.ts';

export type Tone = 'good' | 'wait' | 'bad' | 'off';
export type Fact = readonly [name: string, value: string, hint?: string];

/** Configured, and no phone has taken it, or the phone let it go. */
export const isUnlinked = ({ id, problem }: ChannelRow): boolean =>
  id === 'whatsapp' && (problem?.fix.startsWith('openclaw channels login') ?? false);

export function stateOf(row: ChannelRow, nowMs: number): { words: string; tone: Tone } {
  const { state, sinceMs, nextTryMs } = row;
  if (state === 'refused' && isUnlinked(row)) return { words: 'not linked to a phone', tone: 'wait' };
  const at = daysBefore(sinceMs, nowMs) === 0 ? clock(sinceMs) : fullTime(sinceMs);
  const next = nextTryMs === null ? '' : `; tries again in ${countdown(nextTryMs - nowMs)}`;
  switch (state) {
    case 'connected':
      return { words: at === '' ? 'connected' : `connected since ${at}`, tone: 'good' };
    case 'connecting':
      return { words: 'connecting', tone: 'wait' };
    case 'waiting':
      return { words: `reconnecting${next}`, tone: 'wait' };
    case 'refused':
      return { words: `refused${next}`, tone: 'bad' };
    case 'idle':
      return { words: 'does not run', tone: 'bad' };
    case 'off':
      return { words: 'switched off', tone: 'off' };
    case 'stopped':
      return { words: 'stopped', tone: 'off' };
  }
}

/** Of one account: its connection. */
export function connectionFacts(row: ChannelRow, nowMs: number): Fact[] {
  const { state, trip, day, gap } = row;
  const facts: Fact[] = [];
  if (trip) {
    const as = trip.as === '' ? '' : `, as ${plainLine(trip.as)}`;
    facts.push(['Round trip', `${duration(trip.tookMs)}, ${ago(trip.atMs, nowMs)}${as}`, fullTime(trip.atMs)]);
  } else if (state !== 'off' && state !== 'idle' && !isUnlinked(row)) facts.push(['Round trip', 'none yet']);
  if (day.trips + day.failedTrips + day.events + day.drops > 0) facts.push(['24 hours', dayWords(day)]);
  if (gap) facts.push(['Missing', `${plainLine(gap.what)} (${ago(gap.atMs, nowMs)})`, fullTime(gap.atMs)]);
  return facts;
}

function dayWords({ trips, failedTrips, averageMs, slowestMs, events, drops }: ChannelRow['day']): string {
  const all = trips + failedTrips;
  const came = failedTrips === 0 ? counted(trips, 'round trip') : `${trips} of ${counted(all, 'round trip')} came back`;
  const speed =
    averageMs === null || slowestMs === null || trips < 2
      ? ''
      : ` (${duration(averageMs)} on average, ${duration(slowestMs)} at most)`;
  return [`${came}${speed}`, counted(events, 'event'), counted(drops, 'lost connection')].join(', ');
}

/** Of the channel, all accounts together: what came by it. */
export function messageFacts({ balance, replies, senders }: ChannelRow, nowMs: number): Fact[] {
  if (balance.received === 0 && senders.length === 0) return [];
  const { received, answered, declined, queued, failed, reasons } = balance;
  const open = [
    ...(replies.queued > 0 ? [`${replies.queued} queued`] : []),
    ...(replies.unknown > 0 ? [`${replies.unknown} perhaps sent`] : []),
    ...(replies.failed > 0 ? [`${replies.failed} failed`] : []),
  ];
  const sum = `${received} received = ${answered} answered + ${declined} declined + ${queued} queued + ${failed} failed`;
  return [
    ['Messages', sum],
    ...(reasons.length > 0
      ? [['Declined', reasons.map(([code, n]) => `${n} ${plainLine(code)}`).join(', ')] as const]
      : []),
    ...(open.length > 0 ? [['Replies', open.join(', ')] as const] : []),
    ...(senders.length > 0
      ? [['Last senders', senders.map((one) => `${plainLine(one.id)} ${ago(one.atMs, nowMs)}`).join(', ')] as const]
      : []),
  ];
}

/** What is odd about a name that somebody gave themselves, or ''. */
export function oddity(name: string): string {
  if (hasUnseen(name)) return 'The name has characters that cannot be seen. They are shown by number.';
  const other = ['Cyrillic', 'Greek'].find((script) => new RegExp(`\\p{Script=${script}}`, 'u').test(name));
  if (other === undefined || !/\p{Script=Latin}/u.test(name)) return '';
  return `The name mixes Latin with ${other} letters, which look alike. Go by the id.`;
}

const counted = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;

/** A path of the settings keeps its small letter. */
export function sentence(text: string): string {
  const first = /^[a-z]+(?:\s|$)/.test(text) ? text.charAt(0).toUpperCase() : text.charAt(0);
  return `${first}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}
