// Owns what a refusal of Discord means for people: the family, and the page and switch that mend it. Nothing here may
// repeat the token.
import { reasonOf } from '../../platform/errors.ts';
import { ChannelFailure } from '../channel.ts';
import type { ApiAnswer } from './rest.ts';

const PORTAL = 'https://discord.com/developers/applications';
export const NEW_TOKEN = `make a new one at ${PORTAL} > your application > Bot > Reset Token, and set channels.discord.token to it`;
const CHECK_NETWORK = 'nothing to do: it is tried again; see https://discordstatus.com if it lasts';
const UPDATE = 'this version of Hardshell does not fit; update it, or report it with the log';

/** A token that belongs elsewhere must not be shown to Discord; null when it could be one of Discord's. */
export function tokenProblem(token: string): ChannelFailure | null {
  const problem =
    token === ''
      ? 'there is no bot token'
      : /^\d+:[\w-]{30,}$/.test(token)
        ? 'the token is one of Telegram, not of Discord'
        : /^(xox|xapp-)/.test(token)
          ? 'the token is one of Slack, not of Discord'
          : /^[\x21-\x7e]+$/.test(token)
            ? null
            : 'the token has spaces or characters that no token has';
  return problem === null ? null : new ChannelFailure('refused', problem, NEW_TOKEN);
}

/** Of an answer that is not the one that was hoped for. */
export function answerFailure(answer: ApiAnswer, what: string): ChannelFailure {
  if (answer.status === 401)
    return new ChannelFailure('refused', 'Discord refuses the bot token (HTTP 401)', NEW_TOKEN);
  const reason = `Discord answered ${what} with ${saidBy(answer)}`;
  if (answer.status === 429)
    return new ChannelFailure('network', reason, 'nothing to do: it is tried again later', answer.retryAfterMs);
  if (answer.status === 403) return new ChannelFailure('refused', reason, `look at the application at ${PORTAL}`);
  return answer.status >= 500 || answer.status < 400
    ? new ChannelFailure('network', reason, CHECK_NETWORK)
    : new ChannelFailure('bug', reason, UPDATE);
}

/** `HTTP 403 (50001 Missing Access)`: what the log and `why` show of an answer. */
export function saidBy({ status, code, message }: ApiAnswer): string {
  const details = [code === null ? '' : String(code), message].filter((part) => part !== '').join(' ');
  return `HTTP ${status}${details === '' ? '' : ` (${details.slice(0, 200)})`}`;
}

export const networkFailure = (reason: string, retryAfterMs: number | null = null): ChannelFailure =>
  new ChannelFailure('network', reason, CHECK_NETWORK, retryAfterMs);

/** Whatever was thrown on the way to Discord. */
export const failureOf = (error: unknown): ChannelFailure =>
  error instanceof ChannelFailure ? error : networkFailure(reasonOf(error));

/** After these Discord has forgotten the session, so that it cannot be resumed. */
export const endsSession = (code: number): boolean => [1000, 1001, 4003, 4005, 4007, 4009].includes(code);

export function closeFailure(code: number, reason: string): ChannelFailure {
  switch (code) {
    case 4004:
      return new ChannelFailure('refused', 'Discord refuses the bot token (4004)', NEW_TOKEN);
    case 4014:
      return new ChannelFailure(
        'refused',
        'Discord does not let the bot read messages: its Message Content Intent is off (4014)',
        `switch on ${PORTAL} > your application > Bot > Privileged Gateway Intents > Message Content Intent, and save`,
      );
    case 4010:
    case 4011:
      return new ChannelFailure(
        'refused',
        `the bot is in too many servers for one connection (${code})`,
        'use a bot of your own, and remove it from servers that do not need it',
      );
    case 4012:
    case 4013:
      return new ChannelFailure('bug', `Discord does not take this version or these intents (${code})`, UPDATE);
    default:
      return networkFailure(
        `Discord closed the connection (${code}${reason === '' ? '' : `, ${reason.slice(0, 200)}`})`,
      );
  }
}
