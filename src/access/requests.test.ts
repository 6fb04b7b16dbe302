// Who may ask, by the clock: how many are answered, who is pushed out, and that somebody who waits gets in after a flood.
import { expect, test } from 'vitest';
import type { PairingRequest } from '../store/people/pairing.ts';
import { type Asker, createRequests, MAX_PENDING, MORE_FOR_RETURNING, REPLIES_PER_HOUR } from './requests.ts';

const MINUTE_MS = 60_000;
const asker = (subject: string): Asker => ({ channel: 'telegram', account: 'default', kind: 'person', subject });

/** The desk as pairing.ts keeps it, with a clock that is set. */
function desk() {
  let nowMs = 1_000_000;
  let pending: PairingRequest[] = [];
  let id = 0;
  const requests = createRequests(() => nowMs, []);
  return {
    remembered: requests.remembered,
    pass: (ms: number): void => {
      nowMs += ms;
      pending = pending.filter((one) => one.expiresAtMs > nowMs);
    },
    waiting: () => pending.map(({ subject }) => subject),
    reject: (): void => {
      pending = [];
    },
    ask(subject: string): string {
      const chance = requests.chance(asker(subject), pending);
      if (chance.kind === 'again') {
        pending = pending.map((one) =>
          one === chance.request ? { ...one, returned: true, lastSeenAtMs: nowMs } : one,
        );
      }
      if (chance.kind !== 'new') return chance.kind;
      pending = pending.filter((one) => one !== chance.displaces);
      id += 1;
      const times = { createdAtMs: nowMs, expiresAtMs: nowMs + 60 * MINUTE_MS, lastSeenAtMs: nowMs };
      const facts = { id, chat: subject, title: '', code: 'x', state: 'pending' as const, returned: chance.returned };
      pending.push({ ...asker(subject), ...facts, ...times });
      requests.answered(asker(subject));
      return 'new';
    },
  };
}

test('only so many are answered in an hour, also when every place is free again at once', () => {
  const d = desk();
  let answered = 0;
  for (let n = 0; n < 100; n++) {
    if (d.ask(`s${n}`) === 'new') answered += 1;
    d.reject();
  }
  expect(answered).toBe(REPLIES_PER_HOUR);
  d.pass(61 * MINUTE_MS);
  expect(d.ask('s200')).toBe('new');
});

test('those who come back have answers of their own, and no more', () => {
  const d = desk();
  for (let n = 0; n < 60; n++) {
    d.ask(`s${n}`);
    d.reject();
  }
  d.pass(2 * MINUTE_MS);
  let answered = 0;
  for (let n = 20; n < 60; n++) {
    if (d.ask(`s${n}`) === 'new') answered += 1;
    d.reject();
  }
  expect(answered).toBe(MORE_FOR_RETURNING);
});

test('after a flood took every place, a friend who tries again gets one; who waited is left alone for ten minutes', () => {
  const d = desk();
  for (let n = 0; n < 1_000; n++) d.ask(`s${n}`);
  expect(d.waiting()).toHaveLength(MAX_PENDING);
  expect(d.ask('friend')).toBe('silent');
  d.pass(2 * MINUTE_MS);
  expect(d.ask('friend')).toBe('silent');
  d.pass(9 * MINUTE_MS);
  for (let n = 2_000; n < 3_000; n++) expect(d.ask(`s${n}`)).toBe('silent');
  expect(d.ask('friend')).toBe('new');
  expect(d.waiting()).toHaveLength(MAX_PENDING);
  expect(d.waiting()).toContain('friend');
  // And from then on nobody who was seen once pushes them out.
  d.pass(11 * MINUTE_MS);
  for (let n = 3_000; n < 4_000; n++) d.ask(`s${n}`);
  expect(d.waiting()).toContain('friend');
});

test('who was answered is not answered again within the hour, and writing again keeps the place', () => {
  const d = desk();
  expect(d.ask('a')).toBe('new');
  expect(d.ask('a')).toBe('silent');
  d.pass(2 * MINUTE_MS);
  expect(d.ask('a')).toBe('again');
  d.reject();
  expect(d.ask('a')).toBe('silent');
});

test('what is remembered of strangers is bounded', () => {
  const d = desk();
  for (let n = 0; n < 50_000; n++) d.ask(`s${n}`);
  expect(d.remembered()).toBeLessThanOrEqual(5_000 + REPLIES_PER_HOUR);
});

test('three numbers that ask again the moment they may cannot hold the door against a fourth', () => {
  const d = desk();
  const eves = ['eve1', 'eve2', 'eve3'];
  for (const eve of eves) expect(d.ask(eve)).toBe('new');
  for (let minute = 0; minute < 60; minute++) {
    d.pass(MINUTE_MS);
    for (const eve of eves) d.ask(eve);
  }
  // They are first at the door again, and every minute after that; the friend comes later, and is answered.
  d.pass(MINUTE_MS);
  for (const eve of eves) d.ask(eve);
  d.pass(5 * MINUTE_MS);
  for (const eve of eves) d.ask(eve);
  expect(d.ask('friend')).toBe('new');
  expect(d.waiting()).toContain('friend');
});
