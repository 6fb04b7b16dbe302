// Holds the reading of a message to what Discord vouches for: who, where, whom it names; never what a text claims.
import { describe, expect, test } from 'vitest';
import { inboundOf, pressOf } from './inbound.ts';
import type { Place } from './places.ts';
import { messageSchema, pressSchema } from './wire.ts';

const ME = '100';
const ROLE_OF_ME = '900';
const room: Place = { kind: 'guild', guild: '1', room: '2', thread: '', title: 'Garden #general' };
const reader = {
  account: 'default',
  me: ME,
  isMyRole: (guild: string, role: string) => guild === '1' && role === ROLE_OF_ME,
  nowMs: 5,
};
const author = { id: '7', username: 'nadia', global_name: 'Nadia' };
const read = (more: object, place: Place = room) =>
  inboundOf(messageSchema.parse({ id: '50', channel_id: '2', type: 0, author, content: '', ...more }), place, reader);

describe('who is addressed', () => {
  const cases = [
    { name: 'nobody', more: { content: 'hello' }, mention: false, reply: false },
    { name: 'the bot by name', more: { content: `hi <@${ME}>`, mentions: [{ id: ME }] }, mention: true, reply: false },
    { name: 'somebody else', more: { content: 'hi <@8>', mentions: [{ id: '8' }] }, mention: false, reply: false },
    { name: 'everyone', more: { content: '@everyone @here', mention_everyone: true }, mention: false, reply: false },
    { name: 'some role', more: { content: '<@&5>', mention_roles: ['5'] }, mention: false, reply: false },
    {
      name: "the bot's own role",
      more: { content: `<@&${ROLE_OF_ME}>`, mention_roles: [ROLE_OF_ME] },
      mention: true,
      reply: false,
    },
    {
      name: 'a name in code, which Discord does not resolve',
      more: { content: `\`<@${ME}>\`` },
      mention: false,
      reply: false,
    },
    {
      name: 'a reply, whose author Discord lists as mentioned',
      more: {
        type: 19,
        content: 'yes',
        mentions: [{ id: ME }],
        referenced_message: { content: 'ok?', author: { id: ME } },
      },
      mention: false,
      reply: true,
    },
    {
      name: 'a reply with the name in it',
      more: {
        type: 19,
        content: `<@!${ME}> yes`,
        mentions: [{ id: ME }],
        referenced_message: { content: 'ok?', author: { id: ME } },
      },
      mention: true,
      reply: true,
    },
    {
      name: 'a reply to somebody else',
      more: { type: 19, content: 'yes', referenced_message: { content: 'ok?', author: { id: '8' } } },
      mention: false,
      reply: false,
    },
  ];
  test.each(cases)('$name', ({ more, mention, reply }) => {
    expect(read(more)?.addressed).toEqual({ mention, replyToBot: reply });
  });
});

describe('what no person wrote is no message', () => {
  test.each([
    ['the bot itself', { author: { id: ME, username: 'shell', bot: true } }],
    ['a webhook, which may call itself anything', { webhook_id: '33', author: { id: '33', username: 'nadia' } }],
    ['Discord', { author: { ...author, system: true } }],
    ['a notice that somebody joined', { type: 7 }],
    ['a notice that a thread was made', { type: 18 }],
    ['the result of a command', { type: 20 }],
  ])('%s', (_, more) => {
    expect(read({ content: 'obey', ...more })).toBeNull();
  });

  test('a group conversation', () => {
    expect(read({ content: 'hello' }, { kind: 'group-direct' })).toBeNull();
  });
});

test('S031 the sender is the id; the name is for showing', () => {
  expect(read({ content: 'x', member: { nick: '\u202eadmin\u200b', roles: ['1', '2'] } })?.sender).toEqual({
    id: '7',
    display: '\u202eadmin\u200b',
    roles: ['1', '2'],
  });
  expect(read({ content: 'x', author: { id: '8', username: 'robot', bot: true } })?.sender).toEqual({
    id: '8',
    display: 'robot',
    isBot: true,
  });
});

test('an id that came as a number is refused at the edge, since it may have lost digits', () => {
  const message = { id: '50', channel_id: '2', type: 0, content: '', author: { ...author, id: 7 } };
  expect(messageSchema.safeParse(message).success).toBe(false);
});

test("the bot's name goes from the front of a text, and nobody's name is put into one", () => {
  expect(read({ content: `<@${ME}> <@!${ME}>  /status` })?.text).toBe('/status');
  expect(read({ content: `tell <@${ME}> and <@8>` })?.text).toBe(`tell <@${ME}> and <@8>`);
});

test('what is answered and what is forwarded is quoted, with its author where Discord says so', () => {
  const answered = read({ type: 19, content: 'yes', referenced_message: { content: 'ok?', author: { id: '8' } } });
  expect(answered?.quoted).toEqual({ senderId: '8', text: 'ok?' });
  const forwarded = read({ message_snapshots: [{ message: { content: 'from elsewhere' } }] });
  expect(forwarded).toMatchObject({ text: '', quoted: { senderId: null, text: 'from elsewhere' } });
  expect(read({ type: 19, content: 'yes', referenced_message: null })).not.toHaveProperty('quoted');
});

test('files and stickers are listed with what Discord says of them, and nothing is fetched', () => {
  const inbound = read({
    attachments: [
      {
        id: '1',
        filename: 'a.png',
        size: 12,
        url: 'https://cdn.discordapp.com/attachments/1/1/a.png?ex=1',
        content_type: 'image/png',
      },
      { id: '2', filename: 'b', url: 'https://cdn.discordapp.com/attachments/1/2/b' },
    ],
    sticker_items: [{ id: '9', name: 'wave', format_type: 1 }],
  });
  expect(inbound).toMatchObject({ text: '' });
  expect(inbound?.attachments).toEqual([
    {
      ref: 'https://cdn.discordapp.com/attachments/1/1/a.png?ex=1',
      kind: 'image',
      name: 'a.png',
      mimeType: 'image/png',
      sizeBytes: 12,
    },
    {
      ref: 'https://cdn.discordapp.com/attachments/1/2/b',
      kind: 'file',
      name: 'b',
      mimeType: 'application/octet-stream',
      sizeBytes: null,
    },
    {
      ref: 'https://cdn.discordapp.com/stickers/9.png',
      kind: 'sticker',
      name: 'wave',
      mimeType: 'image/png',
      sizeBytes: null,
    },
  ]);
});

test('a text of a megabyte is handed on as it is, and fast', () => {
  const content = `<@${ME}> `.repeat(150_000);
  const started = performance.now();
  expect(read({ content })?.text).toBe('');
  expect(read({ content: `${content}x` })?.text).toBe('x');
  expect(performance.now() - started).toBeLessThan(2_000);
});

describe('E27 a press on a button', () => {
  const says = '/approve 3f6a2c1e-1111-4222-8333-444455556666';
  const press = (more: object) =>
    pressOf(
      pressSchema.parse({ id: '60', token: 'aW50ZXI-_', type: 3, channel_id: '2', data: { custom_id: says }, ...more }),
      reader,
    );
  test('is a message of whoever has pressed, in a direct chat or a group as Discord says', () => {
    expect(press({ user: author })).toMatchObject({
      ...{ chatType: 'direct', chat: '2', messageId: 'press:60', text: says, assurance: 'platform' },
      sender: { id: '7', display: 'Nadia' },
    });
    expect(press({ guild_id: '1', member: { user: author, roles: ['5'] } })).toMatchObject({
      ...{ chatType: 'group', within: ['1', '2'] },
      sender: { id: '7', roles: ['5'] },
    });
  });
  test('says nothing but what a button of ours can say', () => {
    for (const custom_id of ['/new', 'yes K7', `${says} always please`, '']) {
      expect(press({ user: author, data: { custom_id } })).toBeNull();
    }
    expect(
      pressSchema.safeParse({ id: '60', token: '../x', type: 3, channel_id: '2', data: { custom_id: says } }).success,
    ).toBe(false);
  });
});
