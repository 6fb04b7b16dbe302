// Owns reading how a turn ended: from the second answer of `agent`, or from the transcript when the run itself is
// forgotten, as it is after a restart.
import type { TokenCount } from '../../store/usage.ts';
import type { Client } from '../client.ts';
import { listOf, modelOf, numberOf, objectOf, readMessage, readTokens, textOf, wordsOf } from './wire.ts';

export type Outcome = {
  readonly status: 'ok' | 'error' | 'aborted' | 'timeout';
  readonly runId: string;
  readonly sessionKey: string;
  readonly text: string;
  readonly model: string;
  readonly usage: TokenCount | null;
  readonly durationMs: number | null;
  /** why it did not end well, and what to do about it; '' when it did or nobody said */
  readonly reason: string;
  readonly fix: string;
};

type Turn = { readonly runId: string; readonly sessionKey: string };

export function readOutcome(payload: unknown, { runId, sessionKey }: Turn): Outcome {
  const body = objectOf(payload);
  const result = objectOf(body['result']);
  const meta = objectOf(result['meta']);
  const agent = objectOf(meta['agentMeta']);
  const error = objectOf(body['error']);
  const texts = listOf(result['payloads']).map((part) => textOf(objectOf(part)['text']));
  return {
    status: meta['aborted'] === true ? 'aborted' : statusOf(body['status']),
    runId,
    sessionKey: textOf(body['sessionKey']) || sessionKey,
    text: texts.filter((text) => text !== '').join('\n\n'),
    model: modelOf(agent, 'provider'),
    usage: readTokens(agent['usage']),
    durationMs: numberOf(meta['durationMs']),
    reason: textOf(error['message']) || (body['status'] === 'error' ? textOf(body['summary']) : ''),
    fix: textOf(error['fix']),
  };
}

const statusOf = (status: unknown): Outcome['status'] => (status === 'ok' || status === 'timeout' ? status : 'error');

/** What the transcript knows of the run; still a timeout when it holds no answer yet. */
export async function recoverOutcome(client: Client, turn: Turn): Promise<Outcome> {
  const history = objectOf(await client.request('chat.history', { sessionKey: turn.sessionKey, limit: 100 }));
  const said = listOf(history['messages'])
    .flatMap((value) => readMessage(value) ?? [])
    .filter((message) => message.runId === turn.runId && (message.role === 'assistant' || message.role === 'notice'));
  const last = said.at(-1);
  const base = { runId: turn.runId, sessionKey: turn.sessionKey, durationMs: null, reason: '', fix: '' };
  if (!last) return { ...base, status: 'timeout', text: '', model: '', usage: null };
  const { model, tokens: usage } = last;
  const aborted = last.stopReason === 'aborted';
  if (last.role === 'notice')
    return { ...base, status: aborted ? 'aborted' : 'error', text: '', model, usage, reason: wordsOf(last) };
  return { ...base, status: aborted ? 'aborted' : 'ok', text: wordsOf(last), model, usage };
}
