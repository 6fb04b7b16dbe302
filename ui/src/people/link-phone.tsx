// Owns linking WhatsApp to a phone. What the code says is a secret: it is drawn, and kept nowhere.
import type { ChannelRow } from '../protocol/people.ts';
import { Fix } from './who.tsx';

/** Configured, and no phone has taken it, or the phone let it go. */
export const isUnlinked = ({ id, problem }: ChannelRow): boolean =>
  id === 'whatsapp' && (problem?.fix.startsWith('openclaw channels login') ?? false);

export function LinkPhone({ fix }: { account: string; fix: string }) {
  return <Fix fix={fix} />;
}
