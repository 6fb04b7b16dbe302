// Who can be written to: the chat that asked always, anybody else by the owner's word or list, and nobody by a guest's turn.
import { describe, expect, test } from 'vitest';
import { guestIn, OWNER_DM } from '../../test/support/speaker.ts';
import { label } from '../store/label.ts';
import { type ActionRules, judgeActions } from './actions.ts';
import type { ToolCall } from './decide.ts';
import { strictest } from './verdict.ts';

const call = (speaker: ToolCall['speaker'] = OWNER_DM): ToolCall => ({
  ...{ turnId: 't', sessionKey: 'agent:main:main', agentId: 'main', callId: 'c', name: 'message', args: {} },
  ...{ speaker, context: label('owner', 'owner') },
});
const rules = (more: Partial<ActionRules['message']> = {}): ActionRules => {
  const act = { requireConfirmation: true, allowedRecipients: [], ...more };
  return { message: act, mail: act };
};
const message = (to: string, given = rules(), speaker = OWNER_DM) =>
  strictest(judgeActions(call(speaker), [{ kind: 'message', to, text: 'hi' }], given));
const mail = (to: readonly string[], given = rules(), speaker = OWNER_DM) =>
  strictest(judgeActions(call(speaker), [{ kind: 'mail', to, text: 'hi' }], given));

describe('S215 sending to people', () => {
  test('asks, with the recipient marked, and offers "always" for this recipient alone', () => {
    expect(message('telegram:default:7')).toMatchObject({
      ...{ rule: 'ask', code: 'REACHES_PEOPLE', key: 'actions.message.requireConfirmation' },
      ...{ marks: ['telegram:default:7'], always: { kind: 'message', pattern: 'telegram:default:7' } },
    });
    expect(mail(['a@example.com'])).toMatchObject({ rule: 'ask', key: 'actions.email.requireConfirmation' });
  });
  test('the chat that asked needs no question, however it is named', () => {
    const guest = guestIn('dm');
    expect(message('', rules(), guest)).toBeNull();
    expect(message('telegram:default:42', rules(), guest)).toBeNull();
  });
  test('a turn of somebody else reaches no other chat, whatever the settings say', () => {
    const open = rules({ requireConfirmation: false, allowedRecipients: ['telegram:7'] });
    expect(message('telegram:default:7', open, guestIn('dm'))).toMatchObject({ rule: 'deny', code: 'NOT_YOUR_CHAT' });
    expect(message('telegram:default:42', open, guestIn('group'))).toMatchObject({ rule: 'deny' });
    expect(mail(['a@example.com'], open, guestIn('dm'))).toMatchObject({ rule: 'deny' });
  });
});

test("the mailbox is the owner's own: nobody else has it searched, and nobody reads along", () => {
  const look = (speaker: ToolCall['speaker']) =>
    strictest(judgeActions(call(speaker), [{ kind: 'mailbox', act: 'search' }], rules()));
  expect(look(OWNER_DM)).toBeNull();
  expect(look(guestIn('dm'))).toMatchObject({ rule: 'deny', code: 'NOT_YOUR_MAIL' });
  expect(look({ ...OWNER_DM, place: 'group' })).toMatchObject({ rule: 'deny', code: 'NOT_YOUR_MAIL' });
});

describe('S209 S210 the list of recipients', () => {
  const listed = rules({ allowedRecipients: ['*@yourdomain.com', 'telegram:7', 'telegram:work:8'] });
  test.each([
    ['me@yourdomain.com', 'ask'],
    ['ME@YourDomain.COM', 'ask'],
    ['me@evil.com', 'deny'],
    ['me@notyourdomain.com', 'deny'],
    ['me@sub.yourdomain.com', 'deny'],
    ['me@yourdomain.com@evil.com', 'deny'],
    ['evil@evil.com@yourdomain.com', 'deny'],
    ['me@yourdomain.com.evil.com', 'deny'],
    ['', 'deny'],
  ])('a mail to %j: %s', (to, rule) => expect(mail([to], listed)?.rule).toBe(rule));
  test.each([
    ['telegram:default:7', 'ask'],
    ['telegram:other:7', 'ask'],
    ['telegram:work:8', 'ask'],
    ['telegram:home:8', 'deny'],
    ['telegram:default:77', 'deny'],
    ['discord:default:7', 'deny'],
  ])('a message to %s: %s', (to, rule) => expect(message(to, listed)?.rule).toBe(rule));
  test('one recipient who is not on it is enough', () => {
    expect(mail(['me@yourdomain.com', 'me@evil.com'], listed)?.rule).toBe('deny');
  });
  test('without a question only those on it, when the owner says so', () => {
    const free = rules({ requireConfirmation: false, allowedRecipients: ['*@yourdomain.com'] });
    expect(mail(['me@yourdomain.com'], free)).toBeNull();
    expect(mail(['me@evil.com'], free)?.rule).toBe('deny');
  });
});
