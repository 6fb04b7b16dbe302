// Owns the translation of the inner services to what the gateway offers. Part of the composition: it is built by main.ts
// alone, decides nothing and holds nothing.
import { createDesk } from './access/desk.ts';
import { createApprovalDesk } from './asking/chats.ts';
import type { Boxes } from './boxes/boxes.ts';
import { redact } from './config/load.ts';
import type { Core } from './core.ts';
import type { Backend, SessionRow, StatusReport } from './gateway/backend.ts';
import { tailLog } from './log/tail.ts';
import type { Mcp } from './mcp/mcp.ts';
import type { Models } from './models/provider.ts';
import type { Remembering } from './remembering.ts';
import type { Running } from './running/running.ts';
import type { Trashed } from './sandbox/trash/trash.ts';
import { AGENT, createSend, type SendPorts } from './send.ts';
import { parseSessionKey } from './sessions/key.ts';
import type { SessionRecord } from './store/sessions.ts';
import { shownName } from './tools/paths.ts';

export type BackendPorts = SendPorts &
  Pick<
    Core,
    | 'access'
    | 'directory'
    | 'transcripts'
    | 'runner'
    | 'approvals'
    | 'grants'
    | 'asking'
    | 'outward'
    | 'journal'
    | 'audit'
    | 'trusted'
    | 'ledger'
    | 'runs'
    | 'hide'
  > & {
    readonly version: string;
    readonly startedAtMs: number;
    readonly logFile: string;
    readonly models: Models;
    readonly channels: Backend['channels'];
    readonly undo: Backend['undo'];
    readonly remembering: Pick<Remembering, 'desk'>;
    readonly mcp: Pick<Mcp, 'report' | 'approve' | 'revoke' | 'probe'>;
    readonly sandboxes: Pick<Boxes, 'known' | 'limits' | 'list' | 'recreate' | 'prune'>;
    readonly running: Pick<Running, 'trash' | 'elevate' | 'elevation'>;
    status(): StatusReport;
  };

export function createBackend(ports: BackendPorts): Backend {
  const { directory, lanes, runner, models, runs } = ports;

  const rowOf = (record: SessionRecord): SessionRow => ({
    key: record.key,
    sessionId: ports.transcripts.uuid(record.transcript),
    agentId: record.agent,
    channel: record.channel,
    label: record.label,
    title: record.title,
    preview: record.preview,
    createdAtMs: record.createdAtMs,
    updatedAtMs: record.updatedAtMs,
    messageCount: record.messageCount,
    model: record.model || (record.modelOverride ?? models.primary),
    modelOverride: record.modelOverride,
    contextTokens: record.contextTokens,
    tokens: { input: record.input, output: record.output, cacheRead: record.cacheRead, cacheWrite: record.cacheWrite },
    archived: record.archived,
    pinned: record.pinned,
    activeRunIds: lanes.activeRunIds(record.key),
    sources: record.context.sources,
  });
  /** Whoever the model obeys names files. */
  const hideNames = (items: readonly Trashed[]) =>
    items.map((one) => ({ ...one, path: shownName(ports.hide.text(one.path)) }));
  const row = (record: SessionRecord): SessionRow => rowOf(ports.hide.record(record));

  return {
    version: ports.version,
    startedAtMs: ports.startedAtMs,
    // A server knows the secrets that it was given, and could say them.
    mcp: {
      report: () => ports.hide.value(ports.mcp.report()),
      approve: async (name, tools, actor) => ports.hide.value(await ports.mcp.approve(name, tools, actor.clientId)),
      revoke: (name, tool, actor) => ports.mcp.revoke(name, tool, actor.clientId),
      probe: async (name) => ports.hide.value(await ports.mcp.probe(name)),
    },
    chat: {
      send: createSend(ports),
      wait: (runId, timeoutMs) => runs.wait(runId, timeoutMs),
      outcome: (runId) => runs.outcome(runId),
      abort: ({ sessionKey, runId, actor }) => {
        const reached = lanes.abort(parseSessionKey(sessionKey).key, runId);
        if (reached.length > 0) ports.journal.record('run.abort', { runs: reached, actor });
        return reached;
      },
    },
    sessions: {
      list: (query) => {
        const found = directory.list(query);
        return { rows: found.rows.map(row), total: found.total };
      },
      describe: (key) => {
        const record = directory.get(parseSessionKey(key).key);
        return record ? row(record) : null;
      },
      history: ({ sessionKey, limit, afterSeq, beforeSeq }) => {
        const { key } = parseSessionKey(sessionKey);
        const record = directory.get(key);
        if (!record) return { sessionId: null, messages: [], total: 0, hasMore: false };
        const before = beforeSeq ?? Number.MAX_SAFE_INTEGER;
        const after = afterSeq ?? 0;
        const live = runner.unstored(key).filter((m) => m.seq > after && m.seq < before);
        const stored =
          live.length >= limit ? [] : ports.transcripts.page(record.transcript, limit - live.length, after, before);
        const messages = [...stored, ...live].slice(-limit);
        return {
          sessionId: ports.transcripts.uuid(record.transcript),
          messages,
          total: record.messageCount + runner.unstored(key).length,
          hasMore: (messages[0]?.seq ?? 0) > after + 1,
        };
      },
      patch: (key, patch, actor) => row(directory.patch(parseSessionKey(key).key, patch, actor)),
      reset: (key, actor, keep) => row(directory.reset(parseSessionKey(key).key, actor, keep)),
      delete: (key, actor) => directory.delete(parseSessionKey(key).key, actor),
    },
    models: {
      list: () => models.list().map((m) => ({ ...m, id: `${m.provider}/${m.id}` })),
      primary: models.primary,
    },
    agents: { list: () => [{ id: AGENT, name: 'Hardshell', model: models.primary, workspace: ports.workspaceDir }] },
    outbox: ports.outward,
    panic: ports.panic,
    usage: ports.ledger.report,
    approvals: createApprovalDesk(ports),
    pairing: createDesk(ports.access.pairing, ports.access.people, ports.inbox, ports.now),
    config: {
      redacted: () => {
        const { path, exists, config, hash } = ports.config();
        return { path, exists, config: redact(config), hash };
      },
    },
    logs: {
      tail(query) {
        const tail = tailLog(ports.logFile, query);
        // Redacted when it was written; since then there may be a secret more.
        return { file: ports.logFile, ...tail, lines: tail.lines.map(ports.hide.text) };
      },
    },
    trash: {
      list: async () => (await ports.running.trash()).list().then(hideNames),
      async restore(id, actor) {
        const back = await (await ports.running.trash()).restore(id);
        ports.journal.record('trash.restored', { id, actor });
        return back;
      },
      async empty(olderThanMs, actor) {
        const gone = await (await ports.running.trash()).empty(olderThanMs);
        if (gone.length > 0) ports.journal.record('trash.emptied', { count: gone.length, actor });
        return gone;
      },
    },
    elevated: { open: ports.running.elevation.open, end: ports.running.elevation.end, set: ports.running.elevate },
    undo: {
      ...ports.undo,
      // Files may hold what nobody sent by a chat.
      preview: async (wish) => ports.hide.value(await ports.undo.preview(wish)),
    },
    sandbox: {
      known: ports.sandboxes.known,
      limits: ports.sandboxes.limits,
      list: ports.sandboxes.list,
      async recreate(which, actor) {
        const ended = await ports.sandboxes.recreate(scopesOf(which));
        ports.journal.record('sandbox.recreated', { ...which, ended, actor });
        return ended;
      },
      async prune(isAll, actor) {
        const ended = await ports.sandboxes.prune(isAll);
        ports.journal.record('sandbox.pruned', { all: isAll, ended, actor });
        return ended;
      },
    },
    channels: ports.channels,
    audit: ports.audit,
    memory: ports.remembering.desk(ports.hide.value),
    trust: ports.trusted,
    status: ports.status,
    record: (kind, body) => ports.journal.record(kind, body),
    subscribe: runs.subscribe,
  };
}

/** Those of an agent are its own and those of its conversations. */
function scopesOf(which: { all: true } | { session: string } | { agent: string }): (scopeKey: string) => boolean {
  if ('all' in which) return () => true;
  if ('session' in which) return (key) => key === which.session;
  return (key) => key === `agent:${which.agent}` || key.startsWith(`agent:${which.agent}:`);
}
