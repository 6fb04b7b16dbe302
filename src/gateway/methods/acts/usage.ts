// Owns `usage.report`: what was spent, on what and for whom, and which caps there are.
import { z } from 'zod';
import { method, type Table } from '../method.ts';

export const usageMethods: Table = {
  'usage.report': method(
    'operator.read',
    z.strictObject({ days: z.int().min(1).max(366).default(30) }),
    ({ backend }, { days }) => backend.usage(days),
  ),
};
