// Pairing as a state machine: whatever strangers, owner and clock do in any order, somebody is in exactly when the owner
// said so and has not taken it back, and a code is good for one person, once, within its time.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openJournal } from '../journal/journal.ts';
import { openStore, type Store } from '../store/open.ts';
import { openOutbox } from '../store/outbox.ts';
import { createPairing, idOfInvite } from './pairing.ts';
import { MAX_PENDING } from './requests.ts';

const TTL_MS = 60 * 60_000;
const SUBJECTS = ['1', '2', '3', '4', '5'];
type Step =
  | { readonly do: 'ask' | 'approve' | 'reject' | 'revoke' | 'approveId'; readonly who: string }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'restart' }
  | { readonly do: 'invite' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom(
      'ask' as const,
      'ask' as const,
      'approve' as const,
      'reject' as const,
      'revoke' as const,
      'approveId' as const,
    ),
    who: fc.constantFrom(...SUBJECTS),
  }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1_000, 61_000, 11 * 60_000, TTL_MS) }),
  fc.constantFrom<Step>({ do: 'restart' }, { do: 'invite' }),
);

function open(store: Store, now: () => number) {
  const ports = { store, now, outbox: openOutbox(store), journal: openJournal(store, now) };
  return createPairing({ ...ports, key: () => Buffer.alloc(32, 1), deliver: () => {}, changed: () => {} });
}

test('whatever happens in any order, only the owner lets anybody in, and a code works once and in time', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hardshell-pairing-'));
  let file = 0;
  try {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        file += 1;
        const store = openStore(join(folder, `${file}.sqlite`));
        let nowMs = 1_700_000_000_000;
        let pairing = open(store, () => nowMs);
        const told = new Map<string, { code: string; untilMs: number; used: boolean }>();
        const inside = new Set<string>();
        const tries = (work: () => unknown): boolean => {
          try {
            work();
            return true;
          } catch {
            return false;
          }
        };
        for (const one of steps) {
          if (one.do === 'wait') nowMs += one.ms;
          else if (one.do === 'restart') pairing = open(store, () => nowMs);
          else if (one.do === 'invite') {
            const limits = { tools: [], folder: null, messagesPerDay: null, tokensPerDay: null };
            const { code } = pairing.invite({ title: '', limits, untilMs: nowMs + 1_000 }, {});
            const who = { channel: 'telegram', account: 'default', kind: 'person', subject: 'g' } as const;
            expect(pairing.redeem(code, who, '')).toBe(true);
            expect(pairing.redeem(code, { ...who, subject: 'h' }, '')).toBe(false);
            expect(pairing.person('telegram', 'default', 'h')).toBeNull();
          } else if (one.do === 'ask') {
            const asker = {
              channel: 'telegram',
              account: 'default',
              kind: 'person',
              subject: one.who,
              chat: one.who,
              title: '',
            } as const;
            const write = pairing.ask(asker, TTL_MS, null, (code) => {
              told.set(one.who, { code, untilMs: nowMs + TTL_MS, used: false });
              return null;
            });
            store.commit(() => write?.());
          } else if (one.do === 'approve') {
            const known = told.get(one.who);
            const listed = pairing.pending().some(({ subject }) => subject === one.who);
            const done = tries(() => pairing.approve(known?.code ?? 'ABCDEFGH', { by: {} }));
            expect(done).toBe(known !== undefined && !known.used && nowMs < known.untilMs && listed);
            if (done && known) {
              known.used = true;
              inside.add(one.who);
            }
          } else if (one.do === 'approveId') {
            const listed = pairing.pending().some(({ subject }) => subject === one.who);
            expect(tries(() => pairing.approve(`telegram:${one.who}`, { by: {} }))).toBe(true);
            inside.add(one.who);
            const known = told.get(one.who);
            if (listed && known) known.used = true;
          } else if (one.do === 'reject') {
            const known = told.get(one.who);
            if (known && tries(() => pairing.reject(known.code, {}))) known.used = true;
          } else {
            expect(tries(() => pairing.revoke(one.who, {}))).toBe(inside.delete(one.who));
          }
          for (const who of SUBJECTS) {
            const grant = pairing.person('telegram', 'default', who);
            expect([one, who, grant?.role ?? null]).toEqual([one, who, inside.has(who) ? 'paired' : null]);
            expect(pairing.person('telegram', 'work', who)).toBeNull();
            expect(pairing.person('discord', 'default', who)).toBeNull();
          }
          expect(pairing.pending().length).toBeLessThanOrEqual(MAX_PENDING);
        }
        store.close();
      }),
      { numRuns: 150 },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('an invitation that was taken back lets nobody in, and another one still does', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hardshell-pairing-'));
  try {
    const pairing = open(openStore(join(folder, 'one.sqlite')), () => 1_000);
    const limits = { tools: [], folder: null, messagesPerDay: null, tokensPerDay: null };
    const wrong = pairing.invite({ title: 'Ann', limits, untilMs: 2_000 }, {});
    const [listed] = pairing.invites();
    const right = pairing.invite({ title: 'Ben', limits, untilMs: 2_000 }, {});
    expect(pairing.uninvite(idOfInvite(listed?.code ?? ''), {})).toMatchObject({ title: 'Ann' });
    const who = { channel: 'telegram', account: 'default', kind: 'person', subject: '7' } as const;
    expect(pairing.redeem(wrong.code, who, '')).toBe(false);
    expect(pairing.redeem(right.code, who, '')).toBe(true);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
