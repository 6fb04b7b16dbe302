import { expect, test } from 'vitest';
import type { Mailbox } from './mailbox.ts';
import { advance, begin } from './place.ts';

const NOW = 1_800_000_000_500;
const box = (validity: string, nextUid: number, since: number[] = []): Mailbox =>
  ({ validity, nextUid, arrivedSince: async () => since }) as unknown as Mailbox;
const saved = (more: object = {}): string =>
  JSON.stringify({ mailbox: 'me', validity: '7', uid: 40, atMs: NOW - 60_000, floorMs: 0, ...more });

test('the first start, another mailbox and a place that nobody can read begin at now', async () => {
  for (const text of [
    null,
    '',
    '{',
    '[]',
    'null',
    saved({ uid: '40' }),
    saved({ atMs: null }),
    saved({ mailbox: 'you' }),
  ])
    expect(await begin(text, 'me', box('7', 50), NOW)).toEqual({
      mailbox: 'me',
      validity: '7',
      uid: 49,
      atMs: NOW,
      floorMs: 0,
    });
});

test('the same numbers go on where they were', async () => {
  expect(await begin(saved(), 'me', box('7', 50), NOW)).toEqual(JSON.parse(saved()));
  expect(await begin(saved({ floorMs: 5 }), 'me', box('7', 41), NOW)).toEqual(JSON.parse(saved({ floorMs: 5 })));
});

test('new numbers begin with what arrived since, and look at nothing older', async () => {
  const floorMs = Math.floor((NOW - 60_000) / 1_000) * 1_000;
  const at = { mailbox: 'me', atMs: NOW - 60_000, floorMs };
  expect(await begin(saved(), 'me', box('8', 20, [12, 13]), NOW)).toEqual({ ...at, validity: '8', uid: 11 });
  expect(await begin(saved(), 'me', box('8', 20), NOW)).toEqual({ ...at, validity: '8', uid: 19 });
  // Fewer mails than were read in it: it is an older copy.
  expect(await begin(saved(), 'me', box('7', 40, [39]), NOW)).toEqual({ ...at, validity: '7', uid: 38 });
});

test('the place moves on, its time never back', () => {
  const place = { mailbox: 'me', validity: '7', uid: 1, atMs: 10, floorMs: 0 };
  expect(advance(place, 2, 5)).toEqual({ ...place, uid: 2, atMs: 10 });
  expect(advance(place, 3, 15)).toEqual({ ...place, uid: 3, atMs: 15 });
});
