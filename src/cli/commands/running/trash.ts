// Owns `openclaw trash list|restore|empty`: what commands threw away in the workspace. What is emptied is gone for good, so
// it is asked for.
import { EXIT, HardshellError } from '../../../platform/errors.ts';
import { listOf, objectOf, textOf } from '../../connect/wire.ts';
import { withClient } from '../../connect/with-client.ts';
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
  const answer = await withClient(context, options, { scopes: ['operator.read'] }, (client) =>
    client.request('trash.list', {}),
  );
  const items = entriesOf(answer);
  out.data({ items });
  if (items.length === 0) out.note(span('dim', 'the trash is empty'));
  for (const { id, path, bytes, atMs } of items)
    out.line(span('bold', id), `  ${path}  ${formatBytes(bytes)}, ${formatAgo(atMs, Date.now())}`);
  if (items.length > 0) out.note(span('dim', 'openclaw trash restore ID   or   openclaw trash empty'));
}

export async function restore(context: Context, options: TargetFlags, id: string): Promise<undefined> {
  const { out } = context;
  const answer = await withClient(context, options, { scopes: ['operator.write'] }, (client) =>
    client.request('trash.restore', { id }),
  );
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
  if (options.yes !== true) {
    if (out.streams.stdin.isTTY !== true || out.json) throw needsYes(all);
    const { askOwner } = await import('../../chat/ask-owner.ts');
    if ((await askOwner(out, `remove ${all} for good?`, new AbortController().signal)) !== true) return EXIT.failure;
  }
  const answer = await withClient(context, options, { scopes: ['operator.admin'] }, (client) =>
    client.request('trash.empty', { olderThanMs }),
  );
  const items = entriesOf(answer);
  out.data({ items });
  const bytes = items.reduce((sum, one) => sum + one.bytes, 0);
  out.line(
    items.length === 0 ? 'there was nothing to remove' : `gone for good: ${items.length}, ${formatBytes(bytes)}`,
  );
  return EXIT.ok;
}

const needsYes = (all: string): HardshellError =>
  new HardshellError({
    code: 'NEEDS_YES',
    message: `${all} would be gone for good`,
    fix: 'add --yes',
    exitCode: EXIT.usage,
  });
