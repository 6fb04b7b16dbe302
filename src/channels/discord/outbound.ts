// Owns how a reply leaves: one message that cannot ping anybody, with a nonce that Discord knows again. Where an answer was
// lost it asks again with the same nonce while Discord remembers it, and after that says that it does not know.
import { createHash, randomUUID } from 'node:crypto';
import { HttpCallFailed } from '../../net/http-call.ts';
import { reasonOf } from '../../platform/errors.ts';
import {
  type Channel,
  ChannelFailure,
  type ChannelSetup,
  type Outbound,
  type OutboundFile,
  type Receipt,
  type Sent,
} from '../channel.ts';
import { pause } from '../pause.ts';
import { saidBy } from './failures.ts';
import { type ApiBody, type ApiCall, jsonBody } from './rest.ts';

type ReadFile = ChannelSetup['readFile'];

const SUPPRESS_EMBEDS = 4;
/** what a bot may upload where nobody paid for more */
export const MAX_FILE_BYTES = 10 * 1024 * 1024;
const REFUSED_WAIT_MS = 60_000;
const UNREACHABLE_WAIT_MS = 2_000;

export async function sendReply(
  api: ApiCall,
  outbound: Outbound,
  readFile: ReadFile,
  askAgainMs: readonly number[],
  signal: AbortSignal,
): Promise<Receipt> {
  let body: ApiBody;
  try {
    body = await bodyOf(outbound, readFile);
  } catch (error) {
    return { state: 'failed', reason: `a file of the reply cannot be read: ${reasonOf(error)}` };
  }
  const path = `/channels/${outbound.thread || outbound.chat}/messages`;
  let last: Receipt = { state: 'unknown' };
  let isSure = true;
  for (const waitMs of [...askAgainMs, null]) {
    const receipt = await attempt(api, path, body, signal);
    if (receipt.state === 'sent' || (isSure && receipt.state !== 'unknown')) return receipt;
    // An earlier try may have arrived, whatever this one was told.
    isSure = false;
    last = { state: 'unknown', reason: receipt.reason ?? 'no answer' };
    const askedMs = receipt.state === 'retry' ? receipt.afterMs : 0;
    if (waitMs === null || askedMs > waitMs || signal.aborted) break;
    await pause(waitMs, signal);
  }
  return last;
}

/** What can be done to a message of ours. */
export function changesOf(api: ApiCall): Required<Pick<Channel, 'react' | 'edit' | 'remove'>> {
  const at = ({ chat, thread, messageId }: Sent): string =>
    `/channels/${thread || chat}/messages/${encodeURIComponent(messageId)}`;
  const ask = async (method: string, path: string, signal: AbortSignal, body?: ApiBody): Promise<void> => {
    const answer = await api(method, path, signal, body);
    if (answer.status >= 300) throw new Error(`Discord answered with ${saidBy(answer)}`);
  };
  return {
    react: (sent, emoji, signal) => ask('PUT', `${at(sent)}/reactions/${encodeURIComponent(emoji)}/@me`, signal),
    edit: (sent, text, signal) =>
      ask(
        'PATCH',
        at(sent),
        signal,
        jsonBody({ content: text, allowed_mentions: { parse: [] }, flags: SUPPRESS_EMBEDS }),
      ),
    remove: (sent, signal) => ask('DELETE', at(sent), signal),
  };
}

async function attempt(api: ApiCall, path: string, body: ApiBody, signal: AbortSignal): Promise<Receipt> {
  try {
    const answer = await api('POST', path, signal, body);
    if (answer.status === 200 || answer.status === 201) {
      const id = (answer.body as { id?: unknown } | null)?.id;
      return { state: 'sent', ...(typeof id === 'string' ? { messageId: id } : {}) };
    }
    const reason = `Discord answered with ${saidBy(answer)}`;
    if (answer.status === 429) return { state: 'retry', reason, afterMs: answer.retryAfterMs };
    if (answer.status === 401) return { state: 'retry', reason, afterMs: REFUSED_WAIT_MS };
    return answer.status >= 500 ? { state: 'unknown', reason } : { state: 'failed', reason };
  } catch (error) {
    const reason = reasonOf(error);
    if (error instanceof ChannelFailure) return { state: 'retry', reason, afterMs: REFUSED_WAIT_MS };
    return error instanceof HttpCallFailed && !error.reached
      ? { state: 'retry', reason, afterMs: UNREACHABLE_WAIT_MS }
      : { state: 'unknown', reason };
  }
}

async function bodyOf(
  { chat, thread, text, replyTo, files, idempotencyKey, buttons = [] }: Outbound,
  readFile: ReadFile,
): Promise<ApiBody> {
  // With the place and the words, since keys begin anew with another database, and Discord would swallow the reply.
  const identity = JSON.stringify([idempotencyKey, chat, thread, replyTo, text]);
  const payload = {
    content: text,
    nonce: createHash('sha256').update(identity).digest('base64url').slice(0, 25),
    enforce_nonce: true,
    // A model that was talked into it still cannot call everyone.
    allowed_mentions: { parse: [], replied_user: false },
    flags: SUPPRESS_EMBEDS,
    // A press is no message that could be answered.
    ...(replyTo === '' || replyTo.startsWith('press:')
      ? {}
      : { message_reference: { message_id: replyTo, fail_if_not_exists: false } }),
    ...(buttons.length === 0 ? {} : { components: [rowOf(buttons)] }),
    ...(files.length === 0 ? {} : { attachments: files.map((file, id) => ({ id, filename: file.name })) }),
  };
  if (files.length === 0) return jsonBody(payload);
  const parts = await Promise.all(
    files.map(async (file) => ({ file, bytes: await readFile(file.path, MAX_FILE_BYTES) })),
  );
  return formOf(payload, parts);
}

const ROW = 1;
const BUTTON = 2;
const rowOf = (buttons: NonNullable<Outbound['buttons']>) => ({
  type: ROW,
  components: buttons.map(({ label, says }) => ({ type: BUTTON, style: 2, label, custom_id: says })),
});

function formOf(payload: object, parts: readonly { file: OutboundFile; bytes: Uint8Array }[]): ApiBody {
  const boundary = `hardshell-${randomUUID()}`;
  const head = (lines: string): Buffer =>
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${lines}\r\n\r\n`);
  const chunks = [head('name="payload_json"\r\nContent-Type: application/json'), Buffer.from(JSON.stringify(payload))];
  for (const [index, { file, bytes }] of parts.entries()) {
    // The name is in the payload too; here it must not be able to end the line.
    const name = file.name.replace(/["\r\n\\]/g, '_');
    const type = file.mimeType.replace(/[\r\n]/g, '');
    chunks.push(
      Buffer.from('\r\n'),
      head(`name="files[${index}]"; filename="${name}"\r\nContent-Type: ${type}`),
      Buffer.from(bytes),
    );
  }
  chunks.push(Buffer.from(`\r\n--${boundary}--\r\n`));
  return { contentType: `multipart/form-data; boundary=${boundary}`, bytes: Buffer.concat(chunks) };
}
