// Owns what a refusal of Slack means: for people (what to do about it), for the connection and for a reply on its way. An
// answer is named by its code only, since the rest of it may hold what must not be shown.
import { ChannelFailure, type Receipt } from '../channel.ts';

/** `refused`: Slack said no, by a code. `limited`: later. `unreached`: it cannot have seen it. `lost`: it may have acted. */
export type Outcome = 'refused' | 'limited' | 'unreached' | 'lost';

export class SlackProblem extends Error {
  readonly outcome: Outcome;
  readonly code: string;
  readonly afterMs: number;
  constructor(outcome: Outcome, code: string, message: string, afterMs = 0) {
    super(message);
    this.name = 'SlackProblem';
    this.outcome = outcome;
    this.code = code;
    this.afterMs = afterMs;
  }
}

const APPS = 'https://api.slack.com/apps';
const NEW_TOKENS = `install the app again at ${APPS} > your app > Install App, and set channels.slack.botToken to the new token`;
const NEW_APP_TOKEN = `make an app-level token with connections:write at ${APPS} > your app > Basic Information, and set channels.slack.appToken to it`;
const WAIT = 'nothing to do: it is tried again; see https://status.slack.com if it lasts';

/** Nothing but a new token or the owner of the workspace helps. */
const DEAD_TOKEN = new Set([
  ...['not_authed', 'invalid_auth', 'account_inactive', 'token_revoked', 'token_expired', 'not_allowed_token_type'],
  ...['user_removed_from_team', 'team_disabled', 'org_login_required', 'ekm_access_denied', 'access_denied'],
]);

/** Slack says of these that the call may have had an effect. */
const MAYBE_DONE = new Set(['fatal_error', 'internal_error', 'service_unavailable']);
/** Slack says of these that nothing happened, and that it may work later. */
const LATER = new Set(['ratelimited', 'rate_limited', 'request_timeout', 'team_added_to_org']);
const LATER_MS = 30_000;
/** While a token is dead, its replies wait; the connection says why. */
const DEAD_TOKEN_MS = 60_000;

export const isDeadToken = (problem: unknown): boolean =>
  problem instanceof SlackProblem && DEAD_TOKEN.has(problem.code);

export function platformProblem(code: unknown, method: string, scopes: unknown): SlackProblem {
  if (typeof code !== 'string' || !/^[a-z0-9_:]{2,80}$/i.test(code))
    return new SlackProblem(
      'lost',
      'unreadable',
      `Slack answered ${method} with something that is not an answer of its API`,
    );
  const needs = code === 'missing_scope' && typeof scopes === 'string' && /^[a-z:.,_ ]{1,200}$/.test(scopes);
  const message = `Slack answered ${method} with ${code}${needs ? ` (it needs ${scopes})` : ''}`;
  if (MAYBE_DONE.has(code)) return new SlackProblem('lost', code, message);
  if (LATER.has(code)) return new SlackProblem('limited', code, message, LATER_MS);
  return new SlackProblem('refused', code, message);
}

/** Tokens of another kind or another platform are said before Slack sees them; null when they could be right. */
export function tokenProblem(
  mode: 'socket' | 'http',
  secrets: Readonly<Record<string, string>>,
): ChannelFailure | null {
  const { botToken = '', appToken = '', signingSecret = '' } = secrets;
  const refuse = (what: string, fix: string) => new ChannelFailure('refused', what, fix);
  if (/^xapp-/.test(botToken) && /^xox/.test(appToken))
    return refuse(
      'the two Slack tokens are swapped',
      'put the one that begins with xoxb- into channels.slack.botToken, the one with xapp- into channels.slack.appToken',
    );
  const bot = kindOf(botToken);
  if (bot !== 'bot')
    return refuse(`channels.slack.botToken ${said(bot)}, not a bot token of Slack (xoxb-…)`, NEW_TOKENS);
  if (mode === 'http') {
    if (/^[0-9a-f]{32}$/i.test(signingSecret)) return null;
    return refuse(
      signingSecret === ''
        ? 'mode http needs channels.slack.signingSecret'
        : 'channels.slack.signingSecret is not a signing secret of Slack (32 hexadecimal digits)',
      `copy it from ${APPS} > your app > Basic Information > Signing Secret`,
    );
  }
  const app = kindOf(appToken);
  return app === 'app'
    ? null
    : refuse(`channels.slack.appToken ${said(app)}, not an app-level token of Slack (xapp-…)`, NEW_APP_TOKEN);
}

type TokenKind = 'bot' | 'app' | 'expiring' | 'user' | 'telegram' | 'none' | 'other';
const said = (kind: TokenKind): string =>
  kind === 'none'
    ? 'is missing'
    : `is ${{ bot: 'a bot token', app: 'an app-level token', expiring: 'a token that expires (token rotation is on for the app)', user: 'a token of a person', telegram: 'a token of Telegram', other: 'something else' }[kind]}`;

function kindOf(token: string): TokenKind {
  if (token === '') return 'none';
  if (/^xoxb-[\w-]+$/.test(token)) return 'bot';
  if (/^xapp-[\w-]+$/.test(token)) return 'app';
  // Token rotation: it ends after hours, and nobody here renews it.
  if (token.startsWith('xoxe')) return 'expiring';
  if (/^xox[a-z]-/.test(token)) return 'user';
  return /^\d+:[\w-]{30,}$/.test(token) ? 'telegram' : 'other';
}

/** Why a connection could not be made or held. */
export function failureOf(error: unknown, token: 'botToken' | 'appToken'): ChannelFailure {
  if (error instanceof ChannelFailure) return error;
  if (!(error instanceof SlackProblem))
    return new ChannelFailure(
      'bug',
      error instanceof Error ? error.message : String(error),
      'openclaw logs --tail 200',
    );
  const { outcome, code, message, afterMs } = error;
  if (DEAD_TOKEN.has(code))
    return new ChannelFailure(
      'refused',
      `${message}: it does not take channels.slack.${token}`,
      token === 'botToken' ? NEW_TOKENS : NEW_APP_TOKEN,
    );
  if (code === 'missing_scope' && token === 'appToken') return new ChannelFailure('refused', message, NEW_APP_TOKEN);
  if (outcome === 'refused')
    return new ChannelFailure('refused', message, `look at the app at ${APPS}; docs/slack.md has its manifest`);
  return new ChannelFailure('network', message, WAIT, outcome === 'limited' ? afterMs : null);
}

export const networkFailure = (reason: string, retryAfterMs: number | null = null): ChannelFailure =>
  new ChannelFailure('network', reason, WAIT, retryAfterMs);

/** Slack asked to end a connection and not to open another. */
export function disconnectFailure(reason: string): ChannelFailure | null {
  if (reason === 'link_disabled')
    return new ChannelFailure(
      'refused',
      'socket mode is switched off for this Slack app',
      `switch it on at ${APPS} > your app > Socket Mode`,
    );
  if (reason === 'too_many_websockets')
    return new ChannelFailure(
      'network',
      'Slack allows ten connections of one app, and all are taken',
      'stop the other programs that use this app token, or give this one an app of its own',
      30_000,
    );
  return null;
}

export const uninstalled = (): ChannelFailure =>
  new ChannelFailure('refused', 'the app was removed from the workspace, or its bot token was revoked', NEW_TOKENS);

const CHANNEL_ERRORS: Readonly<Record<string, string>> = {
  not_in_channel: 'the bot is not in this channel: /invite it there',
  channel_not_found: 'there is no such channel, or the bot is not in it',
  is_archived: 'the channel is archived',
  msg_too_long: 'the text is too long for Slack',
  no_text: 'there is nothing in it',
  restricted_action: 'the workspace does not let the bot write there',
  missing_scope: 'the app lacks a permission; docs/slack.md has its manifest',
};

/** What became of a reply. Nothing is sent again that Slack may have taken. */
export function receiptOf(error: unknown): Receipt {
  if (!(error instanceof SlackProblem)) throw error;
  const { outcome, code, message, afterMs } = error;
  if (outcome === 'lost') return { state: 'unknown', reason: message };
  if (outcome === 'limited') return { state: 'retry', reason: message, afterMs };
  if (outcome === 'unreached') return { state: 'retry', reason: message, afterMs: 1_000 };
  if (DEAD_TOKEN.has(code)) return { state: 'retry', reason: message, afterMs: DEAD_TOKEN_MS };
  const known = CHANNEL_ERRORS[code];
  return { state: 'failed', reason: known === undefined ? message : `${code}: ${known}` };
}
