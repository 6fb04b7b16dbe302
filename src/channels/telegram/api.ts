// Owns the calls of the Bot API: the one place that loads grammY. Each call goes out once, to the configured server only;
// what went wrong becomes one of a few kinds, in words that hold no token.
import type { Api, InputFile } from 'grammy';
import { type HttpAnswer, HttpCallFailed, httpCall } from '../../net/http-call.ts';
import { reasonOf } from '../../platform/errors.ts';
import { fieldsIn } from '../../platform/json.ts';
import { ChannelFailure } from '../channel.ts';

export type Bot = {
  readonly raw: Api['raw'];
  download(path: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array>;
  /** a file as a call takes it */
  upload(bytes: Uint8Array, name: string): InputFile;
};

/** What came back instead of a result. `code` is 0 when nothing came back at all. */
export type Problem = {
  readonly code: number;
  readonly reason: string;
  /** the server may have done what it was asked to */
  readonly reached: boolean;
  readonly retryAfterMs: number | null;
  readonly movedTo: string | null;
};

export const DEFAULT_ROOT = 'https://api.telegram.org';
const CALL_MS = 30_000;
const TRANSFER_MS = 180_000;
/** A long poll may take this much longer than it was asked to. */
const POLL_SLACK_MS = 20_000;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_UPLOAD_BYTES = 50 * 1024 * 1024;

export async function openBot(token: string, apiRoot: string): Promise<Bot> {
  const { Api: Client, InputFile: Upload } = await import('grammy');
  const root = apiRoot.replace(/\/+$/, '');
  const client = new Client(token, { apiRoot: root, timeoutSeconds: 600, fetch: overHttpCall as never });
  return {
    raw: client.raw,
    upload: (bytes, name) => new Upload(bytes, name),
    async download(path, maxBytes, signal) {
      const url = new URL(`${root}/file/bot${token}/${path.split('/').map(encodeURIComponent).join('/')}`);
      const answer = await httpCall({ method: 'GET', url, maxBytes, timeoutMs: TRANSFER_MS, signal });
      if (answer.status !== 200) throw new Error(`the file could not be fetched (HTTP ${answer.status})`);
      return answer.body;
    },
  };
}

type Init = { method?: string; headers?: Record<string, string>; body?: unknown; signal?: AbortSignal };

/** The part of fetch that grammY uses. An answer that is no JSON is told by its status, as the API tells all others. */
async function overHttpCall(address: string, init: Init): Promise<{ json(): Promise<unknown> }> {
  const url = new URL(address);
  const body = typeof init.body === 'string' ? Buffer.from(init.body) : await collect(init.body);
  const ended = new AbortController();
  const end = (): void => ended.abort();
  init.signal?.addEventListener('abort', end);
  if (init.signal?.aborted) end();
  try {
    const answer = await httpCall({
      method: init.method ?? 'POST',
      url,
      headers: init.headers ?? {},
      body,
      maxBytes: MAX_ANSWER_BYTES,
      timeoutMs: typeof init.body === 'string' ? waitOf(init.body) : TRANSFER_MS,
      signal: ended.signal,
    });
    return { json: async () => envelopeOf(answer) };
  } finally {
    init.signal?.removeEventListener('abort', end);
  }
}

/** Only a long poll has a `timeout`, in seconds. */
function waitOf(body: string): number {
  const seconds = /"timeout":(\d{1,3})\b/.exec(body.slice(0, 200))?.[1];
  return seconds === undefined ? CALL_MS : Number(seconds) * 1_000 + POLL_SLACK_MS;
}

async function collect(body: unknown): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_UPLOAD_BYTES) throw new Error('the file is too large for the Bot API');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function envelopeOf({ status, body }: HttpAnswer): unknown {
  const value = fieldsIn(body.toString('utf8'));
  if (typeof value['ok'] === 'boolean') return value;
  return {
    ok: false,
    error_code: status === 200 ? 502 : status,
    description: `HTTP ${status} without an answer in JSON`,
  };
}

/** Of anything that a call threw. */
export function problemOf(error: unknown): Problem {
  const {
    error_code: code,
    description,
    parameters,
  } = error as {
    error_code?: number;
    description?: string;
    parameters?: { retry_after?: number; migrate_to_chat_id?: number };
  };
  if (typeof code === 'number') {
    const { retry_after: seconds, migrate_to_chat_id: to } = parameters ?? {};
    return {
      ...{ code, reason: `Telegram says: ${oneLine(description ?? `error ${code}`)}`, reached: true },
      retryAfterMs: typeof seconds === 'number' ? Math.max(0, seconds) * 1_000 : null,
      movedTo: to === undefined ? null : String(to),
    };
  }
  const cause = (error as { error?: unknown }).error ?? error;
  const reached = cause instanceof HttpCallFailed ? cause.reached : true;
  return { code: 0, reason: oneLine(reasonOf(cause)), reached, retryAfterMs: null, movedTo: null };
}

const oneLine = (text: string): string => text.replace(/[\p{Cc}\s]+/gu, ' ').slice(0, 200);

export const NEW_TOKEN = 'openclaw channels add telegram   (with a token from @BotFather)';

/** Why a connection cannot go on. */
export function failureOf(error: unknown): ChannelFailure {
  if (error instanceof ChannelFailure) return error;
  const { code, reason, retryAfterMs } = problemOf(error);
  if (code === 401 || code === 404)
    return new ChannelFailure(
      'refused',
      `Telegram does not know this bot token (${code}): it is wrong or was revoked`,
      NEW_TOKEN,
    );
  if (code === 409)
    return new ChannelFailure(
      'network',
      'another program receives the messages of this bot; only one can',
      'stop the other program, or give this gateway a bot of its own (/newbot at @BotFather)',
      Math.max(CONFLICT_MS, retryAfterMs ?? 0),
    );
  return new ChannelFailure('network', reason, '', retryAfterMs);
}
const CONFLICT_MS = 30_000;
