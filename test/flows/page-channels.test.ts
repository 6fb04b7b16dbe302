// Channels and people on the page, in a real browser against the built gateway, a Bot API double and a scripted model.
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { PERSON, startTelegramServer, TELEGRAM_TOKEN, type TelegramServer } from '../doubles/telegram-server.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';
import { type Chat, contrastOf, openBrowser, openChat, PHONE, signInUrl } from '../support/page.ts';

const BEA = { id: 555, is_bot: false, first_name: 'Bea' };
const chatOf = ({ id, first_name }: typeof BEA) => ({ id, type: 'private', first_name });

let browser: Browser;
let model: ModelServer;
let telegram: TelegramServer;
let gateway: TestGateway;
let chat: Chat | undefined;

beforeAll(async () => {
  [browser, model] = await Promise.all([openBrowser(), startModelServer()]);
});
afterEach(async () => {
  expect(chat?.incidents ?? []).toEqual([]);
  await chat?.close();
  chat = undefined;
  await gateway?.dispose();
  await telegram?.close();
});
afterAll(async () => {
  await browser?.close();
  await model?.close();
});

async function start(channels: (apiRoot: string) => object): Promise<void> {
  telegram = await startTelegramServer();
  gateway = await startTestGateway({
    config: {
      ...configFor(model),
      commands: { ownerAllowFrom: [`telegram:${PERSON.id}`] },
      channels: channels(telegram.url),
    },
  });
}
const withTelegram = (apiRoot: string): object => ({ telegram: { apiRoot, botToken: TELEGRAM_TOKEN } });

function says(who: typeof BEA, text: string): void {
  telegram.chats.set(String(who.id), chatOf(who));
  telegram.say({ text, from: who, chat: chatOf(who) });
}
async function shown(count: number): Promise<string> {
  await expect.poll(() => telegram.sent.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(count);
  return telegram.sent[count - 1]?.text ?? '';
}
const peopleUrl = (): string => `${signInUrl(gateway)}&view=people`;

describe('people', () => {
  test('S022 S113 a stranger writes, the badge counts them, the keyboard lets them in, a button takes it back', async () => {
    await start(withTelegram);
    says(BEA, 'hello?');
    await shown(1);
    chat = await openChat(browser, signInUrl(gateway));
    const { page } = chat;
    const link = page.getByRole('link', { name: 'Channels & people 1 waits to be let in' });
    await link.focus();
    await page.keyboard.press('Enter');
    expect(page.url()).toContain('view=people');
    const approve = page.getByRole('button', { name: 'Approve Bea', exact: true });
    await approve.and(page.locator(':enabled')).waitFor();
    const isFocused = async () => (await approve.and(page.locator(':focus')).count()) === 1;
    for (let n = 0; n < 40 && !(await isFocused()); n++) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('Nobody waits.').waitFor();
    expect(await shown(2)).toContain('You are in');
    expect(await page.locator('.badge').count()).toBe(0);
    model.script({ text: 'hi Bea' });
    says(BEA, 'hello!');
    expect(await shown(3)).toBe('hi Bea');

    const row = page.getByRole('listitem', { name: 'Bea', exact: true });
    await row.getByText('seen just now').waitFor();
    await row.getByRole('button', { name: 'Revoke Bea' }).click();
    await page.getByRole('dialog', { name: 'Let Bea talk no longer?' }).getByRole('button', { name: 'Revoke' }).click();
    await row.waitFor({ state: 'detached' });
    says(BEA, 'still there?');
    const why = async () => JSON.parse((await gateway.cli('why', '--sender', '555', '--json')).stdout).data.code;
    await expect.poll(why, { timeout: 10_000 }).toBe('DM_NOT_PAIRED');
    expect(telegram.sent).toHaveLength(3);
    const card = page.getByRole('listitem', { name: 'Telegram' });
    await card.getByText('3 received = 1 answered + 2 declined + 0 queued + 0 failed').waitFor();
    await card.getByText('2 DM_NOT_PAIRED').waitFor();
    await page.goBack();
    await chat.composer.waitFor();
  });

  test('S028 who comes while the page is open appears; an owner is made only after a question; rejecting all asks', async () => {
    await start(withTelegram);
    chat = await openChat(browser, peopleUrl());
    const { page } = chat;
    await page.getByText('Nobody waits.').waitFor();
    says({ ...BEA, id: 601, first_name: 'Cyd' }, 'hello');
    const asOwner = page.getByRole('button', { name: 'Approve Cyd as owner' });
    await asOwner.and(page.locator(':enabled')).click();
    const question = page.getByRole('dialog', { name: 'Make Cyd an owner?' });
    await question.getByRole('button', { name: 'Cancel' }).click();
    expect((await gateway.rpc('channels.pairing.approved'))['approved']).toEqual([]);
    await asOwner.click();
    await question.getByRole('button', { name: 'Make owner' }).click();
    await page.getByRole('listitem', { name: 'Cyd', exact: true }).getByText('owner').waitFor();
    says({ ...BEA, id: 602, first_name: 'Dan' }, 'hello');
    says({ ...BEA, id: 603, first_name: 'Eve' }, 'hello');
    await page.getByRole('button', { name: 'Reject Eve' }).waitFor();
    await page.getByRole('button', { name: 'Reject all' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reject all' }).click();
    await page.getByText('Nobody waits.').waitFor();
    expect((await gateway.rpc('channels.pairing.list'))['waiting']).toEqual([]);
  });

  test('what somebody else has settled meanwhile is refused in one line', async () => {
    await start(withTelegram);
    says(BEA, 'hello?');
    await shown(1);
    chat = await openChat(browser, peopleUrl());
    const reject = chat.page.getByRole('button', { name: 'Reject Bea' });
    await reject.and(chat.page.locator(':enabled')).waitFor();
    await gateway.rpc('channels.pairing.dismiss', { all: true });
    await reject.click();
    await chat.page.getByText('Not done: nobody with this id waits (openclaw pairing list)').waitFor();
  });
});

describe('channels', () => {
  test('connected, refused, switched off and without a token: each says so, with the command that helps', async () => {
    const wrong = '987654321:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw';
    await start((apiRoot) => ({
      telegram: { apiRoot, botToken: TELEGRAM_TOKEN, accounts: { work: { apiRoot, botToken: wrong } } },
      discord: { enabled: false },
      slack: {},
    }));
    chat = await openChat(browser, peopleUrl());
    const { page } = chat;
    const card = (name: string) => page.getByRole('listitem', { name });
    await card('Telegram').getByText('connected since').waitFor();
    await card('Telegram')
      .getByText(/\d+ ms, just now, as .*shell_test_bot/)
      .waitFor();
    await card('Telegram').locator('.account', { hasText: 'work' }).getByText('refused; tries again in').waitFor();
    await card('Telegram').locator('.trouble').getByRole('button', { name: 'Copy command' }).waitFor();
    await card('Discord').getByText('switched off').waitFor();
    await card('Discord').getByText('openclaw config set channels.discord.enabled true').waitFor();
    await card('Slack').getByText('does not run').waitFor();
    await card('Slack').getByText('openclaw channels add slack', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Check Telegram now' }).click();
    await page.getByText('Telegram was asked').waitFor();
    for (const selector of ['.state.is-good', '.state.is-bad', '.state.is-off', '.trouble p', '.card .facts dt'])
      expect(await contrastOf(page, selector), selector).toBeGreaterThanOrEqual(4.5);
  });

  test.each(['light', 'dark'] as const)(
    'on a phone, %s: nothing is cut off, and no name disguises itself',
    async (colorScheme) => {
      await start(withTelegram);
      says({ ...BEA, first_name: 'Mum <b>x</b> \u202egnp.eb'.repeat(3) }, 'hello?');
      await shown(1);
      chat = await openChat(browser, peopleUrl(), { ...PHONE, colorScheme });
      const { page } = chat;
      await page.locator('.card .primary:enabled').waitFor();
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
      expect(await page.evaluate("document.querySelector('#people').scrollWidth <= innerWidth")).toBe(true);
      expect(await page.locator('#people').innerText()).not.toContain('\u202e');
      expect(await page.locator('#people b').count()).toBe(0);
      for (const selector of ['.badge', '.who-id', '.when', '.state'])
        expect(await contrastOf(page, selector), selector).toBeGreaterThanOrEqual(4.5);
      await page.getByRole('button', { name: 'Show sessions; somebody waits to be let in' }).click();
      await page.getByRole('link', { name: /^Channels & people/ }).click();
      await page.getByRole('heading', { name: 'Waiting for you' }).waitFor();
    },
  );

  test('without a channel there is the one command that adds one', async () => {
    await start(() => ({}));
    chat = await openChat(browser, peopleUrl());
    await chat.page.getByText('openclaw channels add telegram').waitFor();
    await chat.page.getByText('openclaw pairing invite').waitFor();
  });
});
