// Owns `openclaw trash list|restore|empty`: what commands threw away in the workspace. What is emptied is gone for good, so
// it is asked for.
import { EXIT } from '../../../platform/errors.ts';
import { agreed } from '../../chat/ask-owner.ts';
import { listOf, objectOf, textOf } from '../../connect/wire.ts';
import { ask } from '../../connect/with-client.ts';
import type { Context } from '../../context.ts';
import { milliseconds } from '../../numbers.ts';
import { span } from '../../output.ts';
import { formatAgo, formatBytes } from '../../print/units.ts';
import type { TargetFlags } from '../../target.ts';

type Entry = { id: string; path: string; bytes: number; atMs: number };
const entriesOf = (answer: unknown): Entry[] =>
  listOf(objectOf(answer)['items'])
    .map(objectOf)
    .map(({ id, path, bytes, atMs }) => ({
      id: textOf(id),
      path: textOf(path),
      bytes: Number(bytes),
      atMs: Number(atMs),
    }));

export async function list(context: Context, options: TargetFlags): Promise<undefined> {
  const { out } = context;
  const items = entriesOf(await ask(context, options, 'operator.read', 'trash.list', {}));
  out.data({ items });
  if (items.length === 0) out.note(span('dim', 'the trash is empty'));
  for (const { id, path, bytes, atMs } of items)
    out.line(span('bold', id), `  ${path}  ${formatBytes(bytes)}, ${formatAgo(atMs, Date.now())}`);
  if (items.length > 0) out.note(span('dim', 'openclaw trash restore ID   or   openclaw trash empty'));
}

export async function restore(context: Context, options: TargetFlags, id: string): Promise<undefined> {
  const { out } = context;
  const answer = await ask(context, options, 'operator.write', 'trash.restore', { id });
  const path = textOf(objectOf(answer)['path']);
  out.data({ id, path });
  out.line('back where it was: ', path);
}

type EmptyFlags = TargetFlags & { readonly olderThan?: string; readonly yes?: boolean };
const MAX_AGE_MS = 366 * 86_400_000;

export async function empty(context: Context, options: EmptyFlags): Promise<number> {
  const { out } = context;
  const olderThanMs = milliseconds(options.olderThan, '--older-than', MAX_AGE_MS) ?? 0;
  const all = options.olderThan === undefined ? 'everything in the trash' : `what is older than ${options.olderThan}`;
  if (!(await agreed(out, options.yes, `remove ${all} for good?`, 'add --yes'))) return EXIT.failure;
  const items = entriesOf(await ask(context, options, 'operator.admin', 'trash.empty', { olderThanMs }));
  out.data({ items });
  const bytes = items.reduce((sum, one) => sum + one.bytes, 0);
  out.line(
    items.length === 0 ? 'there was nothing to remove' : `gone for good: ${items.length}, ${formatBytes(bytes)}`,
  );
  return EXIT.ok;
}
