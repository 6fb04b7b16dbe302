// The double of the Bot API and the channel, each judged by somebody else's: telegram-test-api knows few methods and no
// errors, so it is asked what it knows: polling, a reply, an edit, and the shapes of their answers.
import * as telegramTestApi from 'telegram-test-api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openTelegram } from '../../src/channels/telegram/telegram.ts';
import type { Log } from '../../src/log/log.ts';
import { DIRECT, startTelegramServer, TELEGRAM_TOKEN, type TelegramServer } from '../doubles/telegram-server.ts';
import { freePort } from '../support/gateway.ts';
import { listen, type PlatformDouble } from './channels.ts';

type Foreign = {
  readonly config: { readonly apiURL: string };
  start(): Promise<void>;
  stop(): Promise<boolean>;
  waitBotMessage(): Promise<void>;
  getUpdatesHistory(
    token: string,
  ): readonly { readonly message?: { readonly text?: string; readonly chat_id?: string } }[];
  getClient(
    token: string,
    options: object,
  ): { makeMessage(text: string): object; sendMessage(message: object): Promise<unknown> };
};
// A CommonJS module whose types say something else than it does.
const TelegramTestApi = telegramTestApi.default as unknown as new (config: object) => Foreign;

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, reopen() {}, close() {}, file: '' };
let foreign: Foreign;
let ours: TelegramServer;
beforeEach(async () => {
  foreign = new TelegramTestApi({ port: await freePort(), host: '127.0.0.1', storage: 'RAM', storeTimeout: 60 });
  await foreign.start();
  ours = await startTelegramServer();
});
afterEach(async () => {
  await foreign.stop();
  await ours.close();
});

const call = async (root: string, method: string, body: object): Promise<{ ok: boolean; result: unknown }> => {
  const response = await fetch(`${root}/bot${TELEGRAM_TOKEN}/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as { ok: boolean; result: unknown };
};

test("the channel speaks to another author's server: a message arrives, the reply is there", async () => {
  const channel = await openTelegram(
    {
      ...{ account: 'default', settings: { apiRoot: foreign.config.apiURL }, secrets: { botToken: TELEGRAM_TOKEN } },
      ...{ stateFolder: '/nonexistent', readFile: async () => new Uint8Array(), log: silent, now: Date.now },
    },
    { pollSeconds: 1 },
  );
  const here = await listen({ channel, double: { directChat: '7' } as PlatformDouble });
  try {
    const client = foreign.getClient(TELEGRAM_TOKEN, { userId: 7, chatId: 7, firstName: 'Ada', type: 'private' });
    await client.sendMessage(client.makeMessage('hello'));
    await here.until(() => here.arrived.length === 1, 'nothing arrived');
    expect(here.arrived[0]).toMatchObject({ text: 'hello', chat: '7', sender: { id: '7' }, chatType: 'direct' });
    const shown = foreign.waitBotMessage();
    expect(await here.send('**hi** there')).toMatchObject({ state: 'sent', messageId: expect.any(String) as string });
    await shown;
    const history = foreign.getUpdatesHistory(TELEGRAM_TOKEN).map(({ message }) => message?.text);
    expect(history).toContain('<b>hi</b> there');
  } finally {
    await here.stop();
  }
});

describe('the double answers as the other one does', () => {
  const shapeOf = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.slice(0, 1).map(shapeOf)
      : value !== null && typeof value === 'object'
        ? Object.fromEntries(Object.entries(value).map(([key, inside]) => [key, shapeOf(inside)]))
        : typeof value;

  test('getMe, an empty poll, a message and its edit', async () => {
    const chat_id = String(DIRECT.id);
    for (const [method, body, keys] of [
      ['getMe', {}, ['username', 'first_name']],
      ['sendMessage', { chat_id, text: 'one' }, ['message_id', 'date']],
    ] as const) {
      const [theirs, mine] = await Promise.all([
        call(foreign.config.apiURL, method, body),
        call(ours.url, method, body),
      ]);
      expect([theirs.ok, mine.ok]).toEqual([true, true]);
      const [a, b] = [shapeOf(theirs.result), shapeOf(mine.result)] as Record<string, unknown>[];
      for (const key of keys) expect([key, b?.[key]]).toEqual([key, a?.[key]]);
    }
    const polls = await Promise.all(
      [foreign.config.apiURL, ours.url].map((url) => call(url, 'getUpdates', { timeout: 0 })),
    );
    expect(polls.map(({ ok, result }) => [ok, result])).toEqual([[true, []], [true, []]]); // biome-ignore format: pairs
    const message_id = ours.sent[0]?.id;
    expect(await call(ours.url, 'editMessageText', { chat_id, message_id, text: 'two' })).toMatchObject({ ok: true });
    expect(ours.sent[0]?.text).toBe('two');
  });

  test('a message of a person comes in the same form', async () => {
    const client = foreign.getClient(TELEGRAM_TOKEN, { userId: DIRECT.id, chatId: DIRECT.id, type: 'private' });
    await client.sendMessage(client.makeMessage('hello'));
    ours.say({ text: 'hello' });
    const [theirs, mine] = await Promise.all(
      [foreign.config.apiURL, ours.url].map((url) => call(url, 'getUpdates', { timeout: 0 })),
    );
    const of = (answer: { result: unknown } = { result: [] }) =>
      (answer.result as { update_id: number; message: Record<string, unknown> }[])[0];
    for (const update of [of(theirs), of(mine)]) {
      expect(shapeOf(update)).toMatchObject({
        update_id: 'number',
        message: {
          message_id: 'number',
          text: 'string',
          from: { id: 'number', is_bot: 'boolean' },
          chat: { id: 'number', type: 'string' },
        },
      });
    }
  });
});
