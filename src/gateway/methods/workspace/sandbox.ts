// Owns `sandbox.status|list|recreate|prune`: which boxes are open and what was found when one was opened, and ending them. A
// box is opened anew by its next command, so ending one loses nothing but what runs in it.
import { z } from 'zod';
import { sessionKey } from '../../protocol/session-key.ts';
import { method, type Table } from '../method.ts';

const which = z.union([
  z.strictObject({ all: z.literal(true) }),
  z.strictObject({ session: sessionKey }),
  z.strictObject({ agent: z.string().min(1).max(64) }),
]);

export const sandboxMethods: Table = {
  'sandbox.status': method('operator.read', z.object({}), ({ backend }) => ({
    state: backend.sandbox.known(),
    limits: backend.sandbox.limits(),
  })),
  'sandbox.list': method('operator.read', z.object({}), ({ backend }) => ({ boxes: backend.sandbox.list() })),
  'sandbox.recreate': method('operator.admin', which, async ({ backend, connection }, params) => ({
    ended: await backend.sandbox.recreate(params, connection.actor),
  })),
  'sandbox.prune': method(
    'operator.admin',
    z.strictObject({ all: z.boolean().optional() }),
    async ({ backend, connection }, { all }) => ({
      ended: await backend.sandbox.prune(all === true, connection.actor),
    }),
  ),
};
