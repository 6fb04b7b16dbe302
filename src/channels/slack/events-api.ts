// Owns the other way in, for those who cannot hold a socket: Slack posts each event to an address that leads here. Nothing
// counts that is not signed with the app's secret within five minutes, and it is answered only when it is durable.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Log } from '../../log/log.ts';
import { type Hook, type HookAnswer, listenForHooks } from '../../net/hook-listener.ts';
import { reasonOf } from '../../platform/errors.ts';
import { fieldsIn } from '../../platform/json.ts';
import { ChannelFailure } from '../channel.ts';
import { untilAborted } from '../pause.ts';

export type EventsApiPorts = {
  readonly port: number;
  readonly signingSecret: string;
  readonly take: (payload: unknown) => Promise<void>;
  readonly joined: (port: number) => void;
  readonly alive: () => void;
  readonly log: Log;
  readonly now: () => number;
};

const EVENTS_PATH = '/slack/events';
const MAX_BYTES = 4 * 1024 * 1024;
const WINDOW_S = 5 * 60;
const SAY_AGAIN_MS = 60_000;

export async function runEventsApi(ports: EventsApiPorts, signal: AbortSignal): Promise<void> {
  const { log, now } = ports;
  let saidAtMs = Number.NEGATIVE_INFINITY;

  const isFine = (problem: string | null): boolean => {
    if (problem === null) return true;
    // Anybody who finds the address can cause this line.
    if (Math.abs(now() - saidAtMs) >= SAY_AGAIN_MS) {
      log.warn('slack event refused', { why: problem });
      saidAtMs = now();
    }
    return false;
  };
  const answer = async (hook: Hook): Promise<HookAnswer> => {
    if (!isFine(signatureProblem(hook, ports.signingSecret, now()))) return { status: 401 };
    ports.alive();
    const body = fieldsIn(hook.body.toString('utf8'));
    const { type, challenge } = body;
    if (type === 'url_verification' && typeof challenge === 'string') return { status: 200, text: challenge };
    await ports.take(body);
    return { status: 200 };
  };

  const options = {
    port: ports.port,
    path: EVENTS_PATH,
    maxBytes: MAX_BYTES,
    admits: (headers: Hook['headers']) => isFine(stampProblem(headers, now())),
    answer,
  };
  const listener = await listenForHooks(options).catch((error: unknown) => {
    const fix = 'set channels.slack.port to a free port, and let your proxy lead there';
    throw new ChannelFailure('network', `Slack's events cannot be received: ${reasonOf(error)}`, fix);
  });
  ports.joined(listener.port);
  await untilAborted(signal);
  await listener.close();
}

/** Null when it says that Slack signed it just now; that needs no body, and costs a stranger's flood nothing. */
function stampProblem(headers: Hook['headers'], nowMs: number): string | null {
  const stamp = headers['x-slack-request-timestamp'];
  if (typeof stamp !== 'string' || !/^\d{1,12}$/.test(stamp) || typeof headers['x-slack-signature'] !== 'string')
    return 'it is not signed';
  const ageS = nowMs / 1_000 - Number(stamp);
  if (Math.abs(ageS) <= WINDOW_S) return null;
  return `it was signed ${Math.abs(Math.round(ageS))} s ${ageS > 0 ? 'ago' : 'in the future'}: repeated by somebody, or the clock is wrong`;
}

/** Null when Slack signed it just now. */
export function signatureProblem({ headers, body }: Hook, secret: string, nowMs: number): string | null {
  const late = stampProblem(headers, nowMs);
  if (late !== null) return late;
  const stamp = String(headers['x-slack-request-timestamp']);
  const expected = Buffer.from(`v0=${createHmac('sha256', secret).update(`v0:${stamp}:`).update(body).digest('hex')}`);
  const actual = Buffer.from(String(headers['x-slack-signature']));
  if (actual.length !== expected.length || !timingSafeEqual(actual, expected))
    return 'its signature is not made with channels.slack.signingSecret';
  return null;
}
