// Owns how the backend's values look on the wire: a session row, a message, an approval, an outcome. Names follow
// upstream where upstream has one; nothing is invented to fill a field that we do not have.
import { withoutFrames } from '../../platform/outside-text.ts';
import type { Approval } from '../../policy/approvals/approval.ts';
import { MAIN_KEY } from '../../sessions/key.ts';
import type { Block, StoredMessage } from '../../store/transcripts.ts';
import type { TokenCount } from '../../store/usage.ts';
import type { RunOutcome, SessionRow } from '../backend.ts';

export function wireSession(row: SessionRow): Readonly<Record<string, unknown>> {
  const { tokens } = row;
  const input = tokens.input + tokens.cacheRead + tokens.cacheWrite;
  return {
    key: row.key,
    kind: 'direct',
    classification: row.key === MAIN_KEY ? 'main' : 'direct',
    chatType: 'direct',
    sessionId: row.sessionId,
    agentId: row.agentId,
    isMain: row.key === MAIN_KEY,
    channel: row.channel,
    ...(row.label === null ? {} : { label: row.label }),
    displayName: row.label ?? row.title,
    derivedTitle: row.title,
    lastMessagePreview: row.preview,
    createdAt: row.createdAtMs,
    updatedAt: row.updatedAtMs,
    messageCount: row.messageCount,
    ...modelOf(row.model),
    modelOverride: row.modelOverride,
    contextTokens: row.contextTokens,
    inputTokens: input,
    outputTokens: tokens.output,
    cacheReadTokens: tokens.cacheRead,
    cacheWriteTokens: tokens.cacheWrite,
    tokens,
    totalTokens: input + tokens.output,
    totalTokensFresh: true,
    archived: row.archived,
    pinned: row.pinned,
    hasActiveRun: row.activeRunIds.length > 0,
    activeRunIds: row.activeRunIds,
    status: row.activeRunIds.length > 0 ? 'running' : 'done',
    sources: row.sources,
  };
}

/** `provider/model` is two fields on the wire; a model id may hold further slashes. */
export function modelOf(name: string): { model: string; modelProvider?: string } {
  const cut = name.indexOf('/');
  return cut > 0 ? { model: name.slice(cut + 1), modelProvider: name.slice(0, cut) } : { model: name };
}

const ROLES = { user: 'user', assistant: 'assistant', tool: 'toolResult', notice: 'system' } as const;

export function wireMessage(message: StoredMessage, maxTextChars = Number.POSITIVE_INFINITY) {
  const { seq, runId, label, role } = message;
  const { model, usage, stopReason } = message.meta;
  const named: Partial<ReturnType<typeof modelOf>> = model === undefined ? {} : modelOf(model);
  return {
    role: ROLES[role],
    content: message.blocks.map((block) => wireBlock(block, maxTextChars)),
    timestamp: message.atMs,
    ...(named.model === undefined ? {} : { model: named.model }),
    ...(named.modelProvider === undefined ? {} : { provider: named.modelProvider }),
    ...(usage === undefined ? {} : { usage: wireUsage(usage) }),
    ...(stopReason === undefined ? {} : { stopReason }),
    ...(role === 'user' ? { idempotencyKey: `${runId}:user` } : {}),
    ...onlyResult(message.blocks),
    __openclaw: { id: `${runId}:${seq}`, seq, runId, label },
  };
}

function wireBlock(block: Block, maxTextChars: number) {
  if (block.type === 'toolCall') return block;
  const whole = block.type === 'toolResult' ? withoutFrames(block.text) : block.text;
  const text = whole.length > maxTextChars ? `${whole.slice(0, maxTextChars)}…` : whole;
  return block.text === text ? block : { ...block, text };
}

/** Upstream's clients look for these beside the content; there a message holds one result. */
function onlyResult(blocks: readonly Block[]) {
  const [first, ...more] = blocks;
  if (first?.type !== 'toolResult' || more.length > 0) return {};
  return { toolCallId: first.toolCallId, toolName: first.name, isError: first.isError };
}

export function wireUsage({ input, output, cacheRead, cacheWrite }: TokenCount) {
  return { input, output, cacheRead, cacheWrite, totalTokens: input + output + cacheRead + cacheWrite };
}

export function wireApproval(approval: Approval) {
  const command = approval.facts.find(({ name }) => name === 'command') ?? approval.facts[0];
  const { sessionKey, agentId, tool, reason, where, state, always, task } = approval;
  return {
    ...approval,
    status: state,
    sourceSessionKey: sessionKey,
    request: { command: command?.value ?? tool, host: where, agentId, sessionKey },
    presentation: {
      kind: 'exec',
      commandText: command?.value ?? tool,
      warningText: reason,
      agentId,
      allowedDecisions: ['allow-once', ...(task ? ['allow-task'] : []), ...(always ? ['allow-always'] : []), 'deny'],
    },
  };
}

/** The second answer to `agent`, and all that `agent.wait` needs. */
export function wireOutcome(outcome: RunOutcome) {
  const { runId, status, text, stopReason, startedAtMs, endedAtMs, usage, error } = outcome;
  const named = modelOf(outcome.model);
  return {
    runId,
    status: status === 'ok' ? 'ok' : 'error',
    summary: status === 'ok' ? 'completed' : (error?.message ?? status),
    sessionKey: outcome.sessionKey,
    startedAt: startedAtMs,
    endedAt: endedAtMs,
    stopReason,
    ...(error === undefined ? {} : { error }),
    result: {
      payloads: text === '' ? [] : [{ text, mediaUrl: null }],
      meta: {
        durationMs: Math.max(0, endedAtMs - startedAtMs),
        aborted: status === 'aborted',
        stopReason,
        agentMeta: {
          ...(named.modelProvider === undefined ? {} : { provider: named.modelProvider }),
          model: named.model,
          usage: { ...wireUsage(usage), total: wireUsage(usage).totalTokens },
        },
      },
    },
  };
}
