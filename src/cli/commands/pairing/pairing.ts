// Owns `openclaw pairing list|approve|reject|approved|revoke`. Upstream's two words (`approve telegram CODE`) are taken too.
import type { LetIn, Waiting } from '../../../access/desk.ts';
import { misused } from '../../../platform/errors.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';
import { tableLines } from '../../print/table.ts';
import { formatAgo, formatDuration } from '../../print/units.ts';
import type { TargetFlags } from '../../target.ts';
import { atDesk } from './desk.ts';
import { limitsText } from './limits.ts';

type Flags = TargetFlags & { readonly channel?: string; readonly account?: string };

const WAITING = [
  { title: 'WHO' },
  { title: 'WHAT' },
  { title: 'NAME', flexible: true },
  { title: 'WROTE' },
  { title: 'GOOD FOR' },
] as const;
const APPROVED = [
  { title: 'WHO' },
  { title: 'ROLE' },
  { title: 'NAME', flexible: true },
  { title: 'MAY', flexible: true },
  { title: 'UNTIL' },
  { title: 'LAST SEEN' },
] as const;

export async function list(context: Context, options: Flags, channel?: string): Promise<undefined> {
  const { out } = context;
  const found = await atDesk(context, options, {
    scope: 'operator.read',
    method: 'channels.pairing.list',
    params: {},
    offline: (desk) => desk.list(),
    nothing: { waiting: [], invites: [] },
  });
  const only = channel ?? options.channel;
  const waiting = found.waiting.filter(({ id }) => only === undefined || id.startsWith(`${only}:`));
  out.data({ ...found, waiting });
  const now = Date.now();
  if (waiting.length === 0) out.note(span('dim', 'nobody waits'));
  else {
    const rows = waiting.map((one) => rowOf(one, now));
    for (const line of tableLines(WAITING, rows, out.width)) out.line(line);
    out.note(span('dim', 'openclaw pairing approve CODE   (the code that they were told), or the id from the list'));
  }
  for (const { id, title, limits, untilMs } of found.invites) {
    const left = formatDuration(untilMs - now);
    out.line(`${id}  invited${title ? `: ${title}` : ''}, ${limitsText(limits)}, good for ${left}`);
  }
  const [invite] = found.invites;
  if (invite) out.note(span('dim', `openclaw pairing revoke ${invite.id}   (takes that invitation back)`));
}

const rowOf = ({ id, kind, title, lastSeenAtMs, expiresAtMs }: Waiting, now: number): string[] => [
  id,
  kind,
  title,
  formatAgo(lastSeenAtMs, now),
  formatDuration(expiresAtMs - now),
];

export async function approve(
  context: Context,
  options: Flags & { owner?: boolean; members?: boolean; group?: boolean },
  first: string,
  second?: string,
): Promise<undefined> {
  const code = wordOf(first, second);
  const { owner, members, group, account } = options;
  const wanted = {
    ...(owner ? { owner } : {}),
    ...(members ? { members } : {}),
    ...(group ? { group } : {}),
    ...(account === undefined ? {} : { account }),
  };
  const done = await atDesk(context, options, {
    scope: 'operator.admin',
    method: 'channels.pairing.approve',
    params: { code, ...wanted },
    offline: (desk, by) => desk.approve(code, { ...wanted, by }),
  });
  context.out.data(done);
  const who = done.title ? `${done.id} (${done.title})` : done.id;
  if (done.kind === 'group') {
    const whom = done.members
      ? 'everybody in it may speak to the assistant'
      : 'those who are listed may speak to the assistant there';
    context.out.line(span('green', 'approved:'), ` the group ${who}; ${whom}, when they mention it`);
    if (!done.members)
      context.out.note(span('dim', `for everybody in it: openclaw pairing approve ${done.id} --group --members`));
    return;
  }
  const role =
    done.role === 'owner' ? ', who is an owner now: everything that you may do' : ', with a conversation of their own';
  context.out.line(span('green', 'approved:'), ` ${who}${role}`);
  if (done.role !== 'owner') {
    context.out.note(span('dim', `is that you? openclaw pairing approve ${done.id} --owner`));
  }
}

export async function reject(
  context: Context,
  options: Flags & { all?: boolean },
  first?: string,
  second?: string,
): Promise<undefined> {
  const { out } = context;
  if (options.all) {
    const { rejected } = await atDesk(context, options, {
      scope: 'operator.admin',
      method: 'channels.pairing.dismiss',
      params: { all: true },
      offline: (desk, by) => desk.rejectAll(by),
      nothing: { rejected: 0 },
    });
    out.data({ rejected });
    out.line(rejected === 0 ? 'nobody waits' : `rejected: ${rejected}`);
    return;
  }
  if (first === undefined) {
    const message = 'openclaw pairing reject needs a code or an id';
    const fix = 'openclaw pairing reject CODE, or openclaw pairing reject --all';
    throw misused('USAGE', message, fix);
  }
  const code = wordOf(first, second);
  const done = await atDesk(context, options, {
    scope: 'operator.admin',
    method: 'channels.pairing.dismiss',
    params: { code },
    offline: (desk, by) => desk.reject(code, by),
  });
  out.data(done);
  out.line(`rejected: ${done.id}`);
}

export async function approved(context: Context, options: Flags): Promise<undefined> {
  const { out } = context;
  const found = await atDesk(context, options, {
    scope: 'operator.read',
    method: 'channels.pairing.approved',
    params: {},
    offline: (desk) => desk.approved(),
    nothing: { approved: [] },
  });
  const all = found.approved.filter(({ id }) => options.channel === undefined || id.startsWith(`${options.channel}:`));
  out.data({ approved: all });
  if (all.length === 0) {
    out.note(span('dim', 'nobody was approved yet'));
    return;
  }
  const now = Date.now();
  const rows = all.map((one: LetIn) => [
    one.id,
    one.role,
    one.title,
    one.kind === 'group'
      ? one.members
        ? 'everybody in it'
        : 'who is listed'
      : one.limits
        ? limitsText(one.limits)
        : '',
    one.untilMs === null ? '' : one.untilMs <= now ? 'expired' : formatDuration(one.untilMs - now),
    one.lastSeenAtMs === null ? '' : formatAgo(one.lastSeenAtMs, now),
  ]);
  for (const line of tableLines(APPROVED, rows, out.width)) out.line(line);
}

export async function revoke(context: Context, options: Flags, id: string): Promise<undefined> {
  const { channel } = options;
  const done = await atDesk(context, options, {
    scope: 'operator.admin',
    method: 'channels.pairing.revoke',
    params: { id, ...(channel === undefined ? {} : { channel }) },
    offline: (desk, by) => desk.revoke(id, channel, by),
  });
  context.out.data(done);
  const who = `${done.id}${done.title ? ` (${done.title})` : ''}`;
  context.out.line(
    `revoked: ${who}; ${done.kind === 'invitation' ? 'its code lets nobody in' : 'what ran for them was stopped'}`,
  );
}

/** `CODE`, or `telegram CODE` as older guides have it; an id of a channel may come in two words as well. */
function wordOf(first: string, second: string | undefined): string {
  if (second === undefined) return first;
  return /^[a-z]+$/.test(first) && !/^[A-Za-z2-9]{8}$/.test(second) ? `${first}:${second}` : second;
}
