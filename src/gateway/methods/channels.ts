// Owns `channels.status`: which channels run. There is one, the page itself, and it runs when this can be asked.
import { z } from 'zod';
import { method, type Table } from './method.ts';

const ID = 'webchat';

export const channelMethods: Table = {
  'channels.status': method('operator.read', z.object({ probe: z.boolean().optional() }), ({ now, connections }) => ({
    ts: now(),
    channelOrder: [ID],
    channelLabels: { [ID]: 'WebChat' },
    channelDetailLabels: { [ID]: 'WebChat' },
    channelSystemImages: {},
    channelMeta: [{ id: ID, label: 'WebChat', detailLabel: 'WebChat' }],
    channels: { [ID]: { configured: true, running: true, connections: connections() } },
    channelAccounts: {
      [ID]: [{ accountId: 'default', enabled: true, configured: true, running: true, connected: true }],
    },
    channelDefaultAccountId: { [ID]: 'default' },
    statusIssues: [],
  })),
};
