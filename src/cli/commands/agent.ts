// Owns `openclaw agent`: one message in, one answer out. The message has one id for its whole life, so that asking again
// after a lost connection can never make the assistant do it twice.
import { EXIT, HardshellError, misused } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { nameOf } from '../../policy/approvals/approval.ts';
import { type Answer, createAnswer } from '../chat/answer.ts';
import { askOwner } from '../chat/ask-owner.ts';
import type { Client } from '../client.ts';
import { type Outcome, readOutcome, recoverOutcome } from '../connect/outcome.ts';
import { hear } from '../connect/run-events.ts';
import { canonicalKey, shortKey } from '../connect/wire.ts';
import { openClient } from '../connect/with-client.ts';
import type { Context } from '../context.ts';
import { wholeNumber } from '../numbers.ts';
import { type Output, span } from '../output.ts';
import { approvalLines } from '../print/calls.ts';
import { startProgress } from '../print/progress.ts';
import type { TargetFlags } from '../target.ts';

type Options = TargetFlags & { message?: string; sessionKey?: string; session?: string; timeout?: string };
type Turn = {
  readonly runId: string;
  readonly sessionKey: string;
  readonly message: string;
  readonly deadlineMs: number;
};

const SCOPES = ['operator.read', 'operator.write', 'operator.approvals'] as const;
const RETRY_MS = 500;
/** The gateway ends the turn at its limit; its answer about that needs a moment to get here. */
const GRACE_MS = 5000;
const MAX_STDIN_BYTES = 1024 * 1024;

export async function run(context: Context, options: Options): Promise<number> {
  const { out } = context;
  const timeoutS = wholeNumber(options.timeout, '--timeout', 600, 86_400);
  const message = options.message ?? (await readMessage(out));
  if (message.trim() === '') throw emptyMessage();
  const turn: Turn = {
    runId: newId(),
    sessionKey: canonicalKey(options.sessionKey ?? options.session ?? 'main'),
    message,
    deadlineMs: Date.now() + timeoutS * 1000,
  };
  const answer = createAnswer(out);
  const outcome = await converse(context, options, turn, timeoutS, answer);
  answer.finish(outcome.text);
  if (outcome.status === 'ok') {
    out.data(outcome);
    return EXIT.ok;
  }
  return out.fail(turnFailure(outcome, turn), outcome);
}

/** Sends the turn and waits; a connection that is lost on the way is made again for as long as there is time. */
async function converse(
  context: Context,
  options: Options,
  turn: Turn,
  timeoutS: number,
  answer: Answer,
): Promise<Outcome> {
  let accepted = false;
  for (;;) {
    let client: Client | undefined;
    try {
      ({ client } = await openClient(context, options, { scopes: SCOPES, caps: ['tool-events', 'compact-deltas'] }));
      return await askOnce(context.out, client, turn, timeoutS, answer, () => {
        accepted = true;
      });
    } catch (error) {
      // One that starts again listens a moment before its lock names its port.
      const lost =
        error instanceof HardshellError && (error.exitCode === EXIT.unreachable || error.code === 'TOKEN_WITHHELD');
      if (!lost || !accepted || Date.now() > turn.deadlineMs) throw error;
      if (client) {
        answer.pause();
        context.out.note(span('yellow', 'the connection was lost; the message is safe, waiting for the gateway'));
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    } finally {
      client?.close();
    }
  }
}

async function askOnce(
  out: Output,
  client: Client,
  turn: Turn,
  timeoutS: number,
  answer: Answer,
  onAccepted: () => void,
): Promise<Outcome> {
  const { runId, sessionKey } = turn;
  const questions = new Map<string, AbortController>();
  let answering = runId;
  let waiting = startProgress(out, 'thinking');
  const speak = (act: () => void): void => {
    waiting.stop();
    act();
    waiting = startProgress(out, 'working');
  };
  let asking = Promise.resolve();
  client.onEvent((event) => {
    const heard = hear(event);
    if (heard?.type === 'approval-closed') return questions.get(heard.id)?.abort();
    if (heard?.type === 'approval' && heard.approval.sessionKey === sessionKey) {
      const taken = new AbortController();
      questions.set(heard.approval.id, taken);
      speak(() => answer.pause());
      waiting.stop();
      // One at a time: what is typed answers the one that is shown.
      const { approval } = heard;
      asking = asking.then(() => askApproval(out, client, approval, taken.signal));
      return;
    }
    if (heard === null || !('runId' in heard) || heard.runId !== answering) return;
    if (heard.type === 'steered') answering = heard.intoRunId;
    else if (heard.type === 'text') {
      waiting.stop();
      answer.text(heard.delta, heard.replace);
    } else if (heard.type === 'tool-start') speak(() => answer.tool(heard.name, heard.args));
    else if (heard.type === 'tool-end' && heard.isError) speak(() => answer.toolFailed(heard.text));
  });

  let interrupted = false;
  const onInterrupt = (): void => {
    if (interrupted) process.exit(130);
    interrupted = true;
    waiting.stop();
    answer.pause();
    out.note('stopping the turn; Ctrl-C again leaves at once');
    client.request('chat.abort', { sessionKey, runId }).catch(() => {});
  };
  process.on('SIGINT', onInterrupt);
  try {
    const limitMs = Math.max(1, turn.deadlineMs - Date.now()) + GRACE_MS;
    const params = { message: turn.message, sessionKey, idempotencyKey: runId, timeout: timeoutS };
    const payload = await client.request('agent', params, { timeoutMs: limitMs, onAccepted });
    const outcome = readOutcome(payload, turn);
    // A run that ended before a restart is known by its transcript only.
    return outcome.status === 'timeout' && Date.now() < turn.deadlineMs ? await recoverOutcome(client, turn) : outcome;
  } finally {
    process.off('SIGINT', onInterrupt);
    waiting.stop();
    for (const question of questions.values()) question.abort();
  }
}

type Asked = Parameters<typeof approvalLines>[0];

async function askApproval(out: Output, client: Client, approval: Asked, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  for (const line of approvalLines(approval, Date.now())) out.note(span('yellow', line));
  const { stdin, stderr } = out.streams;
  if (stdin.isTTY !== true || stderr.isTTY !== true) {
    out.note(`answer it with: openclaw approvals approve ${nameOf(approval) || approval.id}   (or: deny)`);
    return;
  }
  const yes = await askOwner(out, 'Allow this once?', signal);
  if (yes === null) return out.note(span('dim', 'answered elsewhere, or its time is over'));
  try {
    await client.request('exec.approval.resolve', { id: approval.id, decision: yes ? 'allow-once' : 'deny' });
  } catch (error) {
    out.fail(error);
  }
}

async function readMessage(out: Output): Promise<string> {
  const { stdin } = out.streams;
  if (stdin.isTTY) throw emptyMessage();
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stdin) {
    parts.push(Buffer.from(part as Buffer));
    bytes += parts.at(-1)?.length ?? 0;
    if (bytes > MAX_STDIN_BYTES) throw tooLong();
  }
  return Buffer.concat(parts).toString('utf8').trimEnd();
}

function emptyMessage(): HardshellError {
  return misused(
    'MESSAGE_EMPTY',
    'there is nothing to say: no message was given',
    'openclaw agent -m "your message"   (or pipe it in)',
  );
}

function tooLong(): HardshellError {
  return misused(
    'MESSAGE_TOO_LARGE',
    'standard input is longer than 1 MB, too long for one message',
    'put it into a file of the workspace and ask about that file',
  );
}

function turnFailure(outcome: Outcome, turn: Turn): HardshellError {
  const look = `openclaw sessions show ${shortKey(turn.sessionKey)}`;
  if (outcome.status === 'aborted') {
    return new HardshellError({ code: 'TURN_ABORTED', message: 'the turn was stopped before it was done', fix: look });
  }
  if (outcome.status === 'timeout') {
    const message = 'the turn is still going on and this command has waited long enough';
    return new HardshellError({ code: 'TURN_TIMEOUT', message, fix: `${look}   (the answer will be there)` });
  }
  return new HardshellError({
    code: 'TURN_FAILED',
    message: `the turn failed: ${outcome.reason || 'no reason was given'}`,
    fix: outcome.fix || look,
  });
}
