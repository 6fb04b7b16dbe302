// Owns `logs.tail`: the log, which is redacted when it is written, page by page from a cursor.
import { z } from 'zod';
import { method, type Table } from './method.ts';

const params = z.object({
  cursor: z.int().min(0).optional(),
  limit: z.int().min(1).max(5_000).default(200),
  maxBytes: z.int().min(1).max(1_000_000).default(250_000),
});

export const logMethods: Table = {
  'logs.tail': method('operator.read', params, ({ backend }, { cursor, limit, maxBytes }) =>
    backend.logs.tail({ limit, maxBytes, ...(cursor === undefined ? {} : { cursor }) }),
  ),
};
