// Owns `openclaw outbox list|undo|send`: messages of the assistant that leave in a few seconds, and how to stop one.
import { HardshellError } from '../../platform/errors.ts';
import { listOf, objectOf, textOf } from '../connect/wire.ts';
import { withClient } from '../connect/with-client.ts';
import type { Context } from '../context.ts';
import { span } from '../output.ts';
import type { TargetFlags } from '../target.ts';

export async function list(context: Context, options: TargetFlags): Promise<undefined> {
  const { out } = context;
  const answer = await withClient(context, options, { scopes: ['operator.read'] }, (client) =>
    client.request('outbox.list', {}),
  );
  const messages = listOf(objectOf(answer)['messages']).map(objectOf);
  out.data({ messages });
  if (messages.length === 0) out.note(span('dim', 'nothing waits to leave'));
  for (const { id, to, subject, text, files, leavesAtMs } of messages) {
    const seconds = Math.max(0, Math.ceil((Number(leavesAtMs) - Date.now()) / 1000));
    const isDraft = Number(leavesAtMs) === 0;
    out.line(span('bold', `${id}`), ` to ${textOf(to)}, ${isDraft ? 'a draft' : `leaves in ${seconds} s`}`);
    if (textOf(subject) !== '') out.line(`  Subject: ${textOf(subject)}`);
    for (const file of Array.isArray(files) ? files : []) out.line(`  with ${textOf(file)}`);
    for (const line of textOf(text).split('\n')) out.line(`  ${line}`);
    out.line(span('dim', `  openclaw outbox ${isDraft ? 'send' : 'undo'} ${id}`));
  }
}

export const undo = (context: Context, options: TargetFlags, id: string): Promise<undefined> =>
  settle(context, options, id, 'outbox.undo', 'taken back, it never leaves: ');
export const send = (context: Context, options: TargetFlags, id: string): Promise<undefined> =>
  settle(context, options, id, 'outbox.release', 'sent without waiting: ');

async function settle(
  context: Context,
  options: TargetFlags,
  id: string,
  method: 'outbox.undo' | 'outbox.release',
  said: string,
): Promise<undefined> {
  if (!/^\d{1,15}$/.test(id))
    throw new HardshellError({
      code: 'BAD_ID',
      message: 'that is no number of a message',
      fix: 'openclaw outbox list',
    });
  const scopes = ['operator.write', 'operator.approvals'] as const;
  await withClient(context, options, { scopes: [...scopes] }, (client) => client.request(method, { id: Number(id) }));
  context.out.data({ id: Number(id) });
  context.out.line(said, id);
}
