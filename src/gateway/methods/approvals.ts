// Owns `exec.approval.list` and `exec.approval.resolve`: a person answers what a run asks. Only "once" and "no" exist;
// an answer that would hold for more than this one call is not understood.
import { z } from 'zod';
import { invalidRequest, Refusal } from '../protocol/errors.ts';
import { wireApproval } from '../protocol/shapes.ts';
import { method, type Table } from './method.ts';

const resolveParams = z.strictObject({ id: z.string().min(1).max(256), decision: z.enum(['allow-once', 'deny']) });

export const approvalMethods: Table = {
  'exec.approval.list': method('operator.approvals', z.object({}), ({ backend }) =>
    backend.approvals.list().map(wireApproval),
  ),
  'exec.approval.resolve': method('operator.approvals', resolveParams, ({ backend, connection }, { id, decision }) => {
    if (backend.approvals.resolve(id, decision, connection.actor)) return { ok: true };
    throw new Refusal(
      invalidRequest('unknown or expired approval id', {
        reason: 'APPROVAL_NOT_FOUND',
        remediation: 'ask again: what waits for an answer ends with its time limit or a restart',
      }),
    );
  }),
};
