// Owns the reading of channels and of people: reports, requests, passes, rights. As in frames.ts, nothing is trusted to
// have a shape; names and ids are a stranger's words and are shown as such.
import { type Json, listOf, numberOf, objectOf, textOf } from './frames.ts';

export type ChannelState = 'connected' | 'connecting' | 'waiting' | 'refused' | 'stopped' | 'off' | 'idle';
export type Problem = { readonly reason: string; readonly fix: string };
export type ChannelRow = {
  readonly id: string;
  readonly account: string;
  readonly label: string;
  readonly state: ChannelState;
  readonly sinceMs: number;
  readonly problem: Problem | null;
  readonly nextTryMs: number | null;
  readonly trip: { readonly atMs: number; readonly tookMs: number; readonly as: string } | null;
  readonly gap: { readonly atMs: number; readonly what: string } | null;
  readonly day: {
    readonly trips: number;
    readonly failedTrips: number;
    readonly averageMs: number | null;
    readonly slowestMs: number | null;
    readonly events: number;
    readonly drops: number;
  };
  readonly balance: {
    readonly received: number;
    readonly answered: number;
    readonly declined: number;
    readonly queued: number;
    readonly failed: number;
    readonly reasons: readonly (readonly [string, number])[];
  };
  /** replies that are not certainly there */
  readonly replies: { readonly queued: number; readonly unknown: number; readonly failed: number };
  readonly senders: readonly { readonly id: string; readonly atMs: number }[];
};

const STATES: readonly ChannelState[] = ['connected', 'connecting', 'waiting', 'refused', 'stopped', 'off', 'idle'];

export function readChannels(value: unknown): readonly ChannelRow[] {
  return listOf(objectOf(value)['reports']).flatMap((entry): ChannelRow[] => {
    const row = objectOf(entry);
    const id = textOf(row['id']);
    if (id === '') return [];
    const day = objectOf(row['day']);
    const balance = objectOf(row['balance']);
    const replies = objectOf(row['replies']);
    return [
      {
        id,
        account: textOf(row['account']) || 'default',
        label: textOf(row['label']) || id,
        // A state that this page does not know is none in which messages certainly flow.
        state: STATES.find((state) => state === row['state']) ?? 'waiting',
        sinceMs: count(row, 'sinceMs'),
        problem: readProblem(row['problem']),
        nextTryMs: numberOf(row['nextTryMs']),
        trip: given(row['lastRoundTrip'], (trip) => ({
          atMs: count(trip, 'atMs'),
          tookMs: count(trip, 'roundTripMs'),
          as: textOf(trip['account']),
        })),
        gap: given(row['lastGap'], (gap) => ({ atMs: count(gap, 'atMs'), what: textOf(gap['what']) })),
        day: {
          trips: count(day, 'roundTrips'),
          failedTrips: count(day, 'failedRoundTrips'),
          averageMs: numberOf(day['averageMs']),
          slowestMs: numberOf(day['slowestMs']),
          events: count(day, 'events'),
          drops: count(day, 'drops'),
        },
        balance: {
          received: count(balance, 'received'),
          answered: count(balance, 'answered'),
          declined: count(balance, 'declined'),
          queued: count(balance, 'queued'),
          failed: count(balance, 'failed'),
          reasons: Object.entries(objectOf(balance['reasons']))
            .flatMap(([code, n]) => (typeof n === 'number' && n > 0 ? [[code, n] as const] : []))
            .sort((a, b) => b[1] - a[1]),
        },
        replies: {
          queued: count(replies, 'queued'),
          unknown: count(replies, 'unknown'),
          failed: count(replies, 'failed'),
        },
        senders: listOf(row['lastSenders']).map((one) => ({
          id: textOf(objectOf(one)['id']),
          atMs: count(objectOf(one), 'atMs'),
        })),
      },
    ];
  });
}

export type WaitingRow = {
  /** `telegram:123456`: what an answer to it is given by */
  readonly id: string;
  readonly channel: string;
  readonly sender: string;
  readonly account: string;
  readonly isGroup: boolean;
  readonly title: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
};
export type InviteRow = { readonly id: string; readonly title: string; readonly untilMs: number; readonly may: string };
export type RightRow = {
  readonly id: string;
  readonly channel: string;
  readonly sender: string;
  readonly account: string;
  readonly isGroup: boolean;
  readonly role: string;
  readonly title: string;
  /** what a guest may, or '' */
  readonly may: string;
  readonly untilMs: number | null;
  readonly lastSeenAtMs: number | null;
  /** given by the settings, which no button takes back */
  readonly bySettings: boolean;
};

export type People = {
  /** null: not known yet */
  readonly channels: readonly ChannelRow[] | null;
  readonly waiting: readonly WaitingRow[];
  readonly invites: readonly InviteRow[];
  readonly rights: readonly RightRow[];
  /** why this may be out of date */
  readonly failure: Problem | null;
};
export const NO_PEOPLE: People = { channels: null, waiting: [], invites: [], rights: [], failure: null };

export function readWaiting(value: unknown): readonly WaitingRow[] {
  return listOf(objectOf(value)['waiting']).flatMap((entry) => {
    const row = objectOf(entry);
    const who = readId(row);
    return who ? [{ ...who, createdAtMs: count(row, 'createdAtMs'), expiresAtMs: count(row, 'expiresAtMs') }] : [];
  });
}

export function readInvites(value: unknown): readonly InviteRow[] {
  return listOf(objectOf(value)['invites']).map((entry) => {
    const row = objectOf(entry);
    return {
      id: textOf(row['id']),
      title: textOf(row['title']),
      untilMs: count(row, 'untilMs'),
      may: limitsOf(row['limits']),
    };
  });
}

export function readRights(value: unknown): readonly RightRow[] {
  return listOf(objectOf(value)['approved']).flatMap((entry): RightRow[] => {
    const row = objectOf(entry);
    const who = readId(row);
    if (!who) return [];
    const role = textOf(row['role']);
    return [
      {
        ...who,
        role: row['members'] === true ? 'group, everybody in it' : role,
        may: role === 'guest' ? limitsOf(row['limits']) : '',
        untilMs: numberOf(row['untilMs']),
        lastSeenAtMs: numberOf(row['lastSeenAtMs']),
        bySettings: role === 'listed' || role.endsWith('(settings)'),
      },
    ];
  });
}

/** Only a picture made of data: nothing that would be fetched from somewhere. */
export function readLink(value: unknown): { readonly linked: boolean; readonly message: string; readonly qr: string } {
  const link = objectOf(value);
  const qr = textOf(link['qrDataUrl']);
  return {
    linked: link['connected'] === true,
    message: textOf(link['message']) || 'waiting for the phone',
    qr: /^data:image\/(?:svg\+xml|png);base64,[A-Za-z0-9+/=]+$/.test(qr) ? qr : '',
  };
}

/** The command in the gateway's words of help, and what it says about it. */
export function readFix(fix: string): { readonly command: string; readonly words: string } {
  const found = /^(openclaw (?:(?!\s{2}|, or | \().)+)(.*)$/s.exec(fix);
  if (!found) return { command: '', words: fix };
  const words = (found[2] ?? '').trim().replace(/^, /, '');
  return { command: (found[1] ?? '').trim(), words: /^\((?:[^()]*)\)$/.test(words) ? words.slice(1, -1) : words };
}

function readId(row: Json) {
  const id = textOf(row['id']);
  const at = id.indexOf(':');
  if (at < 1) return null;
  return {
    ...{ id, channel: id.slice(0, at), sender: id.slice(at + 1) },
    account: textOf(row['account']) || 'default',
    isGroup: row['kind'] === 'group',
    title: textOf(row['title']),
  };
}

function limitsOf(value: unknown): string {
  const limits = objectOf(value);
  const tools = listOf(limits['tools']).map(textOf).join(', ');
  const folder = textOf(limits['folder']);
  const messages = numberOf(limits['messagesPerDay']);
  const tokens = numberOf(limits['tokensPerDay']);
  return [
    tools === '' ? 'talk only' : `${tools}${folder === '' ? '' : ` in ${folder}`}`,
    ...(messages === null ? [] : [`${messages} messages a day`]),
    ...(tokens === null ? [] : [`${tokens} tokens a day`]),
  ].join('; ');
}

function readProblem(value: unknown): Problem | null {
  return given(value, (problem) => ({ reason: textOf(problem['reason']), fix: textOf(problem['fix']) }));
}

const given = <T>(value: unknown, read: (row: Json) => T): T | null =>
  typeof value === 'object' && value !== null ? read(value as Json) : null;

const count = (row: Json, name: string): number => numberOf(row[name]) ?? 0;
