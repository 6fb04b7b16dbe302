// Owns `openclaw config patch`. Only what comes on standard input may hold secrets.
import { patchAt } from '../../../config/edit/edit.ts';
import type { Context } from '../../context.ts';
import { readInput } from '../../input.ts';
import { type ChangeFlags, change } from './change.ts';
import { readPatch, refuseSecretWords } from './given.ts';

const MAX_PATCH_BYTES = 4 * 1024 * 1024;

export async function run(context: Context, flags: ChangeFlags, text?: string): Promise<number> {
  const patch = readPatch(text ?? (await readInput(context.out, MAX_PATCH_BYTES)));
  if (text !== undefined) refuseSecretWords([], patch);
  return change(context, flags, 'patch', (now) => patchAt(now, patch));
}
