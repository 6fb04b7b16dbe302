// Owns what people are told of each channel of the configuration: how it does, joined with what the tables know of it. Part
// of the composition; it asks no platform.
import { createHealthRecord } from './channels/health-record.ts';
import type { createChannelHost, IdleChannel } from './channels/open.ts';
import { PLATFORMS } from './channels/platforms.ts';
import type { ChannelStatus } from './channels/supervise.ts';
import type { Core } from './core.ts';
import type { ChannelReport } from './gateway/backend.ts';

type Host = Pick<ReturnType<typeof createChannelHost>, 'status' | 'idle'>;

const LAST_SENDERS = 5;
const NOTHING_RECEIVED = { received: 0, answered: 0, declined: 0, queued: 0, failed: 0, reasons: {} };
const NOTHING_SENT = { queued: 0, sent: 0, unknown: 0, failed: 0 };

/** By name; whether it runs or not. */
export function reportChannels(host: Host, { inbox, outbox }: Pick<Core, 'inbox' | 'outbox'>, nowMs: number) {
  const all = [...host.status(), ...host.idle().map((one) => atRest(one, nowMs))];
  if (all.length === 0) return [];
  const balances = new Map(inbox.balanceByChannel().map(({ channel, ...rest }) => [channel, rest]));
  const replies = outbox.countByChannel();
  const senders = inbox.lastSenders(LAST_SENDERS);
  return all
    .map(
      (one): ChannelReport => ({
        ...one,
        label: PLATFORMS[one.id as keyof typeof PLATFORMS]?.label ?? one.id,
        balance: balances.get(one.id) ?? NOTHING_RECEIVED,
        replies: replies.get(one.id) ?? NOTHING_SENT,
        lastSenders: senders.get(one.id) ?? [],
      }),
    )
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

type Status = Omit<ChannelStatus, 'state'> & Pick<ChannelReport, 'state'>;

const atRest = ({ id, account, off, what: reason, fix, atMs }: IdleChannel, nowMs: number): Status => ({
  ...{ id, account, state: off ? 'off' : 'idle', sinceMs: atMs, day: createHealthRecord(null).day(nowMs) },
  ...{ problem: off ? null : { atMs, family: 'refused', reason, fix }, nextTryMs: null },
  ...{ lastEventMs: null, lastRoundTrip: null, lastGap: null },
});
