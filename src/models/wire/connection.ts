// Owns one exchange with a provider: the only fetch an SDK gets to see. It decides which headers leave, watches for
// silence, caps what comes in, and turns a wrong answer into a ModelFailure. It must never follow a redirect, because
// that would carry the key to another host, and never let a header leave that we did not choose.
import type { ModelFailure } from '../provider.ts';
import {
  answeredFailure,
  networkFailure,
  noStreamFailure,
  redirectFailure,
  silenceFailure,
  tooLargeFailure,
  type Where,
  webPageFailure,
} from './failures.ts';

export type Endpoint = {
  readonly id: string;
  readonly baseUrl: string;
  /** empty: no key is sent (local servers) */
  readonly apiKey: string;
  readonly auth: 'x-api-key' | 'bearer';
  readonly fetch: typeof globalThis.fetch;
  readonly idleTimeoutMs: number;
};

/** What the factory of an adapter takes; each adapter knows its own way to send the key. */
export type AdapterOptions = Omit<Endpoint, 'auth'>;

export type Connection = {
  readonly endpoint: Endpoint;
  readonly where: Where;
  readonly fetch: typeof globalThis.fetch;
  /** aborted by the caller, by silence, by too much data, or by close() */
  readonly signal: AbortSignal;
  /** why the exchange failed, when it was not the stream's content that failed */
  failure(): ModelFailure | undefined;
  /** the last line was OpenAI's `[DONE]`, which the SDK does not pass on */
  sawDone(): boolean;
  /** the reply is complete: what may still trickle in is read in the background, so that the socket can be used again */
  settle(): void;
  /** ends the exchange at once, unless it has settled */
  close(): void;
};

const MAX_REPLY_BYTES = 64 * 1_048_576;
/** An SSE line is searched again with every chunk that arrives, so an endless one would cost quadratic time. */
const MAX_LINE_BYTES = 8 * 1_048_576;
const MAX_ERROR_BYTES = 65_536;
const DRAIN_MS = 500;
/** The SDKs add more: machine details, and whatever ANTHROPIC_CUSTOM_HEADERS or OPENAI_CUSTOM_HEADERS say. */
const HEADERS_THAT_LEAVE = ['accept', 'content-type', 'anthropic-version'];

class Interrupted extends Error {}

export function openConnection(endpoint: Endpoint, caller: AbortSignal): Connection {
  const where: Where = { id: endpoint.id, host: new URL(endpoint.baseUrl).host, apiKey: endpoint.apiKey };
  const own = new AbortController();
  let failure: ModelFailure | undefined;
  let interruptBody: (() => void) | undefined;
  let drainBody: (() => void) | undefined;
  let settled = false;
  let timer: NodeJS.Timeout | undefined;
  let tail = '';

  const stop = (why?: ModelFailure): void => {
    if (own.signal.aborted) return;
    failure ??= why;
    clearTimeout(timer);
    caller.removeEventListener('abort', onCallerAbort);
    own.abort();
    interruptBody?.();
  };
  const onCallerAbort = (): void => stop();
  const listen = (): void => {
    const patienceMs = settled ? DRAIN_MS : endpoint.idleTimeoutMs;
    timer = setTimeout(() => stop(silenceFailure(patienceMs, where)), patienceMs);
  };
  const heard = (): void => clearTimeout(timer);
  const failWith = (why: ModelFailure): never => {
    stop(why);
    throw new Interrupted(why.message);
  };

  caller.addEventListener('abort', onCallerAbort, { once: true });
  if (caller.aborted) stop();

  /** The body with a clock and a meter on it. Reads only when it is read, so a slow reader is not taken for silence. */
  function watched(body: ReadableStream<Uint8Array>, maxBytes: number): ReadableStream<Uint8Array> {
    const reader = body.getReader();
    let bytes = 0;
    let lineBytes = 0;
    const inspect = (chunk: Uint8Array): void => {
      if (bytes === 0 && looksLikeMarkup(chunk)) failWith(webPageFailure(200, where));
      bytes += chunk.length;
      const newline = chunk.lastIndexOf(10);
      lineBytes = newline < 0 ? lineBytes + chunk.length : chunk.length - newline - 1;
      if (bytes > maxBytes || lineBytes > MAX_LINE_BYTES)
        failWith(tooLargeFailure(bytes > maxBytes ? maxBytes : MAX_LINE_BYTES, where));
      tail = (tail + Buffer.from(chunk.subarray(-32)).toString('latin1')).slice(-32);
    };
    return new ReadableStream<Uint8Array>(
      {
        start(controller) {
          interruptBody = () => {
            controller.error(new Interrupted('interrupted'));
            reader.cancel().catch(() => {});
          };
          drainBody = () => drain(reader);
        },
        async pull(controller) {
          try {
            listen();
            const { done, value } = await reader.read();
            heard();
            if (own.signal.aborted) return;
            if (done) {
              interruptBody = drainBody = undefined;
              controller.close();
            } else {
              inspect(value);
              controller.enqueue(value);
            }
          } catch (error) {
            heard();
            if (own.signal.aborted) return;
            failure ??= networkFailure(error, where);
            interruptBody = drainBody = undefined;
            controller.error(error);
          }
        },
        cancel() {
          heard();
          if (settled) finishBody();
          else reader.cancel().catch(() => {});
        },
      },
      { highWaterMark: 0 },
    );
  }

  const finishBody = (): void => {
    drainBody?.();
    drainBody = interruptBody = undefined;
  };

  async function readError(response: Response): Promise<unknown> {
    let text = '';
    const decoder = new TextDecoder();
    const reader = response.body?.getReader();
    try {
      while (reader !== undefined && text.length < MAX_ERROR_BYTES) {
        listen();
        const { done, value } = await untilAborted(reader.read(), own.signal);
        heard();
        if (done) break;
        text += decoder.decode(value, { stream: true });
      }
    } catch {
      // what arrived until here is enough to judge by
    } finally {
      heard();
      reader?.cancel().catch(() => {});
    }
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }

  /** Only a stream gets through to the SDK; everything else is judged here, the same way for every provider. */
  async function judge(response: Response): Promise<Response> {
    const { status, headers, body } = response;
    const type = headers.get('content-type')?.toLowerCase() ?? '';
    const speaksForItself = status === 429 || status === 503 || status === 529;
    if (status >= 300 && status < 400) {
      body?.cancel().catch(() => {});
      failWith(redirectFailure(status, headers.get('location') ?? '', where));
    }
    if (response.ok && body !== null && !type.startsWith('text/html') && !type.startsWith('application/json')) {
      return new Response(watched(body, MAX_REPLY_BYTES), {
        status: 200,
        headers: { 'content-type': 'text/event-stream' },
      });
    }
    const said = await readError(response);
    if (own.signal.aborted) throw new Interrupted('interrupted');
    const isMarkup = type.startsWith('text/html') || (typeof said === 'string' && said.trimStart().startsWith('<'));
    if (isMarkup && !speaksForItself) failWith(webPageFailure(status, where));
    if (response.ok && !hasError(said)) failWith(noStreamFailure(status, where));
    return failWith(answeredFailure(status, isMarkup ? '' : said, headers, where));
  }

  const guardedFetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const url = new URL(String(input));
    if (url.origin !== new URL(endpoint.baseUrl).origin) throw new Error('the SDK asked for another host');
    let response: Response;
    listen();
    try {
      const { method = 'POST', body = null } = init ?? {};
      const headers = ownHeaders(new Headers(init?.headers), endpoint);
      const answer = endpoint.fetch(url.href, { method, body, headers, redirect: 'manual', signal: own.signal });
      response = await untilAborted(answer, own.signal, (late) => late.body?.cancel().catch(() => {}));
    } catch (error) {
      if (!own.signal.aborted) failure ??= networkFailure(error, where);
      throw error;
    } finally {
      heard();
    }
    return judge(response);
  };

  return {
    endpoint,
    where,
    fetch: guardedFetch,
    signal: own.signal,
    failure: () => failure,
    sawDone: () => tail.trimEnd().endsWith('[DONE]'),
    settle: () => {
      settled = true;
    },
    close: () => {
      if (settled) finishBody();
      else stop();
      clearTimeout(timer);
      caller.removeEventListener('abort', onCallerAbort);
    },
  };
}

/** Reads to the end, briefly: a socket whose answer was read to its end is kept for the next request. */
function drain(reader: ReadableStreamDefaultReader<Uint8Array>): void {
  const giveUp = (): void => void reader.cancel().catch(() => {});
  const timer = setTimeout(giveUp, DRAIN_MS);
  const next = (): Promise<void> => reader.read().then(({ done }) => (done ? undefined : next()));
  next()
    .catch(giveUp)
    .finally(() => clearTimeout(timer));
}

function ownHeaders(theirs: Headers, endpoint: Endpoint): Headers {
  const headers = new Headers({ 'user-agent': 'hardshell' });
  for (const name of HEADERS_THAT_LEAVE) {
    const value = theirs.get(name);
    if (value !== null) headers.set(name, value);
  }
  if (endpoint.apiKey !== '') {
    if (endpoint.auth === 'x-api-key') headers.set('x-api-key', endpoint.apiKey);
    else headers.set('authorization', `Bearer ${endpoint.apiKey}`);
  }
  return headers;
}

const hasError = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && Boolean((body as { error?: unknown }).error);

/** The first byte that is not white space is `<`: no event stream starts like that. */
function looksLikeMarkup(chunk: Uint8Array): boolean {
  return chunk[chunk.findIndex((byte) => byte > 0x20)] === 0x3c;
}

/** Settles when the promise does or when the signal aborts, so that a fetch that ignores its signal cannot hold us. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal, onLate?: (value: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(new Interrupted('interrupted'));
      promise.then(onLate, () => {});
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
