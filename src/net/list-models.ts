// Owns one question to a model provider: which models does this key reach? It costs nothing and proves the key. The key
// goes to that address only, never along a redirect, and never into what is said about the answer.
import { reasonOf } from '../platform/errors.ts';

export type ModelsAnswer =
  | { readonly state: 'works'; readonly models: readonly string[] }
  | { readonly state: 'refused'; readonly reason: string }
  | { readonly state: 'unknown'; readonly reason: string };

export type ModelsQuestion = {
  readonly api: string;
  readonly baseUrl: string;
  readonly key: string | undefined;
  readonly withinMs?: number;
};

const WITHIN_MS = 8_000;
const MAX_BYTES = 8 * 1024 * 1024;

export async function listModels({ api, baseUrl, key, withinMs = WITHIN_MS }: ModelsQuestion): Promise<ModelsAnswer> {
  const isAnthropic = api === 'anthropic-messages';
  const url = `${baseUrl.replace(/\/+$/, '')}${isAnthropic ? '/v1/models' : '/models'}`;
  const signed: Record<string, string> = isAnthropic
    ? { 'x-api-key': key ?? '', 'anthropic-version': '2023-06-01' }
    : { authorization: `Bearer ${key}` };
  const host = new URL(url).host;
  try {
    const headers = { accept: 'application/json', ...(key === undefined ? {} : signed) };
    const response = await fetch(url, { headers, redirect: 'error', signal: AbortSignal.timeout(withinMs) });
    if (response.status === 401 || response.status === 403) {
      await response.body?.cancel();
      return { state: 'refused', reason: `${host} refuses the key (HTTP ${response.status})` };
    }
    if (!response.ok) {
      await response.body?.cancel();
      return { state: 'unknown', reason: `${host} answered with HTTP ${response.status}` };
    }
    return { state: 'works', models: modelsIn(JSON.parse(await textOf(response))) };
  } catch (error) {
    const cause = error instanceof Error && error.cause ? `: ${reasonOf(error.cause)}` : '';
    return { state: 'unknown', reason: `${host} did not answer as a model provider (${reasonOf(error)}${cause})` };
  }
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new Error('too long an answer');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** `{data: [{id}]}`, as all of them answer. */
function modelsIn(answer: unknown): string[] {
  const data = (answer as { data?: unknown } | null)?.data;
  const ids = Array.isArray(data) ? data.map((one) => (one as { id?: unknown } | null)?.id) : [];
  return ids.filter((id): id is string => typeof id === 'string' && id.length > 0 && id.length < 200);
}
