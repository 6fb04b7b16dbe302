// Owns `openclaw config confirm`.
import { confirmPending } from '../../../config/edit/settle.ts';
import type { Context } from '../../context.ts';
import { portsOf } from './change.ts';
import { openConfig } from './open.ts';

export async function run(context: Context): Promise<undefined> {
  await confirmPending(await portsOf(context, await openConfig(context.env), 'confirm', null));
  context.out.data({ state: 'kept' });
  context.out.line('the change stays');
}
