// Owns the translation of gateway events into what a conversation is made of: text, tools, messages, ends, approvals.
// Events that mean nothing to a conversation become null.
import type { Approval } from '../../policy/approvals/approval.ts';
import type { GatewayEvent } from '../client.ts';
import { type Json, type Message, objectOf, readApproval, readMessage, textOf } from './wire.ts';

type Run = { readonly runId: string; readonly sessionKey: string };
export type Heard =
  | ({ readonly type: 'started' } & Run)
  /** its words are part of another run, which answers both */
  | ({ readonly type: 'steered'; readonly intoRunId: string } & Run)
  /** `replace`: the delta is all the text since the last tool call */
  | ({ readonly type: 'text'; readonly delta: string; readonly replace: boolean } & Run)
  | ({ readonly type: 'tool-start'; readonly callId: string; readonly name: string; readonly args: unknown } & Run)
  | ({
      readonly type: 'tool-end';
      readonly callId: string;
      readonly name: string;
      readonly text: string;
      readonly isError: boolean;
    } & Run)
  | ({
      readonly type: 'ended';
      readonly status: 'ok' | 'error' | 'aborted';
      readonly message: Message | null;
      readonly reason: string;
    } & Run)
  | { readonly type: 'message'; readonly sessionKey: string; readonly message: Message }
  | { readonly type: 'approval'; readonly approval: Approval }
  | { readonly type: 'approval-closed'; readonly id: string };

export function hear({ event, payload }: GatewayEvent): Heard | null {
  const body = objectOf(payload);
  switch (event) {
    case 'chat':
      return hearChat(body);
    case 'agent':
      return hearAgent(body);
    case 'session.message': {
      const message = readMessage(body['message']);
      return message && { type: 'message', sessionKey: textOf(body['sessionKey']), message };
    }
    case 'exec.approval.requested': {
      const approval = readApproval(payload);
      return approval && { type: 'approval', approval };
    }
    case 'exec.approval.resolved':
      return { type: 'approval-closed', id: textOf(body['id']) };
    default:
      return null;
  }
}

const runOf = (body: Json): Run => ({ runId: textOf(body['runId']), sessionKey: textOf(body['sessionKey']) });

function hearChat(body: Json): Heard | null {
  const run = runOf(body);
  switch (body['state']) {
    case 'delta':
      return { type: 'text', ...run, delta: textOf(body['deltaText']), replace: body['replace'] === true };
    case 'final':
      return { type: 'ended', ...run, status: 'ok', message: readMessage(body['message']), reason: '' };
    case 'aborted':
      return {
        type: 'ended',
        ...run,
        status: 'aborted',
        message: readMessage(body['message']),
        reason: textOf(body['stopReason']),
      };
    case 'error':
      return { type: 'ended', ...run, status: 'error', message: readMessage(body['message']), reason: errorOf(body) };
    default:
      return null;
  }
}

function errorOf(body: Json): string {
  const fix = textOf(objectOf(body['errorDetail'])['fix']);
  return `${textOf(body['errorMessage'])}${fix === '' ? '' : ` (${fix})`}`;
}

function hearAgent(body: Json): Heard | null {
  const run = runOf(body);
  const data = objectOf(body['data']);
  const phase = textOf(data['phase']);
  if (body['stream'] === 'lifecycle') {
    if (phase === 'steered') return { type: 'steered', ...run, intoRunId: textOf(data['intoRunId']) };
    return phase === 'start' ? { type: 'started', ...run } : null;
  }
  if (body['stream'] !== 'tool') return null;
  const callId = textOf(data['toolCallId']);
  const name = textOf(data['name']);
  if (phase === 'start') return { type: 'tool-start', ...run, callId, name, args: data['args'] };
  if (phase !== 'result') return null;
  return { type: 'tool-end', ...run, callId, name, text: textOf(data['result']), isError: data['isError'] === true };
}
