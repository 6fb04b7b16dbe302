// The record as a person asks it, and the registry of trust as a person keeps it: the whole program, with its gateway and
// without it, on a database that is then tampered with.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { PERSON, startTelegramServer, TELEGRAM_TOKEN, type TelegramServer } from '../doubles/telegram-server.ts';
import { newHome, runCommand, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';

type Json = Record<string, unknown>;
let model: ModelServer;
let telegram: TelegramServer | undefined;
const gateways: TestGateway[] = [];
beforeAll(async () => {
  model = await startModelServer();
});
afterAll(() => model?.close());
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.dispose();
  await telegram?.close();
  telegram = undefined;
});
async function start(config: Json = {}): Promise<TestGateway> {
  const gateway = await startTestGateway({ config: { ...configFor(model), ...config } });
  gateways.push(gateway);
  return gateway;
}
const dataOf = (text: string) => (JSON.parse(text) as { data: Json }).data;
const tool = (name: string, args: object) => ({ toolCalls: [{ name, args }] });

test('S217 what was run, read and refused is answered with the gateway and without it, and tampering is found', async () => {
  const gateway = await start();
  const offline = (...args: string[]) => runCommand(args, { home: gateway.home, env: gateway.env });
  model.script(
    tool('write', { path: 'notes.md', content: 'hello' }),
    tool('read', { path: 'notes.md' }),
    tool('exec', { command: 'echo one two' }),
    tool('read', { path: '/etc/shadow' }),
    { text: 'done' },
  );
  expect((await gateway.cli('agent', '-m', 'work', '--session-key', 'agent:main:main')).code).toBe(0);

  const asked = await gateway.cli('audit', 'log', '--kind', 'decision', '--json');
  const { entries } = dataOf(asked.stdout) as { entries: Json[] };
  expect(entries.map(({ body }) => [(body as Json)['tool'], (body as Json)['decision']])).toEqual([
    ['write', 'allow'],
    ['read', 'allow'],
    ['exec', 'allow'],
    ['read', 'deny'],
  ]);
  expect(entries[2]).toMatchObject({ call: { state: 'done', args: { command: 'echo one two' }, isSame: true } });
  const denied = await gateway.cli('audit', 'log', '--denied', '--session', 'main');
  expect(denied.stdout).toMatch(/read refused by PATH_\w+ \(.+\) +read:\/etc\/shadow/);
  expect((await gateway.cli('audit', 'log', '--tool', 'exec', '--sender', 'telegram:1', '--json')).code).toBe(0);
  const report = await gateway.cli('audit', 'report');
  expect(report.stdout).toMatch(
    /Commands run: 1\n.*echo one two\n(.|\n)*Files read: 1\n +1 {2}notes\.md\nFiles written: 1/,
  );
  expect(await gateway.cli('audit', 'verify')).toMatchObject({ code: 0, stdout: expect.stringContaining('whole: ') });

  await gateway.stop();
  expect((await offline('audit', 'report')).stdout).toContain('echo one two');
  const whole = await offline('audit', 'verify', '--json');
  expect(whole.code).toBe(0);
  const { last } = dataOf(whole.stdout) as { last: { seq: number; hash: string } };
  expect((await offline('audit', 'verify', '--head', `${last.seq}:${last.hash}`)).code).toBe(0);
  expect((await offline('audit', 'verify', '--head', `${last.seq}:${'A'.repeat(43)}`)).code).toBe(1);
  expect((await offline('audit', 'verify', '--head', 'nonsense')).code).toBe(2);

  const db = new DatabaseSync(join(gateway.stateDir, 'state.sqlite'));
  db.exec(`DELETE FROM journal WHERE seq > ${last.seq - 2}`);
  db.close();
  const cut = await offline('audit', 'verify');
  expect(cut).toMatchObject({ code: 1, stdout: expect.stringContaining('the end is missing') });
});

test('S217 a question about days of which there is nothing is no error, and a day that is none is one', async () => {
  const gateway = await start();
  expect(await gateway.cli('audit', 'log', '--day', '2020-01-01', '--json')).toMatchObject({ code: 0 });
  for (const day of ['2026-02-31', '2025-13-01', '9999-01-01'])
    expect((await gateway.cli('audit', 'log', '--day', day)).code, day).toBe(64);
  expect((await gateway.cli('audit', 'log', '--kind', 'x')).code).toBe(64);
  await gateway.stop();
  const home = newHome();
  const empty = await runCommand(['audit', 'report'], { home });
  rmSync(home, { recursive: true });
  expect(empty).toMatchObject({ code: 0, stdout: expect.stringContaining('Commands run: none') });
});

test('the registry: contacts are shown, then added, with the gateway and without it, and no tool is in the way', async () => {
  const gateway = await start();
  const file = join(gateway.home, 'book.vcf');
  writeFileSync(file, 'BEGIN:VCARD\nFN:Ann\u001b[31m Lee\nEMAIL:Ann@Example.net\nEND:VCARD\n');
  const dry = await gateway.cli('trust', 'import-contacts', file, '--dry-run');
  expect(dry.stdout).toContain('person  ann@example.net');
  expect(dry.stdout).not.toContain('\u001b');
  expect((await gateway.cli('trust', 'import-contacts', file)).code).toBe(64);
  expect(await gateway.cli('trust', 'import-contacts', file, '--yes')).toMatchObject({ code: 0, stdout: '1 added\n' });
  expect((await gateway.cli('trust', 'add', 'https://Example.net/')).stdout).toBe('added: host example.net\n');
  expect((await gateway.cli('trust', 'add', '42')).code).toBe(64);
  await gateway.stop();
  const offline = (...args: string[]) => runCommand(args, { home: gateway.home, env: gateway.env });
  const { entries } = dataOf((await offline('trust', 'list', '--json')).stdout) as { entries: Json[] };
  expect(entries.map(({ value }) => value)).toEqual(['example.net', 'ann@example.net']);
  expect((await offline('trust', 'remove', 'EXAMPLE.net')).code).toBe(0);
  expect((await offline('trust', 'remove', 'example.net')).code).toBe(1);
  const log = await offline('audit', 'log', '--kind', 'config');
  expect(log.stdout).toMatch(/trust\.added: (.|\n)*trust\.removed: entry host example\.net/);
  expect((await offline('audit', 'verify')).code).toBe(0);
});

test('a message to a chat of the registry needs no naming; to another it is asked about', async () => {
  telegram = await startTelegramServer();
  for (const id of [777, 888]) telegram.chats.set(String(id), { id, type: 'private', first_name: 'Fay' });
  const gateway = await start({
    commands: { ownerAllowFrom: [`telegram:${PERSON.id}`] },
    channels: { telegram: { apiRoot: telegram.url, botToken: TELEGRAM_TOKEN, allowFrom: [PERSON.id] } },
    actions: { message: { requireConfirmation: false }, undoSeconds: 0 },
  });
  await gateway.cli('trust', 'add', 'telegram:777');
  model.script(tool('message', { to: 'telegram:777', text: 'Hello.' }), { text: 'told' });
  telegram.say({ text: 'send my friend a message' });
  await telegram.until(() => telegram?.sent.some(({ chat, text }) => chat === '777' && text === 'Hello.') ?? false);
  model.script(tool('message', { to: 'telegram:888', text: 'Hello.' }));
  telegram.say({ text: 'send my other friend a message' });
  await telegram.until(() => telegram?.sent.some(({ chat, text }) => chat !== '777' && text.includes('888')) ?? false);
  expect(telegram.sent.filter(({ chat }) => chat === '888')).toEqual([]);
});

test('S231 S214 after a private paper was read nothing leaves unasked, until the session goes on without it', async () => {
  telegram = await startTelegramServer();
  telegram.chats.set('777', { id: 777, type: 'private', first_name: 'Fay' });
  const gateway = await start({
    commands: { ownerAllowFrom: [`telegram:${PERSON.id}`] },
    channels: { telegram: { apiRoot: telegram.url, botToken: TELEGRAM_TOKEN, allowFrom: [PERSON.id] } },
    actions: { message: { requireConfirmation: false }, undoSeconds: 0 },
    trust: { tiers: [{ paths: ['open'], tier: 'low' }] },
  });
  await gateway.cli('trust', 'add', 'telegram:777');
  const workspace = join(gateway.stateDir, 'workspace');
  mkdirSync(join(workspace, 'taxes'));
  writeFileSync(join(workspace, 'taxes/2025.md'), 'refund 4711');
  const sent = () => telegram?.sent.filter(({ chat }) => chat === '777').map(({ text }) => text) ?? [];
  const mine = () => telegram?.sent.filter(({ chat }) => chat !== '777').length ?? 0;
  model.script(tool('read', { path: 'taxes/2025.md' }), tool('message', { to: 'telegram:777', text: 'Hello.' }), { text: 'told' }); // biome-ignore format: one turn
  telegram.say({ text: 'read my taxes and send my friend a message' });
  await telegram.until(() => mine() >= 1);
  expect(sent()).toEqual([]);
  const log = await gateway.cli('audit', 'log', '--tool', 'message', '--kind', 'decision', '--json');
  expect(dataOf(log.stdout)['entries']).toMatchObject([{ body: { decision: 'ask', code: 'SECRET_READ' } }]);
  const [{ key }] = dataOf((await gateway.cli('sessions', 'list', '--json')).stdout)['sessions'] as [{ key: string }];
  const [{ id }] = dataOf((await gateway.cli('approvals', 'list', '--json')).stdout)['approvals'] as [{ id: string }];
  await gateway.cli('approvals', 'deny', id);
  await telegram.until(() => mine() >= 2);
  expect((await gateway.cli('sessions', 'show', key)).stdout).toContain('has read: taxes/2025.md');

  expect(await gateway.cli('sessions', 'clean', key)).toMatchObject({ code: 0 });
  const shown = await gateway.cli('sessions', 'show', key);
  expect(shown.stdout).toContain('read my taxes');
  expect(shown.stdout).not.toMatch(/4711|has read: taxes/);
  model.script(tool('message', { to: 'telegram:777', text: 'Hello again.' }), { text: 'told' });
  telegram.say({ text: 'send my friend a message' });
  await telegram.until(() => sent().length === 1);
});
