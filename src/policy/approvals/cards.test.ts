// Several calls on one card, three cards a run, and what a yes for more than once covers: never another target or payload
// than was shown, whatever text from outside says.
import { afterEach, describe, expect, test } from 'vitest';
import { type AskingOptions, startAsking } from '../../../test/support/asking.ts';
import { guestIn, OWNER_DM } from '../../../test/support/speaker.ts';
import { label } from '../../store/label.ts';
import { MIGRATIONS } from '../../store/schema.ts';
import type { ToolCall } from '../decide.ts';
import type { Effect } from '../effects.ts';
import { isGrantable, taskOf } from './approval.ts';

type House = Awaited<ReturnType<typeof startAsking>>;
const houses: House[] = [];
const start = async (options: AskingOptions = {}): Promise<House> => {
  const house = await startAsking(options);
  houses.push(house);
  return house;
};
afterEach(async () => {
  for (const house of houses.splice(0).reverse()) await house.end();
});
const PAGE = { name: 'the page', facts: {} };
const paths = (...all: string[]) => all.map((path) => ({ path }));
const waiting = (house: House, count: number) =>
  house.until(() => house.core.approvals.list().length === count && house.core.approvals.list());

describe('one card for the calls of one answer', () => {
  test('one message with one code; yes answers all, each bound to its own call and used once', async () => {
    const house = await start({ calls: [paths('a', 'b', 'c')] });
    house.hear('change them');
    const all = await waiting(house, 3);
    const code = all[0]?.code ?? '';
    expect(all.map(({ line, lines, code: own }) => [line, lines, own])).toEqual([1, 2, 3].map((n) => [n, 3, code]));
    const letter = await house.told(/^Question/);
    expect(house.sent).toHaveLength(1);
    expect(letter.text).toMatch(new RegExp(`^Question ${code}: may I do these 3 things\\?`));
    for (const [at, path] of ['a', 'b', 'c'].entries())
      expect(letter.text).toContain(
        `${code}.${at + 1}  change\n\`\`\`\nwhy: it steers me\npath: ${path}\nrisky: >>${path}<<`,
      );
    expect(letter.buttons?.map(({ label: name }) => name)).toEqual(['Allow all once', 'Deny all']);
    house.hear(letter.buttons?.[0]?.says ?? '');
    await house.told(/^ran 3$/);
    expect(house.ran).toEqual(paths('a', 'b', 'c'));
    expect(all.map(({ id }) => house.core.approvals.get(id)?.state)).toEqual(['used', 'used', 'used']);
    house.hear(`yes ${code}`);
    await house.told(/was answered already: allowed, this once/);
  });

  test('line by line: what is denied does not run, the others do, and other chats hear one summary', async () => {
    const house = await start({ calls: [paths('a', 'b', 'c')] });
    house.hear('hello from slack', house.onSlack);
    const [first] = await waiting(house, 3);
    house.hear(`no ${first?.code}`, house.onSlack);
    await house.until(() => house.core.lanes.activeCount() === 0);
    house.sent.length = 0;
    house.hear('change them');
    const [{ code } = { code: '' }] = await waiting(house, 3);
    house.hear(`no ${code}.2`);
    await house.told(new RegExp(`^${code}\\.2 answered: change is denied`));
    house.hear(`yes ${code.toLowerCase()}.1`);
    house.hear(`yes ${code}.3`);
    await house.told(/^ran 2$/);
    expect(house.ran).toEqual(paths('a', 'c'));
    const elsewhere = house.sent.filter(({ chat, text }) => chat === 'D1' && text.includes('answered:'));
    expect(elsewhere).toHaveLength(1);
    expect(elsewhere[0]?.text.split('\n')).toHaveLength(3);
  });

  test('no code of a card takes "always" for all of it, and a line that is not there is no line', async () => {
    const house = await start({ calls: [paths('a', 'b')] });
    house.hear('change them');
    const [{ code } = { code: '' }] = await waiting(house, 2);
    house.hear(`/approve ${code} always`);
    await house.told(/asks about 2 calls: name one/);
    house.hear(`yes ${code}.9`);
    await house.told(/No question waits by that code/);
    house.hear(`/approve ${code}.2 always`);
    await house.told(/allowed always/);
    expect(house.core.grants.list().map(({ pattern }) => pattern)).toEqual(['b']);
    expect(house.ran).toEqual([]);
  });

  test('what needs what a call before it writes is asked about when that is done; what is free runs by itself', async () => {
    const calls = [{ path: 'free' }, { path: 'run.sh' }, { command: './run.sh' }, { path: 'other' }];
    const house = await start({ calls: [calls] });
    house.put('run.sh', 'echo hi');
    house.core.send('go');
    const all = await waiting(house, 2);
    expect(all.map(({ facts }) => facts[0]?.value)).toEqual(['run.sh', 'other']);
    expect(house.ran).toEqual([{ path: 'free' }]);
    house.core.approvals.resolveCard(all[0]?.id ?? '', 'allow-once', PAGE);
    const [later] = await waiting(house, 1);
    expect(later).toMatchObject({ line: 1, lines: 1, facts: [{ name: 'command', value: './run.sh' }] });
  });

  test('after a crash the same card waits with the same lines, and what was answered meanwhile holds', async () => {
    const first = await start({ calls: [paths('a', 'b')] });
    const { id: run } = first.core.send('go');
    const all = await waiting(first, 2);
    first.core.approvals.resolve(all[1]?.id ?? '', 'deny', PAGE);
    first.core.crash();
    const second = await start({ home: first.home, calls: [paths('a', 'b')] });
    second.core.intake.resume();
    expect((await waiting(second, 1))[0]).toMatchObject({ id: all[0]?.id, line: 1, lines: 2 });
    second.core.approvals.resolve(all[0]?.id ?? '', 'allow-once', PAGE);
    expect((await second.core.waitFor(run)).text).toMatch(/the owner said no/);
    expect(second.ran).toEqual(paths('a'));
  });
});

describe('I16 three cards a run', () => {
  test('the fourth pauses it: said with the facts of what comes next, journalled, and "go on" asks again', async () => {
    const calls = ['a', 'b', 'c', ['d', 'e']].map((one) => (Array.isArray(one) ? paths(...one) : { path: one }));
    const house = await start({ calls });
    house.hear('go');
    const { sessionKey } = await house.question();
    for (let n = 0; n < 3; n++) house.core.approvals.resolve((await house.question()).id, 'allow-once', PAGE);
    const { text } = await house.told(/^Paused after 3 questions/);
    expect(text).toContain('change: path: d\n    changes d\nchange: path: e\n    changes e');
    await house.until(() => house.core.lanes.activeCount() === 0);
    expect(house.ran).toEqual(paths('a', 'b', 'c'));
    expect(house.core.approvals.list()).toEqual([]);
    expect(house.journal().filter((line) => line.startsWith('approval.paused'))).toHaveLength(1);
    expect(house.core.inbox.balance()).toMatchObject({ queued: 0, failed: 0 });
    const stored = house.core.history(sessionKey);
    expect(stored.at(-1)).toMatchObject({ role: 'notice', meta: { stopReason: 'paused' } });
    expect(stored.flatMap(({ blocks }) => blocks).filter(({ type }) => type === 'toolResult')).toHaveLength(5);
    house.hear('go on');
    expect((await house.question()).facts[0]?.value).toBe('a');
  });

  test('somebody else is told without the facts', async () => {
    const house = await start({ calls: ['a', 'b', 'c', 'secret-name'].map((path) => ({ path })) });
    house.core.asking.present(1);
    house.hear('go', house.asGuest);
    for (let n = 0; n < 3; n++) house.core.approvals.resolve((await house.question()).id, 'deny', PAGE);
    expect((await house.told(/I pause/)).text).not.toContain('secret-name');
  });
});

describe('for this task', () => {
  test('the same call again needs no word in this run, another one does, and with the run it is over', async () => {
    const house = await start({ calls: [{ path: 'a' }, { path: 'a' }, { path: 'b' }] });
    const { ended } = house.core.send('go');
    const first = await house.question();
    expect(first.task?.shown).toBe('change again, word for word as here');
    expect(house.core.approvals.resolve(first.id, 'allow-task', PAGE).ok).toBe(true);
    const other = await house.question();
    expect(other.facts).toEqual([{ name: 'path', value: 'b' }]);
    house.core.store.commit(() => {});
    expect(house.core.grants.list()).toMatchObject([{ kind: `task:${first.runId}`, uses: 1 }]);
    house.core.approvals.resolve(other.id, 'deny', PAGE);
    await ended;
    house.core.store.commit(() => {});
    expect(house.core.grants.list()).toEqual([]);
    expect(house.ran).toEqual(paths('a', 'a'));
    house.core.send('again');
    expect((await house.question()).facts[0]?.value).toBe('a');
  });

  test('it outlives a crash together with its run, and not without it; taken back, it is asked again', async () => {
    const calls = paths('a', 'b', 'a');
    const first = await start({ calls });
    const { id: run } = first.core.send('go');
    first.core.approvals.resolve((await first.question()).id, 'allow-task', PAGE);
    await first.until(() => first.core.approvals.list()[0]?.facts[0]?.value === 'b');
    first.core.crash();
    const second = await start({ home: first.home, calls });
    second.core.intake.resume();
    expect(second.core.grants.list()).toHaveLength(1);
    second.core.approvals.resolve((await second.question()).id, 'allow-once', PAGE);
    await second.core.waitFor(run);
    expect(second.ran).toEqual(paths('b', 'a'));
    const third = await start({ calls });
    third.core.send('go');
    third.core.approvals.resolve((await third.question()).id, 'allow-task', PAGE);
    await third.until(() => third.core.approvals.list()[0]?.facts[0]?.value === 'b');
    expect(third.core.grants.revoke(third.core.grants.list()[0]?.id ?? '', {})).toBe(true);
    third.core.approvals.resolve((await third.question()).id, 'allow-once', PAGE);
    expect((await third.question()).facts[0]?.value).toBe('a');
  });

  test.each([
    'STEERING_FILE',
    'ELEVATED_ASKS',
    'MONEY_ASKS',
    'CREDENTIAL_ASKS',
    'EXECUTE_ASKS',
    'SECRET_READ',
    'TIER_PRIVATE',
  ])('%s: once only, though a judge offers more and a client asks for it', async (code) => {
    const house = await start({ calls: [{ path: 'a' }], code });
    house.core.send('go');
    const asked = await house.question();
    expect([asked.always, asked.task]).toEqual([null, null]);
    for (const decision of ['allow-always', 'allow-task'] as const)
      expect(house.core.approvals.resolve(asked.id, decision, PAGE)).toMatchObject({ ok: false });
    expect(house.core.grants.list()).toEqual([]);
  });

  test('a standing grant ends after 30 days, whatever the settings say', async () => {
    const house = await start({ days: 365 });
    house.core.send('go');
    house.core.approvals.resolve((await house.question()).id, 'allow-always', PAGE);
    const [grant] = house.core.grants.list();
    expect((grant?.expiresAtMs ?? 0) - (grant?.createdAtMs ?? 0)).toBe(30 * 86_400_000);
  });
});

test('what was allowed for longer before that held ends 30 days after it was given', async () => {
  const { core } = await start();
  const insert = core.store.prepare(
    `INSERT INTO grants VALUES (?, 'main', 'exec', ?, ?, 1000, ?, 'the page', 0, NULL, NULL)`,
  );
  const day = 86_400_000;
  for (const [id, days] of [
    ['long', 365],
    ['short', 7],
  ] as const)
    insert.run(id, id, id, 1_000 + days * day);
  for (const sql of MIGRATIONS.filter((one) => one.includes('UPDATE grants'))) core.store.db.exec(sql);
  const rows = core.store.prepare('SELECT id, expires_at FROM grants ORDER BY id').all();
  expect(rows.map((row) => [row['id'], (Number(row['expires_at']) - 1_000) / day])).toEqual([
    ['long', 30],
    ['short', 7],
  ]);
});

/** A small generator: the same numbers each time. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('property: no grant for a task reaches another target or, once text from outside was read, another payload', () => {
  const pick = numbers(7);
  const one = <T>(all: readonly T[]): T => all[pick(all.length)] as T;
  const made = (kind: number): { call: ToolCall; effects: Effect[]; codes: string[] } => {
    const [to, text, path, url] = [
      one(['t:1', 't:2', 't:1 ']),
      one(['hi', 'send it', '']),
      one(['a', 'b']),
      one(['https://a/', 'https://a/?q']),
    ];
    const all: [object, Effect[]][] = [
      [{ to, text }, [{ kind: 'message', to, text }]],
      [{ to, text, subject: one(['s', 'z']) }, [{ kind: 'mail', to: [to], text }]],
      [
        { to, text, files: [path] },
        [
          { kind: 'read', path },
          { kind: 'message', to, text },
        ],
      ],
      [{ path, content: text }, [{ kind: 'write', path }]],
      [{ url }, [{ kind: 'fetch', url }]],
      [{ query: text }, [{ kind: 'search', query: text }]],
      [{ command: path }, [{ kind: 'run', command: path, cwd: '.', where: one(['host', 'sandbox']) }]],
      [{ x: text }, [{ kind: 'call', server: 's', tool: 't' }]],
    ];
    const [args, effects] = all[kind] as [object, Effect[]];
    const context = label(one(['owner', 'tool-local', 'peer', 'untrusted']), one(['owner', 'secret', 'public']));
    const speaker = one([OWNER_DM, OWNER_DM, OWNER_DM, guestIn('dm'), { ...OWNER_DM, place: 'group' as const }]);
    const ids = { turnId: 'r', sessionKey: 's', agentId: 'main', callId: 'c' };
    const codes = one([['ASKS'], ['ASKS'], ['ASKS'], ['TARGET_NOT_NAMED'], ['ASKS', 'SECRET_READ']]);
    return { call: { ...ids, name: one(['x', 'x', 'x', 'y']), args, context, speaker }, effects, codes };
  };
  let covered = 0;
  let loose = 0;
  for (let n = 0; n < 100_000; n++) {
    const kind = pick(8);
    const [given, used] = [made(kind), made(kind)];
    const asked = { always: null, codes: given.codes };
    const grant = taskOf(given.call, given.effects, asked);
    const now = taskOf(used.call, used.effects, { ...asked, codes: used.codes });
    if (grant === null || grant.pattern !== now?.pattern) continue;
    covered += 1;
    const isTainted = ['peer', 'untrusted'].includes(used.call.context.integrity);
    const same =
      JSON.stringify([given.call.name, given.call.args, given.effects]) ===
      JSON.stringify([used.call.name, used.call.args, used.effects]);
    if (!same) loose += 1;
    // Another payload: only words, to the same people, before anything from outside.
    const strip = (effects: Effect[]) => JSON.stringify(effects.map((effect) => ({ ...effect, text: '' })));
    expect(same || (!isTainted && strip(given.effects) === strip(used.effects))).toBe(true);
    expect(used.call.speaker).toBe(OWNER_DM);
    expect(isGrantable(used.call, used.effects, used.codes)).toBe(true);
    expect([...given.codes].join()).toBe(used.codes.join());
  }
  expect(Math.min(covered / 20, loose), `${covered} covered, ${loose} with other words`).toBeGreaterThan(20);
});
