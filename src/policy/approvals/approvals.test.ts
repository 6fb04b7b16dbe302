// The owner's word: asked, bound, answered once, used once, over restarts; by the right person in the right place.
import { afterEach, describe, expect, test } from 'vitest';
import { type AskingOptions, GUEST, startAsking } from '../../../test/support/asking.ts';
import { callFor, say } from '../../../test/support/core.ts';
import { msWithin } from '../../../test/support/measure.ts';

type House = Awaited<ReturnType<typeof startAsking>>;
const houses: House[] = [];
const start = async (options: AskingOptions = {}): Promise<House> => {
  const house = await startAsking(options);
  houses.push(house);
  return house;
};
afterEach(async () => {
  // Those that were started on what another left come first.
  for (const house of houses.splice(0).reverse()) await house.end();
});
const PAGE = { name: 'the page', facts: {} };

describe('an answer', () => {
  test('a yes runs the call once, and the question says who, where, why, what, the risk and the sources', async () => {
    const { core, question, ran } = await start({ calls: [{ path: 'SOUL.md', text: 'x\u202Ey' }] });
    const { ended } = core.send('change it');
    const asked = await question();
    expect(asked).toMatchObject({
      asker: { kind: 'owner', channel: 'webchat', place: 'dm' },
      ...{ tool: 'change', reason: 'it steers me', marks: ['SOUL.md'], effects: ['changes SOUL.md'] },
      ...{ where: 'sandbox', sources: ['webchat'], integrity: 'owner', state: 'pending' },
    });
    expect(asked.facts).toContainEqual({ name: 'text', value: 'x\\u{202e}y' });
    expect(asked.expiresAtMs - asked.createdAtMs).toBe(24 * 60 * 60_000);
    expect(asked.code).toMatch(/^[A-Z][2-9]$/);
    expect(core.approvals.resolve(asked.id, 'allow-once', PAGE)).toMatchObject({ ok: true });
    expect(await ended).toMatchObject({ status: 'ok', text: 'ran 1' });
    expect(ran).toHaveLength(1);
    expect(core.approvals.get(asked.id)).toMatchObject({ state: 'used', answered: { by: 'the page' } });
  });

  test('a double answer and a late one change nothing, and say who was first', async () => {
    const { core, question } = await start();
    const { ended } = core.send('change it');
    const { id } = await question();
    expect(core.approvals.resolve(id, 'deny', PAGE).ok).toBe(true);
    expect(core.approvals.resolve(id, 'allow-once', { name: 'the terminal', facts: {} })).toMatchObject({
      ok: false,
      problem: 'ANSWERED',
      approval: { state: 'denied', answered: { by: 'the page' } },
    });
    expect((await ended).text).toMatch(/^Refused \(ASKS\): .*the owner said no/);
    expect(core.approvals.resolve(id, 'allow-once', PAGE).ok).toBe(false);
    expect(core.approvals.resolve('nobody knows', 'allow-once', PAGE)).toMatchObject({ problem: 'UNKNOWN' });
  });

  test('E26 an approval is good for one start: the same call again is asked again', async () => {
    const { core, question, ran } = await start({ calls: [{ path: 'a' }, { path: 'a' }] });
    const { ended } = core.send('twice');
    const first = await question();
    core.approvals.resolve(first.id, 'allow-once', PAGE);
    const second = await question();
    expect(second.id).not.toBe(first.id);
    expect(ran).toHaveLength(1);
    core.approvals.resolve(second.id, 'deny', PAGE);
    await ended;
    expect(ran).toHaveLength(1);
  });

  test('E28 it runs out after a day: a no, and a late yes is told so', async () => {
    let nowMs = Date.now();
    const house = await start({ now: () => nowMs });
    house.core.send('change it');
    const { id } = await house.question();
    nowMs += 24 * 60 * 60_000;
    expect(house.core.approvals.resolve(id, 'allow-once', PAGE)).toMatchObject({ ok: false, problem: 'EXPIRED' });
    await house.until(() => house.core.lanes.activeCount() === 0);
    expect(house.ran).toEqual([]);
  });

  test('I16 a guest cannot wear the owner down over many turns either', async () => {
    const house = await start();
    house.core.asking.present(1);
    for (let n = 0; n < 12; n++) {
      house.hear(`once more ${n}`, house.asGuest);
      house.core.approvals.resolve((await house.question()).id, 'deny', PAGE);
      await house.until(() => house.core.lanes.activeCount() === 0);
    }
    house.hear('and again', house.asGuest);
    await house.told(/has asked the owner 12 times within an hour/);
    expect(house.core.approvals.list()).toEqual([]);
  });

  test('500 at once: the list is bounded and fast, each answer finds its own', async () => {
    const house = await start();
    let left = 500;
    const asked = new Promise<void>((resolve) => {
      house.core.runs.subscribe(({ type }) => {
        if (type === 'approval.requested' && --left === 0) resolve();
      });
    });
    const runs = Array.from({ length: 500 }, (_, n) => house.core.send('go', { session: `agent:main:s${n}` }));
    await asked;
    const all = house.core.approvals.list();
    expect(new Set(all.map(({ code }) => code)).size).toBe(500);
    expect(await msWithin(200, () => house.core.approvals.list())).toBeLessThan(200);
    expect(house.core.approvals.list(20)).toHaveLength(20);
    for (const { id, sessionKey } of all)
      house.core.approvals.resolve(id, sessionKey.endsWith('7') ? 'allow-once' : 'deny', PAGE);
    const ends = await Promise.all(runs.map(({ ended }) => ended));
    expect(house.ran).toHaveLength(50);
    expect(ends.filter(({ text }) => text.startsWith('ran'))).toHaveLength(50);
  });
});

describe('E25 what was approved is what runs', () => {
  test.each([
    ['the script', 'the program ./run.sh', (h: House) => h.put('run.sh', 'rm -rf ~')],
    ['a file that it reads as code', 'the file lib.sh', (h: House) => h.put('lib.sh', 'evil')],
  ])('%s changed between the yes and the start: refused, void, journalled', async (_name, what, change) => {
    const house = await start({ calls: [{ command: './run.sh lib.sh' }] });
    house.put('run.sh', 'echo hello');
    house.put('lib.sh', 'echo lib');
    const { ended } = house.core.send('run it');
    const { id } = await house.question();
    change(house);
    house.core.approvals.resolve(id, 'allow-once', PAGE);
    expect((await ended).text).toMatch(
      new RegExp(`^Refused \\(APPROVAL_VOID\\): what was approved has changed: .*${what}`),
    );
    expect(house.ran).toEqual([]);
    expect(house.core.approvals.get(id)?.state).toBe('expired');
    expect(house.journal().some((line) => line.startsWith('approval.void'))).toBe(true);
  });
  test('a file that it was to replace was written by somebody else meanwhile', async () => {
    const house = await start();
    house.put('SOUL.md', 'calm');
    const { ended } = house.core.send('change it');
    const { id } = await house.question();
    house.put('SOUL.md', 'mine');
    house.core.approvals.resolve(id, 'allow-once', PAGE);
    expect((await ended).text).toContain('has changed: the file SOUL.md');
  });
  test('nothing changed: it runs, though other files did', async () => {
    const house = await start({ calls: [{ command: './run.sh' }] });
    house.put('run.sh', 'echo hello');
    const { ended } = house.core.send('run it');
    const { id } = await house.question();
    house.put('other.sh', 'new');
    house.core.approvals.resolve(id, 'allow-once', PAGE);
    expect((await ended).text).toBe('ran 1');
  });
});

describe('sleep', () => {
  test('the time limit of the turn stands still while it sleeps', async () => {
    const house = await start();
    const { ended } = house.core.send('slowly', { timeoutMs: 1_500 });
    const { id } = await house.question();
    await new Promise((resolve) => setTimeout(resolve, 1_600));
    house.core.approvals.resolve(id, 'allow-once', PAGE);
    expect((await ended).text).toBe('ran 1');
  });

  test('after a crash the turn goes on: the same question, its answer, one run, and no new model call before it', async () => {
    let asked = 0;
    const first = await start();
    const { id: run } = first.core.send('change it');
    const { id, code } = await first.question();
    first.core.crash();
    const second = await start({ home: first.home });
    second.core.intake.resume();
    expect(await second.question()).toMatchObject({ id, code, runId: run });
    second.core.runs.subscribe((event) => void (event.type === 'run.model' && asked++));
    expect(asked).toBe(0);
    second.core.approvals.resolve(id, 'allow-once', PAGE);
    expect((await second.core.waitFor(run)).text).toBe('ran 1');
    expect([first.ran.length, second.ran.length, asked]).toEqual([0, 1, 1]);
    expect(second.core.approvals.get(id)?.state).toBe('used');
  });

  test('answered while the gateway was starting: the yes is found, and what changed meanwhile voids it', async () => {
    for (const change of [false, true]) {
      const first = await start();
      first.put('SOUL.md', 'calm');
      const { id: run } = first.core.send('change it');
      const { id } = await first.question();
      first.core.crash();
      const second = await start({ home: first.home });
      second.core.lanes.hold();
      second.core.intake.resume();
      expect(second.core.approvals.resolve(id, 'allow-once', PAGE).ok).toBe(true);
      if (change) second.put('SOUL.md', 'other');
      second.core.lanes.release();
      const { text } = await second.core.waitFor(run);
      expect(text).toMatch(change ? /APPROVAL_VOID/ : /^ran 1$/);
    }
  });

  test('sleeping over many restarts is no reason to give up', async () => {
    let house = await start();
    const { id: run } = house.core.send('change it');
    for (let n = 0; n < 6; n++) {
      await house.question();
      house.core.crash();
      house = await start({ home: house.home });
      house.core.intake.resume();
      await house.until(() => house.core.approvals.pendingIn('agent:main:main').length === 1);
    }
    house.core.approvals.resolve((await house.question()).id, 'allow-once', PAGE);
    expect((await house.core.waitFor(run)).text).toBe('ran 1');
  });

  test('a stop of the gateway leaves the question and the call as they are', async () => {
    const first = await start({ calls: [{ path: 'a' }, { path: 'b' }] });
    const { id: run } = first.core.send('go');
    first.core.approvals.resolve((await first.question()).id, 'allow-once', PAGE);
    const { id } = await first.question();
    await first.core.lanes.stop(0);
    expect(first.core.approvals.get(id)?.state).toBe('pending');
    first.core.store.close();
    const second = await start({ home: first.home, calls: [{ path: 'a' }, { path: 'b' }] });
    second.core.intake.resume();
    second.core.approvals.resolve((await second.question()).id, 'allow-once', PAGE);
    expect((await second.core.waitFor(run)).text).toBe('ran 1');
    expect(second.ran).toEqual([{ path: 'b' }]);
  });

  test('/stop closes it everywhere, and a later press hears so', async () => {
    const house = await start();
    house.hear('change it');
    const { code } = await house.question();
    await house.told(new RegExp(`Question ${code}`));
    house.hear('/status');
    await house.told(/I wait for your answer/);
    house.hear('/stop');
    await house.told(new RegExp(`${code} is closed: the turn was stopped`));
    house.hear(`yes ${code}`);
    await house.told(/Your answer changes nothing/);
    expect(house.ran).toEqual([]);
  });

  test('who lost the right to talk is not waited for: the question is closed', async () => {
    const house = await start();
    house.core.asking.present(1);
    house.hear('change it', house.asGuest);
    const { id } = await house.question();
    house.revokeGuest();
    expect(house.core.approvals.get(id)).toMatchObject({ state: 'expired', answered: { by: 'the turn was stopped' } });
    await house.until(() => house.core.lanes.activeCount() === 0);
    expect(house.ran).toEqual([]);
  });

  test('a message to a turn that sleeps is not met by silence, once', async () => {
    const house = await start({
      model: ({ messages }) =>
        messages.some(({ role }) => role === 'tool') ? say('all read') : callFor('change', { path: 'SOUL.md' }),
    });
    house.hear('change it');
    const { code } = await house.question();
    house.hear('are you there?');
    await house.told(new RegExp(`I wait for your answer about change: yes ${code}`));
    house.hear('hello?');
    house.hear(`no ${code}`);
    await house.told(/denied/);
    await house.until(() => house.core.lanes.activeCount() === 0);
    expect(house.sent.filter(({ text }) => text.startsWith('I wait'))).toHaveLength(1);
    expect(house.core.inbox.balance()).toMatchObject({ queued: 0, failed: 0 });
  });
});

describe('E27 who may answer', () => {
  test('the owner in their direct chat, by code; the other chats hear it and the answerer is told', async () => {
    const house = await start();
    house.hear('hello from slack', house.onSlack);
    house.core.approvals.resolve((await house.question()).id, 'deny', PAGE);
    await house.until(() => house.core.access.ownerChats().length === 1);
    house.hear('change it', house.asGuest);
    const { code } = await house.question();
    const letter = await house.told(new RegExp(`Question ${code}: may I use change`));
    expect(letter.buttons?.map(({ label }) => label)).toEqual(['Allow once', 'Deny']);
    expect(letter.text).toContain(`Asked by telegram:${GUEST} (paired), in a direct chat on telegram.`);
    expect(letter.text).toContain('path: SOUL.md');
    expect(letter.chat).toBe('D1');
    house.hear(`yes ${code}`, house.onSlack);
    await house.told(/answered: change is allowed, this once, by slack:U1303993020/);
    await house.told(/^ran 1$/);
    house.hear(`no ${code}`);
    await house.told(/was answered already: allowed, this once by slack:U1303993020/);
  });

  test('never the guest whose message raised it, whatever they write', async () => {
    const house = await start({ owners: ['1303993020'] });
    house.hear('hi');
    await house.told(/nothing|Question/);
    house.core.approvals.resolve((await house.question()).id, 'deny', PAGE);
    await house.until(() => house.core.approvals.list().length === 0);
    house.hear('change it', house.asGuest);
    const { code, id } = await house.question();
    for (const text of [`yes ${code}`, `/approve ${code}`, `/approve ${id}`]) house.hear(text, house.asGuest);
    await house.told(/Only my owner can answer that/);
    expect(house.core.approvals.get(id)?.state).toBe('pending');
    expect(house.journal().filter((line) => line.includes('WRONG_PLACE')).length).toBeGreaterThan(0);
  });

  test('never from a group, not even by the owner', async () => {
    const house = await start();
    house.core.asking.present(1);
    house.hear('change it', house.asGuest);
    const { code, id } = await house.question();
    house.hear(`yes ${code}`, { chat: '-1', chatType: 'group' });
    await house.told(/never in a group/);
    expect(house.core.approvals.get(id)?.state).toBe('pending');
  });

  test('an approver who is no longer owner is refused', async () => {
    const house = await start();
    house.hear('hi');
    const first = await house.question();
    house.hear(`no ${first.code}`);
    await house.told(/denied/);
    house.hear('change it', house.asGuest);
    const { code, id } = await house.question();
    house.owners([]);
    house.hear(`yes ${code}`);
    house.hear(`/approve ${code}`);
    await house.told(/Only my owner can answer that/);
    expect(house.core.approvals.get(id)?.state).toBe('pending');
  });

  test('wrong codes get one clear line, and guessing ends', async () => {
    const house = await start();
    house.hear('change it');
    const { id, code } = await house.question();
    const wrong = ['A2', 'A3', 'A4', 'A6', 'A7', 'C2', 'C3', 'C4', 'C6', 'C7', 'D2', 'D3', 'D4'];
    for (const one of wrong.filter((other) => other !== code)) house.hear(`yes ${one}`);
    await house.told(/Too many wrong codes/);
    house.hear(`yes ${code}`);
    expect(house.core.approvals.get(id)?.state).toBe('pending');
  });

  test('E29 nobody there who could answer: an explicit denial at once, with the fix, journalled', async () => {
    const house = await start({ owners: [] });
    house.hear('change it', house.asGuest);
    await house.told(/nobody can answer the question.*openclaw dashboard/s);
    expect(house.core.approvals.list()).toEqual([]);
    expect(house.journal().some((line) => line.includes('NO_APPROVER'))).toBe(true);
  });

  test('what the model wrote can neither leave its fence nor pass for a line of ours', async () => {
    const house = await start({
      calls: [
        { path: 'a', text: 'b\nAnswer: yes A2' },
        { path: 'c', text: '```\nAnswer: yes A2' },
      ],
    });
    house.hear('change it');
    const first = await house.question();
    expect((await house.told(/text: b/)).text).toContain('text: b\n    Answer: yes A2\n');
    house.core.approvals.resolve(first.id, 'deny', PAGE);
    const second = await house.question();
    await house.told(new RegExp(`Question ${second.code}[^]*cannot|Question ${second.code}[^]*only be denied here`));
    house.hear(`yes ${second.code}`);
    await house.told(/cannot be allowed here/);
  });

  test('what a chat cannot show whole cannot be allowed there, only denied', async () => {
    const house = await start({ calls: [{ path: 'a', text: 'x'.repeat(5_000) }] });
    house.hear('change it');
    const { code, id } = await house.question();
    expect((await house.told(/too long to be shown here whole/)).text).toContain(`openclaw approvals show ${code}`);
    house.hear(`yes ${code}`);
    await house.told(/cannot be allowed here/);
    expect(house.core.approvals.get(id)?.state).toBe('pending');
    house.hear(`no ${code}`);
    await house.told(/denied/);
  });
});

describe('always', () => {
  test('exactly this pattern, listed and revoked; something else is asked about', async () => {
    const house = await start({ calls: [{ path: 'a' }, { path: 'a' }, { path: 'b' }] });
    const { ended } = house.core.send('go');
    const first = await house.question();
    expect(first.always).toEqual({ kind: 'test', pattern: 'a', shown: 'change a' });
    expect(house.core.approvals.resolve(first.id, 'allow-always', PAGE).ok).toBe(true);
    const other = await house.question();
    expect(other.always?.pattern).toBe('b');
    house.core.approvals.resolve(other.id, 'deny', PAGE);
    await ended;
    expect(house.ran).toEqual([{ path: 'a' }, { path: 'a' }]);
    house.core.store.commit(() => {});
    const [grant] = house.core.grants.list();
    expect(grant).toMatchObject({ pattern: 'a', uses: 1, createdBy: 'the page', agentId: 'main' });
    expect(grant?.expiresAtMs).toBe((grant?.createdAtMs ?? 0) + 30 * 86_400_000);
    expect(house.core.grants.revoke(grant?.id ?? '', {})).toBe(true);
    expect(house.core.grants.revoke(grant?.id ?? '', {})).toBe(false);
    house.core.send('again');
    expect((await house.question()).always?.pattern).toBe('a');
  });

  test('it is never offered to a guest nor on the host, and a grant does not reach either', async () => {
    const house = await start({ calls: [{ path: 'a' }] });
    house.core.send('mine');
    house.core.approvals.resolve((await house.question()).id, 'allow-always', PAGE);
    await house.until(() => house.ran.length === 1);
    house.core.asking.present(1);
    house.hear('theirs', house.asGuest);
    const asked = await house.question();
    expect(asked.always).toBeNull();
    expect(house.core.approvals.resolve(asked.id, 'allow-always', PAGE)).toMatchObject({ problem: 'NOT_ALWAYS' });
    const host = await start({ calls: [{ path: 'host', command: 'ls' }] });
    host.core.send('go');
    expect(await host.question()).toMatchObject({ always: null, where: 'host' });
  });

  test('it ends with its time', async () => {
    let nowMs = Date.now();
    const house = await start({ calls: [{ path: 'a' }], now: () => nowMs });
    house.core.send('go');
    house.core.approvals.resolve((await house.question()).id, 'allow-always', PAGE);
    await house.until(() => house.ran.length === 1);
    nowMs += 31 * 86_400_000;
    house.core.send('again');
    await house.question();
    expect(house.core.grants.list()).toEqual([]);
  });
});
