// Owns the reading of one page of the web for the model: address, redirects, kind, letters, text, and what was read a moment
// ago. It never reaches a private address, never another host than the one that was asked for, and only ever reads.
import { HardshellError } from '../../platform/errors.ts';
import { setNewest } from '../../platform/newest.ts';
import { addressesOf, type Resolve } from '../egress/reachable.ts';
import { type Got, getPage } from './get-page.ts';
import type { PageText } from './html-text.ts';
import { readBytes } from './page-text.ts';
import { hostOf, isSameSite, type Reach, readPageUrl, whyNotReached } from './page-url.ts';
import { readAside } from './read-aside.ts';

/** For tests alone: who answers for names, which addresses may be private, whose certificates count. No setting reaches it. */
export type Dangerously = {
  readonly resolve?: Resolve;
  readonly isAllowed?: (address: string) => boolean;
  readonly trust?: string;
  readonly limitMs?: number;
};
export type FetchPorts = {
  /** that the gateway itself listens on */
  ownPorts(): readonly number[];
  readonly dangerously?: Dangerously;
};
export type FetchOptions = {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** asked again at every redirect; the clause why not, or null */
  whyNotHost(url: URL): string | null;
};

/** What a page says is somebody else's, its title and where it redirects to among it. */
export type Page =
  | {
      readonly kind: 'page';
      readonly url: string;
      readonly status: number;
      readonly title: string;
      readonly text: string;
      /** there is more of it than was read */
      readonly isCut: boolean;
    }
  | { readonly kind: 'elsewhere'; readonly url: string; readonly to: string };

const LIMIT_MS = 30_000;
const MAX_REDIRECTS = 3;
const MAX_TEXT_CHARS = 200_000;
const MOST_BYTES = 50_000_000;
const CACHED_MS = 15 * 60_000;
const MAX_CACHED = 12;

export function createPages(ports: FetchPorts) {
  const cache = new Map<string, Page>();
  const keep = (key: string, page: Page): void => {
    setNewest(cache, key, page, MAX_CACHED);
    setTimeout(() => cache.get(key) === page && cache.delete(key), CACHED_MS).unref();
  };
  return {
    async fetchPage(text: string, options: FetchOptions): Promise<Page> {
      const asked = readPageUrl(text);
      if ('problem' in asked) throw refused('URL_ODD', `the address is not one that is fetched: ${asked.problem}`);
      const { url } = asked;
      url.hash = '';
      const known = cache.get(url.href);
      if (known && options.whyNotHost(url) === null) return known;
      const { page, isKept } = await follow(url, options, ports);
      if (isKept) keep(url.href, page);
      return page;
    },
  };
}

async function follow(
  first: URL,
  options: FetchOptions,
  ports: FetchPorts,
): Promise<{ readonly page: Page; readonly isKept: boolean }> {
  const { dangerously = {} } = ports;
  const limitMs = dangerously.limitMs ?? LIMIT_MS;
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), limitMs);
  const signal = AbortSignal.any([options.signal, patience.signal]);
  try {
    let url = first;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const got = await getChecked(url, signal, options, ports);
      const location = got.status >= 300 && got.status < 400 ? got.headers.location : undefined;
      if (location === undefined) return { page: await pageOf(url, got, signal), isKept: isKept(got) };
      const to = nextOf(location, url, ports);
      if (!isSameSite(url, to)) return { page: { kind: 'elsewhere', url: url.href, to: to.href }, isKept: false };
      url = to;
    }
    throw refused('TOO_MANY_REDIRECTS', `${hostOf(first)} redirected more than ${MAX_REDIRECTS} times`);
  } catch (error) {
    if (patience.signal.aborted) throw refused('PAGE_TIMEOUT', `${hostOf(first)} took longer than ${limitMs / 1000} s`);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function getChecked(url: URL, signal: AbortSignal, options: FetchOptions, ports: FetchPorts): Promise<Got> {
  const { dangerously = {} } = ports;
  const host = hostOf(url);
  const reach = reachOf(ports);
  const why = options.whyNotHost(url) ?? whyNotReached(url, reach);
  if (why !== null) throw refused('ADDRESS_REFUSED', `${why}, and is never fetched`);
  const found = await inTime(addressesOf(host, dangerously.resolve, dangerously.isAllowed), signal).catch(() => null);
  if (found === null || found.problem === 'none') throw refused('PAGE_NOT_FOUND', `${host} has no address`);
  if (found.problem === 'private')
    throw refused('ADDRESS_REFUSED', `${host} leads to a private network or to this machine, and is never fetched`);
  try {
    return await getPage({
      ...{ url, addresses: found.addresses, signal, maxBytes: Math.min(options.maxBytes, MOST_BYTES) },
      ...(dangerously.trust ? { dangerouslyTrust: dangerously.trust } : {}),
    });
  } catch (error) {
    throw refused(
      'PAGE_UNREACHABLE',
      `${host} could not be read: ${error instanceof Error ? error.message : 'it broke'}`,
    );
  }
}

const reachOf = ({ ownPorts, dangerously }: FetchPorts): Reach => ({
  ownPorts: ownPorts(),
  ...(dangerously?.isAllowed ? { isAllowed: dangerously.isAllowed } : {}),
});

/** Read as strictly as what the model asks for; an odd one is not even told. */
function nextOf(location: string, from: URL, ports: FetchPorts): URL {
  const text = URL.canParse(location, from.href) ? new URL(location, from).href : '';
  const to = readPageUrl(/^https?:\/\//i.test(location) ? location : text);
  const why = 'problem' in to ? to.problem : whyNotReached(to.url, reachOf(ports));
  if ('problem' in to || why !== null)
    throw refused('REDIRECT_REFUSED', `${hostOf(from)} redirects to an address that is never fetched (${why})`);
  return to.url;
}

async function pageOf(url: URL, got: Got, signal: AbortSignal): Promise<Page> {
  const { kind, charset, type } = kindOf(got);
  const { status, body: bytes } = got;
  if (kind === null && bytes.length > 0)
    throw refused('PAGE_NOT_TEXT', `${hostOf(url)} sent ${type}, and only text can be read`);
  const page = { bytes, charset, url: url.href, maxChars: MAX_TEXT_CHARS };
  const read = kind === 'html' ? await readAside({ ...page, kind }, signal) : readBytes({ ...page, kind: 'text' });
  if (read === null)
    throw refused(
      'PAGE_UNREADABLE',
      `the page of ${hostOf(url)} could not be read within the limits of time and memory`,
    );
  return whole({ kind: 'page', url: url.href, status, ...read, isCut: read.isCut || got.isCut }, read);
}
const whole = (page: Extract<Page, { kind: 'page' }>, { text }: PageText): Page => ({ ...page, text: text.trim() });

const TEXT =
  /^(?:text\/[\w.+-]+|application\/(?:[\w.+-]+\+)?(?:json|xml|yaml)|application\/(?:javascript|x-ndjson|x-yaml|toml|rtf))$/;

/** By what the server says; where it says nothing, by how it begins. */
function kindOf({ headers, body }: Got): { kind: 'html' | 'text' | null; charset: string; type: string } {
  const [given = '', ...more] = (headers['content-type'] ?? '').split(';');
  const type = given.trim().toLowerCase();
  const charset =
    /^\s*charset\s*=\s*"?([\w.:-]{1,40})/i.exec(more.find((one) => /charset/i.test(one)) ?? '')?.[1] ?? '';
  const head = body.subarray(0, 1_024);
  const isWide = /^utf-?(16|32)/i.test(charset) || head[0] === 0xff || head[0] === 0xfe;
  if (head.includes(0) && !isWide) return { kind: null, charset, type: 'something that is no text' };
  if (type === 'text/html' || type === 'application/xhtml+xml') return { kind: 'html', charset, type };
  if (TEXT.test(type)) return { kind: 'text', charset, type };
  const start = head.toString('latin1').trimStart().toLowerCase();
  if (type === '') return { kind: /^<(!doctype|html|head|body)/.test(start) ? 'html' : 'text', charset, type };
  return {
    kind: null,
    charset,
    type: /^[\w.+-]{1,60}\/[\w.+-]{1,80}$/.test(type) ? type : 'something that is no text',
  };
}

const isKept = ({ status, headers }: Got): boolean =>
  status === 200 && !/no-store|private/i.test(headers['cache-control'] ?? '');

function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new Error('aborted'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

const refused = (code: string, message: string): HardshellError => new HardshellError({ code, message, fix: '' });
