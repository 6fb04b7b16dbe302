// Owns the channel of the gateway's own clients (page, terminal, command line). Its delivery is the transcript and the
// event stream, so sending a reply twice is harmless and there is no platform to fail.
import type { Channel } from './channel.ts';

export const WEBCHAT = 'webchat';
export const WEBCHAT_ACCOUNT = 'gateway';

export const webchat: Channel = {
  id: WEBCHAT,
  account: WEBCHAT_ACCOUNT,
  idempotent: true,
  maxChars: Number.POSITIVE_INFINITY,
  send: () => Promise.resolve({ state: 'sent' }),
};
