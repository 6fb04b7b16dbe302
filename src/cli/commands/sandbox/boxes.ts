// Owns `openclaw sandbox list|recreate|prune`: the boxes of the running gateway, which alone knows them.
import { misused } from '../../../platform/errors.ts';
import type { OpenBox } from '../../../sandbox/pool/pool.ts';
import { ask } from '../../connect/with-client.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';
import { tableLines } from '../../print/table.ts';
import { formatAgo } from '../../print/units.ts';
import type { TargetFlags } from '../../target.ts';

export async function list(context: Context, options: TargetFlags): Promise<undefined> {
  const { out } = context;
  const { boxes } = (await ask(context, options, 'operator.read', 'sandbox.list', {})) as { boxes: OpenBox[] };
  out.data({ boxes });
  if (boxes.length === 0) out.note(span('dim', 'no box is open; the next command opens one'));
  if (boxes.length === 0) return;
  const nowMs = Date.now();
  const columns = [
    { title: 'BOX', flexible: true },
    { title: 'DRIVER' },
    { title: 'OPEN' },
    { title: 'IDLE' },
    { title: 'COMMANDS', align: 'right' },
  ] as const;
  const rows = boxes.map(({ scopeKey, driver, openedAtMs, lastUsedAtMs, running, reason }) => [
    scopeKey,
    driver ?? `none: ${reason}`,
    formatAgo(openedAtMs, nowMs),
    running > 0 ? 'in use' : formatAgo(lastUsedAtMs, nowMs),
    String(running),
  ]);
  for (const line of tableLines(columns, rows, out.width)) out.line(line);
}

type Which = { readonly all?: boolean; readonly session?: string; readonly agent?: string };

export async function recreate(context: Context, options: TargetFlags & Which): Promise<undefined> {
  const { all, session, agent } = options;
  const named = [all === true ? { all } : null, session ? { session } : null, agent ? { agent } : null].flatMap(
    (one) => one ?? [],
  );
  const [which] = named;
  if (which === undefined || named.length > 1)
    throw misused(
      'USAGE',
      'say which: one of --all, --session KEY and --agent NAME',
      'openclaw sandbox list   (shows what is open)',
    );
  await end(context, options, 'sandbox.recreate', which);
}

export const prune = (context: Context, options: TargetFlags & Which): Promise<undefined> =>
  end(context, options, 'sandbox.prune', options.all === true ? { all: true } : {});

async function end(context: Context, options: TargetFlags, method: string, params: object): Promise<undefined> {
  const { out } = context;
  const { ended } = (await ask(context, options, 'operator.admin', method, params)) as { ended: number };
  out.data({ ended });
  out.line(ended === 1 ? 'ended 1 box' : `ended ${ended} boxes`, '; the next command opens what it needs');
}
