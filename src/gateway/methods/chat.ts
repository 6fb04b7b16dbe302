// Owns `chat.send`, `chat.history`, `chat.abort`: a message in, the transcript out, a stop. A message is durable before
// its answer goes out; sending it twice with one key is one message.
import { z } from 'zod';
import type { SendInput } from '../backend.ts';
import { agentIdOf, sessionKey } from '../protocol/session-key.ts';
import { modelOf, wireMessage, wireSession } from '../protocol/shapes.ts';
import {
  agentId,
  hint,
  idempotencyKey,
  noAttachments,
  notDelivered,
  OTHER_AGENT,
  runId,
  sameAgent,
  timeoutMs,
} from './fields.ts';
import { type Call, method, type Table } from './method.ts';

const MAX_MESSAGES = 1_000;
const DEFAULT_MESSAGES = 200;

const sendParams = z
  .strictObject({
    sessionKey,
    message: z.string(),
    idempotencyKey,
    agentId,
    timeoutMs,
    queueMode: z.enum(['steer', 'followup', 'collect', 'interrupt']).optional(),
    deliver: notDelivered,
    attachments: noAttachments,
    sessionId: hint,
    thinking: hint,
    fastMode: hint,
    expectedLeafEntryId: hint,
  })
  .refine(sameAgent, OTHER_AGENT);

const historyParams = z
  .object({
    sessionKey,
    agentId,
    limit: z.int().min(1).max(MAX_MESSAGES).default(DEFAULT_MESSAGES),
    /** how many of the newest to leave out */
    offset: z.int().min(0).max(1_000_000).default(0),
    beforeSeq: z.int().min(1).optional(),
    afterSeq: z.int().min(0).optional(),
    maxChars: z.int().min(1).max(500_000).optional(),
    maxBytes: z.int().min(1_024).max(26_214_400).optional(),
  })
  .refine(sameAgent, OTHER_AGENT);

const abortParams = z
  .strictObject({ sessionKey, agentId, runId: runId.optional(), preserveSideRuns: z.boolean().optional() })
  .refine(sameAgent, OTHER_AGENT);

export const chatMethods: Table = {
  'chat.send': method('operator.write', sendParams, send),
  'chat.history': method('operator.read', historyParams, history),
  'chat.abort': method('operator.write', abortParams, ({ backend, connection }, params) => {
    const target = { sessionKey: params.sessionKey, ...(params.runId === undefined ? {} : { runId: params.runId }) };
    const runIds = backend.chat.abort({ ...target, actor: connection.actor });
    return { ok: true, aborted: runIds.length > 0, runIds };
  }),
};

async function send({ backend, connection }: Call, params: z.output<typeof sendParams>): Promise<unknown> {
  const receipt = await backend.chat.send(sendInput(params, connection.actor));
  switch (receipt.status) {
    case 'started':
      return { runId: receipt.runId, status: 'started' };
    case 'queued':
      return { runId: receipt.runId, status: 'started', queued: true };
    case 'in_flight':
      return { runId: receipt.runId, status: 'in_flight' };
    case 'done': {
      const outcome = backend.chat.outcome(receipt.runId);
      const { status: ended, stopReason } = typeof outcome === 'object' ? outcome : {};
      return { runId: receipt.runId, status: 'done', ...(ended === undefined ? {} : { outcome: ended, stopReason }) };
    }
  }
}

type Sent = {
  sessionKey: string;
  message: string;
  idempotencyKey: string;
  queueMode?: 'steer' | 'followup' | 'collect' | 'interrupt' | undefined;
  timeoutMs?: number | undefined;
};

/** `collect` is what `followup` does here: what waits is answered after the turn, in order. */
export function sendInput(params: Sent, actor: SendInput['actor']): SendInput {
  const queueMode = params.queueMode === 'collect' ? 'followup' : params.queueMode;
  return {
    sessionKey: params.sessionKey,
    message: params.message,
    idempotencyKey: params.idempotencyKey,
    ...(queueMode === undefined ? {} : { queueMode }),
    ...(params.timeoutMs === undefined || params.timeoutMs === 0 ? {} : { timeoutMs: params.timeoutMs }),
    actor,
  };
}

function history(call: Call, params: z.output<typeof historyParams>): unknown {
  const { backend, inFlight } = call;
  const { sessionKey: key, limit, offset } = params;
  const beforeSeq = offset === 0 ? params.beforeSeq : seqAfterSkipping(backend, key, offset, params.beforeSeq);
  const found = backend.sessions.history({
    sessionKey: key,
    limit,
    ...(beforeSeq === undefined ? {} : { beforeSeq }),
    ...(params.afterSeq === undefined ? {} : { afterSeq: params.afterSeq }),
  });
  const maxBytes = Math.min(params.maxBytes ?? call.historyBytes, call.historyBytes);
  const { messages, cut } = newestWithin(
    found.messages.map((message) => wireMessage(message, params.maxChars)),
    maxBytes,
  );
  const row = backend.sessions.describe(key);
  const running = inFlight(key);
  return {
    sessionKey: key,
    ...(found.sessionId === null ? {} : { sessionId: found.sessionId }),
    messages,
    pendingInputs: { items: [], total: 0 },
    hasMore: found.hasMore || cut,
    totalMessages: found.total,
    defaults: { ...modelOf(backend.models.primary), contextTokens: null },
    sessionInfo: row ? wireSession(row) : { key, agentId: agentIdOf(key), kind: 'direct' },
    ...(running === null ? {} : { inFlightRun: running }),
  };
}

/** Places have no gaps, so the newest one tells which place follows those that are left out. */
function seqAfterSkipping(backend: Call['backend'], key: string, offset: number, beforeSeq?: number): number {
  const query = beforeSeq === undefined ? { sessionKey: key, limit: 1 } : { sessionKey: key, limit: 1, beforeSeq };
  const newest = backend.sessions.history(query).messages[0]?.seq ?? 0;
  return Math.max(1, newest - offset + 1);
}

/** The newest messages that fit; the rest is there with a smaller page. */
function newestWithin<T>(messages: readonly T[], maxBytes: number): { messages: readonly T[]; cut: boolean } {
  let bytes = 0;
  for (let i = messages.length - 1; i >= 0; i--) {
    bytes += Buffer.byteLength(JSON.stringify(messages[i]) ?? '');
    if (bytes > maxBytes && i < messages.length - 1) return { messages: messages.slice(i + 1), cut: true };
  }
  return { messages, cut: false };
}
