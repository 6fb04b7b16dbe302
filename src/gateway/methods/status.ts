// Owns `status`, `system-presence` and `last-heartbeat`: the state of the house for who may read. The report of the
// backend goes out as it is, beside the fields that upstream's own command line reads.
import { z } from 'zod';
import { type Call, method, type Table } from './method.ts';

const RECENT = 10;

export const statusMethods: Table = {
  status: method('operator.read', z.object({ includeChannelSummary: z.boolean().optional() }), (call) =>
    statusOf(call),
  ),
  'system-presence': method('operator.read', z.object({}), ({ presence }) => presence()),
  'last-heartbeat': method('operator.read', z.object({}), () => null),
};

function statusOf({ backend, connections, counts, now }: Call): unknown {
  const report = backend.status();
  const { rows, total } = backend.sessions.list({ limit: RECENT, offset: 0 });
  const recent = rows.map((row) => ({
    key: row.key,
    kind: 'direct',
    sessionId: row.sessionId,
    updatedAt: row.updatedAtMs,
    age: now() - row.updatedAtMs,
    model: row.model,
    contextTokens: row.contextTokens,
  }));
  return {
    ...report,
    runtimeVersion: report.version,
    gateway: { connections: connections(), ignoredFields: counts.ignoredFields },
    heartbeat: { defaultAgentId: 'main', agents: [{ agentId: 'main', enabled: false, every: '0m', everyMs: 0 }] },
    channelSummary: [],
    queuedSystemEvents: [],
    degradedSecretOwners: [],
    degradedPlugins: [],
    tasks: NO_TASKS,
    taskAudit: { total: 0, warnings: 0, errors: 0, byCode: {} },
    sessions: {
      paths: [],
      count: total,
      defaults: { model: report.model.primary, contextTokens: null },
      recent,
      byAgent: [{ agentId: 'main', path: '', count: total, recent }],
    },
    modelRuntime: { degraded: false, pendingAgents: [] },
    processMemory: { rssBytes: report.rssBytes },
  };
}

const NO_TASKS = {
  total: 0,
  active: 0,
  terminal: 0,
  failures: 0,
  byStatus: { queued: 0, running: 0, succeeded: 0, failed: 0, timed_out: 0, cancelled: 0, lost: 0 },
  byRuntime: { subagent: 0, acp: 0, cli: 0, cron: 0 },
};
