// What is read of channels and people, and how it reads to a person.
import { describe, expect, test } from 'vitest';
import { readChannels, readFix, readInvites, readLink, readRights, readWaiting } from '../protocol/people.ts';
import { ago, span } from '../shell/words.ts';
import { connectionFacts, messageFacts, oddity, sentence, stateOf } from './words.ts';

const NOW = 1_800_000_000_000;
const MIN = 60_000;
const report = (more: object = {}) => {
  const [row] = readChannels({ reports: [{ id: 'telegram', account: 'default', label: 'Telegram', ...more }] });
  if (!row) throw new Error('no row');
  return row;
};

describe('reading', () => {
  test.each([null, 7, 'x', [], {}, { reports: 3 }, { reports: [null, 4, { id: 5 }, {}] }])(
    '%j has no channel',
    (value) => {
      expect(readChannels(value)).toEqual([]);
    },
  );

  test('a state that is unknown is none in which messages certainly flow', () => {
    expect(report({ state: 'splendid' }).state).toBe('waiting');
    expect(report({ state: 'refused' }).state).toBe('refused');
  });

  test('numbers that are none count as nothing, and reasons come largest first', () => {
    const row = report({ balance: { received: '9', declined: 4, reasons: { A: 1, B: 3, C: 'x', D: 0 } }, day: null });
    expect(row.balance).toMatchObject({ received: 0, declined: 4, reasons: [['B', 3], ['A', 1]] }); // biome-ignore format: one row
    expect(row.day).toMatchObject({ trips: 0, averageMs: null });
  });

  test('an id is cut at its first colon; without one it is nobody', () => {
    const waiting = [
      { id: 'whatsapp:lid:77', kind: 'person', title: 'Bea', createdAtMs: 1, expiresAtMs: 2 },
      { id: 'telegram:-100', kind: 'group', account: 'work' },
      { id: 'nobody' },
      {},
    ];
    expect(readWaiting({ waiting })).toMatchObject([
      { channel: 'whatsapp', sender: 'lid:77', account: 'default', isGroup: false, title: 'Bea', expiresAtMs: 2 },
      { channel: 'telegram', sender: '-100', account: 'work', isGroup: true, title: '' },
    ]);
  });

  test('who is let in by the settings has no button; what a guest may is said', () => {
    const limits = { tools: ['read', 'ls'], folder: 'recipes', messagesPerDay: 20, tokensPerDay: null };
    const approved = [
      { id: 'telegram:1', kind: 'person', role: 'paired' },
      { id: 'telegram:2', kind: 'person', role: 'owner (settings)' },
      { id: 'telegram:3', kind: 'person', role: 'listed' },
      { id: 'telegram:4', kind: 'person', role: 'guest', limits, untilMs: 9 },
      { id: 'telegram:-5', kind: 'group', role: 'group', members: true },
    ];
    const rights = readRights({ approved });
    expect(rights.map(({ bySettings }) => bySettings)).toEqual([false, true, true, false, false]);
    expect(rights[3]).toMatchObject({ may: 'read, ls in recipes; 20 messages a day', untilMs: 9 });
    expect(rights[4]?.role).toBe('group, everybody in it');
    expect(readInvites({ invites: [{ id: 'invite:a', title: 'Dan', limits: { tools: [] } }] })[0]?.may).toBe(
      'talk only',
    );
  });

  test('a code is a picture made of data, and nothing that is fetched', () => {
    const qr = 'data:image/svg+xml;base64,PHN2Zz4=';
    expect(readLink({ qrDataUrl: qr, message: 'scan', connected: false })).toEqual({
      linked: false,
      message: 'scan',
      qr,
    });
    for (const qrDataUrl of ['https://x.test/a.png', 'data:text/html;base64,PHN2Zz4=', `${qr}" x`, 7, undefined])
      expect(readLink({ qrDataUrl }).qr).toBe('');
  });

  test.each([
    ['openclaw channels login whatsapp', 'openclaw channels login whatsapp', ''],
    ['openclaw pairing list   (shows who waits)', 'openclaw pairing list', 'shows who waits'],
    ['openclaw channels add slack, or set SLACK_BOT_TOKEN', 'openclaw channels add slack', 'or set SLACK_BOT_TOKEN'],
    ['look at the network, then openclaw doctor', '', 'look at the network, then openclaw doctor'],
    ['', '', ''],
  ])('the command in "%s"', (fix, command, words) => {
    expect(readFix(fix)).toEqual({ command, words });
  });
});

describe('words', () => {
  test('each state is said, with when it is tried again', () => {
    const nextTryMs = NOW + 12_000;
    const said = (state: string, more: object = {}) => stateOf(report({ state, ...more }), NOW);
    expect(said('waiting', { nextTryMs })).toEqual({ words: 'reconnecting; tries again in 12 s', tone: 'wait' });
    expect(said('refused', { nextTryMs })).toEqual({ words: 'refused; tries again in 12 s', tone: 'bad' });
    expect(said('connected')).toEqual({ words: 'connected', tone: 'good' });
    expect(said('connected', { sinceMs: NOW }).words).toMatch(/^connected since \d/);
    const problem = { reason: 'no phone is linked', fix: 'openclaw channels login whatsapp' };
    expect(said('refused', { id: 'whatsapp', problem }).words).toBe('not linked to a phone');
    expect(said('off').tone).toBe('off');
  });

  test('the last round trip has its age, and the balance its sum', () => {
    const row = report({
      state: 'connected',
      lastRoundTrip: { atMs: NOW - 3 * MIN, roundTripMs: 210, account: '@bot' },
      day: { roundTrips: 9, failedRoundTrips: 1, averageMs: 120, slowestMs: 1_340, events: 1, drops: 0 },
      balance: { received: 5, answered: 2, declined: 3, queued: 0, failed: 0, reasons: { DM_NOT_PAIRED: 3 } },
      replies: { queued: 0, sent: 2, unknown: 1, failed: 0 },
      lastSenders: [{ id: '55\u202e5', atMs: NOW - 2 * 60 * MIN }],
    });
    expect(connectionFacts(row, NOW).map(([name, value]) => [name, value])).toEqual([
      ['Round trip', '210 ms, 3 min ago, as @bot'],
      ['24 hours', '9 of 10 round trips came back (120 ms on average, 1.3 s at most), 1 event, 0 lost connections'],
    ]);
    expect(messageFacts(row, NOW)).toEqual([
      ['Messages', '5 received = 2 answered + 3 declined + 0 queued + 0 failed'],
      ['Declined', '3 DM_NOT_PAIRED'],
      ['Replies', '1 perhaps sent'],
      ['Last senders', '55[U+202E]5 2 h ago'],
    ]);
    expect(connectionFacts(report({ state: 'idle' }), NOW)).toEqual([]);
    expect(connectionFacts(report({ state: 'refused' }), NOW)).toEqual([['Round trip', 'none yet']]);
  });

  test('a name of two scripts is pointed out, one of one script is not', () => {
    expect(oddity('Ann\u0430')).toContain('Cyrillic');
    expect(oddity('A\u200dnna')).toContain('cannot be seen');
    for (const name of ['Anna', '\u0410\u043d\u043d\u0430', '\u674e\u96f7 Li', '']) expect(oddity(name), name).toBe('');
  });

  test('ages and spans', () => {
    expect([10_000, 90_000, 3 * 60 * MIN, 72 * 60 * MIN].map((ms) => ago(NOW - ms, NOW))).toEqual([
      ...['just now', '2 min ago', '3 h ago', '3 days ago'],
    ]);
    expect(span(0)).toBe('1 min');
    expect(sentence('no phone is linked')).toBe('No phone is linked.');
    expect(sentence('channels.slack has none.')).toBe('channels.slack has none.');
  });
});
