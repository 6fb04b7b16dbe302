// Which conversation a message belongs to: nobody shares one with anybody by accident, whatever their id looks like.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyOfMessage, parseSessionKey, type Scopes, type Speaking } from './key.ts';

const scopes: Scopes = { dmScope: 'per-channel-peer', groupScope: 'per-group', links: new Map() };
const speaking = (more: Partial<Speaking> & { from?: string; kind?: 'owner' | 'paired' } = {}): Speaking => {
  const { from = '7', kind = 'paired', ...rest } = more;
  const base = { channel: 'telegram', account: 'default', chat: from, chatType: 'direct' as const };
  return { ...base, sender: { id: from }, principal: { kind }, ...rest };
};

describe('S089 a conversation for each', () => {
  test.each<[string, Speaking, Partial<Scopes>, string]>([
    ['the owner', speaking({ kind: 'owner' }), {}, 'agent:main:main'],
    ['the owner, in a topic of a direct chat', speaking({ kind: 'owner', thread: '5' }), {}, 'agent:main:main:topic:5'],
    ['a person', speaking(), {}, 'agent:main:telegram:direct:7'],
    ['a person, whatever the scope of the owner', speaking(), { dmScope: 'main' }, 'agent:main:telegram:direct:7'],
    ['a person by id alone', speaking(), { dmScope: 'per-peer' }, 'agent:main:direct:7'],
    [
      'a person by account',
      speaking(),
      { dmScope: 'per-account-channel-peer' },
      'agent:main:telegram:default:direct:7',
    ],
    ['a person with links', speaking(), { links: new Map([['telegram:7', 'anna']]) }, 'agent:main:direct:anna'],
    ['a group', speaking({ chatType: 'group', chat: '-100' }), {}, 'agent:main:telegram:group:-100'],
    [
      'a topic',
      speaking({ chatType: 'group', chat: '-100', thread: '9' }),
      {},
      'agent:main:telegram:group:-100:topic:9',
    ],
    [
      'a thread',
      speaking({ channel: 'slack', chatType: 'group', chat: 'C1', thread: '17.5' }),
      {},
      'agent:main:slack:group:C1:thread:17.5',
    ],
    [
      'a member, where groups are in main',
      speaking({ chatType: 'group', chat: '-1' }),
      { groupScope: 'main' },
      'agent:main:telegram:group:-1',
    ],
  ])('%s', (_, message, more, key) => {
    expect(keyOfMessage(message, { ...scopes, ...more })).toBe(key);
  });

  test('every key can be read back, and no two people, groups or threads share one', () => {
    const id = fc.oneof(
      fc.string({ minLength: 1, maxLength: 90 }),
      fc.constantFrom('1', '1:thread:2', 'main', 'direct:1', '_3a_', ':', 'a'.repeat(90), `${'a'.repeat(89)}b`, '💥'),
    );
    const who = fc.record({
      from: id,
      chat: id,
      chatType: fc.constantFrom('direct' as const, 'group' as const),
      thread: fc.oneof(fc.constant(''), id),
    });
    fc.assert(
      fc.property(who, who, (a, b) => {
        const [one, other] = [a, b].map((w) => keyOfMessage(speaking(w), scopes)) as [string, string];
        expect(parseSessionKey(one).key).toBe(one);
        expect(one).not.toBe('agent:main:main');
        const same =
          a.chatType === b.chatType &&
          a.thread === b.thread &&
          (a.chatType === 'direct' ? a.from === b.from : a.chat === b.chat);
        expect(one === other).toBe(same);
      }),
      { numRuns: 3_000 },
    );
  });
});
