// Owns `openclaw config set`.
import { setAt } from '../../../config/edit/edit.ts';
import type { Context } from '../../context.ts';
import { type ChangeFlags, change } from './change.ts';
import { parseKeyPath, readGiven, refuseSecretWords, showKeyPath } from './given.ts';

export async function run(context: Context, flags: ChangeFlags, key: string, text: string): Promise<number> {
  const path = parseKeyPath(key);
  const value = readGiven(text, path);
  refuseSecretWords(path, value);
  return change(context, flags, `set ${showKeyPath(path)}`, (now) => setAt(now, path, value));
}
