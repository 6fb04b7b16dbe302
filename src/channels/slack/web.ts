// Owns the calls of Slack's Web API: the one place that loads @slack/web-api. Each call goes to Slack's own hosts, once: the
// library's waiting and repeating is off, since only the outbox may decide that something is sent again.
import type { FetchFunction, WebClient } from '@slack/web-api';
import { type HttpAnswer, HttpCallFailed, httpCall } from '../../net/http-call.ts';
import { reasonOf } from '../../platform/errors.ts';
import { fileUrl, type SlackEndpoints } from './endpoints.ts';
import { platformProblem, SlackProblem } from './failures.ts';

/** An answer that said ok; what is in it is for the caller to look at. */
export type Answer = Readonly<Record<string, unknown>>;
export type Web = ReturnType<typeof slackWeb>;
type Upload = { readonly name: string; readonly bytes: Uint8Array };

const CALL_MS = 30_000;
const TRANSFER_MS = 120_000;
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
const RETRY_AFTER_MS = 30_000;

export function slackWeb(at: SlackEndpoints) {
  const call = async (
    token: string,
    method: string,
    args: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<Answer> => {
    const { WebClient } = await import('@slack/web-api');
    // One a call, since the library has no other way to end one; making it takes 40 µs.
    const client = new WebClient(token, {
      slackApiUrl: at.api,
      allowAbsoluteUrls: false,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      logger: SILENT,
      fetch: overHttpCall(method, signal),
    });
    try {
      return (await client.apiCall(method, args)) as unknown as Answer;
    } catch (error) {
      throw problemOf(error, method);
    }
  };

  return {
    call,

    /** The three steps of an upload; only the last one shows anything to anybody. */
    async upload(
      token: string,
      files: readonly Upload[],
      to: Record<string, unknown>,
      signal: AbortSignal,
    ): Promise<Answer> {
      const shared: { id: string; title: string }[] = [];
      try {
        for (const { name, bytes } of files) {
          const place = await call(
            token,
            'files.getUploadURLExternal',
            { filename: name, length: bytes.length },
            signal,
          );
          const url = fileUrl(place['upload_url'], at);
          if (!url || typeof place['file_id'] !== 'string') throw elsewhere('an upload address');
          await transfer('the upload', { method: 'POST', url, body: bytes, maxBytes: 4_096 }, signal);
          shared.push({ id: place['file_id'], title: name });
        }
      } catch (error) {
        const { outcome, code, message, afterMs } = problemOf(error, 'an upload');
        throw new SlackProblem(outcome === 'lost' ? 'unreached' : outcome, code, message, afterMs);
      }
      return call(token, 'files.completeUploadExternal', { ...to, files: shared }, signal);
    },

    /** The bytes of a file, asked for by its id: an address that came with a message is never called. */
    async download(token: string, fileId: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
      const { file } = await call(token, 'files.info', { file: fileId }, signal);
      const { url_private_download: direct, url_private: plain } = (file ?? {}) as Record<string, unknown>;
      const url = fileUrl(direct ?? plain, at);
      if (!url) throw elsewhere('a file');
      const headers = { authorization: `Bearer ${token}` };
      const answer = await transfer('the file', { method: 'GET', url, headers, maxBytes }, signal);
      return answer.body;
    },
  };

  async function transfer(
    what: string,
    request: { method: string; url: URL; headers?: Record<string, string>; body?: Uint8Array; maxBytes: number },
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const answer = await httpCall({ ...request, timeoutMs: TRANSFER_MS, signal });
    if (answer.status === 429) throw limited(answer, what);
    if (answer.status === 200) return answer;
    // Without the permission Slack answers with the way to its login page.
    const why = answer.status >= 300 && answer.status < 400 ? ': the app may lack files:read' : '';
    const outcome = answer.status >= 500 ? 'lost' : 'refused';
    throw new SlackProblem(outcome, `http_${answer.status}`, `Slack answered ${what} with HTTP ${answer.status}${why}`);
  }
}

const elsewhere = (what: string): SlackProblem =>
  new SlackProblem('refused', 'elsewhere', `Slack named ${what} outside Slack, which is not called`);

function limited(answer: HttpAnswer, what: string): SlackProblem {
  const seconds = Number(answer.headers['retry-after']);
  const afterMs = Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : RETRY_AFTER_MS;
  return new SlackProblem(
    'limited',
    'ratelimited',
    `Slack asks ${what} to wait ${Math.ceil(afterMs / 1_000)} s`,
    afterMs,
  );
}

/** What the library calls instead of the global fetch, which would cost 17 MB of memory and cannot tell what was sent. */
const overHttpCall =
  (method: string, signal: AbortSignal): FetchFunction =>
  async (address, { body, headers = {} } = {}): ReturnType<FetchFunction> => {
    if (typeof body !== 'string') throw new Error('only forms are sent');
    const answer = await httpCall({
      ...{ method: 'POST', url: new URL(address), headers, body: Buffer.from(body) },
      ...{ maxBytes: MAX_ANSWER_BYTES, timeoutMs: CALL_MS, signal },
    });
    const { status } = answer;
    if (status === 429) throw limited(answer, method);
    if (status >= 500) throw new SlackProblem('lost', `http_${status}`, `Slack answered ${method} with HTTP ${status}`);
    const text = answer.body.toString('utf8');
    return {
      ...{ ok: status === 200, status, statusText: '', url: String(address), text: async () => text },
      headers: {
        get: (name: string) => answer.headers[name.toLowerCase()]?.toString() ?? null,
        entries: () => Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]),
      },
      json: async () => JSON.parse(text),
      arrayBuffer: async () => new Uint8Array(answer.body).buffer,
    };
  };

/** The library's own errors quote what was answered; ours do not. */
function problemOf(error: unknown, method: string): SlackProblem {
  if (error instanceof SlackProblem) return error;
  if (error instanceof HttpCallFailed) {
    if (error.tooLarge) return new SlackProblem('refused', 'too_large', error.message);
    return new SlackProblem(
      error.reached ? 'lost' : 'unreached',
      'no_answer',
      `Slack gave no answer to ${method} (${error.message})`,
    );
  }
  const { original, data, statusCode } = error as {
    original?: unknown;
    data?: { error?: unknown; needed?: unknown };
    statusCode?: unknown;
  };
  if (original !== undefined && original !== error) return problemOf(original, method);
  if (data) return platformProblem(data.error, method, data.needed);
  if (typeof statusCode === 'number')
    return new SlackProblem('refused', `http_${statusCode}`, `Slack answered ${method} with HTTP ${statusCode}`);
  throw new Error(`a call of Slack (${method}) went wrong: ${reasonOf(error)}`);
}

const none = (): void => {};
type Logger = NonNullable<NonNullable<ConstructorParameters<typeof WebClient>[1]>['logger']>;
/** It would write to the console, requests included. */
const SILENT = {
  ...{ debug: none, info: none, warn: none, error: none, setLevel: none, setName: none },
  getLevel: () => 'error',
} as unknown as Logger;
