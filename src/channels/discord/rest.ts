// Owns the calls to Discord's REST API and the memory of its rate limits: who must wait is told how long, and never
// waits in here. The token goes to the one address it was made for, in a header, and into nothing that is said.
import { httpCall } from '../../net/http-call.ts';
import { tryParseJson } from '../../platform/json.ts';
import { errorSchema } from './wire.ts';

export type ApiAnswer = {
  readonly status: number;
  readonly body: unknown;
  /** of a refusal: Discord's own number and words */
  readonly code: number | null;
  readonly message: string;
  /** with 429 */
  readonly retryAfterMs: number;
};
export type ApiBody = { readonly contentType: string; readonly bytes: Uint8Array };
export type ApiCall = (method: string, path: string, signal: AbortSignal, body?: ApiBody) => Promise<ApiAnswer>;

const TIMEOUT_MS = 20_000;
const MAX_BYTES = 8 * 1024 * 1024;
/** when Discord says 429 and not for how long */
const UNSAID_WAIT_MS = 5_000;
const MAX_ROUTES = 500;
const EVERYWHERE = '*';

export const jsonBody = (value: unknown): ApiBody => ({
  contentType: 'application/json',
  bytes: Buffer.from(JSON.stringify(value)),
});

/** Rejects with HttpCallFailed when there is no answer; every answer resolves, whatever its status. `problem` is why the
 *  token must not be shown to anybody. */
export function createApi(base: string, token: string, problem: Error | null): ApiCall {
  const blockedUntil = new Map<string, number>();
  const block = (route: string, forMs: number): void => {
    const nowMs = performance.now();
    if (blockedUntil.size >= MAX_ROUTES) {
      for (const [other, untilMs] of blockedUntil) if (untilMs <= nowMs) blockedUntil.delete(other);
    }
    blockedUntil.set(route, Math.max(nowMs + forMs, blockedUntil.get(route) ?? 0));
  };
  return async (method, path, signal, body) => {
    if (problem) throw problem;
    const route = `${method} ${path.split('?')[0]}`;
    const waitMs = Math.max(blockedUntil.get(route) ?? 0, blockedUntil.get(EVERYWHERE) ?? 0) - performance.now();
    if (waitMs > 0)
      return { status: 429, body: null, code: null, message: 'rate limit', retryAfterMs: Math.ceil(waitMs) };
    const answer = await httpCall({
      method,
      url: new URL(`${base}/v10${path}`),
      headers: {
        authorization: `Bot ${token}`,
        // Discord asks for this form of every library, and blocks those without.
        'user-agent': 'DiscordBot (hardshell, 0.1)',
        ...(body === undefined ? {} : { 'content-type': body.contentType }),
      },
      ...(body === undefined ? {} : { body: body.bytes }),
      maxBytes: MAX_BYTES,
      timeoutMs: TIMEOUT_MS,
      signal,
    });
    // An error page of a proxy is no JSON; its status says enough.
    const seen = tryParseJson(answer.body.toString('utf8'));
    const error = errorSchema.safeParse(seen).data;
    const header = (name: string): number => Number(answer.headers[name] ?? Number.NaN) * 1_000;
    let retryAfterMs = 0;
    if (answer.status === 429) {
      const saidMs = error?.retry_after === undefined ? header('retry-after') : error.retry_after * 1_000;
      retryAfterMs = Number.isFinite(saidMs) ? Math.max(0, Math.ceil(saidMs)) : UNSAID_WAIT_MS;
      // Of one route only the asker needs to know; what holds everywhere stops everybody.
      const isGlobal = error?.global === true || answer.headers['x-ratelimit-global'] === 'true';
      if (isGlobal) block(EVERYWHERE, retryAfterMs);
    } else if (answer.headers['x-ratelimit-remaining'] === '0') {
      const resetMs = header('x-ratelimit-reset-after');
      if (Number.isFinite(resetMs)) block(route, resetMs);
    }
    const isRefusal = answer.status >= 400;
    return {
      status: answer.status,
      body: seen,
      code: isRefusal ? (error?.code ?? null) : null,
      message: isRefusal ? (error?.message ?? '') : '',
      retryAfterMs,
    };
  };
}
