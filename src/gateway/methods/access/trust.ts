// Owns `trust.list`, `trust.add` and `trust.remove`: whom and what the owner has confirmed. Changing it widens what may
// happen unasked, so it needs operator.admin; no tool has a way here.
import { z } from 'zod';
import { TRUST_KINDS } from '../../../policy/trust/entry.ts';
import { method, type Table } from '../method.ts';

const entry = z.strictObject({
  kind: z.enum(TRUST_KINDS),
  value: z.string().min(1).max(300),
  name: z.string().max(300).default(''),
});
const add = z.strictObject({ entries: z.array(entry).min(1).max(20_000), from: z.string().max(100).default('typed') });

export const trustMethods: Table = {
  'trust.list': method('operator.read', z.object({}), ({ backend }) => backend.trust.list()),
  'trust.add': method('operator.admin', add, ({ backend, connection }, { entries, from }) =>
    backend.trust.add(entries, connection.actor, from),
  ),
  'trust.remove': method(
    'operator.admin',
    z.strictObject({ value: z.string().min(1).max(300) }),
    ({ backend, connection }, { value }) => ({ removed: backend.trust.remove(value, connection.actor) }),
  ),
};
