// Nothing counts that Slack did not sign within five minutes.
import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { signatureProblem } from './events-api.ts';

const SECRET = '8f742231b10e8888abcd99yyyzzz85a5';
// The example of Slack's own documentation of signatures.
const BODY =
  'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
const STAMP = 1_531_420_618;
const SIGNATURE = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503';

const hook = (headers: Record<string, string>, body = BODY) => ({ headers, body: Buffer.from(body) });
const signed = { 'x-slack-request-timestamp': String(STAMP), 'x-slack-signature': SIGNATURE };
const problem = (given: ReturnType<typeof hook>, ageS = 0) => signatureProblem(given, SECRET, (STAMP + ageS) * 1_000);

test('the example of the documentation is taken', () => {
  expect(problem(hook(signed))).toBeNull();
});

test.each([
  ['another body', hook(signed, `${BODY}&x=1`)],
  ['a body with another byte order mark', hook(signed, `\ufeff${BODY}`)],
  ['another time', hook({ ...signed, 'x-slack-request-timestamp': String(STAMP + 1) })],
  ['a shorter signature', hook({ ...signed, 'x-slack-signature': SIGNATURE.slice(0, -1) })],
  ['another version', hook({ ...signed, 'x-slack-signature': SIGNATURE.replace('v0', 'v1') })],
  ['no signature', hook({ 'x-slack-request-timestamp': String(STAMP) })],
  ['no time', hook({ 'x-slack-signature': SIGNATURE })],
  ['a time that is no number', hook({ ...signed, 'x-slack-request-timestamp': 'NaN' })],
  [
    'another secret',
    hook({
      ...signed,
      'x-slack-signature': `v0=${createHmac('sha256', 'x').update(`v0:${STAMP}:${BODY}`).digest('hex')}`,
    }),
  ],
])('%s is refused', (_what, given) => {
  expect(problem(given)).not.toBeNull();
});

test('five minutes in either direction, and not a second more', () => {
  expect(problem(hook(signed), 300)).toBeNull();
  expect(problem(hook(signed), -300)).toBeNull();
  expect(problem(hook(signed), 301)).toContain('ago');
  expect(problem(hook(signed), -301)).toContain('future');
});
