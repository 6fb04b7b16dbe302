// Owns the translation of everything that can go wrong with a provider into one ModelFailure: a kind that failover acts
// on and one line that a person can act on. No key and no text of a prompt may ever get into that line.
import { errnoOf, HardshellError, reasonOf } from '../../platform/errors.ts';
import { isObject } from '../../platform/json.ts';
import { keyVariableOf } from '../../secrets/provider-keys.ts';
import type { ModelFailure } from '../provider.ts';

/** Which provider it was. `apiKey` is here only to be cut out of what the provider says. */
export type Where = { readonly id: string; readonly host: string; readonly apiKey: string };

/** Thrown inside an adapter when the provider itself reported the failure in the middle of its stream. */
export class ModelFailed extends Error {
  readonly failure: ModelFailure;
  constructor(failure: ModelFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

const MAX_MESSAGE_CHARS = 300;

/** Head and tail are ours and always survive; what the provider said is cleaned and cut to fit between them. */
function line(head: string, detail: string, tail: string, where: Where): string {
  const room = MAX_MESSAGE_CHARS - head.length - tail.length - 2;
  const said = withoutSecrets(detail, where.apiKey);
  const short = said.length > room ? `${said.slice(0, Math.max(0, room - 1)).toWellFormed()}…` : said;
  return (short === '' ? head + tail : `${head}: ${short}${tail}`).slice(0, MAX_MESSAGE_CHARS);
}

/** One clean line. Providers echo keys, whole or masked (`sk-ab***yz`), so anything shaped like one goes too. */
function withoutSecrets(text: string, apiKey: string): string {
  let clean = text.slice(0, 2_000);
  if (apiKey !== '') clean = clean.replaceAll(apiKey, '[key]');
  return clean
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .split(' ')
    .map((word) =>
      /^["'(]?((sk|pk|rk|key|xai|gsk)[-_]|AIza)[-_*A-Za-z0-9]{6,}/.test(word) || word.includes('***') ? '[key]' : word,
    )
    .join(' ')
    .trim();
}

type Complaint = { readonly type: string; readonly code: string; readonly message: string };

/** The error object of Anthropic, OpenAI and the usual variants of compatible servers. */
function complaintOf(body: unknown): Complaint {
  const outer = asObject(body);
  const inner = asObject(outer?.['error']) ?? outer;
  const message = [inner?.['message'], outer?.['error'], inner?.['detail'], outer?.['detail'], body].find(
    (value) => typeof value === 'string',
  );
  const word = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');
  return {
    type: word(inner?.['type']),
    code: word(inner?.['code']),
    message: typeof message === 'string' ? message : '',
  };
}

const asObject = (value: unknown) => (isObject(value) ? value : undefined);

const CONTEXT_WORDS = [
  'context_length',
  'context length',
  'context window',
  'context size',
  'context_size',
  'maximum context',
  'prompt is too long',
  'input is too long',
  'too many tokens',
  'request_too_large',
];
const BILLING_WORDS = [
  'billing_error',
  'insufficient_quota',
  'billing_hard_limit',
  'credit balance',
  'insufficient credits',
];
const AUTH_WORDS = [
  'authentication_error',
  'permission_error',
  'invalid_api_key',
  'invalid api key',
  'incorrect api key',
];
const REFUSAL_WORDS = ['content_filter', 'content_policy', 'invalid_prompt', 'bio_policy', 'policy_violation'];

function kindOf(status: number | undefined, complaint: Complaint): ModelFailure['kind'] {
  const said = `${complaint.type} ${complaint.code} ${complaint.message.slice(0, 2_000)}`.toLowerCase();
  const says = (words: readonly string[]) => words.some((word) => said.includes(word));
  if (status === 402 || says(BILLING_WORDS)) return 'billing';
  if (status === 429 || says(['rate_limit'])) return 'rate_limit';
  if (status === 401 || status === 403 || says(AUTH_WORDS)) return 'auth';
  if (status === 413 || says(CONTEXT_WORDS)) return 'context_length';
  if (status === 503 || status === 529 || says(['overloaded'])) return 'overloaded';
  if (status === 408 || status === 504 || status === 524 || says(['timeout_error'])) return 'timeout';
  if (says(REFUSAL_WORDS)) return 'refusal';
  if ((status ?? 0) >= 500 || says(['api_error', 'server_error', 'internal'])) return 'bad_response';
  return 'unknown';
}

/** What the provider answered instead of a reply: an HTTP error, or an error event inside the stream (no status). */
export function answeredFailure(
  status: number | undefined,
  body: unknown,
  headers: Headers | null,
  where: Where,
): ModelFailure {
  const complaint = complaintOf(body);
  // OpenRouter and others put the HTTP status of the model behind them into `code`.
  const inner = Number(complaint.code);
  const effective = (status ?? 0) >= 400 ? status : inner >= 400 && inner < 600 ? inner : undefined;
  const kind = kindOf(effective, complaint);
  const at = `the provider at ${where.host}`;
  const http = effective === undefined ? '' : ` (HTTP ${effective})`;
  const settings = `models.providers.${where.id}`;
  const [head, tail] = {
    auth: [`${at} refused the API key${http}`, `; check ${keyPlaces(where.id)}`],
    billing: [`${at} says there is no credit left${http}`, ''],
    rate_limit: [`${at} limits the rate of requests${http}`, ''],
    overloaded: [`${at} is overloaded${http}`, ''],
    timeout: [`${at} took too long${http}`, ''],
    context_length: [`the conversation is too long for the model at ${where.host}${http}`, ''],
    refusal: [`${at} declined the request${http}`, ''],
    bad_response: [`${at} failed${http}`, ''],
    network: [`${at} failed${http}`, ''],
    unknown:
      effective === 404
        ? [`${at} does not know this model or address${http}`, `; check the model name and ${settings}.baseUrl`]
        : [`${at} did not accept the request${http}`, ''],
  }[kind] as [string, string];
  const retryAfterMs = headers === null ? undefined : retryAfter(headers, Date.now());
  return {
    kind,
    message: line(head, complaint.message, tail, where),
    ...(effective === undefined ? {} : { httpStatus: effective }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** `retry-after-ms`, or `retry-after` as seconds or as an HTTP date. */
export function retryAfter(headers: Headers, nowMs: number): number | undefined {
  const ms = Number(headers.get('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(ms) && ms >= 0) return Math.ceil(ms);
  const value = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1_000);
  const date = /^[A-Za-z]+, /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

export const webPageFailure = (status: number, where: Where): ModelFailure => ({
  kind: 'bad_response',
  message: `the provider at ${where.host} answered with a web page, not with an API reply; check models.providers.${where.id}.baseUrl`,
  httpStatus: status,
});

export const redirectFailure = (status: number, target: string, where: Where): ModelFailure => ({
  kind: 'bad_response',
  message: line(
    `the provider at ${where.host} redirects`,
    target,
    `; set models.providers.${where.id}.baseUrl to where it lives`,
    where,
  ),
  httpStatus: status,
});

export const noStreamFailure = (status: number, where: Where): ModelFailure => ({
  kind: 'bad_response',
  message: `the provider at ${where.host} did not stream its reply; check models.providers.${where.id}.api and .baseUrl`,
  httpStatus: status,
});

export const silenceFailure = (idleMs: number, where: Where): ModelFailure => ({
  kind: 'timeout',
  message: `the provider at ${where.host} sent nothing for ${idleMs < 1_000 ? `${idleMs} ms` : `${Math.round(idleMs / 1_000)} s`}`,
});

export const tooLargeFailure = (maxBytes: number, where: Where): ModelFailure => ({
  kind: 'unknown',
  message: `the reply of the provider at ${where.host} went over ${Math.round(maxBytes / 1_048_576)} MB and was cut off`,
});

export const brokenOffFailure = (where: Where): ModelFailure => ({
  kind: 'bad_response',
  message: `the provider at ${where.host} ended its reply without finishing it`,
});

export const badKeyFailure = (where: Where): ModelFailure => ({
  kind: 'auth',
  message: `the API key of provider ${where.id} has a space, line break or other character that no key has; set it again: ${keyPlaces(where.id)}`,
});

/** Where a key may come from, as people know it: those who exported a variable never saw a configuration. */
function keyPlaces(id: string): string {
  const variable = keyVariableOf(id);
  return `${variable === undefined ? '' : `${variable} or `}models.providers.${id}.apiKey`;
}

/** The request or the connection failed. The raw text stays out: it can hold the URL with its user and password. */
export function networkFailure(error: unknown, where: Where): ModelFailure {
  let code = '';
  for (let cause: unknown = error, depth = 0; cause != null && depth < 6; cause = (cause as Error).cause, depth++) {
    if (cause instanceof HardshellError)
      return { kind: 'unknown', message: line('', reasonOf(cause), '', where).replace(/^: /, '') };
    code = errnoOf(cause) ?? code;
  }
  const why = /^[A-Z][A-Z0-9_]{2,60}$/.test(code) ? ` (${code})` : '';
  return /TIMEDOUT|TIMEOUT/.test(code)
    ? { kind: 'timeout', message: `the provider at ${where.host} could not be reached in time${why}` }
    : {
        kind: 'network',
        message: `the connection to the provider at ${where.host} failed${why}; check the network and models.providers.${where.id}.baseUrl`,
      };
}

/** Anything an adapter or its SDK threw while it read the stream. */
export function thrownFailure(error: unknown, where: Where): ModelFailure {
  if (error instanceof ModelFailed) return error.failure;
  if (error instanceof SyntaxError) {
    return { kind: 'bad_response', message: `the provider at ${where.host} sent something that is not JSON` };
  }
  // Both SDKs throw an error event as an APIError without a status and with the event's body in `error`.
  const body = (error as { error?: unknown } | null)?.error;
  if (body !== undefined && body !== null) return answeredFailure(undefined, body, null, where);
  return { kind: 'unknown', message: line(`the request to ${where.host} failed`, reasonOf(error), '', where) };
}
