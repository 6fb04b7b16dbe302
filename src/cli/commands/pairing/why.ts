// Owns `openclaw why`: which rule decided about a message, at which setting, and the one command that would change it.
import type { Why } from '../../../access/desk.ts';
import type { InboxQuery } from '../../../store/inbox.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';
import { formatTime } from '../../print/units.ts';
import type { TargetFlags } from '../../target.ts';
import { atDesk } from './desk.ts';

type Flags = TargetFlags & { readonly sender?: string; readonly chat?: string; readonly channel?: string };

export async function run(context: Context, options: Flags, messageId?: string): Promise<undefined> {
  const { out } = context;
  const query: InboxQuery = {
    ...(messageId === undefined ? {} : { messageId }),
    ...withChannel('sender', options.sender, options.channel),
    ...withChannel('chat', options.chat, options.channel),
    ...(options.channel === undefined ? {} : { channel: options.channel }),
  };
  const why = await atDesk(context, options, {
    scope: 'operator.read',
    method: 'channels.why',
    params: query,
    offline: (desk) => desk.why(query),
  });
  out.data(why);
  const from = `${why.channel}:${why.sender}${why.chatType === 'group' ? ` in ${why.chat}` : ''}`;
  out.line(span('bold', wordOf(why)), `  ${from}, ${formatTime(why.receivedAtMs)}, message ${why.messageId}`);
  out.line(`rule     ${why.code}${why.reason ? `: ${why.reason}` : ''}`);
  if (why.at) out.line(`decided  ${why.at}`);
  if (why.fix) out.line(`change   ${why.fix}`);
}

const wordOf = ({ state, outcome }: Why): string =>
  state === 'declined'
    ? 'not heard'
    : state === 'queued'
      ? 'heard, not answered yet'
      : state === 'failed'
        ? `heard, failed (${outcome})`
        : 'heard and answered';

/** `telegram:123` says the channel as well. */
function withChannel(key: 'sender' | 'chat', given: string | undefined, channel: string | undefined): InboxQuery {
  if (given === undefined) return {};
  const found = /^([a-z]{3,12}):(.+)$/.exec(given);
  return found?.[1] && found[2] ? { [key]: found[2], channel: channel ?? found[1] } : { [key]: given };
}
