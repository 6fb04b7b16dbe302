// Owns the first look at every request and upgrade, before any credential is read: Host, Origin, forwarding headers,
// the raw request target. DNS rebinding, cross-site pages and half-configured proxies end here. It looks, it never answers.
import type { IncomingMessage } from 'node:http';

export type Guarded =
  | { readonly allow: true; readonly path: string; readonly origin: string | null; readonly ownOrigin: boolean }
  | { readonly allow: false; readonly status: 400 | 403 | 421; readonly code: string; readonly message: string };

export type RequestGuard = (req: IncomingMessage) => Guarded;

export type GuardOptions = {
  readonly port: number;
  /** addresses that we listen on */
  readonly hosts: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  /** where a link from another site may lead: the page itself */
  readonly isPagePath: (path: string) => boolean;
};

const LOCAL_NAMES = ['127.0.0.1', 'localhost', '[::1]'];
const ANY_ADDRESS = new Set(['0.0.0.0', '::', '']);
const SECRET_NAME = /token$|^(?:password|passwd|secret|api[_-]?key|auth|authorization)$/i;
/** Said by proxies about whom they speak for. Believing one from anybody is how "remote" became "local" elsewhere. */
const FORWARDING = new Set(['forwarded', 'x-real-ip', 'x-client-ip', 'true-client-ip', 'cf-connecting-ip', 'via']);

export function createRequestGuard(options: GuardOptions): RequestGuard {
  const { port, allowedOrigins, isPagePath } = options;
  const names = new Set([...LOCAL_NAMES, ...options.hosts.filter((host) => !ANY_ADDRESS.has(host)).map(bracketed)]);
  const ownHosts = [...names].flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`]));
  const hosts = new Set([...ownHosts, ...options.allowedHosts.map((host) => host.toLowerCase())]);
  const ownOrigins = new Set([...names].map((name) => (port === 80 ? `http://${name}` : `http://${name}:${port}`)));
  const origins = new Set([...ownOrigins, ...allowedOrigins]);

  return (req) => {
    const target = readTarget(req.url ?? '');
    if (!target) return refuse(400, 'bad_target', 'the request target is not a plain path');
    const repeated = repeatedHeader(req.rawHeaders);
    if (repeated) return refuse(400, 'repeated_header', `the header ${repeated} may be sent once only`);
    if ((req.headers['transfer-encoding'] ?? 'chunked') !== 'chunked') {
      return refuse(400, 'bad_encoding', 'the body is in an encoding that is not understood');
    }
    if (!hosts.has((req.headers.host ?? '').toLowerCase())) {
      return refuse(421, 'host_not_allowed', 'this gateway does not answer to that host name');
    }
    const { origin } = req.headers;
    if (origin !== undefined && !origins.has(origin)) {
      return refuse(403, 'origin_not_allowed', 'pages of that origin may not talk to this gateway');
    }
    if (!sameSite(req, origin, target.path, isPagePath)) {
      return refuse(403, 'cross_site', 'another site may not use this gateway');
    }
    if (isForwarded(req)) {
      return refuse(
        403,
        'proxy_attribution_required',
        'the request came through a proxy that is not configured, so its sender is unknown',
      );
    }
    if (namesSecret(target.query)) {
      return refuse(
        400,
        'credential_in_query',
        'credentials in the query end up in histories and logs: send Authorization: Bearer, or open /#token=…',
      );
    }
    return { allow: true, path: target.path, origin: origin ?? null, ownOrigin: ownOrigins.has(origin ?? '') };
  };
}

/**
 * `same-site` is another port of localhost, so it is as foreign as any. Following a link to the page is allowed: it
 * shows what typing the address would show, cannot be framed, and has no state that a link could change.
 */
function sameSite(
  req: IncomingMessage,
  origin: string | undefined,
  path: string,
  isPagePath: (path: string) => boolean,
): boolean {
  const site = req.headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return true;
  // The origin was checked already: this one is on the owner's list, or a second name of ours.
  if (origin !== undefined) return true;
  const isLink = req.headers['sec-fetch-mode'] === 'navigate' && req.headers['sec-fetch-dest'] === 'document';
  return isLink && req.method === 'GET' && isPagePath(path);
}

/** Only origin-form, only visible ASCII, no dot segments, nothing that decodes to a separator. */
function readTarget(url: string): { path: string; query: string } | null {
  const cut = url.indexOf('?');
  const path = cut === -1 ? url : url.slice(0, cut);
  const query = cut === -1 ? '' : url.slice(cut + 1);
  if (!path.startsWith('/') || path.startsWith('//')) return null;
  if (!/^[\x21-\x7e]*$/.test(url) || /[\\#]/.test(url)) return null;
  if (/%(?:00|25|2e|2f|5c)/i.test(path) || /(?:^|\/)\.{1,2}(?:\/|$)/.test(path)) return null;
  return { path, query };
}

const namesSecret = (query: string): boolean =>
  query !== '' && [...new URLSearchParams(query).keys()].some((name) => SECRET_NAME.test(name));

function isForwarded(req: IncomingMessage): boolean {
  for (const name in req.headers) if (FORWARDING.has(name) || name.startsWith('x-forwarded-')) return true;
  return false;
}

const ONCE = new Set(['host', 'origin', 'authorization', 'content-length', 'transfer-encoding', 'sec-fetch-site']);

/** Node keeps the first of two; a proxy in front may have read the second. */
function repeatedHeader(rawHeaders: readonly string[]): string | null {
  let seen = '';
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]?.toLowerCase() ?? '';
    if (!ONCE.has(name)) continue;
    if (seen.includes(` ${name} `)) return name;
    seen += ` ${name} `;
  }
  return null;
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host.toLowerCase());

const refuse = (status: 400 | 403 | 421, code: string, message: string): Guarded => ({
  allow: false,
  status,
  code,
  message,
});
