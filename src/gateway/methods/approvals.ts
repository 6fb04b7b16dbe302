// Owns the methods of approvals: what waits, the owner's answer, and what was allowed for good. Whoever holds a connection
// with operator.approvals is the owner; an answer counts once, and who comes second is told who was first.
import { z } from 'zod';
import { ANSWERS } from '../../policy/approvals/approval.ts';
import type { Resolution } from '../../policy/approvals/approvals.ts';
import { invalidRequest, Refusal } from '../protocol/errors.ts';
import { wireApproval } from '../protocol/shapes.ts';
import { method, type Table } from './method.ts';

const SCOPE = 'operator.approvals';
const id = z.string().min(1).max(256);
const limit = z.int().min(1).max(1_000).optional();
const decision = z.enum(['allow-once', 'allow-always', 'allow-task', 'deny']);
/** A list is for looking through; what does not fit into it is shown by itself. */
const MAX_LIST_CHARS = 4_000_000;

export const approvalMethods: Table = {
  'exec.approval.list': method(
    SCOPE,
    z.object({ limit, state: z.enum(['pending', 'closed']).optional() }),
    ({ backend }, { limit: most = 500, state = 'pending' }) => {
      const found = state === 'pending' ? backend.approvals.list(most) : backend.approvals.recent(most);
      let chars = 0;
      return found
        .filter((one) => {
          chars += one.facts.reduce((sum, { value }) => sum + value.length, 1_000);
          return chars <= MAX_LIST_CHARS;
        })
        .map(wireApproval);
    },
  ),
  'exec.approval.get': method(SCOPE, z.strictObject({ id }), ({ backend }, params) => {
    const found = backend.approvals.get(params.id);
    if (!found) throw refusalOf({ ok: false, problem: 'UNKNOWN', approval: null });
    return wireApproval(found);
  }),
  'exec.approval.resolve': method(SCOPE, z.strictObject({ id, decision }), ({ backend, connection }, params) => {
    const outcome = backend.approvals.resolve(params.id, params.decision, connection.actor);
    if (!outcome.ok) throw refusalOf(outcome);
    return { ok: true };
  }),
  'exec.approval.resolveCard': method(
    SCOPE,
    z.strictObject({ id, decision: z.enum(['allow-once', 'deny']) }),
    ({ backend, connection }, params) => {
      const outcome = backend.approvals.resolveCard(params.id, params.decision, connection.actor);
      if (!outcome.ok) throw refusalOf(outcome);
      return { ok: true };
    },
  ),
  'exec.approval.grants.list': method(SCOPE, z.object({}), ({ backend }) => backend.approvals.grants()),
  'exec.approval.grants.revoke': method(SCOPE, z.strictObject({ id }), ({ backend, connection }, params) => {
    if (backend.approvals.revoke(params.id, connection.actor)) return { ok: true };
    throw new Refusal(invalidRequest('there is no such grant, or it has ended', { reason: 'GRANT_NOT_FOUND' }));
  }),
};

function refusalOf({ problem, approval }: Extract<Resolution, { ok: false }>): Refusal {
  const { by = '', decision: said = 'expired' } = approval?.answered ?? {};
  const [message, remediation] = {
    UNKNOWN: ['unknown approval id', 'openclaw approvals list'],
    EXPIRED: [`the approval is closed: ${by}`, 'ask the assistant again; it will ask you again'],
    ANSWERED: [`the approval was answered already: ${ANSWERS[said]} by ${by}`, 'nothing: an answer counts once'],
    NOT_ALWAYS: ['this can only be allowed once', 'choose allow-once'],
    NOT_TASK: ['this can only be allowed once', 'choose allow-once'],
  }[problem] as [string, string];
  const reason = problem === 'NOT_ALWAYS' || problem === 'NOT_TASK' ? 'APPROVAL_NOT_ALWAYS' : 'APPROVAL_NOT_FOUND';
  return new Refusal(invalidRequest(message, { reason, problem, remediation }));
}
