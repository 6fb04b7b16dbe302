// Owns the two speakers that tests of tools and policy begin with.
import type { Speaker } from '../../src/sessions/turn.ts';

export const OWNER_DM: Speaker = {
  principal: { kind: 'owner', id: 'owner', limits: null },
  place: 'dm',
  channel: 'webchat',
  account: 'default',
  chat: 'main',
  sender: 'owner',
};

export const guestIn = (place: Speaker['place'], limits: Speaker['principal']['limits'] = null): Speaker => ({
  principal: { kind: 'guest', id: 'telegram:42', limits },
  place,
  channel: 'telegram',
  account: 'default',
  chat: place === 'dm' ? '42' : '-100123',
  sender: '42',
});
