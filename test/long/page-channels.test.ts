// Channels and people on the page, in a real browser against the built gateway, a Bot API double and a scripted model.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { PERSON, startTelegramServer, TELEGRAM_TOKEN, type TelegramServer } from '../doubles/telegram-server.ts';
import { newHome, REPO, startTestGateway, type TestGateway } from '../support/gateway.ts';
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

async function start(channels: (apiRoot: string) => object, home = newHome()): Promise<void> {
  telegram = await startTelegramServer();
  gateway = await startTestGateway({
    home,
    config: {
      ...configFor(model),
      commands: { ownerAllowFrom: [`telegram:${PERSON.id}`] },
      channels: channels(telegram.url),
    },
  });
}
/** A side process in place of WhatsApp's: it shows a code, another when told, and is linked when the phone has scanned. */
function installSide(folder: string, secret: string): void {
  const parts = ['package.json', 'package-lock.json', 'sidecar.mjs', 'connection.mjs', 'messages.mjs', 'files.mjs', 'guard.mjs']; // biome-ignore format: as the installer has them
  const hash = createHash('sha256');
  for (const name of parts) hash.update(readFileSync(join(REPO, 'extras', 'whatsapp', name)));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, '.installed'), hash.digest('hex'));
  writeFileSync(join(folder, 'sidecar.mjs'), `(${side})(${JSON.stringify(secret)});`);
}
/** As text, since it runs over there. */
const side = `async (secret) => {
  const { existsSync, mkdirSync, writeFileSync } = await import('node:fs');
  const { createInterface } = await import('node:readline');
  const tell = (line) => process.stdout.write(JSON.stringify(line) + '\\n');
  const open = () => tell({ type: 'open', me: ['+15555550123'] });
  createInterface({ input: process.stdin }).on('line', (text) => {
    const { type, id } = JSON.parse(text);
    if (type === 'stop') process.exit(0);
    if (id !== undefined) tell({ type: 'done', id });
  }).on('close', () => process.exit(0));
  if (existsSync('link/creds.json')) return open();
  tell({ type: 'qr', text: secret });
  let again = false;
  setInterval(() => {
    if (!again && existsSync('again')) { again = true; tell({ type: 'qr', text: secret + '2' }); }
    if (!existsSync('scanned') || existsSync('link/creds.json')) return;
    mkdirSync('link', { recursive: true });
    writeFileSync('link/creds.json', '{}');
    open();
  }, 30);
}`;

const withTelegram = (apiRoot: string): object => ({ telegram: { apiRoot, botToken: TELEGRAM_TOKEN } });

function says(who: typeof BEA, text: string): void {
  telegram.chats.set(String(who.id), chatOf(who));
  telegram.say({ text, from: who, chat: chatOf(who) });
}
async function shown(count: number): Promise<string> {
  await expect.poll(() => telegram.sent.length, { timeout: 60_000 }).toBeGreaterThanOrEqual(count);
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
    await expect.poll(why, { timeout: 60_000 }).toBe('DM_NOT_PAIRED');
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

  test('WhatsApp is linked by a code in the page, and the code is in no log, no journal and no file', async () => {
    const secret = 'ref-of-the-code,public-key,identity-key,adv-secret';
    const home = newHome();
    const folder = join(home, '.openclaw', 'credentials', 'whatsapp', 'default');
    installSide(join(home, '.openclaw', 'extras', 'whatsapp'), secret);
    await start(() => ({ whatsapp: {} }), home);
    chat = await openChat(browser, peopleUrl());
    const { page } = chat;
    const card = page.getByRole('listitem', { name: 'WhatsApp' });
    await card.getByText('not linked to a phone').waitFor();
    await card.getByText('openclaw channels login whatsapp').waitFor();
    await card.getByRole('button', { name: 'Link a phone' }).click();
    const code = page.getByRole('img', { name: /^QR code/ });
    await code.waitFor();
    const drawn = "document.querySelector('.qr').decode().then(() => document.querySelector('.qr').naturalWidth)";
    expect(await page.evaluate(drawn)).toBeGreaterThan(20);
    const first = await code.getAttribute('src');
    writeFileSync(join(folder, 'again'), '');
    await expect.poll(() => code.getAttribute('src')).not.toBe(first);
    // A reader's token is not enough to become part of the account.
    const reader = await gateway.connect({ scopes: ['operator.read'] });
    await expect(reader.request('web.login.wait', {})).rejects.toThrow(/scope/);
    await reader.close();
    writeFileSync(join(folder, 'scanned'), '');
    await page.getByText('The phone is linked').waitFor();
    await card.getByText('connected since').waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
    await gateway.stop();
    const kept = readdirSync(join(home, '.openclaw'), { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && !entry.parentPath.includes(join('extras', 'whatsapp')),
    );
    expect(kept.length).toBeGreaterThan(3);
    for (const { parentPath, name } of kept)
      expect(readFileSync(join(parentPath, name), 'latin1').includes('adv-secret'), name).toBe(false);
    expect(gateway.output()).not.toContain('adv-secret');
  });

  test('without a channel there is the one command that adds one', async () => {
    await start(() => ({}));
    chat = await openChat(browser, peopleUrl());
    await chat.page.getByText('openclaw channels add telegram').waitFor();
    await chat.page.getByText('openclaw pairing invite').waitFor();
  });
});
