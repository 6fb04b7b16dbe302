// Owns asking a search service: which there are, what each needs, and what comes back as plain results. The service is the
// owner's choice; nothing but the query and its key is sent to it.
import { HardshellError } from '../../platform/errors.ts';
import { bareHost, isOfClouds, lookupFor } from '../egress/chosen-host.ts';
import { HttpCallFailed, httpCall } from '../http-call.ts';
import { tokensOf } from './html-tokens.ts';
import { type SearchSettings, type Service, serviceOf, whyNoSearch } from './search-choice.ts';

export type Found = { readonly title: string; readonly url: string; readonly text: string };

type Query = { readonly query: string; readonly count: number };
type Asking = {
  /** `at`: another address than its own */
  call(
    settings: SearchSettings,
    query: Query,
    at?: string,
  ): { url: URL; headers?: Record<string, string>; body?: string };
  read(body: string): Found[];
};

const json = (body: string): Record<string, unknown> => JSON.parse(body) as Record<string, unknown>;

const ASKING: Readonly<Record<Service, Asking>> = {
  brave: {
    call: ({ apiKey = '' }, { query, count }, at) => ({
      url: withQuery(at ?? 'https://api.search.brave.com/res/v1/web/search', { q: query, count: String(count) }),
      headers: { 'x-subscription-token': apiKey },
    }),
    read: (body) => resultsIn((json(body)['web'] ?? {}) as Record<string, unknown>, 'description'),
  },
  tavily: {
    call: ({ apiKey = '' }, { query, count }, at) => ({
      url: new URL(at ?? 'https://api.tavily.com/search'),
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query, max_results: count }),
    }),
    read: (body) => resultsIn(json(body), 'content'),
  },
  searxng: {
    call: ({ provider = '' }, { query }) => ({
      url: withQuery(`${provider.replace(/\/$/, '')}/search`, { q: query, format: 'json' }),
    }),
    read: (body) => resultsIn(json(body), 'content'),
  },
  duckduckgo: {
    call: (_settings, { query }, at) => ({
      url: withQuery(at ?? 'https://html.duckduckgo.com/html/', { q: query }),
    }),
    read: readDuckduckgo,
  },
};
const MAX_BYTES = 1_000_000;
const LIMIT_MS = 20_000;

/** `dangerouslyAt`: for tests alone, in place of the address of the service. */
export async function search(
  settings: SearchSettings,
  query: Query,
  signal: AbortSignal,
  dangerouslyAt?: string,
): Promise<Found[]> {
  const provider = serviceOf(settings);
  const why = whyNoSearch(settings);
  if (why !== null) throw failed('SEARCH_NOT_SET', why);
  const service = ASKING[provider];
  const { url, headers, body } = service.call(settings, query, dangerouslyAt);
  if (isOfClouds(bareHost(url))) throw failed('SEARCH_FAILED', 'an address for machines of a cloud is never asked');
  const answer = await httpCall({
    lookup: lookupFor(url),
    ...{ method: body === undefined ? 'GET' : 'POST', url, maxBytes: MAX_BYTES, timeoutMs: LIMIT_MS, signal },
    headers: { 'user-agent': 'Mozilla/5.0 (compatible; Hardshell)', accept: 'application/json, text/html', ...headers },
    ...(body === undefined ? {} : { body: Buffer.from(body) }),
  }).catch((error: unknown) => {
    throw failed(
      'SEARCH_FAILED',
      error instanceof HttpCallFailed ? error.message : 'the search service was not reached',
    );
  });
  if (answer.status !== 200)
    throw failed('SEARCH_FAILED', `${provider} answered ${answer.status}${hint(answer.status)}`);
  try {
    return service.read(answer.body.toString('utf8')).slice(0, query.count);
  } catch {
    throw failed('SEARCH_FAILED', `${provider} answered with something else than results`);
  }
}

const hint = (status: number): string =>
  status === 401 || status === 403
    ? ': its key is not accepted'
    : status === 429 || status === 202
      ? ': too many questions for now'
      : '';

function withQuery(base: string, query: Record<string, string>): URL {
  const url = new URL(base);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

function resultsIn(answer: Record<string, unknown>, textKey: string): Found[] {
  const results = Array.isArray(answer['results']) ? (answer['results'] as Record<string, unknown>[]) : [];
  return results.flatMap((one) => found(one['title'], one['url'], one[textKey]));
}

/** One line each, and only what leads to a page. */
function found(title: unknown, url: unknown, text: unknown): Found[] {
  if (typeof url !== 'string' || !/^https?:\/\//i.test(url) || url.length > 2_000 || !URL.canParse(url)) return [];
  return [{ title: line(title, 200), url: new URL(url).href, text: line(text, 500) }];
}

/** Services mark the words that were found. */
const line = (value: unknown, maxChars: number): string =>
  String(value ?? '')
    .slice(0, 5_000)
    .replace(/<\/?(?:b|strong|em|i|mark)>/gi, '')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, maxChars)
    .toWellFormed();

function readDuckduckgo(html: string): Found[] {
  const all: { title: string; url: string; text: string }[] = [];
  let into: 'title' | 'text' | null = null;
  let isAsked = false;
  for (const token of tokensOf(html)) {
    const last = all.at(-1);
    if (token.kind === 'text') {
      if (into !== null && last) last[into] += token.text;
      continue;
    }
    const kind = token.kind === 'open' ? (token.attributes.get('class') ?? '') : '';
    if (/\banomaly/.test(kind)) isAsked = true;
    if (token.name === 'a' && token.kind === 'close') into = null;
    if (token.kind !== 'open' || token.name !== 'a') continue;
    if (/\bresult__a\b/.test(kind)) {
      all.push({ title: '', url: targetOf(token.attributes.get('href') ?? ''), text: '' });
      into = 'title';
    } else if (/\bresult__snippet\b/.test(kind)) into = 'text';
  }
  if (isAsked && all.length === 0) throw new Error('it wants to see a person');
  return all.flatMap(({ title, url, text }) => found(title, url, text));
}

/** Through its own counter in front, or an advertisement, which is none of the results. */
function targetOf(href: string): string {
  const text = href.replaceAll('&amp;', '&');
  if (!URL.canParse(text, 'https://duckduckgo.com')) return '';
  const url = new URL(text, 'https://duckduckgo.com');
  if (!/(^|\.)duckduckgo\.com$/.test(url.hostname)) return url.href;
  return url.searchParams.get('uddg') ?? '';
}

const failed = (code: string, message: string): HardshellError =>
  new HardshellError({ code, message, fix: 'the owner chooses another service: openclaw config get tools.web.search' });
