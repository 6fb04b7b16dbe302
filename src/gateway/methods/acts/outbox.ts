// Owns `outbox.list`, `outbox.undo` and `outbox.release`: what a tool sent and has not left yet, and the owner's hand on it.
import { z } from 'zod';
import { invalidRequest, Refusal } from '../../protocol/errors.ts';
import { type Call, method, type Table } from '../method.ts';

const one = z.strictObject({ id: z.int().min(1) });

export const outboxMethods: Table = {
  'outbox.list': method('operator.read', z.object({}), ({ backend }) => ({ messages: backend.outbox.held() })),
  'outbox.undo': method('operator.write', one, (call, { id }) => settle(call, id, 'takeBack')),
  'outbox.release': method('operator.approvals', one, (call, { id }) => settle(call, id, 'release')),
};

function settle({ backend, connection }: Call, id: number, act: 'takeBack' | 'release'): { ok: true; id: number } {
  if (backend.outbox[act](id, connection.actor)) return { ok: true, id };
  throw new Refusal(
    invalidRequest(`message ${id} waits no longer: it has left, or there never was one`, {
      reason: 'OUTBOX_NOT_HELD',
      remediation: 'openclaw outbox list',
    }),
  );
}
