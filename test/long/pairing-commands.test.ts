// The commands of pairing as the guides type them, without a gateway and with one that runs: the same words, the same
// answers, one line each.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPairingKey } from '../../src/access/key.ts';
import { createPairing } from '../../src/access/pairing.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { openStore } from '../../src/store/open.ts';
import { openOutbox } from '../../src/store/outbox.ts';
import {
  type CommandResult,
  newHome,
  runCommand,
  startTestGateway,
  type TestGateway,
  writeConfig,
} from '../support/gateway.ts';

const CONFIG = { channels: { telegram: { enabled: false, botToken: '123456:abcdefghijklmnopqrstuvwxyz012345678' } } };

/** Strangers who wrote while nobody was there to say yes, as the gateway keeps them; returns their codes. */
function strangers(home: string, ...ids: string[]): string[] {
  const state = join(home, '.openclaw');
  const store = openStore(join(state, 'state.sqlite'));
  const pairing = createPairing({
    ...{ store, now: Date.now, outbox: openOutbox(store), journal: openJournal(store, Date.now) },
    ...{ key: openPairingKey(join(state, 'credentials')), deliver: () => {}, changed: () => {} },
  });
  const codes = ids.map((subject) => {
    let told = '';
    const kind = subject.startsWith('-') ? 'group' : 'person';
    const asker = { channel: 'telegram', account: 'default', kind, subject, chat: subject, title: 'Bea' } as const;
    const write = pairing.ask(asker, 3_600_000, null, (code) => {
      told = code;
      return null;
    });
    store.commit(() => write?.());
    return told;
  });
  store.close();
  return codes;
}

const line = ({ code, stdout, stderr }: CommandResult): [number | null, string] => [
  code,
  (stdout.startsWith('{') ? stdout : `${stdout}${stderr}`).trim(),
];

describe('without a gateway', () => {
  let home: string;
  const run = async (...args: string[]) => line(await runCommand(args, { home }));
  beforeAll(() => {
    home = newHome();
    writeConfig(home, CONFIG);
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  test('S028 S112 S030 empty lists are fine', async () => {
    expect(await run('pairing', 'list')).toEqual([0, 'nobody waits']);
    expect(await run('pairing', 'list', '--json')).toEqual([0, '{"ok":true,"data":{"waiting":[],"invites":[]}}']);
    expect(await run('pairing', 'approved')).toEqual([0, 'nobody was approved yet']);
    expect(await run('pairing', 'reject', '--all')).toEqual([0, 'nobody waits']);
  });

  test('S029 S110 S113 list, approve, approved, revoke', async () => {
    const [first = '', second = '', group = ''] = strangers(home, '222', '333', '-100');
    const listed = await run('pairing', 'list');
    expect(listed[0]).toBe(0);
    expect(listed[1]).toMatch(/telegram:222 +person +Bea/);
    for (const code of [first, second, group]) expect(listed[1]).not.toContain(code);
    expect(await run('pairing', 'approve', first.toLowerCase())).toEqual([
      0,
      expect.stringMatching(/^approved: telegram:222 \(Bea\), with a conversation/),
    ]);
    expect(await run('pairing', 'approve', first)).toEqual([
      1,
      expect.stringMatching(/^error: this code was approved already\.\nfix: /),
    ]);
    expect(await run('pairing', 'approve', 'telegram', second, '--owner')).toEqual([
      0,
      expect.stringMatching(/is an owner now/),
    ]);
    expect(await run('pairing', 'approve', group)).toEqual([
      0,
      expect.stringMatching(/the group telegram:-100.*who are listed/),
    ]);
    expect((await run('pairing', 'approve', 'telegram:-100', '--members'))[1]).toMatch(
      /the group telegram:-100 \(Bea\)/,
    );
    expect((await run('pairing', 'approved'))[1]).toMatch(
      /telegram:222 +paired[\s\S]*telegram:333 +owner[\s\S]*telegram:-100 +group/,
    );
    expect(await run('pairing', 'revoke', '222')).toEqual([0, expect.stringMatching(/^revoked: telegram:222/)]);
    expect(await run('pairing', 'revoke', '222')).toEqual([
      1,
      expect.stringMatching(/nobody with this id was approved/),
    ]);
    expect(await run('pairing', 'revoke', '-100', '--channel', 'telegram')).toEqual([
      0,
      expect.stringMatching(/^revoked: telegram:-100/),
    ]);
  });

  test('S024 S111 reject, and what cannot be a code', async () => {
    const [code = ''] = strangers(home, '444');
    expect(await run('pairing', 'reject', code)).toEqual([0, 'rejected: telegram:444']);
    expect(await run('pairing', 'reject')).toEqual([64, expect.stringMatching(/needs a code or an id/)]);
    expect(await run('pairing', 'approve', 'ABCDEFG0')).toEqual([1, expect.stringMatching(/no 0 \(zero\)/)]);
    expect(await run('pairing', 'approve', 'ABCDEFGH')).toEqual([
      1,
      expect.stringMatching(/nobody waits with this code/),
    ]);
    expect(await run('pairing', 'approve', '555')).toEqual([1, expect.stringMatching(/such as telegram:555/)]);
    expect(await run('pairing', 'approve', 'nonsense!')).toEqual([1, expect.stringMatching(/no pairing code/)]);
  });

  test('a guest pass, and budgets that cannot be kept are refused', async () => {
    const made = JSON.parse(
      (
        await run(
          'pairing',
          'invite',
          '--tools',
          'read,ls',
          '--folder',
          'recipes',
          '--budget',
          '20/day',
          '--until',
          '7d',
          '--bot',
          'my_bot',
          '--json',
        )
      )[1],
    );
    expect(made.data).toMatchObject({
      code: expect.stringMatching(/^[A-HJ-NP-Z2-9]{16}$/),
      link: `https://t.me/my_bot?start=${made.data.code}`,
    });
    expect((await run('pairing', 'list'))[1]).toMatch(/invited, read, ls; in recipes; 20 messages a day, good for/);
    expect((await run('pairing', 'invite', '--tools', 'read'))[1]).toMatch(/needs a folder/);
    for (const folder of [[], ['--folder', 'recipes']])
      expect(await run('pairing', 'invite', '--tools', 'exec', ...folder)).toEqual([
        1,
        expect.stringMatching(/sees all of your workspace, whatever the folder[\s\S]*--folder \./),
      ]);
    expect((await run('pairing', 'invite', '--tools', 'nodes,ls', '--folder', 'x'))[1]).toMatch(
      /no tool (group:)?nodes here/,
    );
    expect((await run('pairing', 'invite', '--budget', '$1/day'))[1]).toMatch(/is money/);
    expect((await run('pairing', 'invite', '--tools', 'read', '--folder', '../x'))[1]).toMatch(
      /not a folder of the workspace/,
    );
    expect((await run('pairing', 'invite', '--until', 'soon'))[1]).toMatch(
      /--until is not a length of time up to 366 days\.\nfix: write it like --until 12h or 7d/,
    );
    const [id = ''] = /invite:\S{6}/.exec((await run('pairing', 'list'))[1]) ?? [];
    expect(await run('pairing', 'revoke', id)).toEqual([0, `revoked: ${id}; its code lets nobody in`]);
    expect((await run('pairing', 'list'))[1]).not.toContain(id);
    expect(await run('pairing', 'revoke', id)).toEqual([1, expect.stringMatching(/no invitation with this id waits/)]);
  });

  test('why, when nothing has arrived', async () => {
    expect(await run('why')).toEqual([1, expect.stringMatching(/no message has arrived yet/)]);
  });
});

describe('with a gateway', () => {
  let gateway: TestGateway;
  let codes: string[];
  beforeAll(async () => {
    const home = newHome();
    writeConfig(home, CONFIG);
    await runCommand(['pairing', 'approve', 'telegram:1'], { home });
    codes = strangers(home, '222', '333');
    gateway = await startTestGateway({ home });
  });
  afterAll(() => gateway.dispose());
  const run = async (...args: string[]) => line(await gateway.cli(...args));

  test('S034 status --deep shows the ids that have written', async () => {
    const deep = JSON.parse((await run('status', '--deep', '--json'))[1]);
    expect(JSON.stringify(deep.data)).toContain('"people":["222","333"]');
  });

  test('S028 S029 S030 S112 S113 the same words do the same', async () => {
    expect((await run('pairing', 'list'))[1]).toMatch(/telegram:222 +person +Bea/);
    expect(await run('pairing', 'approve', codes[0] ?? '')).toEqual([
      0,
      expect.stringMatching(/^approved: telegram:222/),
    ]);
    expect(await run('pairing', 'approve', 'ABCDEFGH')).toEqual([
      1,
      expect.stringMatching(/^error: nobody waits with this code\.\nfix: openclaw pairing list/),
    ]);
    expect(await run('pairing', 'reject', '--all')).toEqual([0, 'rejected: 1']);
    expect((await run('pairing', 'approved'))[1]).toMatch(/telegram:1 +paired[\s\S]*telegram:222 +paired/);
    expect(await run('pairing', 'revoke', 'telegram:222')).toEqual([
      0,
      expect.stringMatching(/^revoked: telegram:222/),
    ]);
    expect((await run('pairing', 'approved', '--json'))[1]).not.toContain('telegram:222');
    expect(JSON.parse((await run('pairing', 'invite', '--json'))[1])).toMatchObject({
      ok: true,
      data: { tools: [], link: null },
    });
  });

  test('why tells of our own messages too', async () => {
    await gateway.cli('agent', '-m', 'hello');
    expect(await run('why')).toEqual([
      0,
      expect.stringMatching(/^heard and answered[\s\S]*rule +OPERATOR[\s\S]*decided +gateway\.auth/),
    ]);
  });

  test('a right is given with operator.admin only', async () => {
    const client = await gateway.connect({ scopes: ['operator.read', 'operator.write', 'operator.approvals'] });
    const answer = await client
      .request('channels.pairing.approve', { code: 'telegram:5', owner: true })
      .catch((error: unknown) => ({ ok: false, error }));
    expect(JSON.stringify(answer)).toMatch(/operator\.admin/);
    await client.close();
  });
});
