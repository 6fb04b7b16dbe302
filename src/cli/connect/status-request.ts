// Owns the one HTTP request of the command line: GET /api/status, the fastest way to ask a gateway of this machine how
// it is. It must never wait longer than its limit and never follow a redirect with the token.
import http from 'node:http';
import type { StatusReport } from '../../gateway/backend.ts';
import { EXIT, errnoOf, HardshellError, reasonOf } from '../../platform/errors.ts';
import { noToken, notRunning, type Target, wrongToken } from '../target.ts';

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1024 * 1024;

export async function fetchStatus(target: Target, timeoutMs = TIMEOUT_MS): Promise<StatusReport> {
  const { status, body } = await get(target, '/api/status', timeoutMs);
  if (status === 401 || status === 403) throw target.token === null ? noToken(target) : wrongToken(target);
  try {
    const parsed: unknown = status === 200 ? JSON.parse(body) : null;
    if (isReport(parsed)) return parsed;
  } catch {
    // not JSON: not ours
  }
  throw notAGateway(target, `it answered ${status} to GET /api/status`);
}

/** Enough to know that it is ours; a field that a newer or older gateway lacks is met where it is printed. */
export function isReport(value: unknown): value is StatusReport {
  const report = value as Partial<StatusReport> | null;
  return (
    typeof report?.version === 'string' && typeof report.uptimeMs === 'number' && typeof report.stateDir === 'string'
  );
}

export function notAGateway(target: Target, what: string): HardshellError {
  const message = `what listens on ${target.address} is not a gateway that this command understands: ${what}`;
  const fix = 'stop the program that has the port, or name the port of the gateway with --port';
  return new HardshellError({ code: 'NOT_A_GATEWAY', message, fix, exitCode: EXIT.unreachable });
}

/** The failure to reach a listener, in words. Shared with the WebSocket client. */
export function connectFailure(target: Target, error: unknown): HardshellError {
  const errno = errnoOf(error);
  if (errno === 'ECONNREFUSED' && target.local) return notRunning(target);
  return new HardshellError({
    code: 'GATEWAY_UNREACHABLE',
    message: `the gateway on ${target.address} cannot be reached: ${reasonOf(error)}`,
    fix: target.local
      ? 'openclaw logs --tail 50   (what it said last)'
      : `check the address and the network path to ${target.address}`,
    exitCode: EXIT.unreachable,
    cause: error,
  });
}

function get(target: Target, path: string, timeoutMs: number): Promise<{ status: number; body: string }> {
  const url = new URL(`${target.httpUrl}${path}`);
  const headers = target.token === null ? {} : { authorization: `Bearer ${target.token}` };
  return new Promise((resolve, reject) => {
    const call = http.request(url, { headers, agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        body += part;
        if (body.length > MAX_BYTES) call.destroy(new Error('its answer is too large'));
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    call.on('error', (error) => {
      const late = error.name === 'AbortError' || error.name === 'TimeoutError';
      reject(connectFailure(target, late ? new Error(`no answer within ${timeoutMs} ms`) : error));
    });
    call.end();
  });
}
