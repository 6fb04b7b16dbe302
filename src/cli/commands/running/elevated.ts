// Owns `openclaw elevated status|on|off`: the window in which a conversation of the gateway's own clients may ask for a
// command outside the box. It permits nothing: each command is asked about all the same.
import { HardshellError } from '../../../platform/errors.ts';
import { listOf, objectOf, textOf } from '../../connect/wire.ts';
import { ask } from '../../connect/with-client.ts';
import type { Context } from '../../context.ts';
import { wholeNumber } from '../../numbers.ts';
import { span } from '../../output.ts';
import { formatDuration } from '../../print/units.ts';
import type { TargetFlags } from '../../target.ts';

type Flags = TargetFlags & { readonly sessionKey?: string };

export async function status(context: Context, options: TargetFlags): Promise<undefined> {
  const { out } = context;
  const answer = await ask(context, options, 'operator.read', 'elevated.list', {});
  const windows = listOf(objectOf(answer)['windows']).map(objectOf);
  out.data({ windows });
  if (windows.length === 0) out.note(span('dim', 'no window is open: every command runs in its box'));
  for (const { id, chat, untilMs } of windows)
    out.line(span('bold', textOf(id)), ` in ${textOf(chat)}, for ${formatDuration(Number(untilMs) - Date.now())} more`);
}

export const on = (context: Context, options: Flags, minutes?: string): Promise<undefined> =>
  set(context, options, wholeNumber(minutes, 'openclaw elevated on', 15, 60));
export const off = (context: Context, options: Flags): Promise<undefined> => set(context, options, 0);

async function set(context: Context, options: Flags, minutes: number): Promise<undefined> {
  const { out } = context;
  const sessionKey = options.sessionKey ?? 'main';
  const answer = await ask(context, options, 'operator.admin', 'elevated.set', { sessionKey, minutes });
  const { said, open } = objectOf(answer);
  if (minutes > 0 && open !== true)
    throw new HardshellError({
      code: 'ELEVATED_REFUSED',
      message: textOf(said),
      fix: `openclaw config set tools.elevated '{ enabled: true, allowFrom: ["webchat:owner"] }'`,
    });
  out.data({ sessionKey, open });
  out.line(textOf(said));
}
