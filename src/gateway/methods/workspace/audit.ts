// Owns `audit.log`, `audit.report` and `audit.verify`: what was done, who let it, and whether the record of it is whole.
import { z } from 'zod';
import { KINDS } from '../../../journal/reading.ts';
import { method, type Table } from '../method.ts';

const text = z.string().min(1).max(256);
const asked = {
  fromMs: z.int().min(0),
  toMs: z.int().min(0),
  session: text.optional(),
  sender: text.optional(),
};
const log = z.strictObject({
  ...asked,
  tool: text.optional(),
  kind: z.enum([...KINDS, 'all']).optional(),
  denied: z.boolean().optional(),
  limit: z.int().min(1).max(1_000).default(100),
});
const noted = z.strictObject({ seq: z.int().min(1), hash: z.string().max(64) });

export const auditMethods: Table = {
  'audit.log': method('operator.read', log, ({ backend }, query) => backend.audit.log(query)),
  'audit.report': method('operator.read', z.strictObject(asked), ({ backend }, given) => backend.audit.report(given)),
  'audit.verify': method('operator.read', z.strictObject({ noted: noted.optional() }), ({ backend }, given) =>
    backend.audit.verify(given.noted ?? null),
  ),
};
