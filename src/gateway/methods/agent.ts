// Owns `agent`, `agent.wait` and `agent.identity.get`: a turn that is asked for and waited for. `agent` is answered
// twice under one id, accepted and ended, and the request stays open in between.
import { z } from 'zod';
import { MAIN_KEY } from '../../sessions/key.ts';
import { agentIdOf, sessionKey } from '../protocol/session-key.ts';
import { wireOutcome } from '../protocol/shapes.ts';
import { sendInput } from './chat.ts';
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

const DEFAULT_TIMEOUT_S = 600;
const DEFAULT_WAIT_MS = 30_000;

const agentParams = z
  .strictObject({
    message: z.string().min(1),
    idempotencyKey,
    sessionKey: sessionKey.optional(),
    agentId,
    /** seconds; 0 is the default as well */
    timeout: z.int().min(0).max(86_400).optional(),
    deliver: notDelivered,
    bestEffortDeliver: notDelivered,
    attachments: noAttachments,
    thinking: hint,
    verbose: hint,
    lane: hint,
    label: hint,
  })
  .refine(sameAgent, OTHER_AGENT);

export const agentMethods: Table = {
  agent: method('operator.write', agentParams, runAgent),
  'agent.wait': method('operator.write', z.object({ runId, timeoutMs }), async ({ backend }, params) => {
    const outcome = await backend.chat.wait(params.runId, params.timeoutMs ?? DEFAULT_WAIT_MS);
    if (outcome === null) return { runId: params.runId, status: 'timeout' };
    const { startedAtMs, endedAtMs, status, stopReason, error } = outcome;
    return {
      runId: params.runId,
      status: status === 'ok' ? 'ok' : 'error',
      startedAt: startedAtMs,
      endedAt: endedAtMs,
      stopReason,
      ...(error === undefined ? {} : { error }),
    };
  }),
  'agent.identity.get': method(
    'operator.read',
    z.object({ agentId, sessionKey: sessionKey.optional() }),
    ({ backend }, params) => {
      const id = params.agentId ?? (params.sessionKey === undefined ? 'main' : agentIdOf(params.sessionKey));
      const agent = backend.agents.list().find((known) => known.id === id);
      const name = agent?.name ?? id;
      return { agentId: id, name, nameSource: agent ? 'config' : 'default', avatar: name.slice(0, 1).toUpperCase() };
    },
  ),
};

async function runAgent({ backend, connection, ack }: Call, params: z.output<typeof agentParams>): Promise<unknown> {
  const key = params.sessionKey ?? (params.agentId === undefined ? MAIN_KEY : `agent:${params.agentId}:main`);
  const limitMs = (params.timeout || DEFAULT_TIMEOUT_S) * 1_000;
  const sent = { sessionKey: key, message: params.message, idempotencyKey: params.idempotencyKey, timeoutMs: limitMs };
  const receipt = await backend.chat.send(sendInput(sent, connection.actor));
  const { runId: id } = receipt;
  ack({
    runId: id,
    sessionKey: receipt.sessionKey,
    agentId: agentIdOf(receipt.sessionKey),
    status: 'accepted',
    acceptedAt: receipt.acceptedAtMs,
  });
  const outcome = await backend.chat.wait(id, limitMs);
  return outcome ? wireOutcome(outcome) : { runId: id, status: 'timeout', summary: 'the turn is still going on' };
}
