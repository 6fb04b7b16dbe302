// Owns `health`: the one method that answers without any scope. Without operator.read it says that the gateway lives
// and nothing else.
import { z } from 'zod';
import { type Call, method, type Table } from './method.ts';

const RECENT = 5;

export const healthMethods: Table = {
  health: method(null, z.object({ probe: z.boolean().optional() }), (call) => healthOf(call)),
};

function healthOf({ backend, connection, now }: Call): unknown {
  const startedAt = performance.now();
  const reads = connection.may('operator.read');
  const sessions = reads ? recentSessions(backend, now()) : { path: '', count: 0, recent: [] };
  const heartbeat = { enabled: false, every: '0m', everyMs: 0, target: 'none' };
  return {
    ok: true,
    ts: now(),
    durationMs: Math.round(performance.now() - startedAt),
    plugins: { loaded: [], errors: [], unavailable: [] },
    configReload: { hotReloadStatus: 'active' },
    channels: {},
    channelOrder: [],
    channelLabels: {},
    heartbeatSeconds: 0,
    defaultAgentId: 'main',
    agents: [{ agentId: 'main', isDefault: true, heartbeat, sessions }],
    sessions,
    modelRuntime: { degraded: false, pendingAgents: [] },
  };
}

function recentSessions(backend: Call['backend'], nowMs: number): unknown {
  const { rows, total } = backend.sessions.list({ limit: RECENT, offset: 0 });
  const recent = rows.map(({ key, updatedAtMs }) => ({ key, updatedAt: updatedAtMs, age: nowMs - updatedAtMs }));
  return { path: '', count: total, recent };
}
