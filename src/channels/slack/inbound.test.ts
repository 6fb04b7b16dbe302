// What Slack's events mean: only new messages of people are messages, and who they are comes from Slack alone.
import { expect, test } from 'vitest';
import { eventOf, meaningOf, type Self } from './inbound.ts';

const SELF: Self = { userId: 'UBOT', botId: 'BBOT', teamId: 'T1', name: 'claw' };
const context = { account: 'default', self: SELF, nowMs: 5_000 };
const base = {
  type: 'message',
  channel: 'C1',
  user: 'U1',
  text: 'hi',
  ts: '1700000000.000100',
  channel_type: 'channel',
};
const meaning = (event: Record<string, unknown>) => meaningOf({ ...base, ...event } as { type: string }, context);
const message = (event: Record<string, unknown>) => {
  const found = meaning(event);
  if (found.kind !== 'message') throw new Error(`not a message: ${JSON.stringify(found)}`);
  return found.message;
};

test('message and app_mention of one message have one id, and say the same', () => {
  const text = '<@UBOT> hi';
  const { channel_type: _, ...mention } = { ...base, text, type: 'app_mention', event_ts: base.ts };
  expect(meaningOf(mention, context)).toEqual(meaning({ text, client_msg_id: 'x', event_ts: '1' }));
  expect(message({ text })).toMatchObject({
    messageId: 'C1:1700000000.000100',
    chatType: 'group',
    within: ['T1'],
    addressed: { mention: true, replyToBot: false },
    text: '@claw hi',
    receivedAtMs: 5_000,
  });
});

test.each([
  ['im', 'D1', 'direct'],
  ['mpim', 'G1', 'group'],
  ['mpim', 'D1', 'group'],
  ['group', 'G1', 'group'],
  ['channel', 'C1', 'group'],
  [undefined, 'D1', 'direct'],
  [undefined, 'C1', 'group'],
])('channel type %s of %s is %s', (channel_type, channel, chatType) => {
  expect(message({ channel_type, channel }).chatType).toBe(chatType);
});

test.each([
  ['an edit', { subtype: 'message_changed' }],
  ['a deletion', { subtype: 'message_deleted' }],
  ['a join', { subtype: 'channel_join' }],
  ['a bot message', { subtype: 'bot_message', bot_id: 'B2', user: undefined }],
  ['a message of a bot without subtype', { bot_id: 'B2' }],
  ['a mention that was edited into a message', { type: 'app_mention', text: '<@UBOT>', edited: { ts: '1' } }],
  ["Slack's own voice", { user: 'USLACKBOT' }],
  ['our own', { user: 'UBOT' }],
  ['our own by its bot', { bot_id: 'BBOT' }],
  ['a subtype that does not exist yet', { subtype: 'huddle_thread' }],
  ['a message of nobody', { user: undefined }],
  ['a user that is no id', { user: 'ann <x>' }],
  ['a time that is no time', { ts: 'now' }],
  ['a channel that is a name', { channel: 'general' }],
])('%s is no new message of a person', (_what, event) => {
  expect(meaning(event).kind).toBe('nothing');
});

test.each(['file_share', 'thread_broadcast', 'me_message'])('%s is one', (subtype) => {
  expect(meaning({ subtype }).kind).toBe('message');
});

test('a thread is a place of its own; the message that began it is not in it', () => {
  expect(message({ thread_ts: '1600000000.000001', parent_user_id: 'UBOT' })).toMatchObject({
    thread: '1600000000.000001',
    addressed: { replyToBot: true },
  });
  expect(message({ thread_ts: '1600000000.000001', parent_user_id: 'U2' }).addressed?.replyToBot).toBe(false);
  expect(message({ thread_ts: base.ts }).thread).toBeUndefined();
});

test('a quote is told with whose it is, and a preview of a page is no quote', () => {
  const quote = { is_share: true, author_id: 'U2', text: 'old &amp; wise' };
  expect(message({ attachments: [quote] }).quoted).toEqual({ senderId: 'U2', text: 'old & wise' });
  expect(message({ attachments: [{ ...quote, author_id: 'UBOT' }] }).addressed?.quotesBot).toBe(true);
  expect(message({ attachments: [{ is_msg_unfurl: true, bot_id: 'BBOT', text: 'x' }] }).addressed?.quotesBot).toBe(
    true,
  );
  expect(message({ attachments: [{ text: 'a page', title: 'x' }, 7] }).quoted).toBeUndefined();
});

test('files are named by id only, and what is gone is left out', () => {
  const files = [
    { id: 'F1', name: 'a.png', mimetype: 'image/png', size: 12, url_private: 'http://evil.example/x' },
    { id: 'F2', mode: 'tombstone' },
    { id: 'F3', title: 'talk', mimetype: 'audio/mp4' },
    { id: '../etc' },
    null,
  ];
  expect(message({ text: undefined, files, subtype: 'file_share' })).toMatchObject({
    text: '',
    attachments: [
      { ref: 'F1', kind: 'image', name: 'a.png', mimeType: 'image/png', sizeBytes: 12 },
      { ref: 'F3', kind: 'audio', name: 'talk', mimeType: 'audio/mp4', sizeBytes: null },
    ],
  });
});

test('the name of a person is shown and identifies nobody', () => {
  expect(message({ user_profile: { display_name: 'UBOT' } }).sender).toEqual({ id: 'U1', display: 'UBOT' });
});

test.each([
  [
    { type: 'member_joined_channel', user: 'UBOT', inviter: 'U1' },
    { kind: 'group', change: 'joined', by: 'U1' },
  ],
  [
    { type: 'member_left_channel', user: 'UBOT' },
    { kind: 'group', change: 'left', by: null },
  ],
  [
    { type: 'channel_left', actor_id: 'U9', user: undefined },
    { kind: 'group', change: 'left', by: 'U9' },
  ],
  [{ type: 'group_deleted' }, { kind: 'group', change: 'left' }],
  [{ type: 'member_joined_channel', user: 'U1' }, { kind: 'nothing' }],
  [{ type: 'channel_left', channel: { id: 'C1' } }, { kind: 'nothing' }],
  [{ type: 'reaction_added' }, { kind: 'nothing' }],
  [
    { type: 'channel_id_changed', old_channel_id: 'G1', new_channel_id: 'C1' },
    { kind: 'moved', from: 'G1', to: 'C1' },
  ],
  [{ type: 'channel_id_changed', old_channel_id: 'G1' }, { kind: 'nothing' }],
  [{ type: 'app_uninstalled' }, { kind: 'uninstalled' }],
  [{ type: 'tokens_revoked', tokens: { bot: ['UBOT'] } }, { kind: 'uninstalled' }],
  [{ type: 'tokens_revoked', tokens: { oauth: ['U1'] } }, { kind: 'nothing' }],
])('%o', (event, expected) => {
  expect(meaning(event)).toMatchObject(expected);
});

test('an event of another installation of the app is not ours', () => {
  const callback = (authorizations: unknown) => ({
    type: 'event_callback',
    event_id: 'E1',
    event: base,
    authorizations,
  });
  expect(eventOf(callback([{ team_id: 'T2' }]), SELF)).toHaveProperty('why');
  expect(eventOf(callback([{ team_id: 'T2' }, { team_id: 'T1' }]), SELF)).toMatchObject({ id: 'E1' });
  expect(eventOf(callback(undefined), SELF)).toMatchObject({ id: 'E1' });
  for (const junk of [null, 7, 'x', [], {}, { type: 'event_callback' }, { type: 'event_callback', event: {} }])
    expect(eventOf(junk, SELF)).toHaveProperty('why');
});

test('somebody of another workspace with the id of one who is listed here is somebody else', () => {
  for (const foreign of [{ user_team: 'T2', team: 'T1' }, { source_team: 'T2' }, { team: 'T2' }, { user_team: 'E9' }])
    expect(message(foreign).sender.id).toBe(`U1@${Object.values(foreign)[0]}`);
  for (const own of [{}, { team: 'T1' }, { user_team: 'T1', source_team: 'T1', team: 'T1' }])
    expect(message(own).sender.id).toBe('U1');
  const inOrg = meaningOf({ ...base, user_team: 'E9', team: 'T1' } as { type: string }, {
    ...context,
    self: { ...SELF, orgId: 'E9' },
  });
  expect(inOrg).toMatchObject({ message: { sender: { id: 'U1' } } });
});
