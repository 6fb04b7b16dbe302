// Owns `panic.state`, `panic.raise` and `panic.lift`. Stopping takes no more than the right to write, so that nothing stands
// in its way; starting again takes operator.admin.
import { z } from 'zod';
import { method, type Table } from '../method.ts';

export const panicMethods: Table = {
  'panic.state': method('operator.read', z.object({}), ({ backend }) => ({ panic: backend.panic.state() })),
  'panic.raise': method(
    'operator.write',
    z.strictObject({ why: z.string().max(300) }),
    ({ backend, connection }, { why }) => backend.panic.raise(connection.actor.clientId, why),
  ),
  'panic.lift': method('operator.admin', z.strictObject({}), ({ backend, connection }) =>
    backend.panic.lift(connection.actor.clientId),
  ),
};
