// Owns `trash.*` and `elevated.*`: what commands threw away, and the windows for commands outside the box.
import { z } from 'zod';
import { method, type Table } from '../method.ts';

const MAX_AGE_MS = 366 * 86_400_000;
const sessionKey = z.string().min(1).max(256);

export const runningMethods: Table = {
  'trash.list': method('operator.read', z.object({}), async ({ backend }) => ({ items: await backend.trash.list() })),
  'trash.restore': method(
    'operator.write',
    z.strictObject({ id: z.string().min(1).max(64) }),
    ({ backend, connection }, { id }) => backend.trash.restore(id, connection.actor),
  ),
  'trash.empty': method(
    'operator.admin',
    z.strictObject({ olderThanMs: z.int().min(0).max(MAX_AGE_MS) }),
    async ({ backend, connection }, { olderThanMs }) => ({
      items: await backend.trash.empty(olderThanMs, connection.actor),
    }),
  ),
  'elevated.list': method('operator.read', z.object({}), ({ backend }) => ({ windows: backend.elevated.open() })),
  // Whoever may write may also make the house stricter.
  'elevated.end': method('operator.write', z.strictObject({}), ({ backend }) => ({ closed: backend.elevated.end() })),
  'elevated.set': method(
    'operator.admin',
    z.strictObject({ sessionKey, minutes: z.int().min(0).max(60) }),
    ({ backend }, params) => backend.elevated.set(params.sessionKey, params.minutes),
  ),
};
