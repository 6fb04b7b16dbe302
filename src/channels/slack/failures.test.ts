// What a refusal of Slack means, for people and for a reply; no token is ever part of it.
import { expect, test } from 'vitest';
import { failureOf, platformProblem, receiptOf, tokenProblem } from './failures.ts';

const XOXB = 'xoxb-1-SECRETSECRET';
const XAPP = 'xapp-1-SECRETSECRET';
const SIGNING = 'abcdefabcdefabcdefabcdefabcdef01';

test.each([
  ['socket', { botToken: XOXB, appToken: XAPP }, null],
  ['socket', { botToken: 'xoxe.xoxb-1-SECRET', appToken: XAPP }, /botToken is a token that expires/],
  ['http', { botToken: XOXB, signingSecret: SIGNING }, null],
  ['socket', { botToken: XAPP, appToken: XOXB }, /tokens are swapped/],
  ['socket', { botToken: XAPP }, /botToken is an app-level token/],
  ['socket', { botToken: XOXB }, /appToken is missing/],
  ['socket', { botToken: XOXB, appToken: XOXB }, /appToken is a bot token/],
  ['socket', { botToken: 'xoxp-1-SECRET', appToken: XAPP }, /botToken is a token of a person/],
  ['socket', { botToken: '123456:SECRETSECRETSECRETSECRETSECRETSECRE', appToken: XAPP }, /a token of Telegram/],
  ['socket', { botToken: 'SECRET\nSECRET', appToken: XAPP }, /botToken is something else/],
  ['http', { botToken: XOXB }, /needs channels\.slack\.signingSecret/],
  ['http', { botToken: XOXB, signingSecret: 'SECRET' }, /not a signing secret/],
] as const)('mode %s with %o', (mode, secrets, expected) => {
  const problem = tokenProblem(mode, secrets);
  if (expected === null) return expect(problem).toBeNull();
  expect(problem?.message).toMatch(expected);
  expect(problem).toMatchObject({ family: 'refused', fix: expect.stringMatching(/\S/) as string });
  expect(`${problem?.message}${problem?.fix}`).not.toMatch(/SECRET|\n/);
});

test.each([
  ['is_archived', 'failed'],
  ['not_in_channel', 'failed'],
  ['msg_too_long', 'failed'],
  ['anything_new', 'failed'],
  ['missing_scope', 'failed'],
  ['ratelimited', 'retry'],
  ['fatal_error', 'unknown'],
  ['internal_error', 'unknown'],
  ['<html>', 'unknown'],
  [undefined, 'unknown'],
  // The reply is good; the token is not, and may be mended.
  ['token_revoked', 'retry'],
])('a reply that Slack answers with %s is %s', (code, state) => {
  expect(receiptOf(platformProblem(code, 'chat.postMessage', undefined)).state).toBe(state);
});

test.each(['invalid_auth', 'account_inactive', 'token_revoked', 'not_authed', 'team_disabled'])(
  '%s refuses the connection, with what to do',
  (code) => {
    const failure = failureOf(platformProblem(code, 'auth.test', undefined), 'botToken');
    expect(failure).toMatchObject({ family: 'refused' });
    expect(failure.message).toContain(code);
    expect(failure.fix).toContain('api.slack.com/apps');
  },
);
