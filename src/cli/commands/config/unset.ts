// Owns `openclaw config unset`.
import { unsetAt } from '../../../config/edit/edit.ts';
import type { Context } from '../../context.ts';
import { type ChangeFlags, change } from './change.ts';
import { parseKeyPath, showKeyPath } from './given.ts';

export async function run(context: Context, flags: ChangeFlags, key: string): Promise<number> {
  const path = parseKeyPath(key);
  return change(context, flags, `unset ${showKeyPath(path)}`, (now) => unsetAt(now, path));
}
