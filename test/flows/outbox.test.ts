// Messages that the assistant sends by itself: asked about, then held for a moment in which the owner can stop them, over a
// kill -9 too. The whole program, grammY and a Bot API double.
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
}, 30_000);

test('a held message outlives kill -9 and leaves exactly once when its moment comes', async () => {
  await openTelegram();
  const gateway = await start({ message: { requireConfirmation: false }, undoSeconds: 4 });
  model.script(callMessage, { text: 'It is on its way.' });
  telegram.say({ text: 'tell telegram:777 the code' });
  await said(1);
  expect(toFriend()).toEqual([]);
  await gateway.kill9();
  const next = await start({ message: { requireConfirmation: false }, undoSeconds: 4 }, gateway.home);
  await telegram.until(() => toFriend().length > 0);
  expect(toFriend()).toEqual(['The door code is 4711.']);
  expect(await held(next)).toEqual([]);
  await next.kill9();
  await start({ undoSeconds: 4 }, gateway.home);
  expect(toFriend()).toEqual(['The door code is 4711.']);
}, 40_000);

test('S209 who is not on the list gets nothing, and the model is told why', async () => {
  await openTelegram();
  await start({ message: { requireConfirmation: false, allowedRecipients: ['telegram:5'] } });
  model.script(callMessage, ({ result }) => ({ text: `told: ${result}` }));
  telegram.say({ text: 'tell telegram:777 the code' });
  await said(1);
  expect(telegram.sent[0]?.text).toContain('actions.message.allowedRecipients');
  expect(toFriend()).toEqual([]);
}, 30_000);
