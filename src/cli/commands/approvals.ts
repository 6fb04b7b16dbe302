// Owns `openclaw approvals list|approve|deny`: the questions that wait for the owner, shown with the facts of the
// machine. An id may be shortened as long as it names one question only.
import { HardshellError } from '../../platform/errors.ts';
import type { Approval, ApprovalDecision } from '../../policy/approvals.ts';
import type { Client } from '../client.ts';
import { listOf, readApproval } from '../connect/wire.ts';
import { withClient } from '../connect/with-client.ts';
import type { Context } from '../context.ts';
import { span } from '../output.ts';
import { approvalLines } from '../print/calls.ts';
import type { TargetFlags } from '../target.ts';

export async function list(context: Context, options: TargetFlags): Promise<undefined> {
  const { out } = context;
  const pending = await withClient(context, options, { scopes: ['operator.approvals'] }, fetchPending);
  out.data({ approvals: pending });
  if (pending.length === 0) out.note(span('dim', 'nothing waits for your approval'));
  for (const approval of pending) {
    for (const line of approvalLines(approval, Date.now())) out.line(line);
    out.line(
      span('dim', `  openclaw approvals approve ${approval.id.slice(0, 8)}   or   deny ${approval.id.slice(0, 8)}`),
    );
  }
}

export const approve = (context: Context, options: TargetFlags, id: string): Promise<undefined> =>
  resolve(context, options, id, 'allow-once');
export const deny = (context: Context, options: TargetFlags, id: string): Promise<undefined> =>
  resolve(context, options, id, 'deny');

async function resolve(
  context: Context,
  options: TargetFlags,
  id: string,
  decision: ApprovalDecision,
): Promise<undefined> {
  const { out } = context;
  await withClient(context, options, { scopes: ['operator.approvals'] }, async (client) => {
    const approval = pick(await fetchPending(client), id);
    await client.request('exec.approval.resolve', { id: approval.id, decision });
    out.data({ id: approval.id, decision });
    out.line(decision === 'deny' ? 'denied: ' : 'allowed, this once: ', approval.tool, ` (${approval.id})`);
  });
}

async function fetchPending(client: Client): Promise<Approval[]> {
  return listOf(await client.request('exec.approval.list', {})).flatMap((value) => readApproval(value) ?? []);
}

function pick(pending: readonly Approval[], id: string): Approval {
  const matching = pending.filter((approval) => approval.id === id || (id.length >= 4 && approval.id.startsWith(id)));
  const [only] = matching;
  if (only && matching.length === 1) return only;
  throw new HardshellError({
    code: matching.length > 1 ? 'APPROVAL_AMBIGUOUS' : 'APPROVAL_NOT_FOUND',
    message:
      matching.length > 1
        ? `${matching.length} approvals begin with ${id}`
        : `no approval ${id} waits: it is unknown, answered or expired`,
    fix: 'openclaw approvals list',
  });
}
