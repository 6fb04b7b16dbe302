// Owns `openclaw approvals`: the questions that wait for the owner, shown with the facts of the machine, the answers, and
// what was allowed for good. An id may be shortened, and a code typed, as long as it names one question only.
import { HardshellError } from '../../platform/errors.ts';
import type { Approval, ApprovalDecision, Grant } from '../../policy/approvals/approval.ts';
import type { Client } from '../client.ts';
import { listOf, readApproval, readGrant } from '../connect/wire.ts';
import { withClient } from '../connect/with-client.ts';
import type { Context } from '../context.ts';
import { span } from '../output.ts';
import { approvalLines } from '../print/calls.ts';
import { escapeLine } from '../print/text.ts';
import { formatDuration } from '../print/units.ts';
import type { TargetFlags } from '../target.ts';

const SCOPES = { scopes: ['operator.approvals'] } as const;
/** Any more are looked through one by one. */
const MAX_LISTED = 1_000;
const MAX_PRINTED = 50;

export async function list(context: Context, options: TargetFlags): Promise<undefined> {
  const { out } = context;
  const pending = await withClient(context, options, SCOPES, fetchPending);
  out.data({ approvals: pending });
  if (pending.length === 0) out.note(span('dim', 'nothing waits for your approval'));
  for (const approval of pending.slice(0, MAX_PRINTED)) {
    for (const line of approvalLines(approval, Date.now())) out.line(line);
    const name = approval.code || approval.id.slice(0, 8);
    out.line(span('dim', `  openclaw approvals approve ${name}   or   deny ${name}`));
  }
  if (pending.length > MAX_PRINTED) out.note(`${pending.length - MAX_PRINTED} more wait; --json lists them all`);
}

export async function show(context: Context, options: TargetFlags, id: string): Promise<undefined> {
  const { out } = context;
  const approval = await withClient(context, options, SCOPES, (client) => find(client, id));
  out.data(approval);
  for (const line of approvalLines(approval, Date.now())) out.line(line);
}

type Approve = TargetFlags & { readonly always?: boolean };
export const approve = (context: Context, options: Approve, id: string): Promise<undefined> =>
  resolve(context, options, id, options.always ? 'allow-always' : 'allow-once');
export const deny = (context: Context, options: TargetFlags, id: string): Promise<undefined> =>
  resolve(context, options, id, 'deny');

async function resolve(
  context: Context,
  options: TargetFlags,
  id: string,
  decision: ApprovalDecision,
): Promise<undefined> {
  const { out } = context;
  await withClient(context, options, SCOPES, async (client) => {
    const approval = await find(client, id);
    if (decision === 'allow-always') {
      if (!approval.always) throw onlyOnce(approval);
      out.note(`always: ${escapeLine(approval.always.shown)}`);
    }
    await client.request('exec.approval.resolve', { id: approval.id, decision });
    out.data({ id: approval.id, decision });
    out.line(SAID[decision], escapeLine(approval.tool), ` (${approval.id})`);
  });
}
const SAID = { 'allow-once': 'allowed, this once: ', 'allow-always': 'allowed, always: ', deny: 'denied: ' } as const;

export async function grants(context: Context, options: TargetFlags): Promise<undefined> {
  const { out } = context;
  const given = await withClient(context, options, SCOPES, fetchGrants);
  out.data({ grants: given });
  if (given.length === 0) out.note(span('dim', 'nothing is allowed for good'));
  for (const one of given) {
    const left = formatDuration(Math.max(0, one.expiresAtMs - Date.now()));
    out.line(`${one.id.slice(0, 8)}  ${escapeLine(one.shown)}`);
    out.line(
      span('dim', `  ${one.kind}, used ${one.uses} times, ends in ${left}, given by ${escapeLine(one.createdBy)}`),
    );
  }
}

export async function revoke(context: Context, options: TargetFlags, id: string): Promise<undefined> {
  const { out } = context;
  await withClient(context, options, SCOPES, async (client) => {
    const grant = only(await fetchGrants(client), id, 'grant', 'openclaw approvals grants');
    await client.request('exec.approval.grants.revoke', { id: grant.id });
    out.data({ id: grant.id, revoked: true });
    out.line('it asks again from now on: ', escapeLine(grant.shown));
  });
}

const fetchPending = async (client: Client): Promise<Approval[]> =>
  listOf(await client.request('exec.approval.list', { limit: MAX_LISTED })).flatMap((one) => readApproval(one) ?? []);
const fetchGrants = async (client: Client): Promise<Grant[]> =>
  listOf(await client.request('exec.approval.grants.list', {})).flatMap((one) => readGrant(one) ?? []);

/** By code or whole id also one that is closed: the gateway then says who was first. */
async function find(client: Client, typed: string): Promise<Approval> {
  const pending = await fetchPending(client);
  const named = pending.find(({ id, code }) => id === typed || code === typed.toUpperCase());
  if (named) return named;
  if (pending.some(({ id }) => typed.length >= 4 && id.startsWith(typed)))
    return only(pending, typed, 'approval', 'openclaw approvals list');
  const closed = await client.request('exec.approval.get', { id: typed }).then(readApproval, () => null);
  return closed ?? only(pending, typed, 'approval', 'openclaw approvals list');
}

function only<T extends { readonly id: string }>(rows: readonly T[], id: string, what: string, fix: string): T {
  const matching = rows.filter((one) => one.id === id || (id.length >= 4 && one.id.startsWith(id)));
  const [first] = matching;
  if (first && matching.length === 1) return first;
  const isMany = matching.length > 1;
  throw new HardshellError({
    code: `${what.toUpperCase()}_${isMany ? 'AMBIGUOUS' : 'NOT_FOUND'}`,
    message: isMany
      ? `${matching.length} ${what}s begin with ${id}`
      : what === 'grant'
        ? `there is no grant ${id}`
        : `no approval ${id} waits: it is unknown, answered or expired`,
    fix,
  });
}

const onlyOnce = ({ code, id }: Approval): HardshellError =>
  new HardshellError({
    code: 'APPROVAL_NOT_ALWAYS',
    message: 'this can only be allowed once',
    fix: `openclaw approvals approve ${code || id}`,
  });
