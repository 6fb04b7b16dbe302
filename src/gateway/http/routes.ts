// Owns the HTTP surface: three public probes, the status for who has the token, the page. Everything else is 404.
// A route is a path and a function; there is no routing library, because so few need a table and no more.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { reasonOf } from '../../platform/errors.ts';
import { KNOCK_HEADER } from '../../secrets/gateway-token.ts';
import type { Refusals } from '../auth/refusals.ts';
import { bucketsOf, type Throttle } from '../auth/throttle.ts';
import { bearerOf, type TokenMatcher } from '../auth/token.ts';
import type { Backend } from '../backend.ts';
import type { Limits } from '../limits.ts';
import type { GatewayLog } from '../options.ts';
import { isPagePath, type Page } from './page.ts';
import { peerIp } from './peer.ts';
import type { RequestGuard } from './request-guard.ts';
import { errorBody, sendBytes, sendJson } from './respond.ts';

export type RouteOptions = {
  readonly guard: RequestGuard;
  readonly backend: Backend;
  readonly page: Page | null;
  readonly matches: TokenMatcher;
  readonly throttle: Throttle;
  readonly refusals: Refusals;
  readonly limits: Limits;
  readonly log: GatewayLog;
  /** false while starting or stopping */
  readonly isReady: () => boolean;
};

type Asked = { readonly req: IncomingMessage; readonly res: ServerResponse; readonly origin: string | null };
type Route = (asked: Asked) => void | Promise<void>;

export function createRoutes(options: RouteOptions): (req: IncomingMessage, res: ServerResponse) => void {
  const { guard, backend, page, isReady, log } = options;
  const live: Route = ({ res }) => sendJson(res, 200, { ok: true, status: 'live' });
  const ready: Route = ({ res }) => sendJson(res, isReady() ? 200 : 503, { ready: isReady() });
  const started: Route = ({ res }) => sendJson(res, 200, { ok: true, status: 'started' });
  const status = withToken(options, ({ res }) => sendJson(res, 200, { ok: true, ...backend.status() }));
  const table = new Map<string, Route>([
    ['/healthz', live],
    ['/health', live],
    ['/readyz', ready],
    ['/ready', ready],
    ['/startupz', started],
    ['/startup', started],
    ['/api/status', status],
    ['/v1/status', status],
  ]);

  const serve = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const seen = guard(req);
    // A body is never read here; a connection with unread bytes must not be used for a second request.
    if (hasBody(req)) res.setHeader('connection', 'close');
    if (!seen.allow) return refuse(res, seen.status, seen.code, seen.message);
    const route = table.get(seen.path);
    const isRead = req.method === 'GET' || req.method === 'HEAD';
    const file = route || !page ? null : await page.find(seen.path, req.headers['accept-encoding']);
    if (!route && !file) return notFound(res, seen.path, page === null);
    if (!isRead)
      return sendJson(res, 405, errorBody('method_not_allowed', 'only GET and HEAD'), { allow: 'GET, HEAD' });
    if (file) return sendBytes(res, 200, file.bytes, file.headers);
    await route?.({ req, res, origin: seen.origin });
  };

  return (req, res) => {
    serve(req, res).catch((error: unknown) => {
      log.error('a request failed', { reason: reasonOf(error), error });
      if (res.headersSent) return void res.destroy();
      sendJson(res, 500, errorBody('internal', 'internal error; the log has the reason'));
    });
  };
}

/** Lets a request through that carries the token. A wrong one waits; the right one never does. */
function withToken(options: RouteOptions, route: Route): Route {
  const { matches, throttle, refusals, limits } = options;
  let waiting = 0;
  return async (asked) => {
    const { req, res, origin } = asked;
    const offered = bearerOf(req.headers.authorization);
    if (matches(offered)) return route(asked);
    const ip = peerIp(req);
    const mark = req.headers[KNOCK_HEADER];
    const reason = offered === undefined ? 'token_missing' : 'token_mismatch';
    refusals.note({ via: 'http', ip, reason, origin, mark });
    if (offered !== undefined) {
      const delayMs = throttle.failed(bucketsOf(ip, origin));
      if (waiting >= limits.delayedAnswers) {
        const retry = { 'retry-after': String(Math.ceil(delayMs / 1_000)) };
        return sendJson(res, 429, errorBody('rate_limited', 'too many wrong tokens'), retry);
      }
      waiting += 1;
      await passed(delayMs, res);
      waiting -= 1;
    }
    sendJson(res, 401, errorBody('unauthorized', 'Unauthorized'), { 'www-authenticate': 'Bearer' });
  };
}

/** Resolves after the delay, or at once when the peer has gone. */
function passed(delayMs: number, res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      res.off('close', done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    res.once('close', done);
  });
}

function notFound(res: ServerResponse, path: string, noPage: boolean) {
  if (noPage && isPagePath(path)) {
    return sendJson(
      res,
      404,
      errorBody('page_not_built', 'the page is not built: run npm run build, then start again'),
    );
  }
  sendJson(res, 404, errorBody('not_found', 'nothing is served at this path'));
}

function refuse(res: ServerResponse, status: number, code: string, message: string): void {
  sendJson(res, status, errorBody(code, message), { connection: 'close' });
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
