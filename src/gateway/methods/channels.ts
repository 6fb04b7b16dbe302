// Owns `channels.status`: which channels there are, whether they are connected, and what came and went by them. The page
// itself is one of them, and it runs when this can be asked.
import { z } from 'zod';
import type { LinkView } from '../../channels/linking.ts';
import type { ChannelReport } from '../backend.ts';
import { hint, timeoutMs } from './fields.ts';
import { type Call, method, type Table } from './method.ts';

const WEBCHAT = 'webchat';
/** A client's own patience with a request is half a minute. */
const MAX_WAIT_MS = 20_000;
const accountId = z.string().max(64).optional();

export const channelMethods: Table = {
  'channels.status': method(
    'operator.read',
    z.object({
      probe: z.boolean().optional(),
      timeoutMs: z.number().optional(),
      channel: z.string().max(40).optional(),
    }),
    async (call, { probe, channel }) => {
      if (probe) await call.backend.channels.probe(channel);
      return statusOf(call, channel);
    },
  ),
  // As upstream's clients call it. The answers hold a code that makes whoever scans it part of the account.
  'web.login.start': method(
    'operator.admin',
    z.object({ accountId, timeoutMs, force: hint, verbose: hint }),
    async ({ backend, connection }, { accountId: account = 'default', timeoutMs: ms }) => {
      backend.record('channel.link', { channel: 'whatsapp', account, by: connection.actor });
      return wireLink(await backend.channels.linking.start(account, limited(ms)));
    },
  ),
  'web.login.wait': method(
    'operator.admin',
    z.object({ accountId, timeoutMs, currentQrDataUrl: z.string().max(200_000).optional() }),
    async ({ backend }, { accountId: account = 'default', timeoutMs: ms, currentQrDataUrl: seen = null }) =>
      wireLink(await backend.channels.linking.wait(account, seen, limited(ms))),
  ),
};

const limited = (ms = MAX_WAIT_MS): number => Math.min(ms, MAX_WAIT_MS);

const wireLink = ({ linked, message, qrDataUrl }: LinkView) => ({
  connected: linked,
  message,
  ...(qrDataUrl === null ? {} : { qrDataUrl }),
});

/** In the shape that upstream's clients read, with our own reports beside it. */
function statusOf({ backend, now, connections }: Call, only: string | undefined) {
  const reports = backend.channels.list().filter(({ id }) => only === undefined || id === only);
  const byId = Map.groupBy(reports, ({ id }) => id);
  const labels = Object.fromEntries([
    [WEBCHAT, 'WebChat'],
    ...[...byId].map(([id, all]) => [id, all[0]?.label ?? id] as const),
  ]);
  const order = Object.keys(labels);
  return {
    ts: now(),
    channelOrder: order,
    channelLabels: labels,
    channelDetailLabels: labels,
    channelSystemImages: {},
    channelMeta: order.map((id) => ({ id, label: labels[id], detailLabel: labels[id] })),
    channels: {
      [WEBCHAT]: { configured: true, running: true, connections: connections() },
      ...Object.fromEntries(
        [...byId].map(([id, all]) => [id, { configured: true, running: all.some(isRunning) }] as const),
      ),
    },
    channelAccounts: {
      [WEBCHAT]: [{ accountId: 'default', enabled: true, configured: true, running: true, connected: true }],
      ...Object.fromEntries([...byId].map(([id, all]) => [id, all.map(accountOf)] as const)),
    },
    channelDefaultAccountId: Object.fromEntries(order.map((id) => [id, byId.get(id)?.[0]?.account ?? 'default'])),
    statusIssues: reports.flatMap(({ id, account, problem }) =>
      problem
        ? [{ channel: id, accountId: account, kind: problem.family, message: problem.reason, fix: problem.fix }]
        : [],
    ),
    reports,
  };
}

const isRunning = ({ state }: ChannelReport): boolean => state !== 'off' && state !== 'idle' && state !== 'stopped';

function accountOf(report: ChannelReport) {
  const { account, state, problem, lastRoundTrip, lastEventMs } = report;
  return {
    accountId: account,
    enabled: state !== 'off',
    configured: state !== 'idle',
    running: isRunning(report),
    connected: state === 'connected',
    ...(lastEventMs === null ? {} : { lastInboundAt: lastEventMs }),
    ...(lastRoundTrip === null ? {} : { lastProbeAt: lastRoundTrip.atMs, name: lastRoundTrip.account }),
    ...(problem === null ? {} : { lastError: problem.reason }),
  };
}
