// Owns `memory.*`: what the assistant remembers, where it came from, and the owner's hand on it. Vouching for a file raises
// what may happen unasked, so it needs operator.admin, and the hash of what was shown.
import { z } from 'zod';
import { method, type Table } from '../method.ts';

const path = z.string().min(1).max(300);
const id = z.int().min(1);

export const memoryMethods: Table = {
  'memory.list': method('operator.read', z.object({}), async ({ backend }) => ({ files: await backend.memory.list() })),
  'memory.sources': method('operator.read', z.object({}), async ({ backend }) => ({
    sources: await backend.memory.sources(),
  })),
  'memory.search': method(
    'operator.read',
    z.object({ query: z.string().min(1).max(1_000), limit: z.int().min(1).max(20).default(6) }),
    async ({ backend }, { query, limit }) => ({ hits: await backend.memory.search(query, limit) }),
  ),
  'memory.show': method('operator.read', z.object({ path }), ({ backend }, params) => backend.memory.show(params.path)),
  'memory.changes': method('operator.read', z.object({}), async ({ backend }) => ({
    changes: await backend.memory.changes(),
  })),
  'memory.change': method('operator.read', z.object({ id }), ({ backend }, params) => backend.memory.change(params.id)),
  'memory.revert': method(
    'operator.write',
    z.strictObject({ id, force: z.boolean().default(false) }),
    ({ backend, connection }, params) => backend.memory.revert(params.id, params.force, connection.actor),
  ),
  'memory.forget': method(
    'operator.write',
    z.strictObject({ what: z.string().min(1).max(1_000) }),
    async ({ backend, connection }, { what }) => ({ changes: await backend.memory.forget(what, connection.actor) }),
  ),
  'memory.trust': method(
    'operator.admin',
    z.strictObject({ path, hash: z.string().length(64) }),
    ({ backend, connection }, params) => backend.memory.trust(params.path, params.hash, connection.actor),
  ),
};
