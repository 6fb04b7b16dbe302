// Owns `sessions.list`, `.describe`, `.patch`, `.reset`, `.clean` and `.delete`. What cannot be undone needs operator.admin.
import { z } from 'zod';
import { sessionKey } from '../protocol/session-key.ts';
import { modelOf, wireSession } from '../protocol/shapes.ts';
import { agentId } from './fields.ts';
import { type Call, method, type Table } from './method.ts';

const MAX_ROWS = 1_000;

const listParams = z.object({
  // Upstream's page asks for 10,000; it gets what there is, up to our limit, and is told that there is more.
  limit: z.int().min(1).max(1_000_000).default(200),
  offset: z.int().min(0).max(1_000_000).default(0),
  search: z.string().max(256).optional(),
  archived: z.boolean().optional(),
  agentId,
  spawnedBy: z.string().max(512).optional(),
});

const patchParams = z.strictObject({
  key: sessionKey,
  agentId,
  label: z.string().max(256).nullable().optional(),
  model: z.string().min(1).max(256).nullable().optional(),
  archived: z.boolean().optional(),
  pinned: z.boolean().optional(),
});

export const sessionMethods: Table = {
  'sessions.list': method('operator.read', listParams, list),
  'sessions.describe': method('operator.read', z.object({ key: sessionKey, agentId }), ({ backend }, { key }) => {
    const row = backend.sessions.describe(key);
    return { session: row ? wireSession(row) : null };
  }),
  'sessions.patch': method('operator.write', patchParams, ({ backend, connection }, { key, agentId: _, ...fields }) => {
    const patch = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    return changed(key, wireSession(backend.sessions.patch(key, patch, connection.actor)));
  }),
  'sessions.reset': method(
    'operator.admin',
    z.strictObject({ key: sessionKey, agentId, reason: z.enum(['new', 'reset']).optional() }),
    ({ backend, connection }, { key }) => changed(key, wireSession(backend.sessions.reset(key, connection.actor))),
  ),
  'sessions.clean': method(
    'operator.admin',
    z.strictObject({ key: sessionKey, keep: z.enum(['own-words', 'nothing']) }),
    ({ backend, connection }, { key, keep }) =>
      changed(key, wireSession(backend.sessions.reset(key, connection.actor, keep))),
  ),
  'sessions.delete': method(
    'operator.admin',
    z.strictObject({ key: sessionKey, agentId, deleteTranscript: z.boolean().optional() }),
    ({ backend, connection }, { key }) => {
      const deleted = backend.sessions.delete(key, connection.actor);
      return { ok: true, key, deleted, archived: [] };
    },
  ),
};

function changed(key: string, entry: Readonly<Record<string, unknown>>): unknown {
  const { model, modelProvider } = entry;
  return { ok: true, path: '', key, entry, resolved: { model, modelProvider } };
}

function list({ backend, now }: Call, params: z.output<typeof listParams>): unknown {
  const limit = Math.min(params.limit, MAX_ROWS);
  const { offset, search, archived } = params;
  // There are no sub-agents, and an agent that nobody knows has no sessions: such a question has an empty answer.
  const isKnown = (id: string): boolean => backend.agents.list().some((agent) => agent.id === id);
  const none = params.spawnedBy !== undefined || (params.agentId !== undefined && !isKnown(params.agentId));
  const { rows, total } = none
    ? { rows: [], total: 0 }
    : backend.sessions.list({
        limit,
        offset,
        ...(search === undefined || search === '' ? {} : { search }),
        ...(archived === undefined ? {} : { archived }),
      });
  const end = offset + rows.length;
  return {
    ts: now(),
    path: '',
    count: rows.length,
    totalCount: total,
    limitApplied: limit,
    offset,
    nextOffset: end < total ? end : null,
    hasMore: end < total,
    defaults: { ...modelOf(backend.models.primary), contextTokens: null },
    sessions: rows.map(wireSession),
  };
}
