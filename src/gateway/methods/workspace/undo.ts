// Owns `workspace.undo.list|preview|apply`: which turns changed files, what bringing one back would do, and doing it. Who may
// have the assistant write may have it unwritten.
import { z } from 'zod';
import { method, type Table } from '../method.ts';

const wish = {
  turnId: z.string().min(1).max(256).optional(),
  /** all of the workspace as it was before that turn */
  all: z.boolean().optional(),
  /** also files that others have changed since */
  force: z.boolean().optional(),
};

export const undoMethods: Table = {
  'workspace.undo.list': method('operator.read', z.object({}), async ({ backend }) => ({
    turns: await backend.undo.list(),
  })),
  'workspace.undo.preview': method('operator.read', z.object(wish), ({ backend }, { turnId, all, force }) =>
    backend.undo.preview({ turnId, all: all === true, force: force === true }),
  ),
  'workspace.undo.apply': method(
    'operator.write',
    z.strictObject(wish),
    ({ backend, connection }, { turnId, all, force }) =>
      backend.undo.apply({ turnId, all: all === true, force: force === true }, connection.actor),
  ),
};
