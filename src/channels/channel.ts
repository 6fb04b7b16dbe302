// Owns the contract of a channel: it makes inbound messages and delivers replies. A channel knows no agent, decides
// nothing about who may talk, and acknowledges a message only after intake has accepted it (it is durable by then).
import type { Label } from '../store/label.ts';

/** Set by the channel from what the platform vouches for; never from text or a display name. */
export type Sender = { readonly id: string; readonly display?: string };

export type InboundMessage = {
  readonly channel: string;
  readonly account: string;
  /** the conversation: a chat id, or for webchat the session key that the operator named */
  readonly chat: string;
  /** unique within channel, account and chat: the key of deduplication */
  readonly messageId: string;
  readonly chatType: 'direct' | 'group';
  readonly sender: Sender;
  /** how the channel knows the sender; `operator` only ever comes from an authenticated gateway connection */
  readonly assurance: 'operator' | 'platform';
  readonly text: string;
  readonly receivedAtMs: number;
  readonly label: Label;
};

/** A reply on its way out. `idempotencyKey` is stable across restarts. */
export type Outbound = {
  readonly id: number;
  readonly channel: string;
  readonly account: string;
  readonly chat: string;
  readonly replyTo: string;
  readonly text: string;
  readonly idempotencyKey: string;
};

/** `unknown`: sent, but the platform's answer was lost. It is shown, never blindly resent. */
export type Receipt = { readonly state: 'sent' | 'unknown' } | { readonly state: 'failed'; readonly reason: string };

export interface Channel {
  readonly id: string;
  /** true when sending the same idempotency key twice is harmless; only then is a reply retried after a crash */
  readonly idempotent: boolean;
  send(outbound: Outbound): Promise<Receipt>;
}
