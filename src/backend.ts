// Owns the translation of the inner services to what the gateway offers. Part of the composition: it is built by main.ts
// alone, decides nothing, and holds only the outcomes of recent runs.

import { WEBCHAT, WEBCHAT_ACCOUNT } from './channels/webchat.ts';
import type { LoadedConfig } from './config/load.ts';
import { redact } from './config/load.ts';
import type { Core } from './core.ts';
import type { Backend, SendInput, SendReceipt, SessionRow, StatusReport } from './gateway/backend.ts';
import { tailLog } from './log/tail.ts';
import type { Models } from './models/provider.ts';
import { HardshellError } from './platform/errors.ts';
import { parseSessionKey } from './sessions/key.ts';
import { label } from './store/label.ts';
import type { SessionRecord } from './store/sessions.ts';

export type BackendPorts = Pick<
  Core,
  'directory' | 'transcripts' | 'lanes' | 'runner' | 'inbox' | 'intake' | 'approvals' | 'journal' | 'runs'
> & {
  readonly version: string;
  readonly startedAtMs: number;
  readonly workspaceDir: string;
  readonly logFile: string;
  readonly config: () => LoadedConfig;
  readonly models: Models;
  readonly now: () => number;
  readonly stopping: () => boolean;
  status(): StatusReport;
};

const MAX_MESSAGE_CHARS = 200_000;
const AGENT = 'main';

export function createBackend(ports: BackendPorts): Backend {
  const { directory, lanes, runner, intake, approvals, inbox, models, runs, now } = ports;
  const settings = () => ports.config().config;

  const row = (record: SessionRecord): SessionRow => ({
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

  const send = async (input: SendInput): Promise<SendReceipt> => {
    const { key, agentId } = parseSessionKey(input.sessionKey);
    checkSend(input, agentId);
    const waiting = lanes.waitingIn(key);
    const cap = settings().messages.queue.cap;
    const known = inbox.find(WEBCHAT, WEBCHAT_ACCOUNT, input.idempotencyKey);
    if (!known && waiting >= cap) throw queueFull(key, waiting);
    const receivedAtMs = now();
    const acceptance = intake.accept(
      {
        channel: WEBCHAT,
        account: WEBCHAT_ACCOUNT,
        chat: key,
        messageId: input.idempotencyKey,
        chatType: 'direct',
        sender: { id: input.actor.deviceId ?? input.actor.clientId },
        assurance: 'operator',
        text: input.message,
        receivedAtMs,
        label: label('owner', 'owner', `${WEBCHAT}:${key}`),
      },
      {
        sessionKey: key,
        runId: input.idempotencyKey,
        queueMode: input.queueMode ?? settings().messages.queue.mode,
        timeoutMs: input.timeoutMs ?? settings().agents.defaults.timeoutSeconds * 1_000,
      },
    );
    const base = { runId: input.idempotencyKey, sessionKey: key, acceptedAtMs: receivedAtMs };
    if (acceptance.status === 'declined')
      throw new HardshellError({
        code: acceptance.code,
        message: acceptance.reason,
        fix: acceptance.fix,
        httpStatus: 403,
      });
    if (acceptance.status === 'duplicate')
      return {
        ...base,
        acceptedAtMs: acceptance.row.receivedAtMs,
        status: acceptance.row.state === 'queued' ? 'in_flight' : 'done',
      };
    return { ...base, status: lanes.activeRunIds(key)[0] === input.idempotencyKey ? 'started' : 'queued' };
  };

  const checkSend = (input: SendInput, agentId: string): void => {
    if (ports.stopping())
      throw new HardshellError({
        code: 'SHUTTING_DOWN',
        message: 'the gateway is stopping',
        fix: 'send it again when it is back',
        httpStatus: 503,
      });
    if (agentId !== AGENT)
      throw new HardshellError({
        code: 'UNKNOWN_AGENT',
        message: `there is no agent "${agentId}"`,
        fix: `use agent:${AGENT}:<name>`,
        httpStatus: 404,
      });
    if (input.message.trim() === '')
      throw new HardshellError({ code: 'MESSAGE_EMPTY', message: 'the message is empty', fix: 'write something' });
    if (input.message.length > MAX_MESSAGE_CHARS) {
      throw new HardshellError({
        code: 'MESSAGE_TOO_LARGE',
        message: `the message has ${input.message.length} characters, at most ${MAX_MESSAGE_CHARS} are taken`,
        fix: `put it into a file in ${ports.workspaceDir} and name the file`,
        httpStatus: 413,
      });
    }
  };

  return {
    version: ports.version,
    startedAtMs: ports.startedAtMs,
    chat: {
      send,
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
      reset: (key, actor) => row(directory.reset(parseSessionKey(key).key, actor)),
      delete: (key, actor) => directory.delete(parseSessionKey(key).key, actor),
    },
    models: {
      list: () => models.list().map((m) => ({ ...m, id: `${m.provider}/${m.id}` })),
      primary: models.primary,
    },
    agents: { list: () => [{ id: AGENT, name: 'Hardshell', model: models.primary, workspace: ports.workspaceDir }] },
    approvals: { list: approvals.list, resolve: (id, decision, actor) => approvals.resolve(id, decision, actor) },
    config: {
      redacted: () => {
        const { path, exists, config, hash } = ports.config();
        return { path, exists, config: redact(config), hash };
      },
    },
    logs: { tail: (query) => ({ file: ports.logFile, ...tailLog(ports.logFile, query) }) },
    status: ports.status,
    record: (kind, body) => ports.journal.record(kind, body),
    subscribe: runs.subscribe,
  };
}

function queueFull(key: string, waiting: number): HardshellError {
  return new HardshellError({
    code: 'QUEUE_FULL',
    message: `${waiting} messages already wait in ${key}`,
    fix: 'wait for the running turn, or stop it (chat.abort)',
    httpStatus: 429,
  });
}
