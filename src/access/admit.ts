// Owns the gate between channels and sessions: may this sender talk at all? Pure, with a reason for every no. Only this
// module can make an AdmittedMessage; identity is what the channel vouches for, never what the text says.
import type { InboundMessage } from '../channels/channel.ts';

declare const admitted: unique symbol;
export type Principal = { readonly kind: 'owner'; readonly id: string };
export type AdmittedMessage = InboundMessage & { readonly [admitted]: true; readonly principal: Principal };

export type Verdict =
  | { readonly allow: true; readonly message: AdmittedMessage }
  | { readonly allow: false; readonly code: string; readonly reason: string; readonly fix: string };

/** Whoever holds a connection with write scope speaks for the owner (SECURITY.md); everybody else is closed out. */
export function admit(message: InboundMessage): Verdict {
  if (message.channel === 'webchat' && message.assurance === 'operator' && message.chatType === 'direct') {
    return {
      allow: true,
      message: { ...message, principal: { kind: 'owner', id: message.sender.id } } as AdmittedMessage,
    };
  }
  return {
    allow: false,
    code: 'SENDER_NOT_ADMITTED',
    reason: `nobody has admitted ${message.channel} sender ${message.sender.id}`,
    fix: 'talk to the assistant through `openclaw dashboard` or `openclaw chat`',
  };
}
